// Reads "applications" and what makes workloads of them; "network" beside it.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "policies/registry.h"
#include "sim/scenario/detail/sections.h"
#include "sim/scenario/keys.h"

namespace tangram {
namespace {

constexpr std::size_t kMostStages = 1000;

FanOut read_weights(const JsonNode& node) {
  std::vector<double> weights;
  double total = 0;
  for (const JsonNode& item : node.items()) {
    weights.push_back(item.number(0, 1e9).value_or(0));
    total += weights.back();
  }
  if (weights.size() > FanOut::kMost + 1) {
    node.fault(fmt::format("has {} weights; at most {}", weights.size(), FanOut::kMost + 1));
  } else if (!weights.empty() && total > 0) {
    return FanOut::weighted(weights);
  } else if (node.value().is_array()) {
    node.fault("needs a weight above 0");
  }
  return FanOut();
}

FanOut read_fan_out(KeyReader& stage) {
  const std::optional<JsonNode> node = stage.node("fan_out");
  if (!node) return FanOut();
  if (!node->value().is_object()) {
    return FanOut(static_cast<std::uint32_t>(node->integer(0, FanOut::kMost).value_or(1)));
  }
  KeyReader keys(*node, "/applications/*/stages/*/fan_out");
  FanOut result;
  const auto kind = keys.name("kind");
  const auto mean = keys.optional_number("mean");
  const auto weights = keys.node("weights");
  keys.finish();
  if (kind == 0U && !keys.has("mean")) node->fault("the kind \"poisson\" needs \"mean\"");
  if (kind == 1U && !weights) node->fault("the kind \"weights\" needs \"weights\"");
  if (kind == 1U && keys.has("mean")) node->fault("\"mean\" belongs to the kind \"poisson\"");
  if (kind == 0U && weights) node->fault("\"weights\" belongs to the kind \"weights\"");
  if (kind == 0U && mean) return FanOut::poisson(*mean);
  if (kind == 1U && weights) return read_weights(*weights);
  return result;
}

// One stage and the names that it comes after, which may stand below it.
struct ReadStage {
  Stage stage;
  std::vector<std::pair<JsonNode, std::string>> after;
  std::optional<std::size_t> wait;
  std::optional<JsonNode> wait_node;
};

ReadStage read_stage(const JsonNode& node, const ProfileSection& profiles) {
  ReadStage result;
  KeyReader keys(node, "/applications/*/stages/*");
  result.stage.name = keys.string("name");
  if (const auto model = keys.node("model")) {
    result.stage.model = model->string().value_or("");
    if (!result.stage.model.empty()) profiles.check_model(result.stage.model, *model);
  }
  if (!keys.has("name")) result.stage.name = result.stage.model;
  if (const auto after = keys.node("after")) {
    for (const JsonNode& item : after->items()) {
      if (const auto name = item.string()) result.after.emplace_back(item, *name);
    }
  }
  result.wait = keys.name("wait");
  if (keys.has("wait")) result.wait_node = keys.node("wait");
  result.stage.fan_out = read_fan_out(keys);
  keys.finish();
  return result;
}

// Turns names into places, and `wait` into what it is.
void connect(std::vector<ReadStage>& stages, const std::vector<JsonNode>& nodes) {
  std::map<std::string, std::uint32_t> places;
  std::vector<std::string> names;
  for (std::uint32_t v = 0; v < stages.size(); ++v) {
    const std::string& name = stages[v].stage.name;
    if (name.empty()) continue;
    names.push_back(name);
    const auto [first, is_new] = places.emplace(name, v);
    if (!is_new) {
      nodes[v].fault(
          fmt::format("the stage name \"{}\" is taken by {}; give one of them another "
                      "\"name\"",
                      name, nodes[first->second].pointer()));
    }
  }
  for (ReadStage& read : stages) {
    for (const auto& [node, name] : read.after) {
      const auto found = places.find(name);
      std::vector<std::uint32_t>& after = read.stage.after;
      if (found == places.end()) {
        node.fault(unknown_name("stage", name, names));
      } else if (std::find(after.begin(), after.end(), found->second) != after.end()) {
        node.fault(fmt::format("\"{}\" stands there already", name));
      } else {
        after.push_back(found->second);
      }
    }
    const bool is_join = read.stage.after.size() > 1;
    const bool all = read.wait ? *read.wait == 1 : is_join;
    if (!all && is_join && read.wait_node) {
      read.wait_node->fault("a stage after several others waits for \"all\" of them");
    }
    read.stage.wait = all ? Stage::Wait::kAll : Stage::Wait::kEach;
  }
}

// What the graph as a whole may not be.
void check_graph(const Application& application,
                 const std::vector<JsonNode>& nodes,
                 const JsonNode& place) {
  std::vector<std::string> cycle;
  for (const std::uint32_t v : StageGraph::cycle_of(application.stages)) {
    cycle.push_back(application.stages[v].name);
  }
  if (!cycle.empty()) {
    place.fault(fmt::format("stages wait for each other in a circle: {}", fmt::join(cycle, ", ")));
    return;
  }
  for (std::size_t v = 0; v < application.stages.size(); ++v) {
    const Stage& stage = application.stages[v];
    if (stage.after.empty() && stage.fan_out.least() == 0) {
      nodes[v].fault("a first stage needs at least one request: its \"fan_out\" can be 0");
    }
  }
  const StageGraph graph(application.stages);
  const std::vector<double> most = graph.most_requests(application.stages);
  for (std::size_t v = 0; v < most.size(); ++v) {
    if (most[v] <= kMostStageRequests) continue;
    nodes[v].fault(fmt::format("may get {:g} requests for one of the application; at most {}",
                               most[v], kMostStageRequests));
  }
}

ReadApplication read_application(const JsonNode& node, const ProfileSection& profiles) {
  const std::size_t before = node.faults().size();
  ReadApplication result;
  KeyReader keys(node, "/applications/*");
  result.application.name = keys.string("name");
  const std::optional<JsonNode> list = keys.node("stages");
  keys.finish();
  const std::vector<JsonNode> nodes = list ? list->items() : std::vector<JsonNode>{};
  if (list && list->value().is_array() && (nodes.empty() || nodes.size() > kMostStages)) {
    list->fault(fmt::format("has {} stages; from 1 to {}", nodes.size(), kMostStages));
  } else {
    std::vector<ReadStage> stages;
    for (const JsonNode& item : nodes) stages.push_back(read_stage(item, profiles));
    const std::size_t faults_before_names = node.faults().size();
    connect(stages, nodes);
    for (ReadStage& read : stages) result.application.stages.push_back(std::move(read.stage));
    if (node.faults().size() == faults_before_names && !nodes.empty()) {
      check_graph(result.application, nodes, *list);
    }
  }
  result.is_sound = node.faults().size() == before && !result.application.stages.empty();
  return result;
}

// The SLOs that the scenario gives, one for each stage.
std::vector<Duration> given_slos(const JsonNode& node, const Application& application) {
  std::vector<Duration> slos;
  JsonObject object(node);
  for (const Stage& stage : application.stages) {
    const auto value = object.require(stage.name);
    slos.push_back(from_ms(value ? value->number(1e-6, kLongestRunSeconds * 1e3).value_or(1) : 1));
  }
  object.finish();
  return slos;
}

std::vector<Duration> split_slo(const ApplicationEntry& entry,
                                const Application& application,
                                const Scenario& scenario) {
  Faults& faults = entry.place.faults();
  KeyReader keys(entry.split, "/workloads/*/slo_split");
  const auto given = keys.node("stages_ms");
  const auto name = keys.name("name");
  const auto params_node = keys.node("params");
  const bool is_named = keys.has("name") || params_node.has_value();
  keys.finish();
  if (given) {
    if (is_named) given->fault("\"stages_ms\" and \"name\": give one of them");
    return given_slos(*given, application);
  }
  if (!name) return {};
  const SloSplitEntry& policy = slo_splits()[*name];
  const Params params = read_params(policy.info, params_node, faults);
  // A rule needs every model's profile and a cluster: what is missing has been told.
  if (!faults.empty()) return {};
  const StageGraph graph(application.stages);
  try {
    return policy.make()->split(
        {application.stages, graph, entry.load.slo, scenario.profiles, scenario.cluster, params});
  } catch (const NoAnswer& answer) {
    (entry.split ? *entry.split : entry.place).fault(answer.what());
    return {};
  }
}

void note_long_paths(const std::string& name,
                     const Application& application,
                     Duration slo,
                     const std::vector<Duration>& slos,
                     std::vector<std::string>& notes) {
  std::vector<double> weights_ms;
  for (const Duration stage : slos) weights_ms.push_back(to_ms(stage));
  const StageGraph::Path path = StageGraph(application.stages).critical_path(weights_ms);
  if (path.length <= to_ms(slo) + 1e-3) return;
  std::vector<std::string> names;
  for (const std::uint32_t v : path.stages) names.push_back(application.stages[v].name);
  notes.push_back(fmt::format("{}: the SLOs of {} add up to {:g} ms, more than its own {:g} ms",
                              name, fmt::join(names, " + "), path.length, to_ms(slo)));
}

}  // namespace

NetworkDelay read_network(const std::optional<JsonNode>& node) {
  NetworkDelay network;
  if (!node) return network;
  KeyReader keys(node, "/network");
  const double mean_ms = keys.number("delay_ms");
  network.kind = static_cast<NetworkDelay::Kind>(keys.name("kind").value_or(0));
  network.cv = keys.number("cv");
  const double least_ms = keys.number("at_least_ms");
  keys.finish();
  using Kind = NetworkDelay::Kind;
  if (keys.has("cv") && network.kind != Kind::kLognormal && network.kind != Kind::kGamma) {
    node->fault("\"cv\" belongs to the kinds \"lognormal\" and \"gamma\"");
  }
  if (least_ms > mean_ms) {
    node->fault(fmt::format("\"at_least_ms\" must not be above \"delay_ms\", {:g}", mean_ms));
    return network;
  }
  network.mean = from_ms(mean_ms);
  network.at_least = from_ms(least_ms);
  return network;
}

std::vector<ReadApplication> read_applications(const std::optional<JsonNode>& node,
                                               const ProfileSection& profiles) {
  std::vector<ReadApplication> result;
  if (!node) return result;
  std::map<std::string, std::string> taken;
  for (const JsonNode& item : node->items()) {
    result.push_back(read_application(item, profiles));
    const std::string& name = result.back().application.name;
    const auto [first, is_new] = taken.emplace(name, item.pointer());
    if (!is_new && !name.empty()) {
      item.fault(fmt::format("the application name \"{}\" is taken by {}", name, first->second));
    }
  }
  return result;
}

void enter_application(const ApplicationEntry& entry,
                       const std::vector<ReadApplication>& own,
                       const ProfileSection& profiles,
                       Scenario& scenario) {
  const std::string name = entry.name.value().get<std::string>();
  const Application* application = nullptr;
  std::vector<std::string> known;
  for (const ReadApplication& read : own) {
    known.push_back(read.application.name);
    if (read.application.name != name) continue;
    if (!read.is_sound) return;  // told where it stands
    application = &read.application;
  }
  // The scenario's own come first: it may describe a game of its own.
  for (const Application& shipped : known_applications()) {
    known.push_back(shipped.name);
    if (application != nullptr || shipped.name != name) continue;
    application = &shipped;
    for (const Stage& stage : shipped.stages) profiles.check_model(stage.model, entry.name);
  }
  if (application == nullptr) {
    entry.name.fault(unknown_name("application", name, known));
    return;
  }
  const std::vector<Duration> slos = split_slo(entry, *application, scenario);
  if (!entry.place.faults().empty() || slos.empty()) return;

  note_long_paths(entry.load.name, *application, entry.load.slo, slos, scenario.notes);
  ApplicationLoad load{entry.load, *application, {}};
  load.load.kind = Workload::Kind::kApplication;
  const std::vector<double> requests =
      StageGraph(application->stages).mean_requests(application->stages);
  const double rate = mean_rate(load.load.arrivals).value_or(0);
  for (std::size_t v = 0; v < application->stages.size(); ++v) {
    const Stage& stage = application->stages[v];
    load.stages.push_back(WorkloadId(scenario.workloads.size()));
    scenario.workloads.push_back({load.load.name + '.' + stage.name, stage.model, slos[v],
                                  stage_arrivals(rate * requests[v]), Workload::Kind::kStage});
  }
  scenario.applications.push_back(std::move(load));
}

}  // namespace tangram
