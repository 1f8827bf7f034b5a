// What layouts share: cores, models, batches to warm.
#include "engine/layout.h"

#include <algorithm>
#include <sched.h>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

bool contains(const std::vector<int>& list, int value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

}  // namespace

Machine this_machine() {
  cpu_set_t set;
  CPU_ZERO(&set);
  Machine machine;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return machine;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(static_cast<std::size_t>(core), &set)) machine.cores.push_back(core);
  }
  return machine;
}

Cores divide_cores(const Machine& machine, const EngineSettings& settings) {
  Faults faults;
  const auto check = [&](const std::string& option, int core) {
    if (contains(machine.cores, core)) return;
    faults.add(option, fmt::format("this process may not use core {}; it may use {}", core,
                                   fmt::join(machine.cores, ", ")));
  };
  Cores cores;
  cores.dispatcher = settings.dispatcher_core;
  if (cores.dispatcher) check("--dispatcher-core", *cores.dispatcher);
  for (const int core : settings.cores) check("--cores", core);
  if (std::set<int>(settings.cores.begin(), settings.cores.end()).size() != settings.cores.size()) {
    faults.add("--cores", "a core is named twice");
  }
  faults.throw_if_any();
  // A core that is left over, else the first.
  if (!cores.dispatcher && machine.cores.size() > 1) {
    const auto free = std::find_if(machine.cores.begin(), machine.cores.end(),
                                   [&](int core) { return !contains(settings.cores, core); });
    cores.dispatcher = free != machine.cores.end() ? *free : machine.cores.front();
  }
  cores.partitions = settings.cores;
  for (const int core : machine.cores) {
    const bool is_free =
        !cores.dispatcher || core != *cores.dispatcher || machine.cores.size() == 1;
    if (settings.cores.empty() && is_free) cores.partitions.push_back(core);
  }
  return cores;
}

std::vector<std::uint32_t> models_of(const Deployment& deployment, ExecutorId executor) {
  const ExecutorClass& cls = deployment.classes[deployment.executors[executor.index()].cls.index()];
  std::set<std::uint32_t> models;
  for (const Service& service : cls.services) {
    if (service.max_batch > 0)
      models.insert(deployment.queues[service.queue.index()].model.value());
  }
  return {models.begin(), models.end()};
}

std::vector<ModelSpec> with_warm_batches(const Deployment& deployment,
                                         std::vector<ModelSpec> models) {
  std::vector<std::uint32_t> largest(models.size());
  for (const ExecutorClass& cls : deployment.classes) {
    for (const Service& service : cls.services) {
      std::uint32_t& batch = largest[deployment.queues[service.queue.index()].model.index()];
      batch = std::max(batch, service.max_batch);
    }
  }
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::uint32_t batch = 1; batch < largest[m]; batch *= 2) {
      models[m].warm_batches.push_back(batch);
    }
    if (largest[m] > 0) models[m].warm_batches.push_back(largest[m]);
  }
  return models;
}

}  // namespace tangram
