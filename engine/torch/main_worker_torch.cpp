// The tangram-worker-torch program: models in TorchScript.
#ifdef TANGRAM_TORCH_CUDA
#include "engine/cuda/torch_stream.h"
#endif
#include "engine/torch/torch_runner.h"
#include "engine/worker/worker.h"

namespace {

// The device of a specification. A CPU build of LibTorch has the CPU alone.
std::unique_ptr<tangram::WorkerDevice> make_device(const tangram::WorkerSpec& spec) {
  if (spec.device == "cpu") return tangram::make_torch_device(spec, tangram::make_cpu_place());
#ifdef TANGRAM_TORCH_CUDA
  return tangram::make_torch_device(spec, tangram::make_cuda_place(spec));
#else
  throw tangram::RunnerError(
      tangram::RunnerFault::kUnsupported,
      "this build of the runner torch computes on the CPU alone, not on " + spec.device);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  return tangram::worker_main(argc, argv, {{"torch", make_device}});
}
