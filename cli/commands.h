// The subcommands. Each adds its options to `app` and returns what to do once they are parsed: the
// action returns the exit code of the command and throws what main() turns into one.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "sim/scenario/command.h"

namespace tangram::cli {

using Action = std::function<int()>;

Action add_run(CLI::App& app);
Action add_sweep(CLI::App& app);
Action add_merge(CLI::App& app);
Action add_check(CLI::App& app);
Action add_plan(CLI::App& app);
Action add_plot(CLI::App& app);
Action add_report(CLI::App& app);
Action add_replay(CLI::App& app);
Action add_profile(CLI::App& app);
Action add_measure(CLI::App& app);  // of profile
Action add_calibrate(CLI::App& app);
Action add_describe(CLI::App& app);
Action add_validate(CLI::App& app);
Action add_version(CLI::App& app);

}  // namespace tangram::cli
