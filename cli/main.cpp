// The tangram command: parses, calls, and turns what is thrown into exit codes.
#include <cstdio>
#include <utility>

#include "cli/commands.h"
#include "cli/output.h"
#include "sim/core/error.h"
#include "sim/results/version.h"

namespace tangram::cli {
namespace {

struct Command {
  const char* name;
  const char* help;
  Action (*add)(CLI::App&);
};

constexpr Command kCommands[] = {
    {"run", "simulate a scenario", add_run},
    {"sweep", "simulate a scenario at many points", add_sweep},
    {"merge", "put the shards of a sweep together", add_merge},
    {"check", "compare a folder of scenarios with approved results", add_check},
    {"plan", "cut the GPUs for a scenario, without a run", add_plan},
    {"plot", "draw a figure from results", add_plot},
    {"report", "a result as one HTML page", add_report},
    {"profile", "import, show or compute profiles", add_profile},
    {"validate", "run a scenario simulated and for real, and compare", add_validate},
    {"replay", "decide again on the messages of a recorded run, and compare", add_replay},
    {"calibrate", "fit interference to co-runs, and overhead to real runs", add_calibrate},
    {"describe", "what this build knows: policies, scenario keys, models, backends, figures",
     add_describe},
    {"version", "version and commit of this build", add_version},
};

// The names that could have stood in place of an argument nobody expected.
std::vector<std::string> names_of(const CLI::App& app, bool options) {
  std::vector<std::string> names;
  if (options) {
    for (const CLI::Option* option : app.get_options()) {
      if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
    }
  } else {
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  }
  return names;
}

// The deepest subcommand that was named.
const CLI::App& innermost(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.front());
}

int print_usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = innermost(app);
  const std::vector<std::string> extra = app.remaining(true);
  std::string place = "command line";
  if (&command != &app) place = "tangram " + command.get_name();
  std::string what = error.what();
  if (!extra.empty()) {
    const bool is_option = extra.front().starts_with("-");
    const std::vector<std::string> known = names_of(command, is_option);
    what = known.empty() ? "unexpected argument \"" + extra.front() + '"'
                         : unknown_name(is_option ? "option" : "command", extra.front(), known);
  }
  print_error(place + ": " + what);
  return kWrongInput;
}

// Runs the action and prints what it throws.
int told(const Action& action) {
  std::vector<std::string> errors;
  const int code = guarded(action, errors);
  for (const std::string& error : errors) print_error(error);
  return code;
}

int run_main(int argc, const char* const* argv) {
  CLI::App app("Simulates DNN inference on shared GPUs.", "tangram");
  app.require_subcommand(1);
  app.set_version_flag("--version", "tangram " + version());
  app.failure_message(CLI::FailureMessage::simple);
  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const Command& command : kCommands) {
    CLI::App* added = app.add_subcommand(command.name, command.help);
    actions.emplace_back(added, command.add(*added));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return print_usage_error(app, error);
  }
  for (const auto& [command, action] : actions) {
    if (command->parsed()) return action();
  }
  return kWrongInput;
}

}  // namespace
}  // namespace tangram::cli

int main(int argc, char** argv) {
  return tangram::cli::told([&] { return tangram::cli::run_main(argc, argv); });
}
