// tangram plan: cuts the GPUs and stops there.
#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "policies/plan_io.h"
#include "sim/compare_plans.h"
#include "sim/core/atomic_file.h"
#include "sim/evaluator.h"
#include "sim/results/table.h"

namespace tangram::cli {
namespace {

struct PlanArguments {
  std::string scenario;
  std::string out;
  std::string format = "json";
  std::vector<std::string> compare;
  bool strict = false;
};

std::string replica_text(const PlanReplica& replica) {
  std::string text = replica.workload == "*" ? "every workload" : replica.workload;
  if (replica.processes > 1) text += fmt::format(" x{}", replica.processes);
  if (replica.batch) text += fmt::format(" batch {}", *replica.batch);
  if (replica.rate_rps) text += fmt::format(" {:.4g}/s", *replica.rate_rps);
  return text;
}

// The plan for people: a line per partition.
std::string listing(const Plan& plan) {
  std::string text = wrapped("planner     ", plan.planner) +
                     wrapped("GPUs        ", fmt::format("{} used, {} MIG slices", plan.gpus_used(),
                                                         plan.slices_used()));
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      std::string replicas;
      for (const PlanReplica& replica : partition.replicas) {
        replicas += (replicas.empty() ? "" : ", ") + replica_text(replica);
      }
      const std::string start = partition.start ? fmt::format("@{}", *partition.start) : "";
      text += wrapped(fmt::format("gpu {:<7} ", gpu.index),
                      fmt::format("{} {} {}{}: {}", gpu.type,
                                  gpu_mode_names()[static_cast<std::size_t>(gpu.mode)],
                                  to_string(partition.share()), start,
                                  replicas.empty() ? "nothing" : replicas));
    }
  }
  for (const std::string& lost : plan.lost) text += wrapped("lost        ", lost);
  return text;
}

std::string plan_text(const Plan& plan,
                      const std::string& format,
                      const std::vector<Workload>& workloads) {
  if (format == "parvagpu") return to_parvagpu(plan);
  if (format == "gpulet") return to_gpulet(plan);
  if (format == "igniter") return to_igniter(plan, workloads);
  return to_json(plan, workloads).dump(2) + '\n';
}

int plan_command(const PlanArguments& options) {
  Scenario scenario =
      load_scenario(ScenarioArguments{options.scenario, {}, {}, {{"--out", options.out}}});
  if (!options.compare.empty()) {
    print(table_of(compare_plans(scenario, options.compare)));
    return kDone;
  }
  const Plan plan = plan_scenario(scenario, scenario.notes);
  const std::string text = plan_text(plan, options.format, scenario.workloads);
  if (options.out.empty()) {
    print(text);
  } else {
    write_file(options.out, text);
    print(listing(plan));
  }
  for (const std::string& note : scenario.notes) print_note(note);
  for (const Unserved& unserved : plan.unserved) {
    print_note(fmt::format("unserved: {}, {:.4g} requests/s: {}", unserved.workload,
                           unserved.rate_rps, unserved.reason));
  }
  return options.strict && !plan.unserved.empty() ? kAnswerIsNo : kDone;
}

}  // namespace

Action add_plan(CLI::App& app) {
  const auto options = std::make_shared<PlanArguments>();
  app.add_option("SCENARIO", options->scenario, "scenario file (JSON)")->required();
  CLI::Option* out =
      app.add_option("--out", options->out, "write the plan and print a listing of it");
  app.add_option("--format", options->format, "of the plan")
      ->check(CLI::IsMember({"json", "parvagpu", "gpulet", "igniter"}));
  app.add_option("--compare", options->compare,
                 "plan by each of these planners and print their figures: NAME,NAME,...")
      ->delimiter(',')
      ->excludes(out);
  app.add_flag("--strict", options->strict, "exit with 1 when demand is unserved");
  return [options] { return plan_command(*options); };
}

}  // namespace tangram::cli
