// tangram run: simulates a scenario and writes what was asked for.
#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "sim/core/atomic_file.h"
#include "sim/evaluator.h"
#include "sim/results/result_file.h"
#include "sim/results/summary.h"
#include "sim/results/table.h"
#include "sim/results/timeline.h"
#include "sim/simulation.h"

namespace tangram::cli {
namespace {

// --strict: a workload misses its SLO when fewer of its requests are good, the usual reading of a
// p99 objective.
constexpr double kStrictAttainment = 0.99;

struct RunArguments {
  std::string scenario;
  std::string out;
  std::string summary;
  std::string timeline;
  std::vector<std::string> set;
  std::optional<std::string> seed;
  std::uint64_t replications = 1;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  bool strict = false;
};

Scenario load(const RunArguments& options) {
  Scenario scenario = load_scenario(ScenarioArguments{
      options.scenario,
      options.set,
      options.seed,
      {{"--out", options.out}, {"--summary", options.summary}, {"--timeline", options.timeline}}});
  if (!options.timeline.empty()) scenario.log_timeline = true;
  return scenario;
}

std::vector<RunResult> simulate_all(const RunArguments& options,
                                    const Scenario& scenario,
                                    const Plan& plan) {
  Progress bar("simulating");
  std::vector<RunResult> results;
  const auto n = static_cast<double>(options.replications);
  for (std::uint64_t r = 0; r < options.replications; ++r) {
    RunOptions run;
    run.replication = r;
    run.threads = options.threads;
    run.progress = [&](double share) { bar.update((static_cast<double>(r) + share) / n); };
    results.push_back(simulate(scenario, plan, run));
  }
  return results;
}

void write_outputs(const RunArguments& options,
                   const std::vector<RunResult>& results,
                   const Json& summary) {
  if (!options.out.empty()) write_result_file(options.out, results);
  if (!options.timeline.empty()) write_timeline(options.timeline, results.front());
  if (!options.summary.empty()) write_file(options.summary, summary.dump(2) + '\n');
  if (options.out.empty()) {
    print(table_of(summary));
    return;
  }
  // The table would have said so.
  for (const Json& unserved : summary["unserved"]) {
    print_note("unserved: " + unserved["workload"].get<std::string>() + ": " +
               unserved["reason"].get<std::string>());
  }
  for (const Json& note : summary["notes"]) print_note(note.get<std::string>());
}

int strict_answer(const Json& summary) {
  bool is_met = true;
  for (const Json& unserved : summary["unserved"]) {
    print_error("strict: unserved: " + unserved["workload"].get<std::string>());
    is_met = false;
  }
  for (const auto& [name, workload] : summary["workloads"].items()) {
    const double attainment = workload["slo_attainment"].get<double>();
    if (attainment >= kStrictAttainment) continue;
    print_error(fmt::format("strict: {}: {:.2f} % of the requests were good, below {:g} %", name,
                            100 * attainment, 100 * kStrictAttainment));
    is_met = false;
  }
  return is_met ? kDone : kAnswerIsNo;
}

int run_command(const RunArguments& options) {
  Scenario scenario = load(options);
  const Plan plan = plan_scenario(scenario, scenario.notes);
  if (options.out.empty() && scenario.log_requests) {
    print_note("/outputs/requests asks for a request log, which only --out can hold");
  }
  const std::vector<RunResult> results = simulate_all(options, scenario, plan);
  const Json summary = summarize(results);
  write_outputs(options, results, summary);
  return options.strict ? strict_answer(summary) : kDone;
}

}  // namespace

Action add_run(CLI::App& app) {
  const auto options = std::make_shared<RunArguments>();
  app.add_option("SCENARIO", options->scenario, "scenario file (JSON)")->required();
  app.add_option("--out", options->out, "write the result (HDF5)");
  app.add_option("--summary", options->summary, "write the summary (JSON)");
  app.add_option("--set", options->set, "change the scenario: /json/pointer=value; repeatable")
      ->allow_extra_args(false);
  app.add_option("--seed", options->seed, "in place of the scenario's seed");
  app.add_option("--replications", options->replications, "independent runs of one seed")
      ->check(CLI::Range(1, 100000));
  app.add_option("--timeline", options->timeline,
                 "write a trace of the batches for Perfetto (JSON)");
  app.add_flag("--strict", options->strict,
               "exit with 1 when demand is unserved or a workload attains less than 99 %");
  app.add_option("--threads", options->threads, "for parts that cannot affect each other")
      ->check(CLI::Range(1, 1024));
  return [options] { return run_command(*options); };
}

}  // namespace tangram::cli
