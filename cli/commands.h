// The subcommands. Each adds its options to `app` and returns what to do once they are parsed: the
// action returns the exit code of the command and throws what main() turns into one.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

namespace tangram::cli {

using Action = std::function<int()>;

enum ExitCode : int {
  kDone = 0,
  kAnswerIsNo = 1,    // a check failed, a planner cannot plan, a target is missed under --strict
  kWrongInput = 2,    // the user's
  kSystemFailed = 3,  // a full disk, a lost device, a bug of ours
};

Action add_run(CLI::App& app);
Action add_plan(CLI::App& app);
Action add_profile(CLI::App& app);
Action add_describe(CLI::App& app);
Action add_validate(CLI::App& app);
Action add_version(CLI::App& app);

}  // namespace tangram::cli
