// The strict reader of scenarios: every section in turn, all faults together.
#include "sim/scenario/scenario.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "policies/plan_io.h"
#include "policies/registry.h"
#include "sim/core/atomic_file.h"
#include "sim/scenario/detail/sections.h"
#include "sim/scenario/keys.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

constexpr double kHighestRate = 1e9;  // one request per nanosecond, the resolution of time

double highest_rate(const ArrivalSpec& spec) {
  double rate = std::max(spec.rate_rps, spec.end_rps.value_or(0));
  for (const MmppState& state : spec.states) rate = std::max(rate, state.rate_rps);
  for (const ArrivalSpec& segment : spec.segments) rate = std::max(rate, highest_rate(segment));
  return rate;
}

// An array that must have something in it.
std::vector<JsonNode> items_of(KeyReader& keys, const std::string& key) {
  const std::optional<JsonNode> node = keys.node(key);
  if (!node) return {};
  std::vector<JsonNode> items = node->items();
  if (items.empty() && node->value().is_array()) node->fault("is empty; at least one item");
  return items;
}

double read_duration(KeyReader& keys, const JsonNode& root) {
  const Json given = root.value().is_object() ? root.value().value("duration_s", Json()) : Json();
  if (!given.is_number() || given.get<double>() <= kLongestRunSeconds)
    return keys.number("duration_s");
  keys.node("duration_s")
      ->fault(fmt::format("{:g} s is beyond what 64-bit nanoseconds hold; at most {:g}",
                          given.get<double>(), kLongestRunSeconds));
  return kLongestRunSeconds;
}

void read_run(KeyReader& keys, const JsonNode& root, Scenario& scenario) {
  keys.integer("schema");
  scenario.name = keys.string("name");
  if (!keys.has("name")) scenario.name = fs::path(root.source()).stem().string();
  scenario.seed = keys.seed("seed");
  const std::size_t before = root.faults().size();
  scenario.duration_s = read_duration(keys, root);
  scenario.warmup_s = keys.number("warmup_s");
  scenario.drain = keys.boolean("drain");
  if (root.faults().size() == before && scenario.warmup_s >= scenario.duration_s) {
    root.faults().add(root.source() + "#/warmup_s",
                      fmt::format("must be below duration_s ({:g}), not {:g}: nothing would count",
                                  scenario.duration_s, scenario.warmup_s));
  }
}

// The names of the workloads and who has them; "*" stands for all in a plan.
void check_name(const std::string& name,
                const JsonNode& item,
                std::map<std::string, std::string>& taken) {
  const auto [first, is_new] = taken.emplace(name, item.pointer());
  if (!is_new) {
    item.fault(
        fmt::format("the workload name \"{}\" is taken by {}; give one of them another "
                    "\"name\"",
                    name, first->second));
  }
  if (name == "*") item.fault("a workload cannot be called \"*\"");
}

void read_workloads(const std::vector<JsonNode>& items,
                    const std::vector<std::optional<double>>& shares,
                    const std::vector<ReadApplication>& applications,
                    const ProfileSection& profiles,
                    const std::string& base,
                    double load,
                    Scenario& scenario) {
  std::map<std::string, std::string> taken;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const JsonNode& item = items[i];
    KeyReader keys(item, "/workloads/*");
    Workload workload;
    workload.name = keys.string("name");
    if (const auto model = keys.node("model")) {
      workload.model = model->string().value_or("");
      if (!workload.model.empty()) profiles.check_model(workload.model, *model);
    }
    const auto application = keys.node("application");
    const auto split = keys.node("slo_split");
    const std::string called = application ? application->string().value_or("") : std::string();
    if (keys.has("model") && keys.has("application")) {
      item.fault("\"model\" and \"application\": give one of them");
    } else if (!keys.has("model") && !keys.has("application") && item.value().is_object()) {
      item.fault("the key \"model\" is missing, or \"application\" in its place");
    }
    if (split && !application) split->fault("belongs to a workload of an application");
    if (!keys.has("name")) workload.name = application ? called : workload.model;
    if (!workload.name.empty()) check_name(workload.name, item, taken);
    workload.slo = from_ms(keys.number("slo_ms"));
    if (const auto arrivals = keys.node("arrivals")) {
      workload.arrivals = read_arrivals(*arrivals, base, shares[i]).value_or(ArrivalSpec{});
      scale_rates(workload.arrivals, load);
      if (const double rate = highest_rate(workload.arrivals); rate > kHighestRate) {
        item.fault(fmt::format("/load {:g} makes {:.3g} requests/s; at most {:g}", load, rate,
                               kHighestRate));
      }
    }
    keys.finish();
    if (!application) {
      scenario.workloads.push_back(std::move(workload));
    } else if (!called.empty()) {
      const std::size_t first = scenario.workloads.size();
      enter_application({item, *application, split, std::move(workload)}, applications, profiles,
                        scenario);
      for (std::size_t w = first; w < scenario.workloads.size(); ++w) {
        check_name(scenario.workloads[w].name, item, taken);
      }
    }
  }
}

// {"name", "params"} of a planner or dispatcher. After a misspelt name its parameters are not
// looked at: they would be compared with those of another policy.
template <typename Entry>
void read_policy(KeyReader& keys,
                 const std::vector<Entry>& entries,
                 Faults& faults,
                 PolicySpec& spec) {
  const std::optional<std::size_t> name = keys.name("name");
  const std::optional<JsonNode> params = keys.node("params");
  if (!name) return;
  const PolicyInfo& info = entries[*name].info;
  spec.name = info.name;
  spec.params = read_params(info, params, faults);
}

void read_plan_file(KeyReader& keys,
                    const JsonNode& node,
                    const std::string& base,
                    Scenario& scenario) {
  const auto path_node = keys.node("plan");
  const std::size_t format = keys.name("format").value_or(0);  // json, parvagpu, gpulet, igniter
  const auto given = path_node ? path_node->string() : std::nullopt;
  if (!given) return;
  const std::string path = (fs::path(base) / *given).lexically_normal().string();
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    path_node->fault("no such file: " + path);
    return;
  }
  Faults& faults = node.faults();
  if (format == 0) {
    if (const auto plan = read_json_file(path, faults)) {
      scenario.plan = read_plan(JsonNode(*plan, path, faults));
    }
    return;
  }
  const std::vector<GpuGroup>& gpus = scenario.cluster.gpus;
  if (format == 2) {
    if (!gpus.empty()) {
      scenario.plan =
          parse_gpulet_plan(read_file(path), path, scenario.cluster, scenario.workloads, faults);
    }
    return;
  }
  const bool is_one_type = std::all_of(
      gpus.begin(), gpus.end(), [&](const GpuGroup& g) { return g.type == gpus.front().type; });
  if (!is_one_type) {
    node.fault(fmt::format("{} does not say its GPU type: the cluster must have only one",
                           format == 1 ? "a parvagpu deployment" : "an igniter plan"));
  } else if (!gpus.empty()) {
    const auto parse = format == 1 ? parse_parvagpu_plan : parse_igniter_plan;
    scenario.plan = parse(read_file(path), path, gpus.front().type, scenario.workloads, faults);
  }
}

void read_planner(const std::optional<JsonNode>& node,
                  const std::string& base,
                  Faults& faults,
                  Scenario& scenario) {
  KeyReader keys(node, "/planner");
  if (keys.has("plan")) {
    for (const char* key : {"name", "params"}) {
      if (keys.node(key)) node->fault(fmt::format("\"{}\" and \"plan\": give one of them", key));
    }
    read_plan_file(keys, *node, base, scenario);
  } else {
    if (keys.node("format")) node->fault("\"format\" belongs to a \"plan\", and there is none");
    keys.node("plan");
    read_policy(keys, planners(), faults, scenario.planner);
  }
  keys.finish();
}

// Planning again takes a planner and arrivals that do not wait for answers.
std::optional<ReplanSpec> read_replanning(const std::optional<JsonNode>& node,
                                          const JsonNode& root,
                                          const Scenario& scenario) {
  if (!node) return std::nullopt;
  ReplanSpec spec;
  KeyReader keys(node, "/replanning");
  read_policy(keys, replan_rules(), node->faults(), spec.rule);
  spec.rebuild_s = keys.number("rebuild_s");
  spec.in_place = keys.name("switch").value_or(0) == 1;
  keys.finish();
  if (root.value().contains("planner") && root.value()["planner"].is_object() &&
      root.value()["planner"].contains("plan")) {
    node->fault("needs a planner to plan again; this scenario gives a \"plan\"");
  }
  if (scenario.device.model == DeviceModel::kBlocks) {
    node->fault("is for the device model \"rate\"; this scenario has \"blocks\"");
  }
  if (scenario.device.weights.managed) {
    node->fault("cannot be combined with /device/weights: a new plan has its models in place");
  }
  if (!scenario.applications.empty()) {
    node->fault("cannot be combined with applications yet: their stages' rates are not measured");
  }
  for (const Workload& workload : scenario.workloads) {
    if (workload.arrivals.process == ArrivalSpec::Process::kClosedLoop) {
      node->fault(fmt::format("needs arrivals with a rate to measure; \"{}\" is a closed loop",
                              workload.name));
    }
  }
  return spec;
}

// Weights that are loaded during a run need their sizes, and a dispatcher that loads them.
void check_weights(const JsonNode& node, const Scenario& scenario) {
  const DispatcherEntry* entry = find_dispatcher(scenario.dispatcher.name);
  if (entry == nullptr || !entry->loads_weights) {
    std::string able;
    for (const DispatcherEntry& other : dispatchers()) {
      if (other.loads_weights) able += (able.empty() ? "" : ", ") + other.info.name;
    }
    node.fault(fmt::format("the dispatcher \"{}\" does not load weights; those that do: {}",
                           scenario.dispatcher.name, able.empty() ? "none" : able));
  }
  for (const std::string& model : scenario.profiles.models()) {
    bool known = false, used = false;
    for (const Workload& workload : scenario.workloads) used |= workload.model == model;
    for (const Profile& profile : scenario.profiles.all()) {
      known |= profile.model == model && weights_mib(profile).has_value();
    }
    if (used && !known) {
      node.fault(
          fmt::format("the size of the weights of \"{}\" is not known; its profile needs "
                      "\"weights_mib\"",
                      model));
    }
  }
}

// GPUs on which nothing can run are legal, but hardly meant.
void note_idle_types(Scenario& scenario) {
  for (const GpuGroup& group : scenario.cluster.gpus) {
    const bool is_used = std::any_of(
        scenario.workloads.begin(), scenario.workloads.end(), [&](const Workload& workload) {
          return scenario.profiles.find(workload.model, group.type) != nullptr;
        });
    if (!is_used) {
      scenario.notes.push_back(
          fmt::format("no workload has a profile on {}: those GPUs stay idle", group.type));
    }
  }
}

// Of what nothing is believed, the truth is known.
void read_beliefs(const std::vector<JsonNode>& nodes,
                  const std::string& base,
                  ProfileFiles& files,
                  Scenario& scenario) {
  if (nodes.empty()) return;
  scenario.beliefs = ProfileSection(nodes, scenario.cluster, base, files).profiles();
  for (const Profile& truth : scenario.profiles.all()) {
    if (scenario.beliefs->find(truth.model, truth.gpu) == nullptr) scenario.beliefs->add(truth);
  }
}

Scenario read_scenario(const JsonNode& root, const std::string& base, ProfileFiles& files) {
  Faults& faults = root.faults();
  Scenario scenario;
  KeyReader keys(root, "");
  read_run(keys, root, scenario);
  scenario.cluster = read_cluster(keys.node("cluster"));
  ProfileSection profiles(items_of(keys, "profiles"), scenario.cluster, base, files);
  const std::vector<JsonNode> workloads = items_of(keys, "workloads");
  scenario.profiles = profiles.profiles();
  read_beliefs(items_of(keys, "beliefs"), base, files, scenario);
  read_workloads(workloads, read_popularity(keys.node("popularity"), workloads),
                 read_applications(keys.node("applications"), profiles), profiles, base,
                 keys.number("load"), scenario);
  scenario.network = read_network(keys.node("network"));
  read_planner(keys.node("planner"), base, faults, scenario);
  scenario.routing = static_cast<Routing>(keys.name("routing").value_or(0));
  KeyReader dispatcher(keys.node("dispatcher"), "/dispatcher");
  read_policy(dispatcher, dispatchers(), faults, scenario.dispatcher);
  dispatcher.finish();
  const std::optional<JsonNode> device = keys.node("device");
  scenario.device = read_device(device);
  if (scenario.device.weights.managed && scenario.device.model == DeviceModel::kRate &&
      faults.empty()) {
    check_weights(*device, scenario);
  }
  scenario.replanning = read_replanning(keys.node("replanning"), root, scenario);
  scenario.stages = read_stages(keys.node("stages"), scenario.workloads, faults);
  KeyReader outputs(keys.node("outputs"), "/outputs");
  scenario.log_requests = outputs.boolean("requests");
  scenario.log_timeline = outputs.boolean("timeline");
  outputs.finish();
  keys.finish();
  check_device_model(scenario, root);
  if (scenario.beliefs &&
      (scenario.device.model == DeviceModel::kBlocks || scenario.replanning.has_value())) {
    faults.add(
        root.where() + "/beliefs",
        "are for the device model \"rate\" and a plan that stays: leave out \"beliefs\", or the "
        "blocks or /replanning");
  }
  if (faults.empty() && scenario.plan) {
    const std::string file = root.value()["planner"]["plan"].get<std::string>();
    check_plan(*scenario.plan, scenario.workloads, scenario.profiles, scenario.cluster,
               (fs::path(base) / file).lexically_normal().string() + '#', faults);
  }
  if (faults.empty()) note_idle_types(scenario);
  return scenario;
}

// Says of a fault inside a value that --set gave where that value came from.
ConfigError with_origin(const ConfigError& error,
                        const std::string& source,
                        const std::vector<Override>& overrides,
                        const std::vector<std::string>& anchors) {
  std::vector<Fault> faults = error.faults();
  for (Fault& fault : faults) {
    for (std::size_t i = overrides.size(); i-- > 0;) {
      if (anchors[i].empty() || !fault.where.starts_with(source + '#')) continue;
      if (!is_inside(fault.where.substr(source.size() + 1), anchors[i])) continue;
      fault.what += fmt::format(" (from --set {})", overrides[i].first);
      break;
    }
  }
  return ConfigError(std::move(faults));
}

}  // namespace

std::vector<Workload> counted_workloads(const Scenario& scenario) {
  std::vector<Workload> counted = scenario.workloads;
  for (const ApplicationLoad& application : scenario.applications) {
    counted.push_back(application.load);
  }
  return counted;
}

Scenario load_scenario(const std::string& path, const std::vector<Override>& overrides) {
  return parse_scenario(read_file(path), path, fs::path(path).parent_path().string(), overrides);
}

Scenario parse_scenario(const std::string& text,
                        const std::string& source,
                        const std::string& base,
                        const std::vector<Override>& overrides,
                        ProfileFiles* files) {
  Faults faults;
  ProfileFiles own;
  std::optional<Json> document = parse_json(text, source, faults);
  if (!document) faults.throw_if_any();
  const std::vector<std::string> anchors = apply_overrides(*document, overrides, faults);
  Scenario scenario =
      read_scenario(JsonNode(*document, source, faults), base, files == nullptr ? own : *files);
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    throw with_origin(error, source, overrides, anchors);
  }
  scenario.text = document->dump(2, ' ', false, Json::error_handler_t::replace);
  return scenario;
}

}  // namespace tangram
