// A folder of scenarios with the results that somebody once approved: what `tangram check` runs.
#pragma once

#include <string>
#include <vector>

#include "sim/core/json_reader.h"

namespace tangram {

// A scenario NAME.json and its approved summary NAME.expected.json beside it.
struct RegressionCase {
  std::string name;  // path within the folder, without .json
  std::string scenario, expected;
};

// Every JSON file of the folder and the folders in it that has "workloads" at its top, in the order
// of names. Plans and profiles beside them are left alone. Throws ConfigError for a folder that
// cannot be read or has no scenario, and for files that are not JSON.
std::vector<RegressionCase> find_cases(const std::string& folder);

// One figure or text that differs.
struct Difference {
  std::string pointer;  // into the summary
  Json expected, got;   // null: not there
};
// In words, with the relative change of a number:
// "/total/late: 12, approved 10 (+20 %)".
std::string to_string(const Difference& difference);

struct CaseOutcome {
  RegressionCase which;
  Json summary;                         // of this run; null when it failed
  std::string error;                    // why it could not run, or has no approved result
  bool is_new = false;                  // there is no approved result
  std::vector<Difference> differences;  // none: as approved
  bool passed() const { return error.empty() && differences.empty(); }
};

// Simulates the scenario and compares every figure exactly. What cannot run is an outcome, not an
// exception.
CaseOutcome run_case(const RegressionCase& which);

// The part of a summary that a rerun reproduces: without wall_s and the notes.
Json reproducible(Json summary);
// Every place where two documents differ, in the order of the first, then what only the second has.
std::vector<Difference> compare(const Json& expected, const Json& got);

// Writes the summary of an outcome that ran as the approved one. Throws SystemError.
void approve(const CaseOutcome& outcome);

// The outcomes in the JUnit form that CI systems read.
std::string junit_xml(const std::string& folder, const std::vector<CaseOutcome>& outcomes);

}  // namespace tangram
