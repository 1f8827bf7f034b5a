// tangram describe: prints the tables that the readers themselves obey.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/describe_pages.h"
#include "cli/describe_trace.h"
#include "cli/output.h"
#include "cli/param_text.h"
#include "cli/plots_folder.h"
#include "engine/backend.h"
#include "policies/registry.h"
#include "profiles/profile_io.h"
#include "profiles/synth.h"
#include "sim/core/atomic_file.h"
#include "sim/core/error.h"
#include "sim/core/json_reader.h"
#include "sim/results/table.h"
#include "sim/scenario/keys.h"
#include "sim/scenario/scenario.h"
#include "workloads/application.h"
#include "workloads/trace.h"

namespace tangram::cli {
namespace {

const std::vector<std::string>& topics() {
  static const std::vector<std::string> names{"policies", "scenario", "models", "backends",
                                              "figures"};
  return names;
}

std::string padded(const std::string& name) {
  return fmt::format("  {:<16} ", name);
}

std::string policy_text(const char* kind, const PolicyInfo& info) {
  std::string text = wrapped("", fmt::format("{} ({})", info.name, kind));
  text += wrapped("  ", info.summary);
  if (!info.source.empty()) text += wrapped("  source: ", info.source);
  if (info.params.empty()) text += "  no parameters\n";
  for (const ParamInfo& param : info.params) {
    text += wrapped(padded(param.name),
                    fmt::format("{} ({}; default {})", param.help, range_text(param),
                                param.initial ? value_text(*param.initial) : "none"));
  }
  return text;
}

template <typename Entry>
std::string list_text(const char* title, const std::vector<Entry>& entries) {
  std::string text = std::string(title) + '\n';
  for (const Entry& entry : entries) text += wrapped(padded(entry.info.name), entry.info.summary);
  return text;
}

std::string scenario_text() {
  std::string text =
      "Keys of a scenario (JSON); * stands for an index, ! marks what is required.\n";
  for (const KeyInfo& key : scenario_keys()) {
    std::string what = key.help + " (" + range_of(key);
    if (!key.initial.is_null()) what += "; default " + key.initial.dump();
    text += key.pointer + (key.required ? " !\n" : "\n") + wrapped("    ", what + ')');
  }
  return text;
}

std::string models_text() {
  std::string text = "Models that `profile synth` computes profiles for\n";
  for (const ModelFigures& model : known_models()) {
    text += wrapped(padded(model.name),
                    fmt::format("{}: {:g} GFLOP an item, {:g} M parameters", model.description,
                                model.gflops_per_item, model.parameters_m));
  }
  text += "Known applications, for /workloads/*/application of a scenario\n";
  for (const Application& application : known_applications()) {
    text += wrapped(padded(application.name), application.description);
  }
  text += "Shipped profiles, for /profiles of a scenario\n";
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(shipped_profiles(), error)) {
    if (entry.path().extension() == ".h5") files.push_back(entry.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) text += "  " + file + '\n';
  return text;
}

std::string real_backends() {
  std::string text;
  for (const BackendInfo& backend : backends()) {
    std::string summary = backend.summary;
    if (!backend.runners.empty()) {
      summary += fmt::format("; runners: {}", fmt::join(backend.runners, ", "));
    }
    text += wrapped(fmt::format("  {:<17}", backend.name), summary);
  }
  return text;
}

std::string backends_text() {
  return "Simulated (tangram run SCENARIO.json)\n" +
         wrapped(
             "  rate             ",
             fmt::format("batches at a speed; sharing is one of {}; interference is one of {}",
                         fmt::join(sharing_names(), ", "), fmt::join(interference_names(), ", "))) +
         wrapped("  blocks           ",
                 fmt::format("kernels and thread blocks on SMs; stages is one of {}",
                             fmt::join(stage_dispatcher_names(), ", "))) +
         "In real time (tangram-engine run SCENARIO.json --backend NAME --out R.h5)\n" +
         real_backends();
}

// The package's own table, so that no name stands in two places.
std::string figures_text() {
  const std::string path = (plots_folder() / "tangram_plots" / "figures.json").string();
  std::string text = "Figures, for tangram plot R.h5 --figure NAME --out F.pdf|svg|png\n";
  try {
    for (const Json& figure : Json::parse(read_file(path))) {
      text += wrapped(padded(figure.at("name").get<std::string>()),
                      figure.at("summary").get<std::string>());
    }
  } catch (const Json::exception& error) {
    throw SystemError(path + ": " + error.what());
  }
  return text;
}

std::string policies_text() {
  return list_text("Planners", planners()) + list_text("Dispatchers", dispatchers()) +
         list_text("Stage dispatchers", stage_dispatchers()) +
         list_text("SLO splits (of applications)", slo_splits()) +
         list_text("Re-planning rules (during a run)", replan_rules());
}

bool is_known(const std::string& name) {
  return std::find(topics().begin(), topics().end(), name) != topics().end() ||
         find_planner(name) != nullptr || find_dispatcher(name) != nullptr ||
         find_stage_dispatcher(name) != nullptr || find_slo_split(name) != nullptr ||
         find_replan_rule(name) != nullptr;
}

std::string name_text(const std::string& name) {
  std::string text;
  if (const PlannerEntry* entry = find_planner(name)) text += policy_text("planner", entry->info);
  if (const DispatcherEntry* entry = find_dispatcher(name)) {
    text += policy_text("dispatcher", entry->info);
  }
  if (const StageDispatcherEntry* entry = find_stage_dispatcher(name)) {
    text += policy_text("stage dispatcher", entry->info);
  }
  if (const SloSplitEntry* entry = find_slo_split(name)) {
    text += policy_text("SLO split", entry->info);
  }
  if (const ReplanRuleEntry* entry = find_replan_rule(name)) {
    text += policy_text("re-planning rule", entry->info);
  }
  if (!text.empty()) return text;
  std::vector<std::string> known = topics();
  for (const std::vector<std::string>& names :
       {planner_names(), dispatcher_names(), stage_dispatcher_names(), slo_split_names(),
        replan_rule_names()}) {
    for (const std::string& candidate : names) {
      if (std::find(known.begin(), known.end(), candidate) == known.end())
        known.push_back(candidate);
    }
  }
  throw ConfigError("tangram describe",
                    unknown_name("name", name, known) + "; no such file either");
}

std::string description_of(const std::string& topic) {
  if (topic == "policies") return policies_text();
  if (topic == "scenario") return scenario_text();
  if (topic == "models") return models_text();
  if (topic == "backends") return backends_text();
  if (topic == "figures") return figures_text();
  return name_text(topic);
}

// A name is a name, even where a file is called like it; any other word may be a file.
int describe(const TraceArguments& arguments) {
  std::error_code error;
  const bool is_file =
      !is_known(arguments.path) && std::filesystem::is_regular_file(arguments.path, error);
  if (is_file) return describe_trace_file(arguments);
  const bool has_options = arguments.json || !arguments.format.empty() ||
                           !arguments.dataset.empty() || !arguments.plot.empty();
  if (has_options) {
    throw ConfigError("tangram describe " + arguments.path,
                      "no such file: --format, --dataset, --plot and --json are for trace files");
  }
  print(description_of(arguments.path));
  return kDone;
}

}  // namespace

Action add_describe(CLI::App& app) {
  const auto arguments = std::make_shared<TraceArguments>();
  const auto pages = std::make_shared<std::string>();
  arguments->path = "policies";
  CLI::Option* const topic = app.add_option(
      "TOPIC", arguments->path,
      "policies, scenario, models, backends, figures, the name of a policy, or a trace file");
  app.add_option(
      "--format", arguments->format,
      fmt::format("of a trace: {}; guessed without it", fmt::join(trace_formats(), ", ")));
  app.add_option("--dataset", arguments->dataset,
                 "of a trace in an HDF5 file, /requests/arrival_ns");
  app.add_option("--plot", arguments->plot, "write a trace's rate over time as a picture (SVG)");
  app.add_flag("--json", arguments->json, "print a trace's statistics as JSON");
  app.add_option("--pages", *pages,
                 "bring a folder of pages up to date: NAME.md for each policy and README.md, of "
                 "which what is written by hand stays; prints what changed")
      ->excludes(topic);
  return [arguments, pages] {
    if (pages->empty()) return describe(*arguments);
    std::string text;
    for (const std::string& file : write_policy_pages(*pages)) text += file + '\n';
    print(text);
    return static_cast<int>(kDone);
  };
}

}  // namespace tangram::cli
