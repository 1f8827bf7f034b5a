// The runner "torch": TorchScript models through LibTorch, on the CPU or, where LibTorch was built
// for it, on CUDA. Included by the program that is linked with LibTorch, and by nothing else.
#pragma once

#include <functional>
#include <memory>
#include <torch/script.h>

#include "engine/worker/runner.h"

namespace tangram {

// The work of a batch, recorded once to be started again at the cost of one launch.
class RecordedBatch {
 public:
  virtual ~RecordedBatch() = default;
  // Starts it; the tensor holds the result when the lane has finished.
  virtual const torch::Tensor& replay() = 0;
};

// What a lane's thread holds from open() to its end: on CUDA, the guard that puts the thread's work
// on its partition's stream.
class LanePlace {
 public:
  virtual ~LanePlace() = default;
  virtual LaneGrant grant() const = 0;
  // Waits until what the thread has started is done.
  virtual void finish() {}
  // Records what `forward` starts, without running it; nullptr where the place or the model cannot.
  virtual std::unique_ptr<RecordedBatch> record(const std::function<torch::Tensor()>& /*forward*/) {
    return nullptr;
  }
};

// Where the lanes of a worker compute.
class TorchPlace {
 public:
  virtual ~TorchPlace() = default;
  virtual torch::Device device() const = 0;
  // Without lanes and framework.
  virtual WorkerGrant describe() const = 0;
  // Called by the lane's thread. Throws RunnerError.
  virtual std::unique_ptr<LanePlace> enter(const LaneSpec& lane, std::size_t index) = 0;
  // As Lane::kernels(), for a lane of this place.
  virtual std::vector<Kernel> kernels(Lane& /*lane*/,
                                      std::uint32_t /*model*/,
                                      std::uint32_t /*batch*/) {
    throw RunnerError(RunnerFault::kUnsupported, "kernel lists: the CPU has none");
  }
  // After a model was unloaded: gives back memory that the framework keeps.
  virtual void release() {}
};

// A device whose lanes load and run TorchScript at a place.
std::unique_ptr<WorkerDevice> make_torch_device(const WorkerSpec& spec,
                                                std::unique_ptr<TorchPlace> place);
// The place of the CPU: one thread per lane, wherever the process may run.
std::unique_ptr<TorchPlace> make_cpu_place();

}  // namespace tangram
