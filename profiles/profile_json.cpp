// The JSON form of a profile (docs/reference/profile.md): strict reading, and writing.
#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "profiles/profile_io.h"
#include "profiles/profile_limits.h"

namespace tangram {
namespace {

using Member = std::optional<double> LatencyPoint::*;
struct OptionalColumn {
  const char* key;
  Member member;
  double low, high;
};
constexpr std::array<OptionalColumn, 6> kOptionalColumns{{
    {"reported_latency_ms", &LatencyPoint::reported_latency_ms, 0, kLongestLatencyMs},
    {"reported_throughput_rps", &LatencyPoint::reported_throughput_rps, 0, kMostItemsPerSecond},
    {"l2_utilisation", &LatencyPoint::l2_utilisation, 0, 1},
    {"dram_utilisation", &LatencyPoint::dram_utilisation, 0, 1},
    {"sm_occupancy", &LatencyPoint::sm_occupancy, 0, 1},
    {"power_w", &LatencyPoint::power_w, 0, kMostPowerW},
}};

std::uint32_t read_count(const std::optional<JsonNode>& node, std::uint32_t most) {
  const auto value = node ? node->integer(1, most) : std::nullopt;
  return static_cast<std::uint32_t>(value.value_or(1));
}

std::optional<double> read_optional(JsonObject& object, const char* key, double low, double high) {
  const auto node = object.get(key);
  return node ? node->number(low, high) : std::nullopt;
}

Share read_mig(const JsonNode& node, const GpuType* gpu) {
  std::vector<int> known;
  if (gpu != nullptr) {
    for (const MigSize& size : gpu->mig_sizes) known.push_back(size.slices);
  }
  const auto slices = node.integer(1, 7);
  const bool legal =
      !slices || gpu == nullptr || std::find(known.begin(), known.end(), *slices) != known.end();
  if (!legal && known.empty()) node.fault(gpu->name + " has no MIG");
  if (!legal && !known.empty()) {
    node.fault(fmt::format("{} has no MIG size {}; known: {}", gpu->name, *slices,
                           fmt::join(known, ", ")));
  }
  return {ShareKind::kMig, static_cast<double>(slices.value_or(1))};
}

// One of "mig", "share_pct", "sms", or none of them: the whole GPU.
Share read_share(JsonObject& object, const GpuType* gpu) {
  const auto mig = object.get("mig");
  const auto percent = object.get("share_pct");
  const auto sms = object.get("sms");
  if (int{mig.has_value()} + int{percent.has_value()} + int{sms.has_value()} > 1) {
    object.node().fault("give at most one of mig, share_pct and sms");
    return {};
  }
  if (mig) return read_mig(*mig, gpu);
  if (percent) return {ShareKind::kPercent, percent->positive(100).value_or(100)};
  if (sms) {
    const int most = gpu != nullptr && gpu->sms > 0 ? gpu->sms : kMostSms;
    return {ShareKind::kSms, static_cast<double>(sms->integer(1, most).value_or(1))};
  }
  return {};
}

std::vector<double> read_samples(const JsonNode& node) {
  std::vector<double> samples;
  for (const JsonNode& item : node.items()) {
    if (const auto value = item.positive(kLongestLatencyMs)) samples.push_back(*value);
  }
  if (node.value().is_array() && node.value().empty()) {
    node.fault("must not be empty; leave it out where there are no samples");
  }
  std::sort(samples.begin(), samples.end());
  return samples;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

LatencyPoint read_point(const JsonNode& node, const GpuType* gpu) {
  LatencyPoint point;
  JsonObject object(node);
  point.share = read_share(object, gpu);
  point.processes = read_count(object.get("processes"), kMostProcesses);
  point.batch = read_count(object.require("batch"), kLargestBatch);
  if (const auto samples = object.get("samples_ms")) point.samples_ms = read_samples(*samples);
  // With samples, their mean is the latency unless something else is said.
  const auto latency =
      point.samples_ms.empty() ? object.require("latency_ms") : object.get("latency_ms");
  if (latency) point.latency_ms = latency->positive(kLongestLatencyMs).value_or(1);
  if (!latency && !point.samples_ms.empty()) point.latency_ms = mean_of(point.samples_ms);
  for (const OptionalColumn& column : kOptionalColumns) {
    point.*column.member = read_optional(object, column.key, column.low, column.high);
  }
  if (const auto text = object.get("suspicion")) point.suspicion = text->string().value_or("");
  object.finish();
  return point;
}

void read_points(const JsonNode& node, const GpuType* gpu, Profile& profile) {
  const std::vector<JsonNode> items = node.items();
  const auto before = [](const LatencyPoint& a, const LatencyPoint& b) {
    return point_before(a, b);
  };
  std::set<LatencyPoint, decltype(before)> points(before);
  for (const JsonNode& item : items) {
    const std::size_t faults_before = item.faults().size();
    LatencyPoint point = read_point(item, gpu);
    if (item.faults().size() > faults_before) continue;
    const std::string name =
        fmt::format("batch {} on {} with {} process{}", point.batch, to_string(point.share),
                    point.processes, point.processes == 1 ? "" : "es");
    if (!points.insert(std::move(point)).second) item.fault("a second point for " + name);
  }
  profile.points.assign(points.begin(), points.end());
}

void read_linear(JsonObject& object, Profile& profile) {
  Profile::Linear linear;
  if (const auto fixed = object.require("fixed_ms")) {
    linear.fixed_ms = fixed->number(0, kLongestLatencyMs).value_or(1);
  }
  if (const auto per_item = object.require("per_item_ms")) {
    linear.per_item_ms = per_item->number(0, kLongestLatencyMs).value_or(1);
  }
  linear.max_batch = read_count(object.require("max_batch"), kLargestBatch);
  if (linear.fixed_ms == 0 && linear.per_item_ms == 0) {
    object.node().fault("fixed_ms and per_item_ms are both 0; a batch must take some time");
  }
  profile.linear = linear;
}

void read_latency(const JsonNode& node, const GpuType* gpu, Profile& profile) {
  JsonObject object(node);
  const auto points = object.get("points");
  const auto interpolation = object.get("interpolation");
  if (points) {
    read_points(*points, gpu, profile);
  } else if (object.is_object()) {
    read_linear(object, profile);
    if (interpolation) interpolation->fault("only points have an interpolation");
  }
  if (points && interpolation) {
    const auto name = interpolation->name_of("interpolation", interpolation_names());
    const auto& names = interpolation_names();
    const auto found = std::find(names.begin(), names.end(), name.value_or("none"));
    profile.interpolation = static_cast<Interpolation>(found - names.begin());
  }
  if (points && points->value().is_array() && points->value().empty() &&
      profile.interpolation != Interpolation::kIgniter) {
    points->fault("must have at least one point, unless the interpolation is igniter");
  }
  object.finish();
}

void read_variability(const JsonNode& node, Profile& profile) {
  JsonObject object(node);
  const auto kind = object.require("kind");
  const auto name = kind ? kind->name_of("variability", variability_names()) : std::nullopt;
  const auto cv = object.get("cv");
  if (name) {
    const auto& names = variability_names();
    profile.variability.kind = static_cast<Variability::Kind>(
        std::find(names.begin(), names.end(), *name) - names.begin());
    const bool wants_cv = *name == "lognormal" || *name == "gamma";
    if (wants_cv && !cv) object.node().fault(*name + " needs the key \"cv\"");
    if (!wants_cv && cv) cv->fault("only lognormal and gamma have a cv");
    const bool has_samples =
        std::any_of(profile.points.begin(), profile.points.end(),
                    [](const LatencyPoint& point) { return !point.samples_ms.empty(); });
    if (*name == "empirical" && !has_samples) {
      kind->fault("empirical needs samples_ms in at least one point");
    }
  }
  if (cv) profile.variability.cv = cv->positive(kLargestCv).value_or(1);
  object.finish();
}

IgniterModel read_igniter(const JsonNode& node) {
  IgniterModel model;
  JsonObject object(node);
  for (const IgniterField& field : igniter_fields()) {
    const auto value = object.require(field.key);
    if (value) field.of(model) = value->number(field.low, field.high).value_or(1);
  }
  if (const auto batch = object.get("max_batch"))
    model.max_batch = read_count(batch, kLargestBatch);
  object.finish();
  return model;
}

CoRun read_co_run(const JsonNode& node) {
  CoRun run;
  JsonObject object(node);
  if (const auto other = object.require("other")) run.other = other->string().value_or("");
  run.batch = read_count(object.require("batch"), kLargestBatch);
  run.other_batch = read_count(object.require("other_batch"), kLargestBatch);
  if (const auto share = object.get("share_pct")) run.share_pct = share->positive(100).value_or(50);
  if (const auto share = object.get("other_share_pct")) {
    run.other_share_pct = share->positive(100).value_or(50);
  }
  if (const auto factor = object.require("slowdown")) {
    run.slowdown = factor->number(kLeastMeasuredSlowdown, kLargestSlowdown).value_or(1);
  }
  object.finish();
  return run;
}

Kernel read_kernel(const JsonNode& node) {
  Kernel kernel;
  JsonObject object(node);
  const auto whole = [&](const char* key, std::uint32_t low, std::uint32_t high) {
    const auto value = object.require(key);
    return static_cast<std::uint32_t>(value ? value->integer(low, high).value_or(low) : low);
  };
  kernel.batch = whole("batch", 1, kLargestBatch);
  if (const auto name = object.require("name")) kernel.name = name->string().value_or("");
  kernel.grid = whole("grid", 1, kMostBlocks);
  kernel.threads = whole("threads", 1, kMostThreads);
  kernel.registers = whole("registers", 0, kMostRegisters);
  kernel.shared_memory = whole("shared_memory", 0, kMostSharedMemory);
  if (const auto duration = object.require("duration_us")) {
    kernel.duration_us = duration->positive(kLongestKernelUs).value_or(1);
  }
  object.finish();
  return kernel;
}

std::vector<Kernel> read_kernels(const JsonNode& node) {
  std::vector<Kernel> kernels;
  for (const JsonNode& item : node.items()) kernels.push_back(read_kernel(item));
  std::ranges::stable_sort(kernels, {}, &Kernel::batch);
  return kernels;
}

Provenance read_provenance(const JsonNode& node) {
  Provenance p;
  // A word alone is its kind.
  if (node.value().is_string()) {
    p.kind = node.string().value_or("");
    return p;
  }
  JsonObject object(node);
  const auto text = [&](const char* key) {
    const auto value = object.get(key);
    return value ? value->string().value_or("") : std::string();
  };
  p.kind = text("kind");
  p.device = text("device");
  p.driver = text("driver");
  p.framework = text("framework");
  p.date = text("date");
  p.command = text("command");
  p.source = text("source");
  if (const auto n = object.get("repetitions")) {
    p.repetitions = static_cast<std::uint32_t>(n->integer(0, 1'000'000'000).value_or(0));
  }
  object.finish();
  return p;
}

Json share_to_json(const Share& share, Json json) {
  if (share.kind == ShareKind::kMig) json["mig"] = static_cast<int>(share.amount);
  if (share.kind == ShareKind::kPercent) json["share_pct"] = share.amount;
  if (share.kind == ShareKind::kSms) json["sms"] = static_cast<int>(share.amount);
  return json;
}

Json point_to_json(const LatencyPoint& point) {
  Json json = share_to_json(point.share, Json::object());
  if (point.processes != 1) json["processes"] = point.processes;
  json["batch"] = point.batch;
  json["latency_ms"] = point.latency_ms;
  if (!point.samples_ms.empty()) json["samples_ms"] = point.samples_ms;
  for (const OptionalColumn& column : kOptionalColumns) {
    if (point.*column.member) json[column.key] = *(point.*column.member);
  }
  if (!point.suspicion.empty()) json["suspicion"] = point.suspicion;
  return json;
}

Json latency_to_json(const Profile& profile) {
  if (profile.linear) {
    return {{"fixed_ms", profile.linear->fixed_ms},
            {"per_item_ms", profile.linear->per_item_ms},
            {"max_batch", profile.linear->max_batch}};
  }
  Json points = Json::array();
  for (const LatencyPoint& point : profile.points) points.push_back(point_to_json(point));
  return {
      {"points", std::move(points)},
      {"interpolation", interpolation_names()[static_cast<std::size_t>(profile.interpolation)]}};
}

Json igniter_to_json(IgniterModel model) {
  Json json = Json::object();
  for (const IgniterField& field : igniter_fields()) json[field.key] = field.of(model);
  json["max_batch"] = model.max_batch;
  return json;
}

Json co_runs_to_json(const std::vector<CoRun>& co_runs) {
  Json json = Json::array();
  for (const CoRun& run : co_runs) {
    json.push_back({{"other", run.other},
                    {"batch", run.batch},
                    {"other_batch", run.other_batch},
                    {"share_pct", run.share_pct},
                    {"other_share_pct", run.other_share_pct},
                    {"slowdown", run.slowdown}});
  }
  return json;
}

Json kernels_to_json(const std::vector<Kernel>& kernels) {
  Json json = Json::array();
  for (const Kernel& kernel : kernels) {
    json.push_back({{"batch", kernel.batch},
                    {"name", kernel.name},
                    {"grid", kernel.grid},
                    {"threads", kernel.threads},
                    {"registers", kernel.registers},
                    {"shared_memory", kernel.shared_memory},
                    {"duration_us", kernel.duration_us}});
  }
  return json;
}

Json provenance_to_json(const Provenance& p) {
  Json json = Json::object();
  const auto text = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  text("kind", p.kind);
  text("device", p.device);
  text("driver", p.driver);
  text("framework", p.framework);
  text("date", p.date);
  text("command", p.command);
  text("source", p.source);
  if (p.repetitions > 0) json["repetitions"] = p.repetitions;
  return json;
}

}  // namespace

std::optional<Profile> read_profile(const JsonNode& node, const std::vector<GpuType>& gpu_types) {
  const std::size_t faults_before = node.faults().size();
  Profile profile;
  JsonObject object(node);
  if (const auto model = object.require("model")) profile.model = model->string().value_or("");
  const GpuType* gpu = nullptr;
  if (const auto name = object.require("gpu")) {
    profile.gpu = name->name_of("GPU type", gpu_type_names(gpu_types)).value_or("");
    gpu = find_gpu_type(profile.gpu, gpu_types);
  }
  if (const auto latency = object.require("latency")) read_latency(*latency, gpu, profile);
  if (const auto scatter = object.get("variability")) read_variability(*scatter, profile);
  profile.memory_mib = read_optional(object, "memory_mib", 0, kMostMemoryMib);
  profile.memory_per_item_mib = read_optional(object, "memory_per_item_mib", 0, kMostMemoryMib);
  profile.weights_mib = read_optional(object, "weights_mib", 0, kMostMemoryMib);
  profile.load_ms = read_optional(object, "load_ms", 0, kLongestLatencyMs);
  profile.launches = read_optional(object, "launches", 1, kMostKernels);
  profile.interference_factor = read_optional(object, "interference_factor", 1, kLargestSlowdown);
  if (const auto model = object.get("igniter")) profile.igniter = read_igniter(*model);
  if (profile.interpolation == Interpolation::kIgniter && !profile.igniter) {
    node.fault("the interpolation igniter needs the key \"igniter\"");
  }
  if (const auto runs = object.get("co_runs")) {
    for (const JsonNode& item : runs->items()) profile.co_runs.push_back(read_co_run(item));
  }
  if (const auto kernels = object.get("kernels")) profile.kernels = read_kernels(*kernels);
  profile.provenance.kind = "by hand";
  if (const auto provenance = object.get("provenance")) {
    profile.provenance = read_provenance(*provenance);
  }
  object.finish();
  if (node.faults().size() > faults_before) return std::nullopt;
  return profile;
}

Json to_json(const Profile& profile) {
  Json json{{"model", profile.model}, {"gpu", profile.gpu}, {"latency", latency_to_json(profile)}};
  if (profile.variability.kind != Variability::Kind::kNone) {
    json["variability"] = {
        {"kind", variability_names()[static_cast<std::size_t>(profile.variability.kind)]}};
    if (profile.variability.cv > 0) json["variability"]["cv"] = profile.variability.cv;
  }
  const auto number = [&](const char* key, const std::optional<double>& value) {
    if (value) json[key] = *value;
  };
  number("memory_mib", profile.memory_mib);
  number("memory_per_item_mib", profile.memory_per_item_mib);
  number("weights_mib", profile.weights_mib);
  number("load_ms", profile.load_ms);
  number("launches", profile.launches);
  number("interference_factor", profile.interference_factor);
  if (profile.igniter) json["igniter"] = igniter_to_json(*profile.igniter);
  if (!profile.co_runs.empty()) json["co_runs"] = co_runs_to_json(profile.co_runs);
  if (!profile.kernels.empty()) json["kernels"] = kernels_to_json(profile.kernels);
  json["provenance"] = provenance_to_json(profile.provenance);
  return json;
}

}  // namespace tangram
