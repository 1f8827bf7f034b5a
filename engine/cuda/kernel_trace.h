// Which kernels a batch really runs, from the profiling library CUPTI, which is loaded at run time.
// One trace per process at a time: CUPTI's callbacks carry no state of the caller.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "profiles/profile.h"

namespace tangram {

// A kernel that ran.
struct TracedKernel {
  Kernel kernel;               // its batch is not known here
  std::uint64_t start_ns = 0;  // on CUPTI's clock
  std::uint32_t stream = 0;
  bool is_green = false;  // ran in a green context
  unsigned sms = 0;       // of its context; 0 where CUPTI did not say
};

class KernelTrace {
 public:
  // Records every kernel of this process from now on; begin it before the process makes a context,
  // or contexts are not known. Throws RunnerError (kUnsupported) without CUPTI, or where it may not
  // record.
  KernelTrace();
  ~KernelTrace();
  KernelTrace(const KernelTrace&) = delete;
  KernelTrace& operator=(const KernelTrace&) = delete;
  // What ran since the last call, in the order of starts. Requires: all of it has finished (the
  // streams are synchronised). Throws RunnerError when CUPTI lost records.
  std::vector<TracedKernel> take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The kernels of one batch out of several runs of it: with the median of the durations. nullopt
// when the runs are not the same sequence of kernels (names, grids, threads), or there are none.
std::optional<std::vector<Kernel>> kernels_of_batch(
    std::uint32_t batch, const std::vector<std::vector<TracedKernel>>& runs);

}  // namespace tangram
