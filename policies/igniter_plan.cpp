// Plans of iGniter's planner: it writes a file config_gpuN.json for each GPU, one object of five
// lists with an entry for each workload there. Here they are the lines of one text.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "policies/detail/plan_limits.h"
#include "policies/plan_io.h"

namespace tangram {
namespace {

// The part of the SLO that the original plans for, and writes.
constexpr double kSloPart = 0.5;
constexpr double kSameMs = 1e-6;
// What the original appends to a model's name.
constexpr std::string_view kSuffix = "_dynamic";

struct Document {
  std::string_view text;
  std::size_t line = 1;
};

// The top-level objects of a text, however they are separated: the original's files have no line
// end, so that joining them puts one object right behind the other. Braces inside strings do not
// count. What does not close is the last one.
std::vector<Document> documents_of(std::string_view text) {
  std::vector<Document> documents;
  std::size_t line = 1;
  std::size_t begin = 0;
  std::size_t begin_line = 1;
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (depth == 0 && begin == i && is_blank) {
      begin = i + 1;
      begin_line = line;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth <= 0) {
      documents.push_back({text.substr(begin, i + 1 - begin), begin_line});
      begin = i + 1;
      begin_line = line;
      depth = 0;
    }
  }
  if (begin < text.size()) documents.push_back({text.substr(begin), begin_line});
  return documents;
}

class IgniterReader {
 public:
  IgniterReader(const std::string& gpu_type, const std::vector<Workload>& workloads)
      : gpu_type_(gpu_type), workloads_(workloads), is_taken_(workloads.size(), false) {
    for (const Workload& workload : workloads) models_.push_back(workload.model);
    std::sort(models_.begin(), models_.end());
    models_.erase(std::unique(models_.begin(), models_.end()), models_.end());
  }

  void read(const JsonNode& node) {
    PlanGpu gpu{static_cast<std::uint32_t>(gpus_.size()), gpu_type_, GpuMode::kMps, {}};
    JsonObject object(node);
    std::array<std::vector<JsonNode>, kLists.size()> lists;
    for (std::size_t l = 0; l < kLists.size(); ++l) {
      if (const auto list = object.require(kLists[l])) lists[l] = list->items();
      if (!object.is_object() || lists[l].size() == lists[0].size()) continue;
      node.fault(fmt::format("\"{}\" has {} entries, and \"{}\" has {}", kLists[l], lists[l].size(),
                             kLists[0], lists[0].size()));
      return;
    }
    object.finish();
    for (std::size_t i = 0; i < lists[0].size(); ++i) {
      read_entry({&lists[0][i], &lists[1][i], &lists[2][i], &lists[3][i], &lists[4][i]}, gpu);
    }
    gpus_.push_back(std::move(gpu));
  }

  std::vector<PlanGpu> gpus() { return std::move(gpus_); }

 private:
  static constexpr std::array<const char*, 5> kLists{"models", "rates", "slos", "resources",
                                                     "batches"};

  void read_entry(const std::array<const JsonNode*, kLists.size()>& cells, PlanGpu& gpu) {
    const auto model = model_of(*cells[0]);
    const auto rate = cells[1]->number(0, detail::kHighestPlannedRps);
    const auto slo_ms = cells[2]->positive(detail::kLongestPlannedMs);
    const auto share = cells[3]->positive(detail::kLargestReleasedShare);
    const auto batch = cells[4]->integer(1, detail::kLargestPlannedBatch);
    if (!model || !rate || !slo_ms || !share || !batch) return;
    PlanReplica replica;
    replica.workload = workload_of(*cells[0], *model, *slo_ms, *rate);
    if (replica.workload.empty()) return;
    replica.model = *model;
    replica.batch = static_cast<std::uint32_t>(*batch);
    replica.rate_rps = *rate;
    PlanPartition partition;
    partition.share_pct = std::min(*share, 100.0);
    if (*share > 100) partition.released_share_pct = *share;
    partition.replicas.push_back(std::move(replica));
    gpu.partitions.push_back(std::move(partition));
  }

  std::optional<std::string> model_of(const JsonNode& node) const {
    std::optional<std::string> name = node.string();
    if (!name || std::binary_search(models_.begin(), models_.end(), *name)) return name;
    if (name->ends_with(kSuffix)) {
      const std::string stem = name->substr(0, name->size() - kSuffix.size());
      if (std::binary_search(models_.begin(), models_.end(), stem)) return stem;
    }
    node.fault(unknown_name("model", *name, models_));
    return std::nullopt;
  }

  // The format names models. Where several workloads have that model, the SLO tells them apart,
  // then the rate; of workloads alike in all three, each is taken once before one is taken again.
  std::string workload_of(const JsonNode& node,
                          const std::string& model,
                          double slo_ms,
                          double rate_rps) {
    std::vector<std::size_t> known;
    for (std::size_t w = 0; w < workloads_.size(); ++w) {
      if (workloads_[w].model == model) known.push_back(w);
    }
    narrow(known, [&](std::size_t w) {
      return std::abs(to_ms(workloads_[w].slo) * kSloPart - slo_ms) <= kSameMs;
    });
    narrow(known, [&](std::size_t w) { return workloads_[w].arrivals.rate_rps == rate_rps; });
    const bool all_alike = std::all_of(known.begin(), known.end(), [&](std::size_t w) {
      return workloads_[w].slo == workloads_[known.front()].slo &&
             workloads_[w].arrivals.rate_rps == workloads_[known.front()].arrivals.rate_rps;
    });
    if (known.size() > 1 && !all_alike) {
      node.fault(
          fmt::format("{} workloads run {}, and neither an SLO of {:g} ms nor {:g} requests/s "
                      "says which is meant",
                      known.size(), model, slo_ms / kSloPart, rate_rps));
      return "";
    }
    narrow(known, [&](std::size_t w) { return !is_taken_[w]; });
    is_taken_[known.front()] = true;
    return workloads_[known.front()].name;
  }

  // Keeps those that satisfy it, if any does.
  template <typename Predicate>
  static void narrow(std::vector<std::size_t>& known, Predicate keep) {
    std::vector<std::size_t> kept;
    std::copy_if(known.begin(), known.end(), std::back_inserter(kept), keep);
    if (!kept.empty()) known = std::move(kept);
  }

  const std::string& gpu_type_;
  const std::vector<Workload>& workloads_;
  std::vector<bool> is_taken_;
  std::vector<std::string> models_;  // ascending
  std::vector<PlanGpu> gpus_;
};

// 400 rather than 400.0, as the original writes what it was given.
Json number(double value) {
  if (value == std::trunc(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
  return value;
}

const PlanReplica& replica_for_igniter(const PlanGpu& gpu, const PlanPartition& partition) {
  const auto refuse = [&](const char* why) {
    throw NoAnswer(
        fmt::format("the iGniter format cannot say this plan: on GPU {}, {}", gpu.index, why));
  };
  if (gpu.mode != GpuMode::kMps || !partition.share_pct)
    refuse("a partition is no share under MPS");
  if (partition.replicas.size() != 1) refuse("a partition does not have exactly one replica");
  const PlanReplica& replica = partition.replicas.front();
  if (replica.processes != 1) refuse("a replica has several processes");
  if (!replica.batch) refuse("a replica has no planned batch");
  if (!replica.rate_rps) refuse("a replica has no planned rate");
  return replica;
}

}  // namespace

std::string to_igniter(const Plan& plan, const std::vector<Workload>& workloads) {
  std::map<std::string, double> slo_ms;
  for (const Workload& workload : workloads) slo_ms[workload.name] = to_ms(workload.slo);
  std::string text;
  for (const PlanGpu& gpu : plan.gpus) {
    Json models = Json::array(), rates = Json::array(), slos = Json::array();
    Json resources = Json::array(), batches = Json::array();
    for (const PlanPartition& partition : gpu.partitions) {
      const PlanReplica& replica = replica_for_igniter(gpu, partition);
      models.push_back(replica.model);
      rates.push_back(number(*replica.rate_rps));
      slos.push_back(slo_ms.at(replica.workload) * kSloPart);
      resources.push_back(partition.released_share_pct.value_or(*partition.share_pct));
      batches.push_back(*replica.batch);
    }
    const Json line{{"models", std::move(models)},
                    {"rates", std::move(rates)},
                    {"slos", std::move(slos)},
                    {"resources", std::move(resources)},
                    {"batches", std::move(batches)}};
    text += line.dump() + '\n';
  }
  return text;
}

Plan parse_igniter_plan(const std::string& text,
                        const std::string& name,
                        const std::string& gpu_type,
                        const std::vector<Workload>& workloads,
                        Faults& faults) {
  Plan plan;
  plan.planner = "imported";
  IgniterReader reader(gpu_type, workloads);
  const std::vector<Document> documents = documents_of(text);
  if (documents.empty()) faults.add(name, "the file is empty; it has an object for each GPU");
  for (const Document& document : documents) {
    const std::string place = fmt::format("{}:{}", name, document.line);
    if (const auto json = parse_json(document.text, place, faults)) {
      reader.read(JsonNode(*json, place, faults));
    }
  }
  plan.gpus = reader.gpus();
  return plan;
}

}  // namespace tangram
