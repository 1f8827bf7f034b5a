// Splits one total rate over the workloads that have no rate of their own.
#include <algorithm>

#include <fmt/format.h>

#include "sim/core/stable_math.h"
#include "sim/scenario/detail/sections.h"
#include "sim/scenario/keys.h"

namespace tangram {
namespace {

// A workload that takes a share: its place in the scenario and the name that weights go by.
struct Sharer {
  std::size_t index;
  std::string name;
};

std::vector<Sharer> sharers_of(const std::vector<JsonNode>& workloads) {
  std::vector<Sharer> sharers;
  for (std::size_t i = 0; i < workloads.size(); ++i) {
    const Json& workload = workloads[i].value();
    if (!workload.is_object() || !takes_share(workload.value("arrivals", Json()))) continue;
    const Json model = workload.value("model", workload.value("application", Json()));
    const Json name = workload.value("name", model);
    sharers.push_back({i, name.is_string() ? name.get<std::string>() : ""});
  }
  return sharers;
}

// Weights of equal requests/s for s = 0; the k-th of the scenario's has weight k^-s.
std::vector<double> zipf_weights(double s, std::size_t count) {
  std::vector<double> weights(count);
  for (std::size_t k = 1; k <= count; ++k) {
    weights[k - 1] = stable::exp(-s * stable::log(static_cast<double>(k)));
  }
  return weights;
}

std::vector<double> named_weights(const JsonNode& node, const std::vector<Sharer>& sharers) {
  std::vector<double> weights;
  JsonObject object(node);
  for (const Sharer& sharer : sharers) {
    const auto weight = object.require(sharer.name);
    weights.push_back(weight ? weight->positive(1e9).value_or(1) : 1);
  }
  object.finish();
  return weights;
}

}  // namespace

std::vector<std::optional<double>> read_popularity(const std::optional<JsonNode>& node,
                                                   const std::vector<JsonNode>& workloads) {
  std::vector<std::optional<double>> shares(workloads.size());
  KeyReader keys(node, "/popularity");
  if (!node) return shares;
  const double rate = keys.optional_number("rate_rps").value_or(1);
  const auto kind = keys.name("kind");
  const bool is_zipf = kind == 0U;
  const bool is_weighted = kind == 1U;
  const double s = keys.number("s");
  const auto given = keys.node("weights");
  keys.finish();
  if (is_weighted && keys.has("s")) node->fault("\"s\" belongs to the kind \"zipf\"");
  if (is_zipf && given) node->fault("\"weights\" belongs to the kind \"weights\"");
  if (is_weighted && !given) node->fault("the kind \"weights\" needs \"weights\"");

  const std::vector<Sharer> sharers = sharers_of(workloads);
  if (sharers.empty()) {
    node->fault("no workload takes a share: leave \"rate_rps\" out of its \"arrivals\"");
    return shares;
  }
  const std::vector<double> weights =
      is_weighted && given ? named_weights(*given, sharers) : zipf_weights(s, sharers.size());
  double total = 0;
  for (const double weight : weights) total += weight;
  for (std::size_t i = 0; i < sharers.size(); ++i) {
    shares[sharers[i].index] = rate * weights[i] / total;
  }
  return shares;
}

}  // namespace tangram
