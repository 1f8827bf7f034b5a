// Reads "device": the model, how GPUs are shared, and the interference model.
#include <fmt/format.h>

#include "sim/scenario/detail/sections.h"
#include "sim/scenario/keys.h"

namespace tangram {
namespace {

// How many coefficients a model has; 0: it takes none.
std::size_t coefficients_of(const std::string& model) {
  if (model == "gpulet") return 5;
  return model == "kernel_length" ? 2 : 0;
}

// Reads the parameters of an interference model from `keys`, the object at `node`.
void read_interference_params(KeyReader& keys, const JsonNode& node, InterferenceSpec& spec) {
  if (const auto factor = keys.optional_number("factor")) {
    spec.factor = *factor;
    if (spec.name != "constant") {
      node.fault("\"factor\" belongs to the interference model \"constant\"");
    }
  }
  if (const auto list = keys.node("coefficients")) {
    const std::vector<JsonNode> items = list->items();
    const std::size_t wanted = coefficients_of(spec.name);
    if (wanted > 0 && list->value().is_array() && items.size() != wanted) {
      list->fault(fmt::format("must be {} numbers, not {}", wanted, items.size()));
    }
    for (const JsonNode& item : items) {
      spec.coefficients.push_back(item.number(-1e6, 1e6).value_or(0));
    }
    if (wanted == 0) {
      node.fault(
          "\"coefficients\" belong to the interference models \"gpulet\" and \"kernel_length\"");
    }
  }
}

InterferenceSpec read_interference(const JsonNode& node) {
  InterferenceSpec spec;
  KeyReader keys(node, "/device/interference");
  const auto name = keys.name("name");
  if (name) spec.name = interference_names()[*name];
  const auto params_node = keys.node("params");
  KeyReader params(params_node, "/device/interference/params");
  for (const char* key : {"factor", "coefficients"}) {
    if (params.has(key) && keys.has(key)) {
      node.fault(fmt::format("\"{}\" is given twice: directly and in \"params\"", key));
    }
  }
  InterferenceSpec direct{spec.name, 0, {}};
  read_interference_params(keys, node, direct);
  if (params_node) read_interference_params(params, *params_node, spec);
  if (direct.factor > 0) spec.factor = direct.factor;
  if (!direct.coefficients.empty()) spec.coefficients = direct.coefficients;
  params.finish();
  keys.finish();
  return spec;
}

}  // namespace

const std::vector<std::string>& device_model_names() {
  static const std::vector<std::string> names{"rate", "blocks"};
  return names;
}

DeviceSpec read_device(const std::optional<JsonNode>& node) {
  DeviceSpec device;
  KeyReader keys(node, "/device");
  device.model = static_cast<DeviceModel>(keys.name("model").value_or(0));
  const auto blocks = keys.node("blocks");
  if (device.model == DeviceModel::kBlocks) {
    device.blocks = read_blocks(blocks);
    for (const char* key :
         {"interference", "quantum_ms", "switch_ms", "processes", "overhead_ms", "depth"}) {
      if (!keys.has(key)) continue;
      keys.node(key)->fault(
          fmt::format("\"{}\" belongs to the device model \"rate\"; \"blocks\" has its own under "
                      "/device/blocks",
                      key));
    }
  } else if (blocks) {
    blocks->fault("\"blocks\" belongs to the device model \"blocks\"");
  }
  device.sharing = static_cast<Sharing>(keys.name("sharing").value_or(0));
  if (device.model == DeviceModel::kBlocks && device.sharing != Sharing::kFromPlan &&
      device.sharing != Sharing::kSm) {
    keys.node("sharing")->fault(
        "the device model \"blocks\" shares a GPU as its plan says (from_plan), or makes MPS "
        "shares "
        "ranges of SMs (sm)");
  }
  if (const auto interference = keys.node("interference")) {
    device.interference = read_interference(*interference);
  }
  device.quantum_ms = keys.number("quantum_ms");
  device.switch_ms = keys.number("switch_ms");
  device.busy_processes = keys.name("processes").value_or(0) == 1;
  device.overhead_ms = keys.number("overhead_ms");
  device.depth = static_cast<std::uint32_t>(keys.integer("depth"));
  if (const auto weights = keys.node("weights")) {
    KeyReader own(weights, "/device/weights");
    device.weights.managed = true;
    device.weights.cache_gib = own.optional_number("cache_gib");
    device.weights.filled = own.name("initially").value_or(0) == 1;
    own.finish();
  }
  keys.finish();
  return device;
}

const std::vector<std::string>& sharing_names() {
  static const std::vector<std::string> names{"from_plan", "exclusive", "time_slicing", "mps",
                                              "sm",        "mig",       "mig_mps"};
  return names;
}

}  // namespace tangram
