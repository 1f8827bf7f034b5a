// Reads "cluster": groups of GPUs and the GPU types that a scenario describes itself.
#include <algorithm>

#include <fmt/format.h>

#include "sim/scenario/detail/sections.h"
#include "sim/scenario/keys.h"

namespace tangram {
namespace {

MigSize read_mig_size(const JsonNode& node) {
  KeyReader keys(node, "/cluster/types/*/mig/*");
  MigSize size;
  size.slices = static_cast<int>(keys.integer("slices"));
  size.memory_slices = static_cast<int>(keys.integer("memory_slices"));
  size.memory_gib = keys.number("memory_gib");
  size.sms = static_cast<int>(keys.integer("sms"));
  for (const JsonNode& start : keys.items("starts")) {
    const auto slot = start.integer(0, 8 - size.memory_slices);
    if (slot) size.starts.push_back(static_cast<int>(*slot));
  }
  keys.finish();
  return size;
}

GpuType read_gpu_type(const JsonNode& node) {
  KeyReader keys(node, "/cluster/types/*");
  GpuType type;
  type.name = keys.string("name");
  type.description = keys.string("description");
  type.sms = static_cast<int>(keys.integer("sms"));
  type.memory_gib = keys.optional_number("memory_gib");
  type.dram_gb_per_s = keys.number("dram_gb_per_s");
  type.fp32_tflops = keys.number("fp32_tflops");
  type.tf32_tflops = keys.number("tf32_tflops");
  type.fp16_tflops = keys.number("fp16_tflops");
  type.power_w = keys.number("power_w");
  type.source = "the scenario";
  for (const JsonNode& item : keys.items("mig")) {
    const MigSize size = read_mig_size(item);
    if (find_mig_size(type, size.slices) != nullptr) {
      item.fault(fmt::format("the size of {} slices is listed twice", size.slices));
    }
    type.mig_slices = std::max(type.mig_slices, size.slices);
    type.mig_sizes.push_back(size);
  }
  keys.finish();
  return type;
}

void read_own_types(const std::vector<JsonNode>& items, Cluster& cluster) {
  for (const JsonNode& item : items) {
    GpuType type = read_gpu_type(item);
    if (!type.name.empty() && find_gpu_type(type.name, cluster.own_types) != nullptr) {
      const bool is_built_in = find_gpu_type(type.name) != nullptr;
      item.fault(
          fmt::format("the GPU type \"{}\" is {}", type.name,
                      is_built_in ? "built in; give yours another name" : "described twice"));
    }
    cluster.own_types.push_back(std::move(type));
  }
}

NodeSpec read_nodes(const JsonNode& node) {
  KeyReader keys(node, "/cluster/nodes");
  NodeSpec nodes;
  if (keys.has("gpus")) nodes.gpus = static_cast<std::uint32_t>(keys.integer("gpus"));
  nodes.host_memory_gib = keys.optional_number("host_memory_gib");
  nodes.link_gb_per_s = keys.number("link_gb_per_s");
  nodes.storage_gb_per_s = keys.number("storage_gb_per_s");
  keys.finish();
  return nodes;
}

}  // namespace

Cluster read_cluster(const std::optional<JsonNode>& node) {
  KeyReader keys(node, "/cluster");
  Cluster cluster;
  read_own_types(keys.items("types"), cluster);
  if (const auto nodes = keys.node("nodes")) cluster.nodes = read_nodes(*nodes);
  const std::vector<JsonNode> groups = keys.items("gpus");
  if (groups.empty() && keys.has("gpus") && node->value()["gpus"].is_array()) {
    node->child("gpus", node->value()["gpus"]).fault("is empty; at least one group of GPUs");
  }
  const std::vector<std::string> known = gpu_type_names(cluster.own_types);
  for (const JsonNode& item : groups) {
    KeyReader group(item, "/cluster/gpus/*");
    const auto type = group.node("type");
    const auto name = type ? type->name_of("GPU type", known) : std::nullopt;
    const auto count = static_cast<std::uint32_t>(group.integer("count"));
    group.finish();
    if (name) cluster.gpus.push_back({*name, count});
  }
  keys.finish();
  return cluster;
}

}  // namespace tangram
