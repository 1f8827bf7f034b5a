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

std::vector<Workload> read_workloads(const std::vector<JsonNode>& items,
                                     const std::vector<std::optional<double>>& shares,
                                     const ProfileSection& profiles,
                                     const std::string& base) {
  std::vector<Workload> workloads;
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
    if (!keys.has("name")) workload.name = workload.model;
    if (!workload.name.empty()) check_name(workload.name, item, taken);
    workload.slo = from_ms(keys.number("slo_ms"));
    if (const auto arrivals = keys.node("arrivals")) {
      workload.arrivals = read_arrivals(*arrivals, base, shares[i]).value_or(ArrivalSpec{});
    }
    keys.finish();
    workloads.push_back(std::move(workload));
  }
  return workloads;
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
  const std::size_t format = keys.name("format").value_or(0);  // json, parvagpu, igniter
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

Scenario read_scenario(const JsonNode& root, const std::string& base, ProfileFiles& files) {
  Faults& faults = root.faults();
  Scenario scenario;
  KeyReader keys(root, "");
  read_run(keys, root, scenario);
  scenario.cluster = read_cluster(keys.node("cluster"));
  ProfileSection profiles(items_of(keys, "profiles"), scenario.cluster, base, files);
  const std::vector<JsonNode> workloads = items_of(keys, "workloads");
  scenario.workloads = read_workloads(
      workloads, read_popularity(keys.node("popularity"), workloads), profiles, base);
  scenario.profiles = profiles.take();
  read_planner(keys.node("planner"), base, faults, scenario);
  scenario.routing = static_cast<Routing>(keys.name("routing").value_or(0));
  KeyReader dispatcher(keys.node("dispatcher"), "/dispatcher");
  read_policy(dispatcher, dispatchers(), faults, scenario.dispatcher);
  dispatcher.finish();
  scenario.device = read_device(keys.node("device"));
  scenario.stages = read_stages(keys.node("stages"), scenario.workloads, faults);
  KeyReader outputs(keys.node("outputs"), "/outputs");
  scenario.log_requests = outputs.boolean("requests");
  scenario.log_timeline = outputs.boolean("timeline");
  outputs.finish();
  keys.finish();
  check_device_model(scenario, root);
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
      const std::string place = source + '#' + anchors[i];
      const bool is_inside = fault.where == place || fault.where.starts_with(place + '/');
      if (anchors[i].empty() || !is_inside) continue;
      fault.what += fmt::format(" (from --set {})", overrides[i].first);
      break;
    }
  }
  return ConfigError(std::move(faults));
}

}  // namespace

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
