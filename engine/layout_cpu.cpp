// The layout of the backend cpu.
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/layout.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

constexpr const char* kWhere = "--backend cpu";

// One thread computes: the partition is one core. The libraries read these when they are loaded.
const std::vector<std::pair<std::string, std::string>>& one_thread() {
  static const std::vector<std::pair<std::string, std::string>> variables{
      {"OMP_NUM_THREADS", "1"}, {"MKL_NUM_THREADS", "1"}, {"OPENBLAS_NUM_THREADS", "1"}};
  return variables;
}

void check_share(const Deployment& deployment, const ExecutorInfo& executor, Faults& faults) {
  const Share& share = deployment.classes[executor.cls.index()].share;
  if (share.kind == ShareKind::kWhole || share.kind == ShareKind::kPercent) return;
  faults.add(kWhere,
             fmt::format("GPU {} of the plan has a partition of {}; a core is whole or a "
                         "share in percent",
                         deployment.gpus[executor.gpu.index()].plan_index, to_string(share)));
}

void check_cores(const Deployment& deployment, const Cores& cores, Faults& faults) {
  if (deployment.gpus.size() <= cores.partitions.size()) return;
  faults.add(
      kWhere,
      fmt::format(
          "the plan has {} GPUs and partitions have {} core{} ({}){}; take fewer "
          "GPUs, or name the cores with --cores",
          deployment.gpus.size(), cores.partitions.size(), cores.partitions.size() == 1 ? "" : "s",
          fmt::join(cores.partitions, ", "),
          cores.dispatcher ? fmt::format(", the dispatcher core {}", *cores.dispatcher) : ""));
}

WorkerSpec worker_for(const Deployment& deployment,
                      ExecutorId executor,
                      const Cores& cores,
                      const EngineSettings& settings) {
  const ExecutorInfo& info = deployment.executors[executor.index()];
  const Share& share = deployment.classes[info.cls.index()].share;
  WorkerSpec worker;
  worker.runner = settings.runner;
  worker.device = "cpu";
  worker.sharing = "cpu";
  worker.cores = {cores.partitions[info.gpu.index()]};
  worker.environment = one_thread();
  if (share.kind == ShareKind::kPercent && share.amount < 100) {
    worker.cpu_quota = share.amount / 100;
    worker.quota_group = fmt::format("gpu{}-partition{}", info.gpu.value(), info.partition);
  }
  worker.lanes.push_back({share, info.partition, models_of(deployment, executor)});
  return worker;
}

}  // namespace

Layout lay_out_cpu(const Deployment& deployment,
                   const Machine& machine,
                   const EngineSettings& settings,
                   const std::vector<ModelSpec>& models) {
  const Cores cores = divide_cores(machine, settings);
  Faults faults;
  check_cores(deployment, cores, faults);
  for (const ExecutorInfo& executor : deployment.executors) {
    check_share(deployment, executor, faults);
  }
  faults.throw_if_any();
  const std::vector<ModelSpec> warm =
      settings.runner == "sleep" ? models : with_warm_batches(deployment, models);
  Layout layout;
  std::map<int, std::uint32_t> on_core;
  for (std::size_t e = 0; e < deployment.executors.size(); ++e) {
    layout.lane_of.push_back({static_cast<std::uint32_t>(e), 0});
    WorkerSpec worker = worker_for(deployment, ExecutorId(e), cores, settings);
    worker.models = warm;
    ++on_core[worker.cores.front()];
    layout.workers.push_back(std::move(worker));
  }
  for (const auto& [core, executors] : on_core) {
    if (executors == 1) continue;
    layout.notes.push_back(fmt::format(
        "core {} is shared by {} executors, which the kernel runs in turns", core, executors));
  }
  return layout;
}

}  // namespace tangram
