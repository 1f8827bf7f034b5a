#include "engine/cpu_quota.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "sim/core/atomic_file.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

constexpr double kPeriodUs = 10'000;
constexpr double kLeastQuotaUs = 1'000;

// Control files exist before they are written, and take a value in one write.
void write_value(const std::string& path, const std::string& value) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written =
      file >= 0 && ::write(file, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!written) throw SystemError(path + ": " + std::strerror(error));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

bool has_cpu(const std::string& list) {
  const std::vector<std::string> names = split(list, ',');
  return std::find(names.begin(), names.end(), "cpu") != names.end();
}

struct Mount {
  std::string root, point, type, options;
};

// A line is "ID PARENT DEVICE ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE SUPER_OPTIONS".
std::vector<Mount> mounts_of(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  for (const std::string& line : split(mountinfo, '\n')) {
    const std::vector<std::string> words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    mounts.push_back({words[3], words[4], dash[1], dash[3]});
  }
  return mounts;
}

// The folder of a group below the mount: in a container, the mount's root is itself a group.
std::string folder_of(const Mount& mount, const std::string& group) {
  std::string below = group;
  if (mount.root != "/" && below.starts_with(mount.root)) below = below.substr(mount.root.size());
  while (below.ends_with('/')) below.pop_back();
  return mount.point + below;
}

}  // namespace

std::optional<CgroupPlace> find_cgroup(const std::string& mountinfo, const std::string& cgroup) {
  const std::vector<Mount> mounts = mounts_of(mountinfo);
  std::optional<CgroupPlace> unified;
  // A line is "ID:CONTROLLERS:GROUP"; version 2 has ID 0 and no controllers.
  for (const std::string& line : split(cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    for (const Mount& mount : mounts) {
      if (has_cpu(controllers) && mount.type == "cgroup" && has_cpu(mount.options)) {
        return CgroupPlace{1, folder_of(mount, group)};
      }
      if (controllers.empty() && mount.type == "cgroup2" && !unified) {
        unified = CgroupPlace{2, folder_of(mount, group)};
      }
    }
  }
  return unified;
}

std::optional<CgroupPlace> find_cgroup() {
  try {
    return find_cgroup(read_file("/proc/self/mountinfo"), read_file("/proc/self/cgroup"));
  } catch (const ConfigError&) {
    return std::nullopt;
  }
}

QuotaTimes quota_times(double share) {
  const double period = std::max(kPeriodUs, std::ceil(kLeastQuotaUs / share));
  return {std::lround(std::max(kLeastQuotaUs, period * share)), std::lround(period)};
}

CpuQuota::CpuQuota(const CgroupPlace& place, const std::string& name, double share)
    : folder_(place.folder + "/tangram-" + std::to_string(::getpid()) + '-' + name) {
  if (::mkdir(folder_.c_str(), 0755) != 0 && errno != EEXIST) {
    throw SystemError(folder_ + ": " + std::strerror(errno));
  }
  const QuotaTimes times = quota_times(share);
  try {
    if (place.version == 1) {
      write_value(folder_ + "/cpu.cfs_period_us", std::to_string(times.period_us));
      write_value(folder_ + "/cpu.cfs_quota_us", std::to_string(times.quota_us));
    } else {
      // The controller has to be handed down first; where it is already, this changes nothing.
      if (!fs::exists(folder_ + "/cpu.max")) {
        write_value(place.folder + "/cgroup.subtree_control", "+cpu");
      }
      write_value(folder_ + "/cpu.max",
                  std::to_string(times.quota_us) + ' ' + std::to_string(times.period_us));
    }
  } catch (...) {
    ::rmdir(folder_.c_str());
    throw;
  }
}

CpuQuota::~CpuQuota() {
  ::rmdir(folder_.c_str());
}

void CpuQuota::add(pid_t process) const {
  write_value(folder_ + "/cgroup.procs", std::to_string(process));
}

}  // namespace tangram
