// tangram calibrate: fits interference to co-runs and says how well each model predicts.
#include "validate/calibrate.h"

#include <memory>
#include <set>

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

std::vector<std::vector<Profile>> read_stores(const std::vector<std::string>& paths,
                                              Faults& faults) {
  std::vector<std::vector<Profile>> stores;
  std::set<std::string> seen;
  for (const std::string& path : paths) {
    if (!seen.insert(path).second) {
      faults.add(path, "is named twice; its co-runs would count twice");
      continue;
    }
    stores.push_back(read_profile_file(path, faults));
  }
  return stores;
}

int calibrate_files(const Arguments& arguments) {
  Faults faults;
  check_outputs({{"--out", arguments.out}, {"--report", arguments.report}}, arguments.inputs,
                faults);
  const auto stores = read_stores(arguments.inputs, faults);
  faults.throw_if_any();
  std::vector<Profile> profiles = merge_co_runs(stores);
  std::vector<std::string> models;
  for (const Profile& profile : profiles) models.push_back(profile.model);
  const std::string gpu = profiles.empty() ? arguments.inputs.front() : profiles.front().gpu;
  const CalibrationReport report =
      calibrate(gpu, models, co_run_records(profiles), arguments.options);
  const std::string text = text_of(report);
  if (!arguments.report.empty()) write_file(arguments.report, text);
  write_profile_store(arguments.out, calibrated(std::move(profiles), report));
  print(text);
  return kDone;
}

}  // namespace

Action add_calibrate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("PROFILES", arguments->inputs, "profile stores of one GPU type, with co-runs")
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
