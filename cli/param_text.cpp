// Values and ranges of parameters in words.
#include "cli/param_text.h"

#include <fmt/format.h>

namespace tangram::cli {

std::string value_text(const ParamValue& value) {
  struct Visitor {
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(std::int64_t i) const { return std::to_string(i); }
    std::string operator()(double d) const { return fmt::format("{:g}", d); }
    std::string operator()(const std::string& s) const { return s; }
    std::string operator()(const std::vector<std::int64_t>& v) const {
      return fmt::format("[{}]", fmt::join(v, ", "));
    }
  };
  return std::visit(Visitor{}, value);
}

std::string range_text(const ParamInfo& param) {
  switch (param.kind) {
    case ParamKind::kBool:
      return "true or false";
    case ParamKind::kInteger:
      return fmt::format("integer, {:.0f} to {:.0f}", param.low, param.high);
    case ParamKind::kNumber:
      return fmt::format("number in [{:g}, {:g}]", param.low, param.high);
    case ParamKind::kChoice:
      return fmt::format("one of {}", fmt::join(param.choices, ", "));
    case ParamKind::kIntegers:
      return fmt::format("list of integers, {:.0f} to {:.0f}", param.low, param.high);
  }
  return "";
}

}  // namespace tangram::cli
