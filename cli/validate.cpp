// tangram validate: one scenario in both worlds.
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "sim/core/atomic_file.h"
#include "validate/report.h"
#include "validate/validation.h"

namespace tangram::cli {
namespace {

struct ValidateArguments {
  ValidateOptions validate;
  std::optional<std::string> models, runner, cores, dispatcher_core;
  bool exact_grants = false;
  std::string out, report;
};

void pass_on(const char* option,
             const std::optional<std::string>& value,
             ValidateArguments& options) {
  if (!value) return;
  options.validate.engine_options.emplace_back(option);
  options.validate.engine_options.push_back(*value);
}

int validate_command(ValidateArguments options) {
  options.validate.scenario.outputs = {{"--out", options.out}, {"--report", options.report}};
  options.validate.scenario.other_inputs = options.validate.real;
  pass_on("--models", options.models, options);
  pass_on("--runner", options.runner, options);
  pass_on("--cores", options.cores, options);
  pass_on("--dispatcher-core", options.dispatcher_core, options);
  if (options.exact_grants) options.validate.engine_options.emplace_back("--exact-grants");
  options.validate.command = command_line();
  options.validate.date = utc_now();
  const Interrupt interrupt;
  try {
    Progress bar("simulating");
    options.validate.progress = [&](double share) { bar.update(share); };
    const Validation validation = validate(options.validate, options.out, interrupt);
    if (!options.report.empty()) write_file(options.report, report_of(validation));
    print(table_of(validation));
  } catch (const EngineFailed& error) {
    print_error(error.what());
    return error.exit_code();
  }
  return kDone;
}

}  // namespace

Action add_validate(CLI::App& app) {
  const auto options = std::make_shared<ValidateArguments>();
  ValidateOptions& validate = options->validate;
  app.add_option("SCENARIO", validate.scenario.path, "scenario file (JSON)")->required();
  CLI::Option* backend = app.add_option("--backend", validate.backend,
                                        "what executes the batches; describe backends lists them");
  CLI::Option* real =
      app.add_option("--real", validate.real,
                     "in place of --backend: a validation of this scenario, whose real runs are "
                     "compared with new simulations; repeatable")
          ->allow_extra_args(false);
  app.add_option("--out", options->out, "write both results and the comparison (HDF5)")->required();
  app.add_option("--report", options->report, "write a page with figures (HTML)");
  app.add_option("--set", validate.scenario.set,
                 "change the scenario: /json/pointer=value; repeatable")
      ->allow_extra_args(false);
  const std::initializer_list<CLI::Option*> of_new_runs{
      backend,
      app.add_option("--seed", validate.scenario.seed, "in place of the scenario's seed"),
      app.add_option("--replications", validate.replications, "runs with the seeds s, s+1, ...")
          ->check(CLI::Range(1, 1000)),
      app.add_option("--models", options->models, "for the engine: the folder of the models"),
      app.add_option("--runner", options->runner, "for the engine: what runs the models"),
      app.add_option("--cores", options->cores, "for the engine: the CPU cores that it may use"),
      app.add_option("--dispatcher-core", options->dispatcher_core,
                     "for the engine: the core of its own threads"),
      app.add_flag("--exact-grants", options->exact_grants,
                   "exit with 3 where the device grants another share than the plan's")};
  for (CLI::Option* option : of_new_runs) real->excludes(option);
  app.callback([backend, real] {
    if (backend->count() + real->count() == 0) throw CLI::RequiredError("--backend or --real");
  });
  return [options] { return validate_command(*options); };
}

}  // namespace tangram::cli
