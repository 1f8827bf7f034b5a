// Profile files that are read once, for programs that read one scenario many times.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "profiles/gpu_type.h"
#include "profiles/profile.h"
#include "sim/core/error.h"

namespace tangram {

// Safe for several threads. A file that changes meanwhile is not read again. GPU types of the
// scenario's own are told apart by their names only.
class ProfileFiles {
 public:
  using Profiles = std::shared_ptr<const std::vector<Profile>>;
  // As read_profile_file. Files with faults are read again, so that each reader is told.
  Profiles read(const std::string& path, Faults& faults, const std::vector<GpuType>& gpu_types);

 private:
  std::mutex mutex_;
  std::map<std::string, Profiles> files_;  // by path and the names of the GPU types
};

}  // namespace tangram
