// The tangram-engine command: runs a scenario in real time and writes the result that tangram
// writes.
#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/cuda/this_machine.h"
#include "engine/runtime.h"
#include "sim/core/atomic_file.h"
#include "sim/core/interrupt.h"
#include "sim/results/result_file.h"
#include "sim/results/summary.h"
#include "sim/results/table.h"
#include "sim/results/timeline.h"
#include "sim/results/version.h"
#include "sim/scenario/command.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/scenario/recording.h"

namespace tangram {
namespace {

struct Options {
  std::string scenario, backend, out, summary, timeline, record;
  std::vector<std::string> set;
  std::optional<std::string> seed;
  EngineSettings engine;
};

void print_error(const std::string& text) {
  fmt::print(stderr, "error: {}\n", text);
}

Scenario load(const Options& options) {
  Scenario scenario = load_scenario(ScenarioArguments{options.scenario,
                                                      options.set,
                                                      options.seed,
                                                      {{"--out", options.out},
                                                       {"--summary", options.summary},
                                                       {"--timeline", options.timeline},
                                                       {"--record", options.record}}});
  if (!options.timeline.empty()) scenario.log_timeline = true;
  if (scenario.replanning) {
    throw ConfigError(options.scenario + "#/replanning",
                      "only tangram run plans again during a run: leave it out");
  }
  return scenario;
}

// The share of the time that is over, on standard error when that is a terminal.
void show_progress(double share, double duration_s) {
  fmt::print(stderr, "\rrunning: {:5.1f} of {:g} s", share * duration_s, duration_s);
  std::fflush(stderr);
}

int run(const Options& options, const std::stop_token& interrupted) {
  Scenario scenario = load(options);
  const std::unique_ptr<Backend> backend =
      make_backend(options.backend, scenario, StreamKey(scenario.seed).with(0), options.engine);
  const Plan plan = make_plan(scenario, scenario.notes);
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  EngineOptions engine;
  engine.stop = interrupted;
  MessageLog log;
  if (!options.record.empty()) engine.log = &log;
  if (is_terminal) {
    engine.progress = [&](double share) { show_progress(share, scenario.duration_s); };
  }
  const EngineRun done = run_engine(scenario, plan, *backend, engine);
  if (is_terminal) fmt::print(stderr, "\r{:40}\r", "");

  // First: no other run would leave the same one.
  if (!options.record.empty()) {
    write_recording(options.record, {backend->name(), version(), git_hash()}, scenario, plan, log);
  }
  const Json summary = summarize({&done.result, 1});
  if (!options.out.empty()) write_result_file(options.out, {&done.result, 1});
  if (!options.timeline.empty()) write_timeline(options.timeline, done.result);
  if (!options.summary.empty()) write_file(options.summary, summary.dump(2) + '\n');
  if (options.out.empty()) fmt::print("{}", table_of(summary));
  if (!done.stopped) return kDone;
  print_error(fmt::format("interrupted after {:.1f} s", done.result.simulated_s));
  return kAnswerIsNo;
}

// "emulated  a thread per executor ...", a line for each backend, for --help.
std::string list_of_backends() {
  std::string text = "BACKENDS\n";
  for (const BackendInfo& backend : backends()) {
    text += fmt::format("  {:<18}{}", backend.name, backend.summary);
    if (!backend.runners.empty()) {
      text += fmt::format("; runners: {}", fmt::join(backend.runners, ", "));
    }
    text += '\n';
  }
  return text;
}

void add_engine_options(CLI::App& command, EngineSettings& engine) {
  command.add_option("--runner", engine.runner,
                     "what runs the models, of the backend's runners; default: its first");
  command.add_option("--models", engine.models,
                     "folder of models that scripts/export_models.py wrote, for the runner torch");
  command
      .add_option("--cores", engine.cores,
                  "CPU cores for partitions, as 1,2,3; default: all but the dispatcher's")
      ->delimiter(',');
  command.add_option("--dispatcher-core", engine.dispatcher_core,
                     "CPU core of the engine's own threads; default: one that is left over");
  command.add_flag("--exact-grants", engine.exact_grants,
                   "exit with 3 where the device grants another share than the plan's");
}

int run_main(int argc, const char* const* argv) {
  CLI::App app("Runs a scenario on executors that really work, in real time.", "tangram-engine");
  app.require_subcommand(1);
  app.set_version_flag("--version", "tangram-engine " + version());
  Options options;
  CLI::App* command = app.add_subcommand("run", "run a scenario in real time");
  command->add_option("SCENARIO", options.scenario, "scenario file (JSON)")->required();
  command->add_option("--backend", options.backend, "what executes the batches")->required();
  command->add_option("--out", options.out, "write the result (HDF5)");
  command->add_option("--summary", options.summary, "write the summary (JSON)");
  command->add_option("--set", options.set, "change the scenario: /json/pointer=value; repeatable")
      ->allow_extra_args(false);
  command->add_option("--seed", options.seed, "in place of the scenario's seed");
  command->add_option("--timeline", options.timeline,
                      "write a trace of the batches for Perfetto (JSON)");
  command->add_option("--record", options.record,
                      "write every message and decision, for tangram replay (JSON lines)");
  add_engine_options(*command, options.engine);
  command->footer(list_of_backends());
  const CLI::App* const probe = app.add_subcommand(
      "probe", "what this machine's GPUs offer the backends (JSON); exit code 0 without any");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    print_error(std::string("command line: ") + error.what());
    return kWrongInput;
  }
  if (*probe) {
    fmt::print("{}\n", probe_this_machine().dump(2));
    return kDone;
  }
  const Interrupt signals;
  return run(options, signals.token());
}

}  // namespace
}  // namespace tangram

int main(int argc, char** argv) {
  std::vector<std::string> errors;
  const int code = tangram::guarded([&] { return tangram::run_main(argc, argv); }, errors);
  for (const std::string& error : errors) tangram::print_error(error);
  return code;
}
