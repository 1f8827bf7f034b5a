// tangram profile import | show | synth; measure has a file of its own.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "profiles/profile_io.h"
#include "profiles/synth.h"
#include "sim/results/table.h"

namespace tangram::cli {
namespace {

constexpr std::size_t kMostBatchColumns = 8;

struct ImportArguments {
  std::string from;
  std::vector<std::string> paths;
  std::string out;
  ImportOptions options;
};

struct SynthArguments {
  std::vector<std::string> models;
  std::string gpu;
  std::string out;
};

void check_gpu(const std::string& gpu, Faults& faults) {
  if (!gpu.empty() && find_gpu_type(gpu) == nullptr) {
    faults.add("--gpu " + gpu, unknown_name("GPU type", gpu, gpu_type_names()));
  }
}

int import(const ImportArguments& arguments) {
  Faults faults;
  check_outputs({{"--out", arguments.out}}, arguments.paths, faults);
  check_gpu(arguments.options.gpu, faults);
  ImportResult imported;
  try {
    imported = import_profiles(arguments.from, arguments.paths, arguments.options);
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) {
      // A fault without a place is about the format.
      faults.add(fault.where.empty() ? "--from " + arguments.from : fault.where, fault.what);
    }
  }
  faults.throw_if_any();
  write_profile_store(arguments.out, imported.profiles);
  for (const std::string& warning : imported.warnings) print_note(warning);
  std::size_t points = 0;
  for (const Profile& profile : imported.profiles) points += profile.points.size();
  print(
      fmt::format("{}: {} profiles, {} points\n", arguments.out, imported.profiles.size(), points));
  return kDone;
}

int synth(const SynthArguments& arguments) {
  Faults faults;
  check_outputs({{"--out", arguments.out}}, {}, faults);
  check_gpu(arguments.gpu, faults);
  std::vector<Profile> profiles;
  const GpuType* gpu = find_gpu_type(arguments.gpu);
  std::set<std::string> seen;
  for (const std::string& model : arguments.models) {
    if (!seen.insert(model).second) {
      faults.add("tangram profile synth", "the model \"" + model + "\" is named twice");
      continue;
    }
    try {
      if (gpu != nullptr) profiles.push_back(synthesize_profile(model, *gpu));
    } catch (const ConfigError& error) {
      faults.append(error);
    }
  }
  faults.throw_if_any();
  write_profile_store(arguments.out, profiles);
  print(
      fmt::format("{}: {} analytic profiles for {}\n", arguments.out, profiles.size(), gpu->name));
  return kDone;
}

// A few of the batches, the first and the last among them.
std::vector<std::uint32_t> batch_columns(const Profile& profile) {
  std::set<std::uint32_t> batches;
  for (const LatencyPoint& point : profile.points) batches.insert(point.batch);
  const std::vector<std::uint32_t> all(batches.begin(), batches.end());
  if (all.size() <= kMostBatchColumns) return all;
  std::vector<std::uint32_t> some;
  for (std::size_t i = 0; i < kMostBatchColumns; ++i) {
    some.push_back(all[i * (all.size() - 1) / (kMostBatchColumns - 1)]);
  }
  return some;
}

std::string amount_or_unknown(const std::optional<double>& value, const char* unit) {
  return value ? fmt::format("{:g} {}", *value, unit) : "unknown";
}

// Latency in ms by share and processes (rows) and batch (columns).
std::string latency_table(const Profile& profile) {
  if (profile.linear) {
    return fmt::format("  whole GPU: {:g} ms + {:g} ms per item, batches up to {}\n",
                       profile.linear->fixed_ms, profile.linear->per_item_ms,
                       profile.linear->max_batch);
  }
  const std::vector<std::uint32_t> batches = batch_columns(profile);
  std::vector<std::string> header{"  ms at batch"};
  for (const std::uint32_t batch : batches) header.push_back(std::to_string(batch));
  TextTable table(header);
  for (const Profile::Setting& setting : profile.settings()) {
    std::vector<std::string> row{
        "  " + to_string(setting.share) +
        (setting.processes > 1 ? fmt::format(", {} processes", setting.processes) : "")};
    for (const std::uint32_t batch : batches) {
      const LatencyPoint* point = profile.point(setting.share, setting.processes, batch);
      row.push_back(point == nullptr ? "-" : fmt::format("{:.4g}", point->latency_ms));
    }
    table.add(std::move(row));
  }
  return table.text();
}

std::string profile_text(const Profile& profile) {
  const auto suspect = std::count_if(profile.points.begin(), profile.points.end(),
                                     [](const LatencyPoint& p) { return !p.suspicion.empty(); });
  const Provenance& origin = profile.provenance;
  std::string text = wrapped("", fmt::format("{} on {}", profile.model, profile.gpu));
  text +=
      wrapped("  origin    ", fmt::format("{}{}{}", origin.kind.empty() ? "unknown" : origin.kind,
                                          origin.source.empty() ? "" : ": ", origin.source));
  text += wrapped(
      "  points    ",
      fmt::format("{} ({} suspicious), interpolation {}, variability {}", profile.points.size(),
                  suspect, interpolation_names()[static_cast<std::size_t>(profile.interpolation)],
                  variability_names()[static_cast<std::size_t>(profile.variability.kind)]));
  text += wrapped("  memory    ", fmt::format("{}, and per item {}; weights {}",
                                              amount_or_unknown(profile.memory_mib, "MiB"),
                                              amount_or_unknown(profile.memory_per_item_mib, "MiB"),
                                              amount_or_unknown(profile.weights_mib, "MiB")));
  return text + latency_table(profile) + '\n';
}

int show(const std::string& path) {
  Faults faults;
  const auto found = find_profile_file(path, std::filesystem::current_path(), path, faults);
  std::vector<Profile> profiles;
  if (found) profiles = read_profile_file(*found, faults);
  faults.throw_if_any();
  std::string text;
  for (const Profile& profile : profiles) text += profile_text(profile);
  print(text);
  return kDone;
}

Action add_import(CLI::App& app) {
  const auto arguments = std::make_shared<ImportArguments>();
  app.add_option("--from", arguments->from, "format: parvagpu, gpulet, igniter or csv")->required();
  app.add_option("PATH", arguments->paths, "files, or folders of them")->required();
  app.add_option("--out", arguments->out, "profile store to write (HDF5)")->required();
  app.add_option("--gpu", arguments->options.gpu, "GPU type, in place of the format's own");
  app.add_flag("--drop-suspect", arguments->options.drop_suspect, "leave suspicious rows out");
  return [arguments] { return import(*arguments); };
}

Action add_show(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  app.add_option("PROFILE", *path, "profile store (HDF5) or JSON; also a shipped one")->required();
  return [path] { return show(*path); };
}

Action add_synth(CLI::App& app) {
  const auto arguments = std::make_shared<SynthArguments>();
  app.add_option("MODEL", arguments->models, "models; describe models lists them")->required();
  app.add_option("--gpu", arguments->gpu, "GPU type")->required();
  app.add_option("--out", arguments->out, "profile store to write (HDF5)")->required();
  return [arguments] { return synth(*arguments); };
}

}  // namespace

Action add_profile(CLI::App& app) {
  app.require_subcommand(1);
  CLI::App* import_app = app.add_subcommand("import", "read published tables");
  CLI::App* show_app = app.add_subcommand("show", "print profiles");
  CLI::App* measure_app = app.add_subcommand("measure", "run models on a device");
  CLI::App* synth_app = app.add_subcommand("synth", "compute profiles from public figures");
  const Action import_action = add_import(*import_app);
  const Action show_action = add_show(*show_app);
  const Action measure_action = add_measure(*measure_app);
  const Action synth_action = add_synth(*synth_app);
  return [=] {
    if (import_app->parsed()) return import_action();
    if (measure_app->parsed()) return measure_action();
    return show_app->parsed() ? show_action() : synth_action();
  };
}

}  // namespace tangram::cli
