// Reads sweep files and lists their points.
#include "sim/sweep/sweep_spec.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "sim/core/atomic_file.h"
#include "sim/core/random.h"
#include "sim/core/stable_math.h"
#include "sim/scenario/profile_files.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

constexpr double kLargest = 1e18;
constexpr std::int64_t kMostPoints = 10'000'000;

bool draws_samples(SweepMode mode) {
  return mode == SweepMode::kRandom || mode == SweepMode::kLatinHypercube;
}

void read_range(JsonObject& object, double& low, double& high, bool& log_scale) {
  if (const auto node = object.require("low")) low = node->number(-kLargest, kLargest).value_or(0);
  if (const auto node = object.require("high")) {
    high = node->number(-kLargest, kLargest).value_or(0);
    if (high <= low) node->fault(fmt::format("must be above \"low\", {}", low));
  }
  if (const auto node = object.get("scale")) {
    log_scale = node->name_of("scale", {"linear", "log"}) == "log";
    if (log_scale && low <= 0) node->fault("a log scale needs \"low\" above 0");
  }
}

std::string read_pointer(JsonObject& object) {
  const auto node = object.require("pointer");
  const std::string pointer = node ? node->string().value_or("") : "";
  if (!pointer.empty() && pointer.front() != '/') {
    node->fault("a JSON pointer begins with '/', as in /workloads/0/slo_ms");
  }
  return pointer;
}

// {"NAME": {"/pointer": value, ...}, ...}
void read_cases(const JsonNode& node, SweepAxis& axis) {
  if (!node.value().is_object() || node.value().empty()) {
    node.fault("must be an object with a case under each name, and at least one");
    return;
  }
  for (const auto& [name, changes] : node.value().items()) {
    const JsonNode place = node.child(name, changes);
    axis.values.push_back(name);
    std::vector<Override>& overrides = axis.cases.emplace_back();
    if (!changes.is_object()) {
      place.fault("must be an object of pointers and values; {} changes nothing");
      continue;
    }
    for (const auto& [pointer, value] : changes.items()) {
      if (pointer.empty() || pointer.front() != '/') {
        place.child(pointer, value)
            .fault("a JSON pointer begins with '/', as in /workloads/0/slo_ms");
      }
      overrides.emplace_back(pointer, value.dump());
    }
  }
}

SweepAxis read_axis(const JsonNode& node, SweepMode mode) {
  JsonObject object(node);
  SweepAxis axis;
  if (const auto cases = object.get("cases")) {
    if (const auto name = object.require("name")) axis.pointer = name->string().value_or("");
    read_cases(*cases, axis);
    object.finish();
    return axis;
  }
  axis.pointer = read_pointer(object);
  if (const auto values = object.get("values")) {
    for (const JsonNode& value : values->items()) axis.values.push_back(value.value());
    if (axis.values.empty()) values->fault("needs at least one value");
  } else if (draws_samples(mode)) {
    read_range(object, axis.low, axis.high, axis.log_scale);
  } else {
    object.require("values");
  }
  object.finish();
  return axis;
}

SearchSpec read_search(const JsonNode& node) {
  JsonObject object(node);
  SearchSpec search;
  search.pointer = read_pointer(object);
  read_range(object, search.low, search.high, search.log_scale);
  if (const auto flag = object.get("integer")) search.integer = flag->boolean().value_or(false);
  if (const auto probes = object.get("probes")) {
    search.probes = static_cast<std::uint32_t>(probes->integer(2, 10000).value_or(2));
  }
  if (const auto tolerance = object.get("tolerance")) {
    search.tolerance = tolerance->number(1e-9, 1).value_or(0.01);
  }
  if (const auto target_node = object.require("target")) {
    JsonObject target(*target_node);
    if (const auto metric = target.require("metric")) search.metric = metric->string().value_or("");
    if (const auto bound = target.get("at_least"))
      search.at_least = bound->number(-kLargest, kLargest);
    if (const auto bound = target.get("at_most"))
      search.at_most = bound->number(-kLargest, kLargest);
    if (target.is_object() && target.has("at_least") == target.has("at_most")) {
      target_node->fault("needs exactly one of \"at_least\" and \"at_most\"");
    }
    target.finish();
  }
  object.finish();
  return search;
}

// The scenario: a path, from the sweep's folder, or written out.
void read_base_scenario(const JsonNode& node, SweepSpec& spec) {
  const fs::path folder = fs::path(spec.path).parent_path();
  if (node.value().is_object()) {
    spec.scenario_text = node.value().dump();
    spec.scenario_source = node.where();
    spec.scenario_base = folder.string();
    return;
  }
  const std::optional<std::string> name = node.string();
  if (!name) return;
  const fs::path file = folder / *name;
  spec.scenario_source = file.lexically_normal().string();
  spec.scenario_base = file.parent_path().string();
  try {
    spec.scenario_text = read_file(spec.scenario_source);
  } catch (const ConfigError& error) {
    node.faults().append(error);
  }
}

void check_shape(const SweepSpec& spec, const JsonNode& root) {
  const auto fault = [&](const std::string& key, std::string what) {
    root.faults().add(root.where() + '/' + key, std::move(what));
  };
  std::set<std::string> pointers;
  if (spec.search) pointers.insert(spec.search->pointer);
  double points = 1;
  for (std::size_t i = 0; i < spec.axes.size(); ++i) {
    const SweepAxis& axis = spec.axes[i];
    const std::string place = "axes/" + std::to_string(i);
    if (!pointers.insert(axis.pointer).second) {
      fault(place + "/pointer", "another axis (or the search) changes " + axis.pointer + " too");
    }
    points *= static_cast<double>(std::max<std::size_t>(axis.values.size(), 1));
    if (spec.mode == SweepMode::kZip && axis.values.size() != spec.axes.front().values.size()) {
      fault(place + "/values", fmt::format("has {} values and the first axis {}: zip takes one of "
                                           "each per point",
                                           axis.values.size(), spec.axes.front().values.size()));
    }
  }
  if (spec.mode == SweepMode::kGrid && points > static_cast<double>(kMostPoints)) {
    fault("axes", fmt::format("{:.3g} points; at most {}", points, kMostPoints));
  }
}

SweepSpec read_sweep(const JsonNode& root, const std::string& path, std::string text) {
  SweepSpec spec;
  spec.path = path;
  spec.text = std::move(text);
  JsonObject object(root);
  if (const auto node = object.get("schema")) node->integer(1, 1);
  if (const auto node = object.require("scenario")) read_base_scenario(*node, spec);
  if (const auto node = object.get("mode")) {
    const auto name = node->name_of("mode", sweep_mode_names());
    const auto& names = sweep_mode_names();
    const auto found = std::find(names.begin(), names.end(), name.value_or("grid"));
    spec.mode = static_cast<SweepMode>(found - names.begin());
  }
  if (const auto node = object.get("axes")) {
    for (const JsonNode& axis : node->items()) spec.axes.push_back(read_axis(axis, spec.mode));
  }
  if (const auto node = object.get("samples")) {
    spec.samples = static_cast<std::uint32_t>(node->integer(1, kMostPoints).value_or(1));
    if (!draws_samples(spec.mode)) node->fault("belongs to mode random or latin_hypercube");
  } else if (draws_samples(spec.mode)) {
    object.require("samples");
  }
  if (const auto node = object.get("seed")) {
    spec.seed = static_cast<std::uint64_t>(node->integer(0, INT64_MAX).value_or(1));
  }
  if (const auto node = object.get("replications")) {
    spec.replications = static_cast<std::uint32_t>(node->integer(1, 100000).value_or(1));
  }
  if (const auto node = object.get("search")) spec.search = read_search(*node);
  if (const auto node = object.get("histograms")) spec.histograms = node->boolean().value_or(true);
  object.finish();
  check_shape(spec, root);
  return spec;
}

// A place in [0, 1) of an axis as its value there.
Json value_at(const SweepAxis& axis, double place) {
  if (!axis.values.empty()) {
    const auto n = static_cast<double>(axis.values.size());
    return axis.values[static_cast<std::size_t>(place * n)];
  }
  if (!axis.log_scale) return axis.low + place * (axis.high - axis.low);
  return axis.low * stable::exp(place * stable::log(axis.high / axis.low));
}

std::vector<double> random_places(const SweepSpec& spec, RandomStream stream) {
  std::vector<double> places(spec.samples);
  for (double& place : places) place = stream.uniform();
  if (spec.mode == SweepMode::kRandom) return places;
  const auto n = static_cast<double>(spec.samples);
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] = (static_cast<double>(i) + places[i]) / n;
  }
  for (std::size_t i = places.size(); i > 1; --i) std::swap(places[i - 1], places[stream.below(i)]);
  return places;
}

std::vector<SweepPoint> drawn_points(const SweepSpec& spec) {
  std::vector<SweepPoint> points(spec.samples);
  for (std::uint32_t p = 0; p < spec.samples; ++p) points[p].index = p;
  for (const SweepAxis& axis : spec.axes) {
    const StreamKey key = StreamKey(spec.seed).with("sweep").with(axis.pointer);
    const std::vector<double> places = random_places(spec, RandomStream(key));
    for (std::uint32_t p = 0; p < spec.samples; ++p) {
      points[p].values.push_back(value_at(axis, places[p]));
    }
  }
  return points;
}

// Every case must fit the scenario by itself: beside the first point's other values.
void check_cases(const SweepSpec& spec, const std::vector<Override>& searched, Faults& faults) {
  const SweepPoint first = sweep_points(spec).front();
  ProfileFiles files;
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    for (std::size_t c = 1; c < spec.axes[a].cases.size(); ++c) {
      SweepPoint point = first;
      point.values[a] = spec.axes[a].values[c];
      std::vector<Override> overrides = overrides_of(spec, point);
      overrides.insert(overrides.end(), searched.begin(), searched.end());
      try {
        parse_scenario(spec.scenario_text, spec.scenario_source, spec.scenario_base, overrides,
                       &files);
      } catch (const ConfigError& error) {
        const std::string name = spec.axes[a].values[c].get<std::string>();
        for (const Fault& fault : error.faults()) {
          faults.add(fault.where, fmt::format("{} (case \"{}\")", fault.what, name));
        }
      }
    }
  }
}

}  // namespace

const std::vector<std::string>& sweep_mode_names() {
  static const std::vector<std::string> names{"grid", "zip", "random", "latin_hypercube"};
  return names;
}

SweepSpec load_sweep(const std::string& path) {
  Faults faults;
  std::string text = read_file(path);
  const std::optional<Json> document = parse_json(text, path, faults);
  if (!document) faults.throw_if_any();
  SweepSpec spec = read_sweep(JsonNode(*document, path, faults), path, std::move(text));
  if (!spec.scenario_text.empty()) {
    // With the first point applied: an axis may supply what the scenario leaves open.
    std::vector<Override> overrides;
    std::vector<Override> searched;
    if (spec.search) searched.emplace_back(spec.search->pointer, Json(spec.search->low).dump());
    if (faults.empty()) {
      overrides = overrides_of(spec, sweep_points(spec).front());
      overrides.insert(overrides.end(), searched.begin(), searched.end());
    }
    try {
      parse_scenario(spec.scenario_text, spec.scenario_source, spec.scenario_base, overrides);
    } catch (const ConfigError& error) {
      faults.append(error);
    }
    if (faults.empty()) check_cases(spec, searched, faults);
  }
  faults.throw_if_any();
  return spec;
}

std::vector<SweepPoint> sweep_points(const SweepSpec& spec) {
  if (draws_samples(spec.mode)) return drawn_points(spec);
  std::vector<SweepPoint> points{{}};
  if (spec.mode == SweepMode::kZip) {
    points.resize(spec.axes.empty() ? 1 : spec.axes.front().values.size());
    for (const SweepAxis& axis : spec.axes) {
      for (std::size_t p = 0; p < points.size(); ++p) points[p].values.push_back(axis.values[p]);
    }
  } else {
    for (const SweepAxis& axis : spec.axes) {
      std::vector<SweepPoint> longer;
      for (const SweepPoint& point : points) {
        for (const Json& value : axis.values) {
          longer.push_back(point);
          longer.back().values.push_back(value);
        }
      }
      points = std::move(longer);
    }
  }
  for (std::uint32_t p = 0; p < points.size(); ++p) points[p].index = p;
  return points;
}

std::vector<Override> overrides_of(const SweepSpec& spec, const SweepPoint& point) {
  std::vector<Override> overrides;
  for (std::size_t a = 0; a < spec.axes.size(); ++a) {
    const SweepAxis& axis = spec.axes[a];
    if (axis.cases.empty()) {
      overrides.emplace_back(axis.pointer, point.values[a].dump());
      continue;
    }
    const auto found = std::find(axis.values.begin(), axis.values.end(), point.values[a]);
    const auto& chosen = axis.cases[static_cast<std::size_t>(found - axis.values.begin())];
    overrides.insert(overrides.end(), chosen.begin(), chosen.end());
  }
  return overrides;
}

}  // namespace tangram
