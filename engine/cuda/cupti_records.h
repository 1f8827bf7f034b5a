// CUPTI's records of kernels and contexts, made into ours. Apart from the library, so that it can
// be tried on records that were made by hand.
#pragma once

#include <cupti.h>
#include <map>
#include <vector>

#include "engine/cuda/kernel_trace.h"

namespace tangram {

class CuptiRecords {
 public:
  // Takes kernels and contexts; passes over everything else.
  void add(const CUpti_Activity& record);
  // All kernels so far, in the order of their starts, and forgets them. Contexts stay known.
  std::vector<TracedKernel> take();

 private:
  struct ContextFacts {
    bool is_green = false;
    unsigned sms = 0;
  };
  struct Pending {
    TracedKernel kernel;
    std::uint32_t context = 0;
  };
  std::map<std::uint32_t, ContextFacts> contexts_;
  std::vector<Pending> kernels_;
};

}  // namespace tangram
