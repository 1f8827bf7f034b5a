#include "engine/cuda/kernel_runner.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "engine/cuda/division.h"
#include "engine/cuda/kernel_spec.h"
#include "engine/cuda/lane_tracer.h"
#include "engine/worker/bytes.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

constexpr std::size_t kScratchBytes = 4096;
constexpr std::size_t kWordBytes = 16;  // of the memory kernels

std::size_t bytes_of(double amount, double unit) {
  return static_cast<std::size_t>(amount * unit);
}

KernelModel model_of(const ModelSpec& spec) {
  const std::string& text = spec.path.empty() ? spec.name : spec.path;
  try {
    return parse_kernel_model(text, text);
  } catch (const ConfigError& error) {
    throw RunnerError(RunnerFault::kLoadFailed, error.what());
  }
}

// What the lanes of a process know of each other: the SMs that each partition really used.
class SmMap {
 public:
  // Returns the SMs that a lane of another partition used before.
  std::size_t add(std::uint32_t partition, const std::set<unsigned>& used) {
    const std::lock_guard lock(mutex_);
    std::size_t shared = 0;
    for (const auto& other : used_) {
      if (other.first == partition) continue;
      shared += static_cast<std::size_t>(
          std::ranges::count_if(used, [&](unsigned sm) { return other.second.contains(sm); }));
    }
    used_[partition].insert(used.begin(), used.end());
    return shared;
  }

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::set<unsigned>> used_;  // by partition
};

// The buffers and the graph of one (model, batch).
struct Prepared {
  DeviceMemory input, output;
  PinnedMemory host_input, host_output;
  std::size_t input_bytes = 0, output_bytes = 0;
  CudaGraphExec graph;  // empty: launched one by one
};

struct Loaded {
  KernelModel model;
  CUfunction function = nullptr;
  DeviceMemory weights, data, scratch;
  std::uint64_t words = 0;  // of data
  double mib = 0;
  std::map<std::uint32_t, Prepared> prepared;  // by batch
};

class KernelLane final : public Lane {
 public:
  KernelLane(const WorkerSpec& spec,
             const CudaDriver& driver,
             const DividedDevice& device,
             KernelImage image,
             SmMap& map,
             LaneTracer& tracer,
             std::size_t index)
      : spec_(spec),
        driver_(driver),
        device_(device),
        tracer_(tracer),
        index_(index),
        models_(spec.models.size()) {
    check(driver, driver.CtxSetCurrent(device.context(index)), "cuCtxSetCurrent");
    module_.emplace(driver, image);
    grant_ = device.grant(index);
    if (spec.sharing == "cuda-green") check_confinement(map);
  }

  LaneGrant grant() const override { return grant_; }

  void load(std::uint32_t model) override {
    auto loaded = std::make_unique<Loaded>();
    loaded->model = model_of(spec_.models[model]);
    loaded->function = function_for(loaded->model);
    loaded->words = bytes_of(loaded->model.mib, kMib) / kWordBytes;
    loaded->scratch = zeroed(kScratchBytes);
    loaded->data = zeroed(loaded->words * kWordBytes);
    loaded->weights = copied(bytes_of(loaded->model.weights_mib, kMib));
    loaded->mib = loaded->model.weights_mib + loaded->model.mib;
    models_[model] = std::move(loaded);
  }

  void unload(std::uint32_t model) override { models_[model].reset(); }

  void run(std::uint32_t model, std::uint32_t batch) override {
    Loaded& loaded = *models_[model];
    auto at = loaded.prepared.find(batch);
    if (at == loaded.prepared.end()) {
      at = loaded.prepared.emplace(batch, prepare(loaded, batch)).first;
    }
    const Prepared& prepared = at->second;
    if (prepared.graph.get() != nullptr) {
      check(driver_, driver_.GraphLaunch(prepared.graph.get(), stream()), "cuGraphLaunch");
    } else {
      enqueue(loaded, prepared, batch);
    }
    wait();
  }

  double weights_mib(std::uint32_t model) const override { return models_[model]->mib; }
  std::vector<Kernel> kernels(std::uint32_t model, std::uint32_t batch) override {
    return tracer_.kernels(*this, model, batch);
  }

 private:
  CUstream stream() const { return device_.stream(index_); }
  void wait() { check(driver_, driver_.StreamSynchronize(stream()), "cuStreamSynchronize"); }

  void check_confinement(SmMap& map) {
    const std::set<unsigned> used = used_sms(*module_, stream(), device_.sms());
    const std::size_t shared = map.add(spec_.lanes[index_].partition, used);
    const auto add = [&](const std::string& text) {
      grant_.note += (grant_.note.empty() ? "" : "; ") + text;
    };
    if (used.size() != device_.green_sms(index_)) {
      add(fmt::format("its kernels ran on {} SMs", used.size()));
    }
    if (shared > 0) add(fmt::format("{} of its SMs also ran another partition's kernels", shared));
  }

  CUfunction function_for(const KernelModel& model) {
    const CUfunction function = module_->function(model.entry());
    constexpr std::uint32_t kWithoutAsking = 48 * 1024;  // more must be asked for
    if (model.smem > kWithoutAsking) {
      check(driver_,
            driver_.FuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                     static_cast<int>(model.smem)),
            fmt::format("{} bytes of shared memory", model.smem));
    }
    return function;
  }

  DeviceMemory zeroed(std::size_t bytes) {
    DeviceMemory memory = device_memory(driver_, bytes);
    if (bytes > 0) {
      check(driver_, driver_.MemsetD8Async(memory.get(), 0, bytes, stream()), "cuMemsetD8Async");
      wait();
    }
    return memory;
  }

  // Filled from the host over the link, piece by piece, as weights are.
  DeviceMemory copied(std::size_t bytes) {
    constexpr std::size_t kPiece = std::size_t{16} << 20;
    DeviceMemory memory = device_memory(driver_, bytes);
    const PinnedMemory host = pinned_memory(driver_, std::min(bytes, kPiece));
    for (std::size_t done = 0; done < bytes; done += kPiece) {
      check(driver_,
            driver_.MemcpyHtoDAsync(memory.get() + done, host.get(), std::min(kPiece, bytes - done),
                                    stream()),
            "copying weights");
    }
    wait();
    return memory;
  }

  Prepared prepare(const Loaded& loaded, std::uint32_t batch) {
    Prepared prepared;
    prepared.input_bytes = bytes_of(loaded.model.in_kib * batch, kKib);
    prepared.output_bytes = bytes_of(loaded.model.out_kib * batch, kKib);
    prepared.input = device_memory(driver_, prepared.input_bytes);
    prepared.output = device_memory(driver_, prepared.output_bytes);
    prepared.host_input = pinned_memory(driver_, prepared.input_bytes);
    prepared.host_output = pinned_memory(driver_, prepared.output_bytes);
    if (loaded.model.graph) prepared.graph = capture(loaded, prepared, batch);
    return prepared;
  }

  // A graph that is captured on a stream of a partition replays on that partition.
  CudaGraphExec capture(const Loaded& loaded, const Prepared& prepared, std::uint32_t batch) {
    check(driver_, driver_.StreamBeginCapture(stream(), CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
          "cuStreamBeginCapture");
    CUgraph captured = nullptr;
    try {
      enqueue(loaded, prepared, batch);
    } catch (...) {
      driver_.StreamEndCapture(stream(), &captured);
      const CudaGraph unused(driver_, captured);
      throw;
    }
    check(driver_, driver_.StreamEndCapture(stream(), &captured), "cuStreamEndCapture");
    const CudaGraph graph(driver_, captured);
    CUgraphExec exec = nullptr;
    check(driver_, driver_.GraphInstantiateWithFlags(&exec, graph.get(), 0),
          "cuGraphInstantiateWithFlags");
    return {driver_, exec};
  }

  void enqueue(const Loaded& loaded, const Prepared& prepared, std::uint32_t batch) {
    if (prepared.input_bytes > 0) {
      check(driver_,
            driver_.MemcpyHtoDAsync(prepared.input.get(), prepared.host_input.get(),
                                    prepared.input_bytes, stream()),
            "cuMemcpyHtoDAsync");
    }
    for (std::uint32_t i = 0; i < loaded.model.count; ++i) enqueue_kernel(loaded, batch);
    if (prepared.output_bytes > 0) {
      check(driver_,
            driver_.MemcpyDtoHAsync(prepared.host_output.get(), prepared.output.get(),
                                    prepared.output_bytes, stream()),
            "cuMemcpyDtoHAsync");
    }
  }

  // The arguments are those of the kernels in kernels.cu.
  void enqueue_kernel(const Loaded& loaded, std::uint32_t batch) {
    const KernelModel& model = loaded.model;
    const LaunchShape shape{model.grid_of(batch), model.block, model.smem};
    const CUdeviceptr scratch = loaded.scratch.get();
    const CUdeviceptr data = loaded.data.get();
    const auto ns = static_cast<std::uint64_t>(model.us * 1e3);
    const auto rate = static_cast<float>(model.rate);
    const auto run = [&](std::initializer_list<const void*> arguments) {
      launch(driver_, loaded.function, shape, stream(), arguments);
    };
    switch (model.kind) {
      case KernelKind::kEmpty:
        return run({});
      case KernelKind::kSpin:
        return run({&ns, &scratch});
      case KernelKind::kFma:
        return run({&model.iterations, &scratch});
      case KernelKind::kDram:
        return run({&data, &loaded.words, &model.passes, &rate, &scratch});
      case KernelKind::kL2:
        return run({&data, &loaded.words, &model.passes, &scratch});
    }
  }

  const WorkerSpec& spec_;
  const CudaDriver& driver_;
  const DividedDevice& device_;
  LaneTracer& tracer_;
  std::size_t index_;
  std::optional<KernelModule> module_;
  LaneGrant grant_;
  std::vector<std::unique_ptr<Loaded>> models_;  // by model; null: not loaded
};

class KernelDevice final : public WorkerDevice {
 public:
  KernelDevice(const WorkerSpec& spec, const CudaDriver& driver, KernelImage image)
      : spec_(spec),
        tracer_(spec.lists_kernels),
        driver_(driver),
        image_(image),
        device_(driver_, spec) {}

  WorkerGrant describe() const override {
    return {device_.device_text(), device_.driver_text(), "synthetic kernels", {}};
  }
  std::unique_ptr<Lane> open(const LaneSpec&, std::size_t index) override {
    return std::make_unique<KernelLane>(spec_, driver_, device_, image_, map_, tracer_, index);
  }

 private:
  const WorkerSpec& spec_;
  LaneTracer tracer_;  // begins before there is a context
  CudaDriver driver_;
  KernelImage image_;
  DividedDevice device_;
  SmMap map_;
};

}  // namespace

std::unique_ptr<WorkerDevice> make_kernels_device(const WorkerSpec& spec) {
  return make_kernels_device(spec, load_cuda_driver(), builtin_kernels());
}

std::unique_ptr<WorkerDevice> make_kernels_device(const WorkerSpec& spec,
                                                  const CudaDriver& driver,
                                                  KernelImage image) {
  return std::make_unique<KernelDevice>(spec, driver, image);
}

}  // namespace tangram
