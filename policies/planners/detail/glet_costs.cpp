// The released gpulet scheduler's tables. Facts of its configuration files (numbers, memory,
// inputs) are those of casys-kaist/glet, USENIX ATC 2022.
#include "policies/planners/detail/glet_costs.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "profiles/gpu_type.h"

namespace tangram::detail {
namespace {

// Input images of 224 x 224 and 300 x 300 pixels in single precision, digits of 28 x 28, and 14
// tokens of 8 bytes.
constexpr int kImage224 = 3 * 224 * 224 * 4;
constexpr int kImage300 = 3 * 300 * 300 * 4;
constexpr int kDigit = 28 * 28 * 4;
constexpr int kTokens = 14 * 8;

struct Known {
  const char* name;
  int memory_mb;
  int bytes;
};
// In the order of the original's numbers, from 0.
constexpr std::array<Known, 14> kKnown{{{"lenet1", 50, kDigit},
                                        {"lenet2", 50, kDigit},
                                        {"lenet3", 50, kDigit},
                                        {"lenet4", 50, kDigit},
                                        {"lenet5", 50, kDigit},
                                        {"lenet6", 50, kDigit},
                                        {"googlenet", 1720, kImage224},
                                        {"resnet50", 1820, kImage224},
                                        {"ssd-mobilenetv1", 640, kImage300},
                                        {"vgg16", 2920, kImage224},
                                        {"mnasnet1_0", 1550, kImage224},
                                        {"mobilenet_v2", 464, kImage224},
                                        {"densenet161", 1220, kImage224},
                                        {"bert", 500, kTokens}}};

GletModel model_of(const std::string& name,
                   const std::set<std::string>& others,
                   const ProfileSet& profiles,
                   const std::string& gpu) {
  GletModel model;
  model.name = name;
  const auto known =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& k) { return name == k.name; });
  if (known != kKnown.end()) {
    model.id = static_cast<int>(known - kKnown.begin());
    model.memory_mb = known->memory_mb;
    model.bytes_per_request = known->bytes;
    return model;
  }
  model.id = static_cast<int>(kKnown.size()) +
             static_cast<int>(std::distance(others.begin(), others.find(name)));
  const Profile* profile = profiles.find(name, gpu);
  if (profile != nullptr) model.memory_mb = static_cast<int>(profile->memory_mib.value_or(0));
  return model;
}

int memory_of(const std::string& name, const std::vector<GpuType>& own) {
  if (name == "2080ti") return 11000;
  if (name == "3080") return 10200;
  const GpuType* type = find_gpu_type(name, own);
  if (type == nullptr || !type->memory_gib) return std::numeric_limits<int>::max() / 2;
  return static_cast<int>(*type->memory_gib * 1024);
}

// The original has one table for the six copies of lenet.
const Profile* profile_of(const ProfileSet& profiles,
                          const std::string& model,
                          const std::string& gpu) {
  if (model.starts_with("lenet")) {
    if (const Profile* first = profiles.find("lenet1", gpu)) return first;
  }
  return profiles.find(model, gpu);
}

std::optional<int> percent_of(const LatencyPoint& point) {
  if (point.processes != 1) return std::nullopt;
  if (point.share.kind == ShareKind::kWhole) return 100;
  if (point.share.kind != ShareKind::kPercent) return std::nullopt;
  const int percent = static_cast<int>(point.share.amount);
  return percent == point.share.amount ? std::optional(percent) : std::nullopt;
}

}  // namespace

const std::array<double, 5>& glet_coefficients(const std::string& gpu) {
  static const std::array<double, 5> of_2080ti{0.11290838746224496, 0.7159598718755424,
                                               0.35486591956022895, 0.0882038259888065,
                                               0.8953693917277343};
  // As printed in the specification, to three decimals: its neighbours hardly matter.
  static const std::array<double, 5> of_3080{-0.180, 0.038, 0.126, -0.056, 1.018};
  return gpu == "3080" ? of_3080 : of_2080ti;
}

GletCosts::GletCosts(const PlanningProblem& problem,
                     const std::vector<int>& sizes,
                     double latency_ratio)
    : ratio_(static_cast<float>(latency_ratio)) {
  std::set<std::string> types;
  for (const GpuGroup& group : problem.cluster.gpus) types.insert(group.type);
  types_.assign(types.begin(), types.end());
  std::set<std::string> others;
  for (const Workload& workload : problem.workloads) {
    const auto known = std::find_if(kKnown.begin(), kKnown.end(),
                                    [&](const Known& k) { return workload.model == k.name; });
    if (known == kKnown.end()) others.insert(workload.model);
  }
  for (const Workload& workload : problem.workloads) {
    models_.push_back(model_of(workload.model, others, problem.profiles, types_.front()));
  }
  for (const std::string& type : types_) {
    memory_mb_.push_back(memory_of(type, problem.cluster.own_types));
    for (const GletModel& model : models_) {
      const Profile* profile = profile_of(problem.profiles, model.name, type);
      if (profile == nullptr) {
        throw NoAnswer(fmt::format("no profile of {} on {}", model.name, type));
      }
      tables_.push_back(read_table(*profile, sizes));
    }
  }
}

GletCosts::Table GletCosts::read_table(const Profile& profile,
                                       const std::vector<int>& sizes) const {
  Table result;
  for (const LatencyPoint& point : profile.points) {
    const std::optional<int> size = percent_of(point);
    if (!size || point.batch > kGletBatches) continue;
    const int batch = static_cast<int>(point.batch);
    result.curves[*size].ms.try_emplace(batch, static_cast<float>(point.latency_ms));
    if (*size == 100 && point.l2_utilisation && point.dram_utilisation) {
      result.use[batch] = {*point.l2_utilisation, *point.dram_utilisation};
    }
  }
  const auto has = [&](int size, int batch) {
    const auto curve = result.curves.find(size);
    return curve != result.curves.end() && curve->second.ms.contains(batch);
  };
  for (const auto& [size, curve] : result.curves) {
    if (result.smallest == 0 && has(size, 1)) result.smallest = size;
    if (has(size, kGletBatches)) result.largest = size;
  }
  std::set<int> needed(sizes.begin(), sizes.end());
  if (result.smallest > 0) needed.insert(result.smallest);
  if (result.largest > 0) needed.insert(result.largest);
  for (const int size : needed) {
    if (has(size, 1) && has(size, kGletBatches)) continue;
    throw NoAnswer(fmt::format(
        "the released program needs latencies of {} on {} at batches 1 and 32 for each of the "
        "shares 20, 40, 50, 60, 80 and 100 %, or it reads zeros or never ends; {} % lacks them",
        profile.model, profile.gpu, size));
  }
  for (const double ms : profile.batching_ms) result.batching.push_back(static_cast<float>(ms));
  return result;
}

// Linear between the profiled batches around it. Requires: rows for batches 1 and 32.
float GletCosts::on_curve(const Curve& curve, int batch) {
  const auto above = curve.ms.upper_bound(batch);
  const auto below = std::prev(above);
  if (above == curve.ms.end()) return below->second;
  const float slope =
      (above->second - below->second) / static_cast<float>(above->first - below->first);
  return slope * static_cast<float>(batch - below->first) + below->second;
}

float GletCosts::profiled_ms(std::size_t type, std::size_t model, int batch, int size) const {
  TANGRAM_CHECK(batch >= 1 && batch <= kGletBatches, "no such batch: ", batch);
  const Table& known = table(type, model);
  const auto curve = known.curves.find(size);
  TANGRAM_CHECK(curve != known.curves.end(), "no curve at ", size, " %");
  if (const auto row = curve->second.ms.find(batch); row != curve->second.ms.end()) {
    return row->second;
  }
  const Curve& slow = known.curves.at(known.smallest);
  const Curve& fast = known.curves.at(known.largest);
  const float slowest = on_curve(slow, kGletBatches);
  const float fastest = on_curve(fast, kGletBatches);
  const float weight = (on_curve(curve->second, kGletBatches) - fastest) / (slowest - fastest);
  const float ms = on_curve(fast, batch);
  const float difference = on_curve(slow, batch) - ms;
  return difference * weight + ms;
}

float GletCosts::batching_ms(std::size_t type, std::size_t model, int batch) const {
  const std::vector<float>& ms = table(type, model).batching;
  const auto index = static_cast<std::size_t>(batch) - 1;
  return index < ms.size() ? ms[index] : 0;
}

// L2 and DRAM use on this partition: linear between powers of two, times the partition's size.
std::array<double, 2> GletCosts::use_of(std::size_t type, const Running& running) const {
  const auto& use = table(type, running.model).use;
  int below = 1;
  while (below * 2 <= running.batch) below *= 2;
  const int above = std::min(kGletBatches, below * 2);
  const double part =
      above == below ? 1.0 : static_cast<double>(running.batch - below) / (above - below);
  const auto low = use.find(below);
  const auto high = use.find(above);
  if (low == use.end() || high == use.end()) {
    throw NoAnswer(fmt::format(
        "interference needs the L2 and DRAM use of {} on {} at batches {} and {}: its profile does "
        "not state it",
        models_[running.model].name, types_[type], below, above));
  }
  std::array<double, 2> result{};
  for (std::size_t i = 0; i < 2; ++i) {
    const double whole = high->second[i] * part + low->second[i] * (1 - part);
    result[i] = whole * running.size / 100.0;
  }
  return result;
}

float GletCosts::slowdown(std::size_t type, const Running& self, const Running& other) const {
  const std::array<double, 5>& c = glet_coefficients(types_[type]);
  const auto [l2, dram] = use_of(type, self);
  const auto [other_l2, other_dram] = use_of(type, other);
  const auto factor =
      static_cast<float>(c[0] * l2 + c[1] * other_l2 + c[2] * dram + c[3] * other_dram + c[4]);
  return factor > 1 ? factor : 1.0F;
}

}  // namespace tangram::detail
