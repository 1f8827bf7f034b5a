// Parameters of policies: the shorthand that declares them and the strict reader.
#include "policies/policy_info.h"

#include <algorithm>
#include <utility>

namespace tangram {
namespace {

// Reads one value by its parameter's kind; nullopt after a fault.
std::optional<ParamValue> read_value(const ParamInfo& info, const JsonNode& node) {
  const auto low = static_cast<std::int64_t>(info.low);
  const auto high = static_cast<std::int64_t>(info.high);
  switch (info.kind) {
    case ParamKind::kBool:
      if (const auto value = node.boolean()) return ParamValue(*value);
      return std::nullopt;
    case ParamKind::kInteger:
      if (const auto value = node.integer(low, high)) return ParamValue(*value);
      return std::nullopt;
    case ParamKind::kNumber:
      if (const auto value = node.number(info.low, info.high)) return ParamValue(*value);
      return std::nullopt;
    case ParamKind::kChoice:
      if (auto value = node.name_of("choice of " + info.name, info.choices)) {
        return ParamValue(std::move(*value));
      }
      return std::nullopt;
    case ParamKind::kIntegers: {
      if (!node.value().is_array()) {
        node.items();  // adds the fault
        return std::nullopt;
      }
      std::vector<std::int64_t> values;
      for (const JsonNode& item : node.items()) {
        if (const auto value = item.integer(low, high)) values.push_back(*value);
      }
      return ParamValue(std::move(values));
    }
  }
  return std::nullopt;
}

void fault_unknown(const PolicyInfo& info, const JsonNode& node) {
  std::vector<std::string> known;
  for (const ParamInfo& param : info.params) known.push_back(param.name);
  for (const auto& [key, value] : node.value().items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    node.child(key, value).fault(unknown_name("parameter of " + info.name, key, known));
  }
}

template <typename T>
std::optional<ParamValue> as_value(std::optional<T> value) {
  if (!value) return std::nullopt;
  return ParamValue(std::move(*value));
}

}  // namespace

ParamInfo bool_param(std::string name, bool initial, std::string help) {
  return {std::move(name), ParamKind::kBool, ParamValue(initial), 0, 0, {}, std::move(help)};
}

ParamInfo integer_param(std::string name,
                        std::optional<std::int64_t> initial,
                        std::int64_t low,
                        std::int64_t high,
                        std::string help) {
  return {std::move(name),          ParamKind::kInteger,       as_value(initial),
          static_cast<double>(low), static_cast<double>(high), {},
          std::move(help)};
}

ParamInfo number_param(
    std::string name, std::optional<double> initial, double low, double high, std::string help) {
  return {std::move(name), ParamKind::kNumber, as_value(initial), low, high, {}, std::move(help)};
}

ParamInfo choice_param(std::string name,
                       std::string initial,
                       std::vector<std::string> choices,
                       std::string help) {
  return {std::move(name),    ParamKind::kChoice, ParamValue(std::move(initial)), 0, 0,
          std::move(choices), std::move(help)};
}

ParamInfo integers_param(std::string name, std::int64_t low, std::int64_t high, std::string help) {
  return {std::move(name),          ParamKind::kIntegers,      std::nullopt,
          static_cast<double>(low), static_cast<double>(high), {},
          std::move(help)};
}

Params default_params(const PolicyInfo& info) {
  std::map<std::string, ParamValue> values;
  for (const ParamInfo& param : info.params) {
    if (param.initial) values.emplace(param.name, *param.initial);
  }
  return Params(std::move(values));
}

Params read_params(const PolicyInfo& info, const std::optional<JsonNode>& node, Faults&) {
  if (!node) return default_params(info);
  JsonObject object(*node);
  std::map<std::string, ParamValue> values;
  for (const ParamInfo& param : info.params) {
    std::optional<ParamValue> value = param.initial;
    if (const std::optional<JsonNode> given = object.get(param.name)) {
      if (auto read = read_value(param, *given)) value = std::move(read);
    }
    if (value) values.emplace(param.name, std::move(*value));
  }
  if (object.is_object()) fault_unknown(info, *node);
  return Params(std::move(values));
}

}  // namespace tangram
