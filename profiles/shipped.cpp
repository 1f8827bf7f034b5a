// Where profile files are looked for: a scenario's folder, then the shipped profiles.
#include <algorithm>
#include <filesystem>

#include "profiles/profile_io.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> shipped_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(shipped_profiles(), ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::filesystem::path shipped_profiles() {
  return TANGRAM_SHIPPED_PROFILES;
}

std::optional<std::string> find_profile_file(const std::string& path,
                                             const std::filesystem::path& base,
                                             const std::string& where,
                                             Faults& faults) {
  std::error_code ignored;
  for (const fs::path& folder : {base, shipped_profiles()}) {
    const fs::path candidate = folder / path;  // an absolute path stays as it is
    if (fs::is_regular_file(candidate, ignored)) return candidate.string();
  }
  faults.add(where, unknown_name("profile file", path, shipped_names()) +
                        "; relative paths start at the scenario's folder, then at the shipped "
                        "profiles");
  return std::nullopt;
}

}  // namespace tangram
