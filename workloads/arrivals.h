// Arrival times, generated in blocks so that a virtual call is paid once per few hundred requests.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/core/random.h"
#include "sim/core/time.h"
#include "workloads/workload.h"

namespace tangram {

// An open-loop arrival process: intended arrival times, never decreasing, from kStart on.
class ArrivalProcess {
 public:
  virtual ~ArrivalProcess() = default;
  // Writes the next arrivals and returns how many; fewer than asked means that the process has
  // ended.
  virtual std::size_t next(std::span<TimePoint> out) = 0;
};

// Builds the process from its own stream. Requires: not kClosedLoop. Throws ConfigError for a trace
// that cannot be read. The first arrival comes one gap after kStart (constant: half a gap).
std::unique_ptr<ArrivalProcess> make_arrivals(const ArrivalSpec& spec, RandomStream stream);

}  // namespace tangram
