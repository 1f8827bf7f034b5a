// The runner `kernels`: models are synthetic kernels (kernel_spec.h), run on a CUDA device through
// the driver alone. A model is named by its path, or where that is empty by its name.
#pragma once

#include <memory>

#include "engine/cuda/kernel_module.h"
#include "engine/worker/runner.h"

namespace tangram {

// With the machine's driver and this program's kernels. Throws RunnerError.
std::unique_ptr<WorkerDevice> make_kernels_device(const WorkerSpec& spec);

// With any driver. An opened lane runs the %smid probe: its grant says when kernels ran on SMs that
// were not granted, or on SMs of another partition.
std::unique_ptr<WorkerDevice> make_kernels_device(const WorkerSpec& spec,
                                                  const CudaDriver& driver,
                                                  KernelImage image);

}  // namespace tangram
