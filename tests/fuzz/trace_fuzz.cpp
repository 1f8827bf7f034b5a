// Fuzzes a reader of recorded arrivals: TANGRAM_FUZZ_FORMAT names the format. What it accepts
// ascends from zero, or is counts, and can be described.
#include <algorithm>
#include <stdexcept>

#include "tests/fuzz/fuzz.h"
#include "workloads/statistics.h"
#include "workloads/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tangram;
  return fuzz::accept_or_refuse([&] {
    Faults faults;
    const Recording recording =
        parse_trace(fuzz::as_text(data, size), {"fuzz.csv", TANGRAM_FUZZ_FORMAT, ""}, faults);
    faults.throw_if_any();
    const std::vector<Duration>& times = recording.times;
    const bool ascending = std::is_sorted(times.begin(), times.end());
    if (!ascending || (!times.empty() && times.front() != Duration(0))) {
      throw std::logic_error("accepted times do not ascend from zero");
    }
    if (describe_trace(recording).count != slice_trace(recording, 0, std::nullopt).count()) {
      throw std::logic_error("a description loses arrivals");
    }
  });
}
