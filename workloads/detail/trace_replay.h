// A trace's slice made ready to replay; starting it again costs no reading.
#pragma once

#include <memory>
#include <optional>

#include "workloads/arrivals.h"
#include "workloads/trace.h"

namespace tangram {

class TraceReplay {
 public:
  // Reads the file. Throws ConfigError when it cannot be read. Requires: a spec that
  // read_arrivals() accepts.
  explicit TraceReplay(const ArrivalSpec& spec);
  // The stream places the arrivals of recorded counts inside their minute; recorded times need
  // none.
  std::unique_ptr<ArrivalProcess> start(RandomStream stream) const;

 private:
  std::shared_ptr<const Recording> rows_;  // times already divided by the speed
  std::optional<double> repeat_every_ns_;
  double minute_ns_ = 60e9;
  ArrivalSpec::Counts counts_;
};

}  // namespace tangram
