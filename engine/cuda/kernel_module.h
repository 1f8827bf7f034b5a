// The compiled kernels of kernels.cu in one context, and what the programs ask of them.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <set>
#include <string>

#include "engine/cuda/objects.h"

namespace tangram {

// A fat binary.
struct KernelImage {
  const void* data = nullptr;
  std::size_t size = 0;
};
// The one that this build holds; empty when it was built without a CUDA compiler.
KernelImage builtin_kernels();

struct LaunchShape {
  unsigned grid = 1, block = 1;
  unsigned shared_memory = 0;  // dynamic, bytes
};

class KernelModule {
 public:
  // Loads the image into the thread's current context. Throws RunnerError; kUnsupported for an
  // empty image.
  KernelModule(const CudaDriver& driver, KernelImage image);
  const CudaDriver& driver() const { return *driver_; }
  // Throws RunnerError (kLoadFailed) for a name that is not in the image.
  CUfunction function(const std::string& name) const;

 private:
  const CudaDriver* driver_;
  CudaModule module_;
};

// Enqueues a kernel; `arguments` are addresses of values of the parameters' types, in their order.
void launch(const CudaDriver& driver,
            CUfunction function,
            const LaunchShape& shape,
            CUstream stream,
            std::initializer_list<const void*> arguments);

// The SMs that kernels of a stream run on (%smid), found by running four blocks for each of
// `device_sms`. Waits for the stream.
std::set<unsigned> used_sms(const KernelModule& module, CUstream stream, unsigned device_sms);

}  // namespace tangram
