// One scenario run in both worlds and compared: the work behind `tangram validate`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/scenario/command.h"
#include "validate/compare.h"
#include "validate/engine_process.h"
#include "validate/overhead.h"

namespace tangram {

struct ValidateOptions {
  ScenarioArguments scenario;
  std::string backend;                      // not used with `real`
  std::vector<std::string> real;            // validation files: their real runs, not new ones
  std::vector<std::string> engine_options;  // passed on: "--models", "FOLDER"
  std::uint64_t replications = 1;           // runs with the seeds s, s+1, ...; not with `real`
  std::string command, date;                // for the record
  std::function<void(double)> progress;     // of the simulation
};

// Where the numbers come from.
struct ValidationRecord {
  std::string backend, command, date, machine;
};

struct Validation {
  ValidationRecord record;
  std::vector<Profile> profiles;              // that both worlds were given
  std::vector<StoredResult> simulated, real;  // by replication
  Comparison comparison;
  BatchOverhead overhead;
};

// Simulates, runs the engine (or takes the real runs of earlier validations of the scenario, with
// their seeds), and writes the validation file (docs/reference/validation.md) to
// `path`. Throws what load_scenario, simulate, run_engine_process and compare throw, ConfigError
// for a scenario whose arrivals depend on the answers or that is not the one of `real`; the target
// is complete or untouched.
Validation validate(const ValidateOptions& options,
                    const std::string& path,
                    const Interrupt& interrupt);

// Reads a validation file. The comparison is computed from the two results in it.
Validation read_validation_file(const std::string& path);
// Whether this is such a file; false for anything that is not HDF5 by its name. Throws ConfigError
// for HDF5 that cannot be read.
bool is_validation_file(const std::string& path);

// The comparison for people, at most 100 columns wide.
std::string table_of(const Validation& validation);

// "Intel(R) Xeon(R) ..., 2 cores, Linux 6.1.0": the machine that this runs on.
std::string machine_description();
// The time as UTC, "2026-11-20 08:40:00 UTC".
std::string utc_now();

}  // namespace tangram
