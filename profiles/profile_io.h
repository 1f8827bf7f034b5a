// Profiles from and to files: the HDF5 store, the JSON form, and the importers of published tables.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "profiles/gpu_type.h"
#include "profiles/profile.h"
#include "sim/core/json_reader.h"

namespace tangram {

// Reads one profile in its JSON form (docs/reference/profile.md). Faults carry the node's pointer.
// `gpu_types` are the scenario's own, beside the built-in ones. nullopt when there were faults.
std::optional<Profile> read_profile(const JsonNode& node,
                                    const std::vector<GpuType>& gpu_types = {});
Json to_json(const Profile& profile);

// Reads a .h5 store or a .json file (one profile, or an array of them). Adds faults with the file's
// name (and pointer) and returns what could be read.
std::vector<Profile> read_profile_file(const std::string& path,
                                       Faults& faults,
                                       const std::vector<GpuType>& gpu_types = {});

// Writes an HDF5 store: all profiles of one GPU type. Throws SystemError; the target is complete or
// untouched. Layout: docs/reference/profile.md.
void write_profile_store(const std::string& path, const std::vector<Profile>& profiles);

// Finds a profile file: absolute, else relative to `base` (the scenario's folder), else among the
// shipped profiles. Adds a fault naming the nearest shipped one when there is none.
std::optional<std::string> find_profile_file(const std::string& path,
                                             const std::filesystem::path& base,
                                             const std::string& where,
                                             Faults& faults);
// The folder of the shipped profiles.
std::filesystem::path shipped_profiles();

struct ImportResult {
  std::vector<Profile> profiles;
  std::vector<std::string> warnings;  // "resnet50.csv:17: ..." suspicious rows, missing points
};
struct ImportOptions {
  std::string gpu;            // overrides the format's own GPU type
  bool drop_suspect = false;  // leave suspicious rows out
};
// Formats: "parvagpu" (a CSV per model or a folder of them; a100-80gb), "gpulet" (latency CSV, with
// UTIL.CSV and the tables of batching times beside it when there; 2080ti), "igniter" (latencies
// alone, co-runs, kernel counts; v100), "csv" (tidy: header row, columns by name). Throws
// ConfigError with file:line for every bad row.
ImportResult import_profiles(const std::string& format,
                             const std::vector<std::string>& paths,
                             const ImportOptions& options);

// Marks suspicious rows (docs/model/profiles.md): exact copies of the row with one process less,
// and doublings of the batch that gain more than 1.3x after one that gained less than 1.2x. Returns
// a sentence for each.
std::vector<std::string> mark_suspicious(Profile& profile);

}  // namespace tangram
