#include "engine/cuda/kernel_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The KEY=VALUE part: hands out each value once, and knows which keys nobody asked for.
class Values {
 public:
  Values(std::string where, Faults& faults) : where_(std::move(where)), faults_(faults) {}

  void parse(std::string_view text) {
    for (const std::string_view part : split(text, ',')) {
      const std::size_t equals = part.find('=');
      const std::string key(part.substr(0, equals));
      if (equals == std::string_view::npos || key.empty()) {
        fault(fmt::format("\"{}\" is not KEY=VALUE", part));
      } else if (!values_.emplace(key, part.substr(equals + 1)).second) {
        fault(key + " is given twice");
      }
    }
  }

  // Sets `target` when the key is there.
  void number(const std::string& key, double low, double high, double& target) {
    known_.push_back(key);
    const auto at = values_.find(key);
    if (at == values_.end()) return;
    const std::string& text = at->second;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= low) ||
        value > high) {
      fault(fmt::format("{}: \"{}\" is not a number from {:g} to {:g}", key, text, low, high));
      return;
    }
    target = value;
  }
  template <typename Integer>
  void integer(const std::string& key, double low, double high, Integer& target) {
    double value = static_cast<double>(target);
    number(key, low, high, value);
    if (value != std::floor(value)) fault(fmt::format("{}: {:g} is not whole", key, value));
    target = static_cast<Integer>(value);
  }
  void require(const std::string& key) {
    if (!values_.contains(key)) fault("missing: " + key);
  }
  void fault(std::string what) { faults_.add(where_, std::move(what)); }
  void finish(const std::string& kind) {
    for (const auto& [key, value] : values_) {
      if (std::ranges::find(known_, key) == known_.end()) {
        fault(unknown_name("key of " + kind, key, known_));
      }
    }
  }

 private:
  std::string where_;
  Faults& faults_;
  std::map<std::string, std::string> values_;
  std::vector<std::string> known_;
};

void read_common(Values& values, KernelModel& model) {
  values.integer("grid", 1, 1e6, model.grid);
  values.integer("grid_per_item", 0, 1e6, model.grid_per_item);
  values.integer("block", 1, 1024, model.block);
  values.integer("count", 1, 1e5, model.count);
  values.integer("smem", 0, 227 * 1024, model.smem);
  values.number("in_kib", 0, 1e6, model.in_kib);
  values.number("out_kib", 0, 1e6, model.out_kib);
  values.number("weights_mib", 0, 1e6, model.weights_mib);
  int graph = 1;
  values.integer("graph", 0, 1, graph);
  model.graph = graph == 1;
}

void read_own(Values& values, KernelModel& model) {
  switch (model.kind) {
    case KernelKind::kEmpty:
      return;
    case KernelKind::kSpin:
      values.require("us");
      values.number("us", 0.1, 1e7, model.us);
      values.integer("regs", 0, 200, model.regs);
      if (model.regs != 0 && model.regs != 64 && model.regs != 128 && model.regs != 200) {
        values.fault(fmt::format("regs: {} is not one of 0, 64, 128, 200", model.regs));
      }
      // 65536 registers per SM, given out in units of 8 per thread (CUDA programming guide).
      if (model.regs * model.block > 65536) {
        values.fault(fmt::format("{} threads of {} registers do not fit a multiprocessor",
                                 model.block, model.regs));
      }
      return;
    case KernelKind::kFma:
      values.require("iterations");
      values.integer("iterations", 1, 1e12, model.iterations);
      return;
    case KernelKind::kDram:
      values.number("rate", 0.01, 1, model.rate);
      [[fallthrough]];
    case KernelKind::kL2:
      values.require("mib");
      values.number("mib", 0.001, 1e6, model.mib);
      values.integer("passes", 1, 1e9, model.passes);
      return;
  }
}

}  // namespace

const std::vector<std::string>& kernel_kind_names() {
  static const std::vector<std::string> names{"empty", "spin", "fma", "dram", "l2"};
  return names;
}

std::string KernelModel::entry() const {
  std::string name = "tangram_" + kernel_kind_names()[static_cast<std::size_t>(kind)];
  if (regs != 0) name += fmt::format("_{}", regs);
  return name;
}

KernelModel parse_kernel_model(const std::string& text, const std::string& where) {
  Faults faults;
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const auto known = std::ranges::find(kernel_kind_names(), kind);
  if (known == kernel_kind_names().end()) {
    throw ConfigError(where, unknown_name("kernel", kind, kernel_kind_names()));
  }
  KernelModel model;
  model.kind = static_cast<KernelKind>(known - kernel_kind_names().begin());
  Values values(where, faults);
  if (colon != std::string::npos) values.parse(std::string_view(text).substr(colon + 1));
  read_common(values, model);
  read_own(values, model);
  values.finish(kind);
  faults.throw_if_any();
  return model;
}

}  // namespace tangram
