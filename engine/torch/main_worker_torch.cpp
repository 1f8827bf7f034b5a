// The tangram-worker-torch program: models in TorchScript.
#include "engine/torch/torch_runner.h"
#include "engine/worker/worker.h"

namespace {

// The device of a specification. A CPU build of LibTorch has no other.
std::unique_ptr<tangram::WorkerDevice> make_device(const tangram::WorkerSpec& spec) {
  if (spec.device != "cpu") {
    throw tangram::RunnerError(
        tangram::RunnerFault::kUnsupported,
        "this build of the runner torch computes on the CPU alone, not on " + spec.device);
  }
  return tangram::make_torch_device(spec, tangram::make_cpu_place());
}

}  // namespace

int main(int argc, char** argv) {
  return tangram::worker_main(argc, argv, {{"torch", make_device}});
}
