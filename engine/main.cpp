// The tangram-engine command: runs a scenario in real time and writes the result that tangram
// writes.
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "engine/runtime.h"
#include "sim/core/atomic_file.h"
#include "sim/core/error.h"
#include "sim/results/result_file.h"
#include "sim/results/summary.h"
#include "sim/results/table.h"
#include "sim/results/timeline.h"
#include "sim/results/version.h"
#include "sim/scenario/plan_of_scenario.h"

namespace tangram {
namespace {

enum ExitCode : int {
  kDone = 0,
  kAnswerIsNo = 1,  // no plan; the run was interrupted, and what ran is in the result
  kWrongInput = 2,
  kSystemFailed = 3,
};

struct Options {
  std::string scenario, backend, out, summary, timeline;
  std::vector<std::string> set;
  std::optional<std::string> seed;
};

void print_error(const std::string& text) {
  fmt::print(stderr, "error: {}\n", text);
}

// Turns SIGINT and SIGTERM into a stop request while it lives. Construct it before any other
// thread: they inherit the blocked signals, so that only this one takes them.
class SignalWatch {
 public:
  SignalWatch() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this](const std::stop_token& done) { watch(done); });
  }
  std::stop_token token() const { return interrupted_.get_token(); }

 private:
  void watch(const std::stop_token& done) {
    constexpr timespec kLook{0, 100'000'000};
    while (!done.stop_requested()) {
      if (sigtimedwait(&signals_, nullptr, &kLook) > 0) interrupted_.request_stop();
    }
  }

  sigset_t signals_{};
  std::stop_source interrupted_;
  std::jthread thread_;
};

// Found before the run, not after it: a folder that is not there.
void check_folder(const std::string& option, const std::string& path, Faults& faults) {
  if (path.empty()) return;
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  if (std::filesystem::is_directory(path)) faults.add(option + ' ' + path, "is a folder");
  if (::access(folder.c_str(), W_OK) != 0) {
    faults.add(option + ' ' + path, "no folder that can be written: " + folder.string());
  }
}

Scenario load(const Options& options) {
  Faults faults;
  check_folder("--out", options.out, faults);
  check_folder("--summary", options.summary, faults);
  check_folder("--timeline", options.timeline, faults);
  std::vector<Override> overrides;
  for (const std::string& text : options.set) {
    try {
      overrides.push_back(parse_override(text));
    } catch (const ConfigError& error) {
      faults.append(error);
    }
  }
  if (options.seed) overrides.emplace_back("/seed", *options.seed);
  Scenario scenario;
  try {
    scenario = load_scenario(options.scenario, overrides);
  } catch (const ConfigError& error) {
    faults.append(error);
  }
  faults.throw_if_any();
  if (!options.timeline.empty()) scenario.log_timeline = true;
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
      make_backend(options.backend, scenario, StreamKey(scenario.seed).with(0));
  const Plan plan = make_plan(scenario, scenario.notes);
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  EngineOptions engine;
  engine.stop = interrupted;
  if (is_terminal) {
    engine.progress = [&](double share) { show_progress(share, scenario.duration_s); };
  }
  const EngineRun done = run_engine(scenario, plan, *backend, engine);
  if (is_terminal) fmt::print(stderr, "\r{:40}\r", "");

  const Json summary = summarize({&done.result, 1});
  if (!options.out.empty()) write_result_file(options.out, {&done.result, 1});
  if (!options.timeline.empty()) write_timeline(options.timeline, done.result);
  if (!options.summary.empty()) write_file(options.summary, summary.dump(2) + '\n');
  if (options.out.empty()) fmt::print("{}", table_of(summary));
  if (!done.stopped) return kDone;
  print_error(fmt::format("interrupted after {:.1f} s", done.result.simulated_s));
  return kAnswerIsNo;
}

int guarded(const std::function<int()>& action) {
  try {
    return action();
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) {
      print_error(fault.where.empty() ? fault.what : fault.where + ": " + fault.what);
    }
    return kWrongInput;
  } catch (const NoAnswer& error) {
    print_error(error.what());
    return kAnswerIsNo;
  } catch (const InternalError& error) {
    print_error(std::string("a bug in tangram, please report it: ") + error.what());
    return kSystemFailed;
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
    return kSystemFailed;
  } catch (const std::exception& error) {
    print_error(error.what());
    return kSystemFailed;
  }
}

int run_main(int argc, const char* const* argv) {
  CLI::App app("Runs a scenario on executors that really work, in real time.", "tangram-engine");
  app.require_subcommand(1);
  app.set_version_flag("--version", "tangram-engine " + version());
  Options options;
  CLI::App* command = app.add_subcommand("run", "run a scenario in real time");
  command->add_option("SCENARIO", options.scenario, "scenario file (JSON)")->required();
  command->add_option("--backend", options.backend, "what executes the batches: emulated")
      ->required();
  command->add_option("--out", options.out, "write the result (HDF5)");
  command->add_option("--summary", options.summary, "write the summary (JSON)");
  command->add_option("--set", options.set, "change the scenario: /json/pointer=value; repeatable")
      ->allow_extra_args(false);
  command->add_option("--seed", options.seed, "in place of the scenario's seed");
  command->add_option("--timeline", options.timeline,
                      "write a trace of the batches for Perfetto (JSON)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    print_error(std::string("command line: ") + error.what());
    return kWrongInput;
  }
  const SignalWatch signals;
  return run(options, signals.token());
}

}  // namespace
}  // namespace tangram

int main(int argc, char** argv) {
  return tangram::guarded([&] { return tangram::run_main(argc, argv); });
}
