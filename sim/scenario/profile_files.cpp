#include "sim/scenario/profile_files.h"

#include <utility>

#include "profiles/profile_io.h"

namespace tangram {

ProfileFiles::Profiles ProfileFiles::read(const std::string& path,
                                          Faults& faults,
                                          const std::vector<GpuType>& gpu_types) {
  const std::scoped_lock lock(mutex_);
  std::string key = path;
  for (const GpuType& type : gpu_types) key += '\n' + type.name;
  const auto found = files_.find(key);
  if (found != files_.end()) return found->second;
  const std::size_t before = faults.size();
  auto profiles =
      std::make_shared<const std::vector<Profile>>(read_profile_file(path, faults, gpu_types));
  if (faults.size() == before) files_.emplace(std::move(key), profiles);
  return profiles;
}

}  // namespace tangram
