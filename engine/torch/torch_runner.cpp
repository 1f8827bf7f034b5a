#include "engine/torch/torch_runner.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <map>
#include <new>
#include <torch/version.h>

#include "engine/worker/bytes.h"
#include "engine/worker/cpu_device.h"

namespace tangram {
namespace {

// The first line: what follows is a stack trace.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

// Rethrows what LibTorch threw as a RunnerError; `otherwise` is the fault of any other error.
[[noreturn]] void rethrow(const std::string& where, RunnerFault otherwise) {
  try {
    throw;
  } catch (const RunnerError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw RunnerError(RunnerFault::kOutOfMemory, where + ": out of memory");
  } catch (const std::exception& error) {
    const std::string what = error.what();
    const auto says = [&](const char* words) { return what.find(words) != std::string::npos; };
    RunnerFault fault = otherwise;
    if (says("out of memory") || says("can't allocate memory") || says("not enough memory")) {
      fault = RunnerFault::kOutOfMemory;
    } else if (says("CUDA error")) {
      // Whatever it was, it stays: no call to this context will succeed again.
      fault = RunnerFault::kDeviceLost;
    }
    throw RunnerError(fault, where + ": " + first_line(what));
  }
}

double mib_of(const torch::jit::Module& module) {
  double bytes = 0;
  for (const torch::Tensor& tensor : module.parameters()) {
    bytes += static_cast<double>(tensor.nbytes());
  }
  for (const torch::Tensor& tensor : module.buffers()) {
    bytes += static_cast<double>(tensor.nbytes());
  }
  return bytes / kMib;
}

class TorchLane final : public Lane {
 public:
  TorchLane(const WorkerSpec& spec, TorchPlace& place, std::unique_ptr<LanePlace> here)
      : spec_(spec), place_(place), here_(std::move(here)), models_(spec.models.size()) {}

  LaneGrant grant() const override { return here_->grant(); }
  void load(std::uint32_t model) override;
  void unload(std::uint32_t model) override {
    models_[model] = {};
    place_.release();
  }
  void run(std::uint32_t model, std::uint32_t batch) override;
  double weights_mib(std::uint32_t model) const override { return models_[model].weights_mib; }
  std::vector<Kernel> kernels(std::uint32_t model, std::uint32_t batch) override {
    return place_.kernels(*this, model, batch);
  }

 private:
  struct Batch {
    torch::Tensor input;
    bool is_warmed = false;  // before the worker is ready
    unsigned runs = 0;
    std::unique_ptr<RecordedBatch> recorded;
  };
  struct Model {
    torch::jit::Module module;
    double weights_mib = 0;
    std::map<std::uint32_t, Batch> batches;  // by size
  };

  torch::Tensor make_input(std::uint32_t model, std::uint32_t batch) const;
  torch::IValue forward(Model& model, Batch& batch);

  const WorkerSpec& spec_;
  TorchPlace& place_;
  std::unique_ptr<LanePlace> here_;
  std::vector<Model> models_;
};

void TorchLane::load(std::uint32_t model) {
  const ModelSpec& spec = spec_.models[model];
  const c10::InferenceMode inference;
  try {
    Model loaded;
    loaded.module = torch::jit::load(spec.path, place_.device());
    loaded.module.eval();
    loaded.weights_mib = mib_of(loaded.module);
    // On the CPU the optimised convolutions are twice as fast; optimised linear layers are slower
    // than plain ones (docs/model/engine.md).
    loaded.module = place_.device().is_cpu() && spec.kind == "cnn"
                        ? torch::jit::optimize_for_inference(loaded.module)
                        : torch::jit::freeze(loaded.module);
    models_[model] = std::move(loaded);
    here_->finish();
  } catch (...) {
    rethrow(spec.path, RunnerFault::kLoadFailed);
  }
}

torch::Tensor TorchLane::make_input(std::uint32_t model, std::uint32_t batch) const {
  const ModelSpec& spec = spec_.models[model];
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(batch)};
  shape.insert(shape.end(), spec.input.begin(), spec.input.end());
  torch::Tensor input =
      spec.dtype == "int64"
          ? torch::randint(std::max<std::int64_t>(1, spec.values_below), shape, torch::kInt64)
          : torch::rand(shape);
  return input.to(place_.device());
}

torch::IValue TorchLane::forward(Model& model, Batch& batch) {
  // The first runs of a shape compile it and choose its algorithms. Recording takes long: it is for
  // sizes that are warmed, before the worker is ready.
  constexpr unsigned kBeforeRecording = 2;
  if (batch.recorded) return batch.recorded->replay();
  const auto run = [&] { return model.module.forward({batch.input}); };
  if (batch.runs++ != kBeforeRecording || !batch.is_warmed) return run();
  batch.recorded = here_->record([&] { return run().toTensor(); });
  return batch.recorded ? torch::IValue(batch.recorded->replay()) : run();
}

void TorchLane::run(std::uint32_t model, std::uint32_t batch) {
  const c10::InferenceMode inference;
  try {
    Batch& prepared = models_[model].batches[batch];
    if (!prepared.input.defined()) {
      const std::vector<std::uint32_t>& warm = spec_.models[model].warm_batches;
      prepared.input = make_input(model, batch);
      prepared.is_warmed = std::find(warm.begin(), warm.end(), batch) != warm.end();
    }
    const torch::IValue output = forward(models_[model], prepared);
    // The answer belongs to the work: it is copied to the host where it is not there already.
    if (output.isTensor()) output.toTensor().to(torch::kCPU);
    here_->finish();
  } catch (...) {
    rethrow(spec_.models[model].name, RunnerFault::kUnsupported);
  }
}

class TorchDevice final : public WorkerDevice {
 public:
  TorchDevice(const WorkerSpec& spec, std::unique_ptr<TorchPlace> place)
      : spec_(spec), place_(std::move(place)) {}

  WorkerGrant describe() const override {
    WorkerGrant grant = place_->describe();
    grant.framework = std::string("LibTorch ") + TORCH_VERSION;
    return grant;
  }
  std::unique_ptr<Lane> open(const LaneSpec& lane, std::size_t index) override {
    return std::make_unique<TorchLane>(spec_, *place_, place_->enter(lane, index));
  }

 private:
  const WorkerSpec& spec_;
  std::unique_ptr<TorchPlace> place_;
};

class CpuLanePlace final : public LanePlace {
 public:
  explicit CpuLanePlace(Share share) : share_(share) {}
  LaneGrant grant() const override { return {share_, ""}; }

 private:
  Share share_;
};

class CpuPlace final : public TorchPlace {
 public:
  torch::Device device() const override { return torch::kCPU; }
  WorkerGrant describe() const override { return describe_cpu(""); }
  std::unique_ptr<LanePlace> enter(const LaneSpec& lane, std::size_t) override {
    return std::make_unique<CpuLanePlace>(lane.share);
  }
};

}  // namespace

std::unique_ptr<WorkerDevice> make_torch_device(const WorkerSpec& spec,
                                                std::unique_ptr<TorchPlace> place) {
  // A lane is one thread: that of the partition's core, or the one that feeds the GPU.
  at::set_num_threads(1);
  return std::make_unique<TorchDevice>(spec, std::move(place));
}

std::unique_ptr<TorchPlace> make_cpu_place() {
  return std::make_unique<CpuPlace>();
}

}  // namespace tangram
