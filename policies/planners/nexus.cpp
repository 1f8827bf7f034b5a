// Nexus (Shen et al., SOSP'19, section 6.1): squishy bin packing. Whole GPUs while a session fills
// them; the rests share GPUs in duty cycles, in each of which every session runs one batch. During
// a run it goes on from the plan that there is.
#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/placement.h"
#include "policies/planners/detail/nexus_epoch.h"
#include "policies/planners/detail/share_pieces.h"
#include "policies/planners/detail/squishy_bins.h"

namespace tangram {
namespace {

using detail::NexusEpochOptions;
using detail::SquishyGpu;
using detail::SquishyOrder;
using detail::SquishySession;
using detail::SquishyShare;

class NexusPlanner final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::share_type_of(problem);
    std::vector<std::string> reasons(problem.workloads.size());
    const std::vector<SquishySession> sessions = sessions_of(problem, type, reasons);
    if (problem.previous != nullptr && problem.params.boolean("incremental")) {
      if (const auto before = gpus_of(*problem.previous, problem, sessions, type)) {
        return epoch(problem, *before, sessions, type, reasons);
      }
    }
    return anew(problem, sessions, type, reasons);
  }

 private:
  static SquishyOrder order_of(const Params& params) {
    return params.choice("order") == "rate" ? SquishyOrder::kRate : SquishyOrder::kOccupancy;
  }

  static Plan anew(const PlanningProblem& problem,
                   const std::vector<SquishySession>& sessions,
                   const GpuType& type,
                   const std::vector<std::string>& reasons) {
    std::vector<SquishyGpu> gpus;
    std::vector<SquishyGpu> rests;
    for (const SquishySession& session : sessions) {
      detail::squishy_fill(session, rate_of(problem, session), problem.cluster.size(), gpus, rests);
    }
    detail::sort_rests(order_of(problem.params), rests);
    const std::size_t first_shared = gpus.size();
    for (const SquishyGpu& rest : rests) detail::squishy_place(rest, first_shared, type, gpus);
    return written(problem, type, std::move(gpus), reasons);
  }

  // From the GPUs that there are; from nothing where that leaves less demand unserved.
  static Plan epoch(const PlanningProblem& problem,
                    const std::vector<SquishyGpu>& before,
                    const std::vector<SquishySession>& sessions,
                    const GpuType& type,
                    const std::vector<std::string>& reasons) {
    std::vector<double> rates(problem.workloads.size(), 0.0);
    for (const SquishySession& session : sessions) {
      rates[session.workload] = rate_of(problem, session);
    }
    const NexusEpochOptions options{problem.params.number("shrink_below"),
                                    problem.params.number("spill_above"), order_of(problem.params),
                                    problem.cluster.size()};
    Plan plan = written(problem, type, detail::nexus_epoch(before, sessions, rates, type, options),
                        reasons);
    if (plan.unserved.empty()) return plan;
    Plan other = anew(problem, sessions, type, reasons);
    return unserved_rps(other) < unserved_rps(plan) ? other : plan;
  }

  static double unserved_rps(const Plan& plan) {
    double sum = 0;
    for (const Unserved& u : plan.unserved) sum += u.rate_rps;
    return sum;
  }

  // The GPUs of a plan of this planner; nullopt where it is another's.
  static std::optional<std::vector<SquishyGpu>> gpus_of(const Plan& plan,
                                                        const PlanningProblem& problem,
                                                        const std::vector<SquishySession>& sessions,
                                                        const GpuType& type) {
    if (plan.planner != "nexus") return std::nullopt;
    std::vector<SquishyGpu> gpus;
    for (const PlanGpu& planned : plan.gpus) {
      if (planned.type != type.name || planned.partitions.size() != 1) return std::nullopt;
      SquishyGpu& gpu = gpus.emplace_back();
      gpu.index = planned.index;
      for (const PlanReplica& replica : planned.partitions[0].replicas) {
        const auto session =
            std::find_if(sessions.begin(), sessions.end(), [&](const SquishySession& s) {
              return problem.workloads[s.workload].name == replica.workload;
            });
        if (session == sessions.end() || !replica.batch || !replica.rate_rps || !replica.duty_ms ||
            *replica.batch > session->latency_ms.size()) {
          return std::nullopt;
        }
        gpu.duty_ms = *replica.duty_ms;
        gpu.shares.push_back({&*session, *replica.rate_rps, *replica.batch});
      }
      if (gpu.shares.empty()) gpus.pop_back();
    }
    return gpus;
  }

  // Requires: the rate is known, as that of every session is.
  static double rate_of(const PlanningProblem& problem, const SquishySession& session) {
    return *mean_rate(problem.workloads[session.workload].arrivals);
  }

  static std::vector<SquishySession> sessions_of(const PlanningProblem& problem,
                                                 const GpuType& type,
                                                 std::vector<std::string>& reasons) {
    const double multiplier = problem.params.number("profile_multiplier");
    const double network_ms = problem.params.number("network_ms");
    const auto max_batch = static_cast<std::uint32_t>(problem.params.integer("max_batch"));
    std::vector<SquishySession> sessions;
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
      SquishySession session;
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

  // GPUs without an index take the first that is free; those that the cluster lacks are left out.
  static Plan written(const PlanningProblem& problem,
                      const GpuType& type,
                      std::vector<SquishyGpu> gpus,
                      const std::vector<std::string>& reasons) {
    Plan plan;
    plan.planner = "nexus";
    std::set<std::uint32_t> free;
    for (const std::uint32_t index : detail::indices_of(problem.cluster, type.name)) {
      free.insert(index);
    }
    for (const SquishyGpu& gpu : gpus) {
      if (gpu.index) free.erase(*gpu.index);
    }
    std::vector<double> carried(problem.workloads.size(), 0.0);
    for (SquishyGpu& gpu : gpus) {
      if (!gpu.index) {
        if (free.empty()) break;
        gpu.index = *free.begin();
        free.erase(free.begin());
      }
      PlanPartition whole;
      for (const SquishyShare& share : gpu.shares) {
        const Workload& workload = problem.workloads[share.session->workload];
        PlanReplica replica;
        replica.workload = workload.name;
        replica.model = workload.model;
        replica.batch = share.batch;
        replica.rate_rps = share.rate_rps;
        replica.duty_ms = gpu.duty_ms;
        whole.replicas.push_back(std::move(replica));
        carried[share.session->workload] += share.rate_rps;
      }
      plan.gpus.push_back({*gpu.index, type.name, GpuMode::kWhole, {std::move(whole)}});
    }
    std::sort(plan.gpus.begin(), plan.gpus.end(),
              [](const PlanGpu& a, const PlanGpu& b) { return a.index < b.index; });
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
                     "requests/s (released code)"),
        bool_param("incremental", true,
                   "during a run, keep what there is as far as the rates allow, instead of "
                   "planning from nothing"),
        number_param("shrink_below", 0.97, 0, 1,
                     "incremental: a workload gives shares up when its rate is below this part of "
                     "what they were planned for"),
        number_param("spill_above", 1.05, 1, 100,
                     "incremental: a GPU that changes gives workloads away when its batches take "
                     "more than so many cycles")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<NexusPlanner>(); }};
}

}  // namespace tangram
