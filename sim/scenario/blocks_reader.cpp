// Reads "/device/blocks" and "/stages", and says what the block device model cannot do.
#include <algorithm>

#include <fmt/format.h>

#include "policies/registry.h"
#include "sim/scenario/detail/sections.h"
#include "sim/scenario/keys.h"

namespace tangram {
namespace {

Duration micros(KeyReader& keys, const char* key) {
  return from_ns(keys.number(key) * 1e3);
}

SmLimits read_sm(const JsonNode& node) {
  KeyReader keys(node, "/device/blocks/sm");
  const auto whole = [&](const char* key) { return static_cast<std::uint32_t>(keys.integer(key)); };
  SmLimits limits;
  limits.threads = whole("threads");
  limits.blocks = whole("blocks");
  limits.registers = whole("registers");
  limits.shared_bytes = whole("shared_bytes");
  keys.finish();
  return limits;
}

void read_instances(const JsonNode& node, const std::vector<Workload>& workloads, StageSpec& spec) {
  std::vector<std::string> known;
  for (const Workload& workload : workloads) known.push_back(workload.name);
  JsonObject object(node);
  for (const std::string& name : known) {
    const auto value = object.get(name);
    if (!value) continue;
    const auto count = value->integer(1, 1'000'000);
    spec.instances[name] = static_cast<std::uint32_t>(count.value_or(1));
  }
  object.finish();
}

}  // namespace

BlockSpec read_blocks(const std::optional<JsonNode>& node) {
  KeyReader keys(node, "/device/blocks");
  BlockSpec spec;
  const auto whole = [&](const char* key) { return static_cast<std::uint32_t>(keys.integer(key)); };
  spec.queues = whole("queues");
  spec.release_at_completion = keys.name("queue_release").value_or(0) == 1;
  spec.random_mapping = keys.name("queue_mapping").value_or(0) == 1;
  spec.random_waiters = keys.name("queue_waiters").value_or(0) == 1;
  spec.resident_grids = whole("resident_grids");
  spec.copy_engines = whole("copy_engines");
  spec.copy_gb_per_s = keys.number("copy_gb_per_s");
  spec.copy_fixed = micros(keys, "copy_fixed_us");
  spec.input_bytes = static_cast<std::uint64_t>(keys.integer("input_bytes"));
  spec.output_bytes = static_cast<std::uint64_t>(keys.integer("output_bytes"));
  spec.visible = micros(keys, "visible_us");
  spec.gap = micros(keys, "gap_us");
  spec.notify = micros(keys, "notify_us");
  spec.poll = micros(keys, "poll_us");
  spec.decision = micros(keys, "decision_us");
  spec.launch = micros(keys, "launch_us");
  spec.quantum = from_ms(keys.number("quantum_ms"));
  spec.switching = from_ms(keys.number("switch_ms"));
  spec.contention = static_cast<Contention>(keys.name("contention").value_or(0));
  spec.saturating_warps = keys.number("saturating_warps");
  spec.aggregate = keys.boolean("aggregate");
  spec.merge_above = whole("merge_above");
  spec.merge_within = keys.number("merge_within");
  if (const auto sm = keys.node("sm")) spec.sm = read_sm(*sm);
  keys.finish();
  return spec;
}

StageSpec read_stages(const std::optional<JsonNode>& node,
                      const std::vector<Workload>& workloads,
                      Faults& faults) {
  StageSpec spec;
  KeyReader keys(node, "/stages");
  const std::optional<std::size_t> name = keys.name("name");
  const std::optional<JsonNode> params = keys.node("params");
  if (name) {
    const PolicyInfo& info = stage_dispatchers()[*name].info;
    spec.policy.name = info.name;
    spec.policy.params = read_params(info, params, faults);
  }
  spec.outstanding = static_cast<std::uint32_t>(keys.integer("outstanding"));
  if (const auto instances = keys.node("instances")) read_instances(*instances, workloads, spec);
  spec.from_submit = keys.name("latency_from").value_or(0) == 1;
  keys.finish();
  return spec;
}

namespace {

// Where the scenario names the model of a workload: at the workload, or at the application whose
// stage it is.
std::string pointer_of_model(const Scenario& scenario, const JsonNode& root, WorkloadId w) {
  std::string name = scenario.workloads[w.index()].name;
  const char* key = "model";
  for (const ApplicationLoad& load : scenario.applications) {
    if (std::find(load.stages.begin(), load.stages.end(), w) == load.stages.end()) continue;
    name = load.load.name;
    key = "application";
  }
  const Json& workloads = root.value().at("workloads");
  for (std::size_t i = 0; i < workloads.size(); ++i) {
    for (const char* own : {"name", key}) {
      const auto found = workloads[i].find(own);
      if (found == workloads[i].end()) continue;
      if (*found == name) return fmt::format("/workloads/{}/{}", i, key);
      break;
    }
  }
  return "/workloads";
}

}  // namespace

void check_device_model(const Scenario& scenario, const JsonNode& root) {
  if (!root.value().is_object()) return;
  // GPUs and models with faults of their own are not looked at again.
  const bool is_clean = root.faults().empty();
  const auto fault = [&](const std::string& pointer, const std::string& what) {
    root.faults().add(root.source() + '#' + pointer, what);
  };
  if (scenario.device.model == DeviceModel::kRate) {
    if (root.value().contains("stages")) {
      fault("/stages",
            "stage dispatchers decide kernel by kernel: they need the device model "
            "\"blocks\", and this scenario has \"rate\"");
    }
    return;
  }
  if (root.value().contains("dispatcher")) {
    fault("/dispatcher",
          "the device model \"blocks\" takes requests one by one, kernel by kernel: "
          "it has \"stages\" in place of a dispatcher");
  }
  if (scenario.routing != Routing::kCentral) {
    fault("/routing",
          "the device model \"blocks\" sends a request to the device with the fewest: "
          "it has only \"central\"");
  }
  if (scenario.device.weights.managed) {
    fault("/device/weights",
          "the device model \"blocks\" loads no weights, because a dispatcher decides about that, "
          "and "
          "its stage dispatchers do not: use \"rate\"");
  }
  for (std::size_t g = 0; is_clean && g < scenario.cluster.gpus.size(); ++g) {
    const std::string& name = scenario.cluster.gpus[g].type;
    const std::string pointer = fmt::format("/cluster/gpus/{}/type", g);
    const GpuType* type = find_gpu_type(name, scenario.cluster.own_types);
    if (type != nullptr && type->sms <= 0) {
      fault(pointer,
            fmt::format("\"{}\" has no SMs: the device model \"blocks\" is for GPUs", name));
    } else if (!scenario.device.blocks.sm && !sm_limits(name)) {
      fault(pointer,
            fmt::format("what an SM of \"{}\" holds is not known: give /device/blocks/sm", name));
    }
    for (std::size_t w = 0; w < scenario.workloads.size(); ++w) {
      const std::string& model = scenario.workloads[w].model;
      const Profile* profile = scenario.profiles.find(model, name);
      if (profile == nullptr) continue;
      const bool has_kernels = std::any_of(profile->kernels.begin(), profile->kernels.end(),
                                           [](const Kernel& k) { return k.batch == 1; });
      if (!has_kernels) {
        fault(
            pointer_of_model(scenario, root, WorkloadId(w)),
            fmt::format("the profile of {} on {} has no kernel list for batch 1, which the device "
                        "model \"blocks\" needs: `tangram profile synth` computes one, `tangram "
                        "profile measure` measures it",
                        model, name));
      }
    }
  }
}

}  // namespace tangram
