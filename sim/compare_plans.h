// What different planners make of one scenario, side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policies/plan.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// Figures of one plan. Absent where they mean nothing: slices without MIG, load where workloads
// share processes.
struct PlanFigures {
  std::string planner;
  std::string no_answer;  // why there is no plan; "" when there is one
  Plan plan;
  std::optional<double> internal_slack;  // part of the planned slices that the rates leave idle
  std::optional<double> fragmentation;   // part of the used GPUs' slices in no instance
  std::optional<double> load_max;        // largest rate / capacity of a workload
  double planning_s = 0;
  double attainment_worst = 0, attainment_mean = 0;  // of the workloads, simulated
};

// Plans the scenario by each of the planners, with the scenario's parameters for its own planner
// and the defaults for the others, and simulates each plan once on the same arrivals. Throws
// ConfigError for an unknown name.
std::vector<PlanFigures> compare_plans(const Scenario& scenario,
                                       const std::vector<std::string>& planners);

// A table of them and the planners' notes, at most 100 columns wide.
std::string table_of(const std::vector<PlanFigures>& figures);

}  // namespace tangram
