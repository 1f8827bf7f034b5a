// tangram check: does every scenario of a folder still give what was approved?
#include <algorithm>
#include <atomic>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "sim/core/atomic_file.h"
#include "sim/regression/regression.h"

namespace tangram::cli {
namespace {

// So many differences of one scenario are printed; the JUnit file has all.
constexpr std::size_t kMostPrinted = 20;

struct CheckArguments {
  std::string folder;
  std::string junit;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  bool bless = false;
};

std::vector<CaseOutcome> run_all(const std::vector<RegressionCase>& cases, unsigned jobs) {
  std::vector<CaseOutcome> outcomes(cases.size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < std::min<std::size_t>(jobs, cases.size()); ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < cases.size(); i = next++) outcomes[i] = run_case(cases[i]);
    });
  }
  threads.clear();  // joins
  return outcomes;
}

void print_outcome(const CaseOutcome& outcome) {
  print(fmt::format("{}  {}\n", outcome.passed() ? "as approved" : "DIFFERENT  ",
                    outcome.which.name));
  std::istringstream lines(outcome.error);
  for (std::string line; std::getline(lines, line);) print("    " + line + '\n');
  for (std::size_t i = 0; i < outcome.differences.size(); ++i) {
    if (i == kMostPrinted) {
      print(fmt::format("    ... and {} differences more\n", outcome.differences.size() - i));
      break;
    }
    print("    " + to_string(outcome.differences[i]) + '\n');
  }
}

// Takes the results of this run as the approved ones. What did not run keeps what it had.
int bless(const std::vector<CaseOutcome>& outcomes) {
  int failed = 0;
  for (const CaseOutcome& outcome : outcomes) {
    if (outcome.summary.is_null()) {
      print_outcome(outcome);
      ++failed;
      continue;
    }
    if (outcome.passed()) continue;
    approve(outcome);
    print(fmt::format(
        "approved     {} ({})\n", outcome.which.name,
        outcome.is_new ? "new" : std::to_string(outcome.differences.size()) + " differences"));
  }
  return failed;
}

int check_command(const CheckArguments& options) {
  Faults faults;
  check_outputs({{"--junit", options.junit}}, {}, faults);
  std::vector<RegressionCase> cases;
  try {
    cases = find_cases(options.folder);
  } catch (const ConfigError& error) {
    faults.append(error);
  }
  faults.throw_if_any();
  const std::vector<CaseOutcome> outcomes = run_all(cases, options.jobs);
  if (!options.junit.empty()) write_file(options.junit, junit_xml(options.folder, outcomes));
  if (options.bless) return bless(outcomes) == 0 ? kDone : kAnswerIsNo;
  std::size_t failed = 0;
  for (const CaseOutcome& outcome : outcomes) {
    print_outcome(outcome);
    failed += outcome.passed() ? 0 : 1;
  }
  print(fmt::format("{} of {} scenarios as approved\n", outcomes.size() - failed, outcomes.size()));
  if (failed == 0) return kDone;
  print_note("where the change is meant: tangram check " + options.folder +
             " --bless, and say in the commit why");
  return kAnswerIsNo;
}

}  // namespace

Action add_check(CLI::App& app) {
  const auto options = std::make_shared<CheckArguments>();
  app.add_option("DIR", options->folder, "folder of scenarios, each with NAME.expected.json")
      ->required();
  app.add_flag("--bless", options->bless, "take what comes out now as the approved results");
  app.add_option("--junit", options->junit, "write the outcomes for a CI system (JUnit XML)");
  app.add_option("--jobs", options->jobs, "scenarios at a time; default: one per core")
      ->check(CLI::Range(1, 1024));
  return [options] { return check_command(*options); };
}

}  // namespace tangram::cli
