#include "sim/results/result.h"

namespace tangram {

std::string executor_name(const Deployment& deployment, ExecutorId executor) {
  const ExecutorInfo& info = deployment.executors[executor.index()];
  const GpuInfo& gpu = deployment.gpus[info.gpu.index()];
  return "gpu " + std::to_string(gpu.plan_index) + " / " +
         to_string(deployment.classes[info.cls.index()].share) + " #" +
         std::to_string(info.partition) + " / process " + std::to_string(info.process);
}

}  // namespace tangram
