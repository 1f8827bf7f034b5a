// The specification and the grant of a worker as JSON.
#include "engine/worker/spec.h"

namespace tangram {
namespace {

const std::vector<std::string>& share_names() {
  static const std::vector<std::string> names{"whole", "mig", "percent", "sms"};
  return names;
}
constexpr double kLargestShare = 1e6;
constexpr std::int64_t kLargestIndex = 1'000'000;

Json to_json(const Share& share) {
  return {{"kind", share_names()[static_cast<std::size_t>(share.kind)]}, {"amount", share.amount}};
}

// Reads one message: collects faults, throws them at its end.
class Reader {
 public:
  explicit Reader(std::string source) : source_(std::move(source)) {}
  JsonNode root(const Json& json) { return {json, source_, faults_}; }
  void finish() const { faults_.throw_if_any(); }

  // Text may be empty here, other than in a user's file.
  static std::string text(JsonObject& object, const std::string& key) {
    const auto node = object.require(key);
    if (!node) return "";
    if (node->value().is_string()) return node->value().get<std::string>();
    node->fault("must be a string");
    return "";
  }
  static double number(JsonObject& object, const std::string& key, double low, double high) {
    const auto node = object.require(key);
    return node ? node->number(low, high).value_or(low) : low;
  }
  static std::vector<std::uint32_t> indices(JsonObject& object, const std::string& key) {
    std::vector<std::uint32_t> list;
    for (const JsonNode& node : items(object, key)) {
      list.push_back(static_cast<std::uint32_t>(node.integer(0, kLargestIndex).value_or(0)));
    }
    return list;
  }
  static std::vector<JsonNode> items(JsonObject& object, const std::string& key) {
    const auto node = object.require(key);
    return node ? node->items() : std::vector<JsonNode>{};
  }
  static Share share(JsonObject& object) {
    Share share;
    const auto node = object.require("share");
    if (!node) return share;
    JsonObject inner(*node);
    const auto kind = inner.require("kind");
    const auto name = kind ? kind->name_of("share", share_names()) : std::nullopt;
    for (std::size_t i = 0; name && i < share_names().size(); ++i) {
      if (share_names()[i] == *name) share.kind = static_cast<ShareKind>(i);
    }
    share.amount = number(inner, "amount", 0, kLargestShare);
    inner.finish();
    return share;
  }

 private:
  std::string source_;
  Faults faults_;
};

Json to_json(const ModelSpec& model) {
  return {{"name", model.name},        {"path", model.path},   {"kind", model.kind},
          {"input", model.input},      {"dtype", model.dtype}, {"values_below", model.values_below},
          {"warm", model.warm_batches}};
}

ModelSpec model_from(const JsonNode& node) {
  JsonObject object(node);
  ModelSpec model;
  model.name = Reader::text(object, "name");
  model.path = Reader::text(object, "path");
  model.kind = Reader::text(object, "kind");
  for (const JsonNode& size : Reader::items(object, "input")) {
    model.input.push_back(size.integer(1, INT32_MAX).value_or(1));
  }
  model.dtype = Reader::text(object, "dtype");
  if (const auto below = object.require("values_below")) {
    model.values_below = below->integer(0, INT32_MAX).value_or(0);
  }
  model.warm_batches = Reader::indices(object, "warm");
  object.finish();
  return model;
}

LaneSpec lane_from(const JsonNode& node, std::size_t models) {
  JsonObject object(node);
  LaneSpec lane;
  lane.share = Reader::share(object);
  if (const auto partition = object.require("partition")) {
    lane.partition = static_cast<std::uint32_t>(partition->integer(0, kLargestIndex).value_or(0));
  }
  lane.models = Reader::indices(object, "models");
  for (const std::uint32_t m : lane.models) {
    if (m >= models) node.fault("there is no model " + std::to_string(m));
  }
  object.finish();
  return lane;
}

}  // namespace

Json to_json(const WorkerSpec& spec) {
  Json json{{"runner", spec.runner},
            {"device", spec.device},
            {"sharing", spec.sharing},
            {"cores", spec.cores},
            {"cpu_quota", spec.cpu_quota},
            {"group", spec.quota_group},
            {"lists_kernels", spec.lists_kernels}};
  json["environment"] = Json::array();
  for (const auto& [name, value] : spec.environment) {
    json["environment"].push_back(Json::array({name, value}));
  }
  json["models"] = Json::array();
  for (const ModelSpec& model : spec.models) json["models"].push_back(to_json(model));
  json["lanes"] = Json::array();
  for (const LaneSpec& lane : spec.lanes) {
    json["lanes"].push_back(
        {{"share", to_json(lane.share)}, {"partition", lane.partition}, {"models", lane.models}});
  }
  return json;
}

WorkerSpec worker_spec_from(const Json& json) {
  Reader reader("worker");
  JsonObject object(reader.root(json));
  WorkerSpec spec;
  spec.runner = Reader::text(object, "runner");
  spec.device = Reader::text(object, "device");
  spec.sharing = Reader::text(object, "sharing");
  for (const std::uint32_t core : Reader::indices(object, "cores")) {
    spec.cores.push_back(static_cast<int>(core));
  }
  spec.cpu_quota = Reader::number(object, "cpu_quota", 0, 1);
  spec.quota_group = Reader::text(object, "group");
  if (const auto lists = object.require("lists_kernels")) {
    spec.lists_kernels = lists->boolean().value_or(false);
  }
  for (const JsonNode& pair : Reader::items(object, "environment")) {
    const std::vector<JsonNode> parts = pair.items();
    if (parts.size() != 2 || !parts[0].value().is_string() || !parts[1].value().is_string()) {
      pair.fault("must be a name and a value");
      continue;
    }
    spec.environment.emplace_back(parts[0].value().get<std::string>(),
                                  parts[1].value().get<std::string>());
  }
  for (const JsonNode& node : Reader::items(object, "models")) {
    spec.models.push_back(model_from(node));
  }
  for (const JsonNode& node : Reader::items(object, "lanes")) {
    spec.lanes.push_back(lane_from(node, spec.models.size()));
  }
  object.finish();
  reader.finish();
  return spec;
}

Json to_json(const WorkerGrant& grant) {
  Json json{{"device", grant.device}, {"driver", grant.driver}, {"framework", grant.framework}};
  json["lanes"] = Json::array();
  for (const LaneGrant& lane : grant.lanes) {
    json["lanes"].push_back({{"share", to_json(lane.share)}, {"note", lane.note}});
  }
  return json;
}

WorkerGrant worker_grant_from(const Json& json) {
  Reader reader("worker");
  JsonObject object(reader.root(json));
  WorkerGrant grant;
  grant.device = Reader::text(object, "device");
  grant.driver = Reader::text(object, "driver");
  grant.framework = Reader::text(object, "framework");
  for (const JsonNode& node : Reader::items(object, "lanes")) {
    JsonObject lane(node);
    LaneGrant granted;
    granted.share = Reader::share(lane);
    granted.note = Reader::text(lane, "note");
    lane.finish();
    grant.lanes.push_back(std::move(granted));
  }
  object.finish();
  reader.finish();
  return grant;
}

Json kernels_to_json(const std::vector<Kernel>& kernels) {
  Json json = Json::array();
  for (const Kernel& k : kernels) {
    json.push_back(Json::array({k.batch, k.name.substr(0, kLongestKernelName), k.grid, k.threads,
                                k.registers, k.shared_memory, k.duration_us}));
  }
  return json;
}

std::vector<Kernel> kernels_from(const Json& json) {
  Reader reader("kernels");
  std::vector<Kernel> kernels;
  for (const JsonNode& node : reader.root(json).items()) {
    const std::vector<JsonNode> parts = node.items();
    constexpr std::size_t kParts = 7;
    if (parts.size() != kParts) {
      node.fault("must have " + std::to_string(kParts) + " parts");
      continue;
    }
    const auto number = [&](std::size_t part, std::int64_t low) {
      return static_cast<std::uint32_t>(parts[part].integer(low, UINT32_MAX).value_or(1));
    };
    kernels.push_back({number(0, 1), parts[1].string().value_or(""), number(2, 1), number(3, 1),
                       number(4, 0), number(5, 0), parts[6].number(0, 1e12).value_or(0)});
  }
  reader.finish();
  return kernels;
}

}  // namespace tangram
