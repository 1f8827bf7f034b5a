// What the commands share: exit codes, the arguments that name and change a scenario, the checks of
// output paths. Prints nothing: what to tell the user is returned or thrown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/core/error.h"
#include "sim/scenario/scenario.h"

namespace tangram {

enum ExitCode : int {
  kDone = 0,
  kAnswerIsNo = 1,    // a check failed, a planner cannot plan, a target is missed under --strict,
                      // a real run was interrupted
  kWrongInput = 2,    // the user's
  kSystemFailed = 3,  // a full disk, a lost device, a bug of ours
};

// Runs the action, which returns an exit code. Turns what it throws into the exit code and into
// lines for standard error ("PLACE: WHAT" for each fault), which are added to `errors`.
int guarded(const std::function<int()>& action, std::vector<std::string>& errors);

// A file that an option asks for; no path: not asked for.
struct OutputPath {
  std::string option;  // "--out"
  std::string path;
};
// Adds a fault for each path that cannot be written, before any work is done: no such folder, no
// permission, a folder itself, one of the `inputs`, or named twice.
void check_outputs(const std::vector<OutputPath>& outputs,
                   const std::vector<std::string>& inputs,
                   Faults& faults);

// A scenario as a command line names it.
struct ScenarioArguments {
  std::string path;
  std::vector<std::string> set;     // "/json/pointer=value"
  std::optional<std::string> seed;  // in place of the scenario's
  std::vector<OutputPath> outputs;
  std::vector<std::string>
      other_inputs{};  // files that the command reads besides: no output either
};
// Everything that can be wrong before the run starts, thrown at once as one ConfigError.
Scenario load_scenario(const ScenarioArguments& arguments);

}  // namespace tangram
