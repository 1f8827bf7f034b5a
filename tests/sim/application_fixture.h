// Scenarios with applications, and what every result must fulfil, for the tests of the simulation.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {

inline Stage stage_of(const std::string& model,
                      std::vector<std::uint32_t> after,
                      FanOut fan_out = FanOut()) {
  const Stage::Wait wait = after.size() > 1 ? Stage::Wait::kAll : Stage::Wait::kEach;
  return {model, model, std::move(after), wait, fan_out};
}

// Adds an application; each stage is the workload "app.MODEL" with an SLO of its own.
inline void add_application(Scenario& scenario,
                            const std::string& name,
                            std::vector<Stage> stages,
                            double slo_ms,
                            const ArrivalSpec& arrivals) {
  ApplicationLoad load;
  load.load = workload_of(name, "", slo_ms, 0);
  load.load.arrivals = arrivals;
  load.load.kind = Workload::Kind::kApplication;
  for (const Stage& stage : stages) {
    load.stages.push_back(WorkloadId(scenario.workloads.size()));
    Workload workload = workload_of(name + '.' + stage.name, stage.model, slo_ms, 0);
    workload.arrivals = stage_arrivals(0);
    workload.kind = Workload::Kind::kStage;
    scenario.workloads.push_back(workload);
  }
  load.application.stages = std::move(stages);
  scenario.applications.push_back(std::move(load));
}

inline ArrivalSpec arrivals_of(ArrivalSpec::Process process, double rate_rps) {
  ArrivalSpec spec;
  spec.process = process;
  spec.rate_rps = rate_rps;
  return spec;
}

inline const ArrivalSpec kOneASecond = arrivals_of(ArrivalSpec::Process::kConstant, 1);

// A GPU for each workload of the scenario.
inline Plan one_gpu_each(const Scenario& scenario, const std::string& type = "ideal") {
  Plan plan;
  for (const Workload& workload : scenario.workloads) {
    plan.gpus.push_back(gpu_of(static_cast<std::uint32_t>(plan.gpus.size()), GpuMode::kWhole,
                               {whole_partition({replica_of(workload.name, workload.model)})},
                               type));
  }
  return plan;
}

inline const WorkloadMetrics& metrics_of(const RunResult& result, const std::string& name) {
  for (std::size_t w = 0; w < result.workloads.size(); ++w) {
    if (result.workloads[w].name == name) return result.metrics[w];
  }
  throw std::runtime_error("no workload " + name);
}

// Every request of every workload and application has one row, and the rows say what the counters
// say.
inline void expect_conserved(const RunResult& result) {
  std::map<std::uint64_t, int> rows;
  std::vector<WorkloadMetrics> counted(result.metrics.size());
  for (const RequestRow& row : result.requests) {
    EXPECT_EQ(++rows[row.id.value], 1) << row.id.value;
    WorkloadMetrics& metrics = counted[row.id.workload().index()];
    ++metrics.offered;
    metrics.completed += row.outcome < 2 ? 1 : 0;
    metrics.late += row.outcome == 1 ? 1 : 0;
    if (row.outcome > 2) ++metrics.dropped[row.outcome - 3U];
  }
  for (std::size_t w = 0; w < counted.size(); ++w) {
    SCOPED_TRACE(result.workloads[w].name);
    EXPECT_EQ(counted[w].offered, result.metrics[w].offered);
    EXPECT_EQ(counted[w].completed, result.metrics[w].completed);
    EXPECT_EQ(counted[w].late, result.metrics[w].late);
    EXPECT_EQ(counted[w].dropped, result.metrics[w].dropped);
    EXPECT_EQ(counted[w].unfinished(), result.metrics[w].unfinished());
  }
}

}  // namespace tangram
