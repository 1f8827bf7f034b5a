// A limit on the processor time of some processes: a control group of its own, version 1
// (cpu.cfs_quota_us) or 2 (cpu.max), below the one that this process is in.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace tangram {

// Where control groups of the processor are made.
struct CgroupPlace {
  int version = 2;
  std::string folder;  // of the group that this process is in
  friend bool operator==(const CgroupPlace&, const CgroupPlace&) = default;
};

// Finds it from the texts of /proc/self/mountinfo and /proc/self/cgroup; nullopt where the system
// has none.
std::optional<CgroupPlace> find_cgroup(const std::string& mountinfo, const std::string& cgroup);
// The same for this process.
std::optional<CgroupPlace> find_cgroup();

// Times of a quota in microseconds: the period is 10 ms, longer where the quota would fall below
// the kernel's least, 1 ms. Shorter periods measured worse, and latencies shorter than two periods
// scatter.
struct QuotaTimes {
  long quota_us = 0, period_us = 0;
  friend bool operator==(const QuotaTimes&, const QuotaTimes&) = default;
};
// Requires: share of one core in [0.001, 1].
QuotaTimes quota_times(double share);

class CpuQuota {
 public:
  // Makes the group. `name` is unique among this process's. Throws SystemError with the reason
  // where that is not possible or not permitted.
  CpuQuota(const CgroupPlace& place, const std::string& name, double share);
  // Removes the group; its processes must have ended.
  ~CpuQuota();
  CpuQuota(const CpuQuota&) = delete;
  CpuQuota& operator=(const CpuQuota&) = delete;

  // Moves a process into the group. Throws SystemError.
  void add(pid_t process) const;

 private:
  std::string folder_;
};

}  // namespace tangram
