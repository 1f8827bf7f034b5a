// tangram calibrate: fits interference to co-runs and the overhead of batches to real runs, and
// says how well each interference model predicts.
#include "validate/calibrate.h"

#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "profiles/profile_io.h"
#include "sim/core/atomic_file.h"

namespace tangram::cli {
namespace {

struct Arguments {
  std::vector<std::string> inputs;
  std::string out;
  std::string report;
  CalibrationOptions options;
};

int calibrate_files(const Arguments& arguments) {
  Faults faults;
  check_outputs({{"--out", arguments.out}, {"--report", arguments.report}}, arguments.inputs,
                faults);
  const CalibrationInputs inputs = read_calibration_inputs(arguments.inputs, faults);
  faults.throw_if_any();
  std::vector<Profile> profiles = merge_co_runs(inputs.stores);
  std::vector<std::string> models;
  for (const Profile& profile : profiles) models.push_back(profile.model);
  const std::string gpu = profiles.empty() ? arguments.inputs.front() : profiles.front().gpu;
  std::string text;
  const std::vector<CoRunRecord> records = co_run_records(profiles);
  // Real runs alone calibrate the overhead; without them there must be co-runs.
  if (!records.empty() || inputs.overheads.empty()) {
    const CalibrationReport report = calibrate(gpu, models, records, arguments.options);
    profiles = calibrated(std::move(profiles), report);
    text = text_of(report);
  }
  if (!inputs.overheads.empty()) {
    profiles = calibrated(std::move(profiles), inputs.overheads);
    text += (text.empty() ? "" : "\n") + text_of(inputs.overheads);
  }
  if (!arguments.report.empty()) write_file(arguments.report, text);
  write_profile_store(arguments.out, profiles);
  print(text);
  return kDone;
}

}  // namespace

Action add_calibrate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("INPUTS", arguments->inputs,
                 "profile stores of one GPU type, with co-runs; results of tangram validate")
      ->required();
  app.add_option("--out", arguments->out, "calibrated profile store to write (HDF5)")->required();
  app.add_option("--report", arguments->report, "text file to write the report to");
  app.add_option("--measure-next", arguments->options.measure_next,
                 "how many co-runs to suggest, default 5")
      ->check(CLI::Range(0, 100));
  app.add_option("--seed", arguments->options.seed,
                 "of the intervals and random splits, default 1");
  return [arguments] { return calibrate_files(*arguments); };
}

}  // namespace tangram::cli
