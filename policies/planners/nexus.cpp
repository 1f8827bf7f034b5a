// Nexus (Shen et al., SOSP'19, section 6.1): squishy bin packing. Whole GPUs while a session fills
// them; the rests share GPUs in duty cycles, in each of which every session runs one batch.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planners/detail/share_pieces.h"

namespace tangram {
namespace {

constexpr double kBatchSlack =
    1e-3;  // of a batch, before it is rounded up; as in the released code
constexpr double kRounding = 1e-9;

// A workload as Nexus sees it.
struct Session {
  std::size_t workload = 0;
  const Profile* profile = nullptr;
  double slo_ms = 0;               // without what the network takes
  std::vector<double> latency_ms;  // by batch from 1
  std::uint32_t saturated = 1;     // b*: the largest batch that takes at most half the SLO

  double latency(std::uint32_t batch) const { return latency_ms[batch - 1]; }
  double throughput_rps() const { return saturated * 1000.0 / latency(saturated); }
};

struct Share {
  const Session* session;
  double rate_rps;
  std::uint32_t batch;
};

// A GPU with its cycle: each of its sessions runs one batch in it.
struct Node {
  double duty_ms = 0;
  std::vector<Share> shares;

  double busy_ms() const {
    double sum = 0;
    for (const Share& share : shares) sum += share.session->latency(share.batch);
    return sum;
  }
  double occupancy() const { return busy_ms() / duty_ms; }
};

// The rest of a session alone on a GPU: the largest batch b that the slowest request of survives,
// (b - 1) / r + l(b) <= SLO, and the cycle in which it gathers.
Node residual(const Session& session, double rate_rps) {
  std::uint32_t batch = 1;
  for (std::uint32_t b = 2; b <= session.saturated; ++b) {
    if ((b - 1) * 1000.0 / rate_rps + session.latency(b) <= session.slo_ms + kRounding) batch = b;
  }
  const double latency = session.latency(batch);
  const double duty = std::min(session.slo_ms - latency, batch * 1000.0 / rate_rps);
  return {std::max(duty, latency), {{&session, rate_rps, batch}}};
}

// Both in the shorter of the two cycles, batches as small as it allows; nullopt: they do not fit.
std::optional<Node> merged(const Node& a, const Node& b, const GpuType& type) {
  Node node{std::min(a.duty_ms, b.duty_ms), a.shares};
  node.shares.insert(node.shares.end(), b.shares.begin(), b.shares.end());
  double memory = 0;
  for (std::size_t i = 0; i < node.shares.size(); ++i) {
    Share& share = node.shares[i];
    for (std::size_t j = 0; j < i; ++j) {
      if (node.shares[j].session == share.session) return std::nullopt;
    }
    const double batch = std::ceil(node.duty_ms * share.rate_rps / 1000 - kBatchSlack);
    if (batch > share.session->saturated) return std::nullopt;
    share.batch = static_cast<std::uint32_t>(std::max(batch, 1.0));
    memory += memory_mib(*share.session->profile, 1, share.batch).value_or(0);
  }
  const std::optional<double> there = memory_of_mib(type, tangram::Share{});
  if (there && memory > *there) return std::nullopt;
  if (node.busy_ms() > node.duty_ms + kRounding) return std::nullopt;
  return node;
}

class Nexus final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::share_type_of(problem);
    std::vector<std::string> reasons(problem.workloads.size());
    const std::vector<Session> sessions = sessions_of(problem, type, reasons);
    std::vector<Node> nodes;
    std::vector<Node> rests;
    for (const Session& session : sessions) {
      double left = *mean_rate(problem.workloads[session.workload].arrivals);
      const double whole = session.throughput_rps();
      while (left >= whole && nodes.size() <= problem.cluster.size()) {
        nodes.push_back(
            {session.latency(session.saturated), {{&session, whole, session.saturated}}});
        left -= whole;
      }
      if (left > whole * kRounding && left < whole) rests.push_back(residual(session, left));
    }
    const bool by_rate = problem.params.choice("order") == "rate";
    std::stable_sort(rests.begin(), rests.end(), [&](const Node& a, const Node& b) {
      return by_rate ? a.shares[0].rate_rps > b.shares[0].rate_rps : a.occupancy() > b.occupancy();
    });
    const std::size_t first_shared = nodes.size();
    for (const Node& rest : rests) add(rest, first_shared, type, nodes);
    return written(problem, type, nodes, reasons);
  }

 private:
  static std::vector<Session> sessions_of(const PlanningProblem& problem,
                                          const GpuType& type,
                                          std::vector<std::string>& reasons) {
    const double multiplier = problem.params.number("profile_multiplier");
    const double network_ms = problem.params.number("network_ms");
    const auto max_batch = static_cast<std::uint32_t>(problem.params.integer("max_batch"));
    std::vector<Session> sessions;
    for (std::size_t w = 0; w < problem.workloads.size(); ++w) {
      const Workload& workload = problem.workloads[w];
      if (!mean_rate(workload.arrivals)) {
        reasons[w] = "its rate is not known";
        continue;
      }
      if (auto why = why_not_run(problem.profiles, workload.model, type, tangram::Share{})) {
        reasons[w] = std::move(*why);
        continue;
      }
      Session session;
      session.workload = w;
      session.profile = problem.profiles.find(workload.model, type.name);
      session.slo_ms = to_ms(workload.slo) - network_ms;
      const std::uint32_t largest =
          std::min(max_batch, usable_batch(*session.profile, tangram::Share{}, 1));
      for (std::uint32_t b = 1; b <= largest; ++b) {
        const std::optional<double> memory = memory_mib(*session.profile, 1, b);
        const std::optional<double> there = memory_of_mib(type, tangram::Share{});
        if (b > 1 && memory && there && *memory > *there) break;
        session.latency_ms.push_back(
            multiplier * std::max(*session.profile->latency_ms(tangram::Share{}, 1, b), 1e-6));
        if (2 * session.latency_ms.back() <= session.slo_ms) session.saturated = b;
      }
      if (session.latency(1) > session.slo_ms) {
        reasons[w] = fmt::format("a batch of 1 counts as {:.4g} ms, and the SLO leaves {:.4g} ms",
                                 session.latency(1), session.slo_ms);
        continue;
      }
      sessions.push_back(std::move(session));
    }
    return sessions;
  }

  // The shared GPU that is fullest with the rest on it, the first of equals, or one more.
  static void add(const Node& rest,
                  std::size_t first_shared,
                  const GpuType& type,
                  std::vector<Node>& nodes) {
    std::optional<Node> best;
    std::size_t chosen = nodes.size();
    for (std::size_t n = first_shared; n < nodes.size(); ++n) {
      std::optional<Node> node = merged(nodes[n], rest, type);
      if (!node || (best && node->occupancy() <= best->occupancy())) continue;
      best = std::move(node);
      chosen = n;
    }
    if (best) {
      nodes[chosen] = std::move(*best);
    } else {
      nodes.push_back(rest);
    }
  }

  static Plan written(const PlanningProblem& problem,
                      const GpuType& type,
                      const std::vector<Node>& nodes,
                      const std::vector<std::string>& reasons) {
    Plan plan;
    plan.planner = "nexus";
    const std::vector<std::uint32_t> indices = detail::indices_of(problem.cluster, type.name);
    std::vector<double> carried(problem.workloads.size(), 0.0);
    for (std::size_t n = 0; n < std::min(nodes.size(), indices.size()); ++n) {
      PlanPartition whole;
      for (const Share& share : nodes[n].shares) {
        const Workload& workload = problem.workloads[share.session->workload];
        PlanReplica replica;
        replica.workload = workload.name;
        replica.model = workload.model;
        replica.batch = share.batch;
        replica.rate_rps = share.rate_rps;
        replica.duty_ms = nodes[n].duty_ms;
        whole.replicas.push_back(std::move(replica));
        carried[share.session->workload] += share.rate_rps;
      }
      plan.gpus.push_back({indices[n], type.name, GpuMode::kWhole, {std::move(whole)}});
    }
    detail::list_unserved(problem, type, carried, reasons, plan);
    return plan;
  }
};

}  // namespace

PlannerEntry nexus_planner() {
  return {
      {"nexus",
       "whole GPUs, and GPUs shared in duty cycles, by squishy bin packing",
       "Nexus (Shen et al., SOSP'19), section 6.1; constants of its released code; "
       "docs/model/planners/nexus.md",
       {number_param("profile_multiplier", 1.15, 0.1, 10,
                     "profiled latencies count as so many times as long"),
        number_param("network_ms", 2, 0, 1e6, "taken off every SLO"),
        integer_param("max_batch", 4096, 1, 1'000'000, "largest batch"),
        choice_param("order", "occupancy", {"occupancy", "rate"},
                     "what the rests are placed by, largest first: part of the cycle (paper) or "
                     "requests/s (released code)")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Nexus>(); }};
}

}  // namespace tangram
