// The place of LibTorch on CUDA: each lane's thread works on the stream of its partition. Compiled
// only with a LibTorch that was built for CUDA.
#pragma once

#include <memory>

#include "engine/torch/torch_runner.h"

namespace tangram {

// Divides the device as the specification says (division.h). A stream carries its partition: the
// green context need not be current, and LibTorch keeps to the primary context. What a model starts
// on LibTorch's own pool of streams would leave the partition.
// With the variable TANGRAM_TORCH_GRAPHS set to 0 batches are launched kernel by kernel, else they
// are captured into graphs where that works. Throws RunnerError.
std::unique_ptr<TorchPlace> make_cuda_place(const WorkerSpec& spec);

}  // namespace tangram
