#include "engine/cuda/layout.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/cuda/this_machine.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

using PartitionKey = std::pair<std::uint32_t, std::uint32_t>;  // GPU, partition within its plan

class CudaLayout {
 public:
  CudaLayout(const std::string& backend,
             const CudaMachine& machine,
             const Deployment& deployment,
             const EngineSettings& settings,
             const std::vector<ModelSpec>& models)
      : backend_(backend),
        machine_(machine),
        deployment_(deployment),
        settings_(settings),
        models_(with_warm_batches(deployment, models)) {
    for (const CudaGpu& gpu : machine.gpus) {
      if (gpu.mig == (backend == "cuda-mig")) gpus_.push_back(&gpu);
    }
  }

  Layout make() {
    check();
    if (backend_ == "cuda-mig" && faults_.empty()) assign_instances();
    faults_.throw_if_any();
    note_gpus();
    const bool is_shared = backend_ == "cuda-green" || backend_ == "cuda-streams";
    for (std::size_t e = 0; e < deployment_.executors.size(); ++e) {
      if (is_shared) {
        add_lane(ExecutorId(e));
      } else {
        add_process(ExecutorId(e));
      }
    }
    return std::move(layout_);
  }

 private:
  const Share& share_of(const ExecutorInfo& executor) const {
    return deployment_.classes[executor.cls.index()].share;
  }
  std::uint32_t plan_index(GpuId gpu) const { return deployment_.gpus[gpu.index()].plan_index; }
  void fault(std::string what) { faults_.add("--backend " + backend_, std::move(what)); }

  void check() {
    if (backend_ == "cuda-mps" && machine_.mps_pipe.empty()) {
      fault(
          "no MPS control daemon: its pipe directory (CUDA_MPS_PIPE_DIRECTORY, else "
          "/tmp/nvidia-mps) has no \"control\"; start nvidia-cuda-mps-control -d");
    }
    if (backend_ == "cuda-green" && !machine_.green_contexts) {
      fault("the driver has no green contexts; they came with CUDA 12.5");
    }
    if (deployment_.gpus.size() > gpus_.size()) {
      fault(fmt::format("the plan has {} GPUs, the machine {}{}", deployment_.gpus.size(),
                        gpus_.size(), backend_ == "cuda-mig" ? " in MIG mode" : ""));
    }
    std::map<PartitionKey, bool> seen;
    for (const ExecutorInfo& executor : deployment_.executors) {
      if (seen.emplace(PartitionKey{executor.gpu.value(), executor.partition}, true).second) {
        check_share(executor);
      }
    }
  }

  void check_share(const ExecutorInfo& executor) {
    const Share& share = share_of(executor);
    const bool is_mig = share.kind == ShareKind::kMig;
    const bool may_be_whole = share.kind == ShareKind::kWhole;
    if (is_mig == (backend_ == "cuda-mig") || may_be_whole) return;
    fault(fmt::format(
        "GPU {} of the plan has a partition of {}; {}", plan_index(executor.gpu), to_string(share),
        is_mig ? "only cuda-mig has MIG instances" : "cuda-mig has whole GPUs and MIG instances"));
  }

  void assign_instances() {
    std::map<std::uint32_t, std::vector<bool>> taken;  // by GPU of the plan, then instance
    for (const ExecutorInfo& executor : deployment_.executors) {
      const PartitionKey key{executor.gpu.value(), executor.partition};
      if (instance_of_.contains(key)) continue;
      const std::vector<MigInstance>& instances = gpus_[executor.gpu.index()]->instances;
      std::vector<bool>& used = taken[executor.gpu.value()];
      used.resize(instances.size());
      const Share& share = share_of(executor);
      constexpr double kAllSlices = 7;
      const double slices = share.kind == ShareKind::kMig ? share.amount : kAllSlices;
      std::size_t i = 0;
      while (i < instances.size() && (used[i] || instances[i].slices != slices)) ++i;
      if (i == instances.size()) {
        fault(fmt::format(
            "GPU {} of the plan has a partition of {:g} slices for which no instance "
            "is free; {} has instances of: {}",
            plan_index(executor.gpu), slices, gpus_[executor.gpu.index()]->name, sizes(instances)));
        instance_of_[key] = nullptr;
        continue;
      }
      used[i] = true;
      instance_of_[key] = &instances[i];
    }
  }

  static std::string sizes(const std::vector<MigInstance>& instances) {
    std::vector<unsigned> slices;
    slices.reserve(instances.size());
    for (const MigInstance& instance : instances) slices.push_back(instance.slices);
    return slices.empty() ? "none" : fmt::format("{}", fmt::join(slices, ", "));
  }

  void note_gpus() {
    for (std::size_t g = 0; g < deployment_.gpus.size(); ++g) {
      layout_.notes.push_back(fmt::format(
          "{}: GPU {} of the plan ({}) is {} {}", backend_, deployment_.gpus[g].plan_index,
          deployment_.gpu_types[deployment_.gpus[g].type], gpus_[g]->name, gpus_[g]->uuid));
    }
    std::map<const MigInstance*, std::size_t> processes;
    for (const ExecutorInfo& executor : deployment_.executors) {
      const auto at = instance_of_.find({executor.gpu.value(), executor.partition});
      if (at != instance_of_.end()) ++processes[at->second];
    }
    for (const auto& [instance, count] : processes) {
      if (count == 1) continue;
      layout_.notes.push_back(
          fmt::format("{}: {} processes take turns on {}", backend_, count, instance->uuid));
    }
  }

  WorkerSpec process_on(const std::string& visible) const {
    WorkerSpec worker;
    worker.runner = settings_.runner;
    worker.device = "cuda:0";
    worker.sharing = backend_;
    // More streams than hardware queues wait for each other; 32 queues is the most there are.
    worker.environment = {{"CUDA_VISIBLE_DEVICES", visible}, {"CUDA_DEVICE_MAX_CONNECTIONS", "32"}};
    worker.models = models_;
    return worker;
  }

  void add_lane(ExecutorId executor) {
    const ExecutorInfo& info = deployment_.executors[executor.index()];
    const auto [at, is_new] =
        worker_of_.emplace(info.gpu.value(), static_cast<std::uint32_t>(layout_.workers.size()));
    if (is_new) layout_.workers.push_back(process_on(gpus_[info.gpu.index()]->uuid));
    WorkerSpec& worker = layout_.workers[at->second];
    layout_.lane_of.push_back({at->second, static_cast<std::uint32_t>(worker.lanes.size())});
    worker.lanes.push_back({share_of(info), info.partition, models_of(deployment_, executor)});
  }

  void add_process(ExecutorId executor) {
    const ExecutorInfo& info = deployment_.executors[executor.index()];
    const auto instance = instance_of_.find({info.gpu.value(), info.partition});
    const CudaGpu& gpu = *gpus_[info.gpu.index()];
    WorkerSpec worker =
        process_on(instance != instance_of_.end() ? instance->second->uuid : gpu.uuid);
    if (instance != instance_of_.end()) worker.device = instance->second->uuid;
    if (backend_ == "cuda-mps") {
      worker.environment.emplace_back("CUDA_MPS_PIPE_DIRECTORY", machine_.mps_pipe);
      if (const auto percent = mps_percentage(share_of(info), gpu)) {
        worker.environment.emplace_back("CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",
                                        fmt::format("{:g}", *percent));
      }
    }
    worker.lanes.push_back({share_of(info), info.partition, models_of(deployment_, executor)});
    layout_.lane_of.push_back({static_cast<std::uint32_t>(layout_.workers.size()), 0});
    layout_.workers.push_back(std::move(worker));
  }

  // The kernel runner asks for a count of SMs itself; LibTorch knows percentages alone.
  std::optional<double> mps_percentage(const Share& share, const CudaGpu& gpu) const {
    if (share.kind == ShareKind::kPercent) return share.amount;
    if (share.kind != ShareKind::kSms || settings_.runner == "kernels") return std::nullopt;
    return std::min(100.0, std::ceil(100 * share.amount / gpu.sms));
  }

  const std::string& backend_;
  const CudaMachine& machine_;
  const Deployment& deployment_;
  const EngineSettings& settings_;
  std::vector<ModelSpec> models_;
  std::vector<const CudaGpu*> gpus_;  // that this backend uses
  Faults faults_;
  std::map<PartitionKey, const MigInstance*> instance_of_;
  std::map<std::uint32_t, std::uint32_t> worker_of_;  // GPU of the plan -> worker
  Layout layout_;
};

template <typename Name>
Layout lay_out(const Deployment& deployment,
               const Machine&,
               const EngineSettings& settings,
               const std::vector<ModelSpec>& models) {
  return lay_out_cuda(Name::kText, gpus_of_this_machine(), deployment, settings, models);
}

struct Green {
  static constexpr const char* kText = "cuda-green";
};
struct Streams {
  static constexpr const char* kText = "cuda-streams";
};
struct TimeSliced {
  static constexpr const char* kText = "cuda-time-sliced";
};
struct Mps {
  static constexpr const char* kText = "cuda-mps";
};
struct Mig {
  static constexpr const char* kText = "cuda-mig";
};

template <typename Name>
BackendInfo info(const std::string& summary) {
  return {Name::kText, summary, {"torch", "kernels"}, lay_out<Name>};
}

}  // namespace

Layout lay_out_cuda(const std::string& backend,
                    const CudaMachine& gpus,
                    const Deployment& deployment,
                    const EngineSettings& settings,
                    const std::vector<ModelSpec>& models) {
  return CudaLayout(backend, gpus, deployment, settings, models).make();
}

std::vector<BackendInfo> cuda_backends() {
  return {info<Green>("disjoint groups of an NVIDIA GPU's SMs (green contexts), in one process"),
          info<Streams>("streams of one process that share an NVIDIA GPU"),
          info<TimeSliced>("processes that take turns on an NVIDIA GPU"),
          info<Mps>("processes with a cap on their share of an NVIDIA GPU; needs an MPS daemon"),
          info<Mig>("MIG instances of an NVIDIA GPU, as they are set up")};
}

}  // namespace tangram
