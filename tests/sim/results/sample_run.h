// A small run made by hand, for the tests of what is printed and stored.
#pragma once

#include "sim/results/result.h"

namespace tangram {

// Two workloads on one GPU over 10 measured seconds. "a": 10 requests, of which 8 good at 20 ns, 1
// late at 100 ns, 1 dropped by its deadline; batches of 3. "b": nobody asked.
inline RunResult sample_run() {
  RunResult run;
  run.scenario = "sample";
  run.routing = "central";
  run.dispatcher = "fifo";
  run.device = "rate";
  run.runtime = "simulation";
  run.seed = 7;
  run.measured_s = 10;
  run.simulated_s = 12;
  run.events = 42;
  run.plan.planner = "exclusive";
  PlanGpu gpu{0, "ideal", GpuMode::kWhole, {PlanPartition{}}};
  gpu.partitions[0].replicas.push_back(PlanReplica{"a", "unit", {}, 1, {}, {}, 0});
  run.plan.gpus.push_back(gpu);
  run.workloads.resize(2);
  run.workloads[0].name = "a";
  run.workloads[0].model = "unit";
  run.workloads[0].slo = Duration(50);
  run.workloads[1].name = "b";
  run.workloads[1].model = "unit";
  run.workloads[1].slo = Duration(50);
  run.metrics.resize(2);
  WorkloadMetrics& a = run.metrics[0];
  a.offered = 10;
  a.completed = 9;
  a.late = 1;
  a.dropped[static_cast<std::size_t>(DropReason::kDeadline)] = 1;
  a.latency.record(Duration(20), 8);
  a.latency.record(Duration(100), 1);
  a.wait.record(Duration(5), 8);
  a.wait.record(Duration(85), 1);
  a.exec.record(Duration(15), 9);
  // 9 * 15 = 135 ns of execution, 27 of them by neighbours; 125 ns of waiting, 100 before the
  // decision.
  a.batch_wait = 100;
  a.interference = 27;
  a.batches = 3;
  a.batch_items = 9;
  run.busy.gpus = {from_seconds(4)};
  run.busy.executors = {from_seconds(4)};
  run.executor_names = {"gpu 0 / whole #0 / process 0"};
  run.gpu_of_executor = {0};
  return run;
}

}  // namespace tangram
