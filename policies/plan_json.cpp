// The JSON form of plans. Only the form is checked here; check_plan judges the content.
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "policies/detail/plan_limits.h"
#include "policies/plan_io.h"

namespace tangram {
namespace {

constexpr std::int64_t kSchema = 1;
constexpr std::int64_t kMostGpus = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostSlices = 8;
constexpr std::int64_t kMostSms = 100'000;

std::optional<std::uint32_t> read_count(const std::optional<JsonNode>& node,
                                        std::int64_t low,
                                        std::int64_t high) {
  if (!node) return std::nullopt;
  const std::optional<std::int64_t> value = node->integer(low, high);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<int> read_int(const std::optional<JsonNode>& node,
                            std::int64_t low,
                            std::int64_t high) {
  if (!node) return std::nullopt;
  const std::optional<std::int64_t> value = node->integer(low, high);
  if (!value) return std::nullopt;
  return static_cast<int>(*value);
}

std::string read_text(const std::optional<JsonNode>& node) {
  return node ? node->string().value_or("") : "";
}

PlanReplica read_replica(const JsonNode& node) {
  PlanReplica replica;
  JsonObject object(node);
  replica.workload = read_text(object.require("workload"));
  replica.model = read_text(object.require("model"));
  replica.batch = read_count(object.get("batch"), 1, detail::kLargestPlannedBatch);
  replica.processes =
      read_count(object.get("processes"), 1, detail::kMostPlannedProcesses).value_or(1);
  if (const auto rate = object.get("rate_rps"))
    replica.rate_rps = rate->number(0, detail::kHighestPlannedRps);
  if (const auto duty = object.get("duty_ms"))
    replica.duty_ms = duty->positive(detail::kLongestPlannedMs);
  replica.group = read_count(object.get("group"), 0, detail::kMostPlannedProcesses).value_or(0);
  object.finish();
  return replica;
}

PlanPartition read_partition(const JsonNode& node) {
  PlanPartition partition;
  JsonObject object(node);
  partition.size = read_int(object.get("size"), 1, kMostSlices);
  partition.start = read_int(object.get("start"), 0, kMostSlices - 1);
  partition.released_start = read_int(object.get("released_start"), 0, kMostSlices - 1);
  if (const auto share = object.get("share_pct")) partition.share_pct = share->positive(100);
  if (const auto share = object.get("released_share_pct")) {
    partition.released_share_pct = share->number(100, detail::kLargestReleasedShare);
  }
  partition.sms = read_int(object.get("sms"), 1, kMostSms);
  if (const auto replicas = object.require("replicas")) {
    for (const JsonNode& item : replicas->items()) {
      partition.replicas.push_back(read_replica(item));
    }
  }
  object.finish();
  return partition;
}

GpuMode read_mode(const JsonNode& node) {
  const std::vector<std::string>& names = gpu_mode_names();
  const std::optional<std::string> name = node.name_of("mode", names);
  std::size_t mode = 0;
  while (name && names[mode] != *name) ++mode;
  return static_cast<GpuMode>(mode);
}

PlanGpu read_gpu(const JsonNode& node) {
  PlanGpu gpu;
  JsonObject object(node);
  gpu.index = read_count(object.require("index"), 0, kMostGpus).value_or(0);
  gpu.type = read_text(object.require("type"));
  if (const auto mode = object.require("mode")) gpu.mode = read_mode(*mode);
  if (const auto partitions = object.require("partitions")) {
    for (const JsonNode& item : partitions->items()) {
      gpu.partitions.push_back(read_partition(item));
    }
  }
  object.finish();
  return gpu;
}

Unserved read_unserved(const JsonNode& node) {
  Unserved unserved;
  JsonObject object(node);
  unserved.workload = read_text(object.require("workload"));
  if (const auto rate = object.require("rate_rps")) {
    unserved.rate_rps = rate->number(0, detail::kHighestPlannedRps).value_or(0);
  }
  unserved.reason = read_text(object.require("reason"));
  object.finish();
  return unserved;
}

// A summary is optional; what it says of the plan must be true.
void check_count(const std::optional<JsonNode>& node, std::uint32_t used) {
  const std::optional<std::uint32_t> stated = read_count(node, 0, kMostGpus * kMostSlices);
  if (stated && *stated != used) {
    node->fault(fmt::format("says {}, but the plan uses {}", *stated, used));
  }
}

void read_summary(const JsonNode& node, Plan& plan) {
  JsonObject object(node);
  check_count(object.get("gpus"), plan.gpus_used());
  check_count(object.get("slices"), plan.slices_used());
  if (const auto lost = object.get("lost")) {
    for (const JsonNode& item : lost->items()) {
      if (auto words = item.string()) plan.lost.push_back(std::move(*words));
    }
  }
  if (const auto notes = object.get("notes")) {
    for (const JsonNode& item : notes->items()) {
      if (auto words = item.string()) plan.notes.push_back(std::move(*words));
    }
  }
  object.finish();
}

template <typename T>
void put_if(Json& json, const char* key, const std::optional<T>& value) {
  if (value) json[key] = *value;
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const PlanReplica& replica, const std::string& workload, const std::string& model) {
  Json json{{"workload", workload},
            {"model", model},
            {"batch", or_null(replica.batch)},
            {"processes", replica.processes},
            {"rate_rps", or_null(replica.rate_rps)},
            {"duty_ms", or_null(replica.duty_ms)}};
  if (replica.group != 0) json["group"] = replica.group;
  return json;
}

Json to_json(const PlanPartition& partition, const std::vector<Workload>& workloads) {
  Json json = Json::object();
  put_if(json, "size", partition.size);
  put_if(json, "start", partition.start);
  put_if(json, "released_start", partition.released_start);
  put_if(json, "share_pct", partition.share_pct);
  put_if(json, "released_share_pct", partition.released_share_pct);
  put_if(json, "sms", partition.sms);
  Json replicas = Json::array();
  for (const PlanReplica& replica : partition.replicas) {
    if (replica.workload != "*") {
      replicas.push_back(to_json(replica, replica.workload, replica.model));
      continue;
    }
    for (const Workload& workload : workloads) {
      replicas.push_back(to_json(replica, workload.name, workload.model));
    }
  }
  json["replicas"] = std::move(replicas);
  return json;
}

Json to_json(const PlanGpu& gpu, const std::vector<Workload>& workloads) {
  Json partitions = Json::array();
  for (const PlanPartition& partition : gpu.partitions) {
    partitions.push_back(to_json(partition, workloads));
  }
  return Json{{"index", gpu.index},
              {"type", gpu.type},
              {"mode", gpu_mode_names()[static_cast<std::size_t>(gpu.mode)]},
              {"partitions", std::move(partitions)}};
}

}  // namespace

Plan read_plan(const JsonNode& node) {
  Plan plan;
  JsonObject object(node);
  if (const auto schema = object.require("schema")) schema->integer(kSchema, kSchema);
  plan.planner = read_text(object.require("planner"));
  if (const auto gpus = object.require("gpus")) {
    for (const JsonNode& item : gpus->items()) plan.gpus.push_back(read_gpu(item));
  }
  if (const auto unserved = object.get("unserved")) {
    for (const JsonNode& item : unserved->items()) plan.unserved.push_back(read_unserved(item));
  }
  if (const auto summary = object.get("summary")) read_summary(*summary, plan);
  object.finish();
  return plan;
}

Json to_json(const Plan& plan, const std::vector<Workload>& workloads) {
  Json gpus = Json::array();
  for (const PlanGpu& gpu : plan.gpus) gpus.push_back(to_json(gpu, workloads));
  Json unserved = Json::array();
  for (const Unserved& entry : plan.unserved) {
    unserved.push_back(
        Json{{"workload", entry.workload}, {"rate_rps", entry.rate_rps}, {"reason", entry.reason}});
  }
  Json summary{{"gpus", plan.gpus_used()}, {"slices", plan.slices_used()}, {"lost", plan.lost}};
  if (!plan.notes.empty()) summary["notes"] = plan.notes;
  return Json{{"schema", kSchema},
              {"planner", plan.planner},
              {"gpus", std::move(gpus)},
              {"unserved", std::move(unserved)},
              {"summary", std::move(summary)}};
}

}  // namespace tangram
