// Describes a policy and its parameters, so that a scenario is checked against it, `describe`
// prints it, and the reference pages are made from it: one source for all three.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/core/check.h"
#include "sim/core/json_reader.h"
#include "sim/core/time.h"

namespace tangram {

using ParamValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

enum class ParamKind : std::uint8_t { kBool, kInteger, kNumber, kChoice, kIntegers };

struct ParamInfo {
  std::string name;  // with its unit: "timeout_ms"
  ParamKind kind = ParamKind::kNumber;
  std::optional<ParamValue> initial;  // none: off unless given (printed as "none")
  double low = 0, high = 0;           // of numbers, and of each item of a list
  std::vector<std::string> choices;   // of kChoice
  std::string help;
};

// Shorthand for the lists of parameters.
ParamInfo bool_param(std::string name, bool initial, std::string help);
ParamInfo integer_param(std::string name,
                        std::optional<std::int64_t> initial,
                        std::int64_t low,
                        std::int64_t high,
                        std::string help);
ParamInfo number_param(
    std::string name, std::optional<double> initial, double low, double high, std::string help);
ParamInfo choice_param(std::string name,
                       std::string initial,
                       std::vector<std::string> choices,
                       std::string help);
ParamInfo integers_param(std::string name, std::int64_t low, std::int64_t high, std::string help);

// Values of every parameter of one policy, checked; absent only where a parameter is off.
class Params {
 public:
  Params() = default;
  explicit Params(std::map<std::string, ParamValue> values) : values_(std::move(values)) {}

  bool has(const std::string& name) const { return values_.contains(name); }
  bool boolean(const std::string& name) const { return get<bool>(name); }
  std::int64_t integer(const std::string& name) const { return get<std::int64_t>(name); }
  double number(const std::string& name) const { return get<double>(name); }
  const std::string& choice(const std::string& name) const { return get<std::string>(name); }
  const std::vector<std::int64_t>& integers(const std::string& name) const {
    return get<std::vector<std::int64_t>>(name);
  }
  // A number in milliseconds as a duration.
  Duration ms(const std::string& name) const { return from_ms(number(name)); }

 private:
  template <typename T>
  const T& get(const std::string& name) const {
    const auto found = values_.find(name);
    TANGRAM_CHECK(found != values_.end(), "policy asks for a parameter it did not declare: ", name);
    const T* value = std::get_if<T>(&found->second);
    TANGRAM_CHECK(value != nullptr, "policy asks for a parameter by the wrong type: ", name);
    return *value;
  }
  std::map<std::string, ParamValue> values_;
};

struct PolicyInfo {
  std::string name;
  std::string summary;  // one sentence: the rule
  std::string source;   // paper or code that it follows, and where it departs
  std::vector<ParamInfo> params;
};

// Reads "params" of a scenario against a policy's parameters; every fault with its pointer.
// `node` may be absent: all defaults.
Params read_params(const PolicyInfo& info, const std::optional<JsonNode>& node, Faults& faults);
// The defaults alone.
Params default_params(const PolicyInfo& info);

}  // namespace tangram
