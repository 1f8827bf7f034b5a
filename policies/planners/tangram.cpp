// Our planner: the fewest GPUs whose plan keeps its SLOs under the scenario's random arrivals.
// docs/model/planners/tangram.md has the rule, its sources and its limits.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/planners/detail/mig_solver.h"
#include "policies/planners/effective_bandwidth.h"

namespace tangram {
namespace {

using detail::MigChoice;
using detail::MigCuts;
using detail::MigDemand;
using detail::MigPoint;
using detail::MigSolution;

// Parts of the SLO that a batch, and half the time between two batches, may take. Small ones leave
// time for a queue, large ones allow large batches.
constexpr double kLevels[] = {0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6};
// The formula is off where fewer than two batches of all processes pass within the slack.
constexpr double kFewestBatches = 2;
// Planning again after a simulation that missed the target.
constexpr int kRepairs = 4;
constexpr double kRepairStep = 1.04;
// Rounds of verify_runs simulations for a plan that is near the target.
constexpr int kMostRounds = 10;

// The time a request spends on the way to the end of its batch with no queue: the batch, and half
// the time between two starts.
double own_ms(const MigPoint& p) {
  return p.latency_ms * (1 + 0.5 / p.processes);
}

struct PlannedService {
  std::uint32_t workload = 0;
  double rate_rps = 0;
  double slo_ms = 0;
  double factor = 1;  // on the capacity, raised when a simulation misses the target
  ArrivalGaps gaps;
  std::vector<MigPoint> points;
};

class Tangram final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    const GpuType& type = detail::mig_type_of(problem.cluster);
    const MigCuts cuts(type);
    const double target = problem.params.number("target");
    std::vector<std::string> reasons;
    std::vector<PlannedService> services = services_of(problem, type, reasons);
    services = with_choices(services, cuts, 1 - target, reasons);
    std::optional<Plan> missed;  // simulated, in time for too few
    for (int repair = 0;; ++repair) {
      std::vector<double> attained;
      const MigSolution solution = solve(cuts, services, 1 - target, problem);
      Plan plan = detail::plan_of(problem, type, solution.gpus, reasons);
      plan.planner = "tangram";
      const auto runs = static_cast<int>(problem.params.integer("verify_runs"));
      // A plan that the cluster cannot hold misses; to simulate its excess could take for ever.
      const bool is_whole = plan.gpus.size() == solution.gpus.size();
      if (!is_whole && missed) {
        missed->notes.emplace_back("a plan with more capacity does not fit the cluster");
        return *missed;
      }
      if (problem.evaluator != nullptr && runs > 0 && is_whole) {
        attained = simulated(*problem.evaluator, plan, target, runs);
        const bool is_met = raise_what_missed(services, attained, target);
        if (!is_met && repair < kRepairs) {
          add_notes(problem, services, solution, attained, plan);
          missed = std::move(plan);
          continue;
        }
      }
      add_notes(problem, services, solution, attained, plan);
      return plan;
    }
  }

 private:
  static std::vector<PlannedService> services_of(const PlanningProblem& problem,
                                                 const GpuType& type,
                                                 std::vector<std::string>& reasons) {
    const auto processes = static_cast<std::uint32_t>(problem.params.integer("max_processes"));
    const std::vector<std::optional<double>> rates = detail::mean_rates(problem.workloads);
    reasons.assign(problem.workloads.size(), "");
    std::vector<PlannedService> services;
    for (std::uint32_t w = 0; w < problem.workloads.size(); ++w) {
      const Workload& workload = problem.workloads[w];
      if (!rates[w]) continue;
      std::vector<MigPoint> points =
          detail::runnable_points(problem.profiles, workload.model, type, processes);
      if (!problem.params.boolean("use_suspect")) {
        std::erase_if(points, [](const MigPoint& p) { return p.suspect; });
      }
      services.push_back({w, *rates[w], to_ms(workload.slo), 1,
                          ArrivalGaps(workload.arrivals, *rates[w]), std::move(points)});
    }
    return services;
  }

  // What of the SLO the slowest segment of the option leaves for a queue.
  static double slack_s(const PlannedService& service, const MigDemand& option) {
    double slowest_ms = 0;
    for (const auto& best : option.best)
      slowest_ms = std::max(slowest_ms, best ? own_ms(*best) : 0);
    return (service.slo_ms - slowest_ms) * 1e-3;
  }

  // What a service needs at each level of slack, with the best points of that level.
  static MigChoice choice_of(const PlannedService& service, const MigCuts& cuts, double miss) {
    MigChoice choice;
    for (const double level : kLevels) {
      std::vector<MigPoint> points = service.points;
      std::erase_if(points, [&](const MigPoint& p) {
        const double slack_ms = service.slo_ms - p.latency_ms;
        return own_ms(p) > level * service.slo_ms ||
               slack_ms * p.processes < kFewestBatches * p.latency_ms;
      });
      MigDemand option;
      option.workload = service.workload;
      if (!detail::choose_best(option, points, cuts)) continue;
      option.rate_rps = service.factor * service.gaps.capacity_for(slack_s(service, option), miss);
      keep_if_useful(choice.options, std::move(option));
    }
    return choice;
  }

  // Leaves out options that another one beats at every size: the solver would try them all.
  static void keep_if_useful(std::vector<MigDemand>& options, MigDemand option) {
    const auto beats = [](const MigDemand& a, const MigDemand& b) {
      for (std::size_t s = 0; s < a.best.size(); ++s) {
        const double of_a = a.best[s] ? a.best[s]->total_rps() / a.rate_rps : 0;
        const double of_b = b.best[s] ? b.best[s]->total_rps() / b.rate_rps : 0;
        if (of_a < of_b) return false;
      }
      return true;
    };
    for (const MigDemand& other : options) {
      if (beats(other, option)) return;
    }
    std::erase_if(options, [&](const MigDemand& other) { return beats(option, other); });
    options.push_back(std::move(option));
  }

  // The services that have an option; the others get their reason.
  static std::vector<PlannedService> with_choices(const std::vector<PlannedService>& services,
                                                  const MigCuts& cuts,
                                                  double miss,
                                                  std::vector<std::string>& reasons) {
    std::vector<PlannedService> kept;
    for (const PlannedService& service : services) {
      if (!choice_of(service, cuts, miss).options.empty()) {
        kept.push_back(service);
      } else if (service.points.empty()) {
        reasons[service.workload] = "no measured point of its model on an instance";
      } else {
        reasons[service.workload] = fmt::format(
            "no measured point leaves enough of the SLO of {:.6g} ms for a queue", service.slo_ms);
      }
    }
    return kept;
  }

  static MigSolution solve(const MigCuts& cuts,
                           const std::vector<PlannedService>& services,
                           double miss,
                           const PlanningProblem& problem) {
    std::vector<MigChoice> choices;
    for (const PlannedService& service : services)
      choices.push_back(choice_of(service, cuts, miss));
    const double limit_s = problem.params.number("time_limit_s");
    MigSolution solution = detail::solve_mig(cuts, choices, limit_s);
    if (solution.gpus.empty() && !choices.empty()) {
      throw NoAnswer(fmt::format("the solver found no plan within {:g} s", limit_s));
    }
    spread_spare_slices(cuts, services, choices, solution);
    return solution;
  }

  // Slices that the plan pays for and does not need go, one instance after the other, to the
  // service that is predicted to miss most, as the largest instance that it can use.
  static void spread_spare_slices(const MigCuts& cuts,
                                  const std::vector<PlannedService>& services,
                                  const std::vector<MigChoice>& choices,
                                  MigSolution& solution) {
    const std::size_t workloads = services.empty() ? 0 : services.back().workload + 1;
    std::vector<double> capacities =
        detail::capacities_of(solution.gpus, solution.gpus.size(), workloads);
    for (detail::MigGpu& gpu : solution.gpus) {
      std::size_t cut = cuts.of(gpu);
      while (cuts.cuts()[cut].room > 0) {
        double most_missed = -1;
        std::optional<detail::MigSegment> segment;
        for (std::size_t i = 0; i < services.size(); ++i) {
          const MigDemand& option = choices[i].options[solution.options[i]];
          const double missed = services[i].gaps.miss_at(capacities[services[i].workload],
                                                         slack_s(services[i], option));
          if (missed <= most_missed) continue;
          for (std::size_t s = cuts.sizes().size(); s-- > 0;) {
            if (!option.best[s] || !cuts.with(cut, s)) continue;
            most_missed = missed;
            segment = option.segment(s);
            break;
          }
        }
        if (!segment) break;
        gpu.push_back(*segment);
        capacities[segment->workload] += segment->capacity_rps;
        cut = cuts.of(gpu);
      }
    }
  }

  // Means over independent runs: `runs` of them, and more while the target lies within some
  // workload's interval.
  static std::vector<double> simulated(Evaluator& evaluator,
                                       const Plan& plan,
                                       double target,
                                       int runs) {
    std::vector<std::vector<double>> attained;
    while (true) {
      for (int run = 0; run < runs; ++run) attained.push_back(evaluator.attainment(plan));
      const auto n = static_cast<double>(attained.size());
      bool is_decided = true;
      std::vector<double> means;
      for (std::size_t w = 0; w < attained.front().size(); ++w) {
        double sum = 0;
        for (const std::vector<double>& run : attained) sum += run[w];
        means.push_back(sum / n);
        double squares = 0;
        for (const std::vector<double>& run : attained) {
          squares += (run[w] - means[w]) * (run[w] - means[w]);
        }
        // Two standard errors: about 95 %.
        is_decided =
            is_decided && (means[w] - target) * (means[w] - target) * n * (n - 1) >= 4 * squares;
      }
      if (is_decided || n >= kMostRounds * runs) return means;
    }
  }

  static bool raise_what_missed(std::vector<PlannedService>& services,
                                const std::vector<double>& attained,
                                double target) {
    bool is_met = true;
    for (PlannedService& service : services) {
      if (attained[service.workload] >= target) continue;
      service.factor *= kRepairStep;
      is_met = false;
    }
    return is_met;
  }

  static void add_notes(const PlanningProblem& problem,
                        const std::vector<PlannedService>& services,
                        const MigSolution& solution,
                        const std::vector<double>& attained,
                        Plan& plan) {
    const std::vector<double> capacities =
        detail::capacities_of(solution.gpus, solution.gpus.size(), problem.workloads.size());
    for (const PlannedService& service : services) {
      double slowest_ms = 0;
      for (const detail::MigGpu& gpu : solution.gpus) {
        for (const detail::MigSegment& segment : gpu) {
          if (segment.workload != service.workload) continue;
          for (const MigPoint& p : service.points) {
            if (p.size == segment.size && p.batch == segment.batch &&
                p.processes == segment.processes) {
              slowest_ms = std::max(slowest_ms, own_ms(p));
            }
          }
        }
      }
      const double capacity = capacities[service.workload];
      const double miss = service.gaps.miss_at(capacity, (service.slo_ms - slowest_ms) * 1e-3);
      std::string note = fmt::format("{}: load {:.3f}, predicted to attain {:.2f} %",
                                     problem.workloads[service.workload].name,
                                     service.rate_rps / capacity, 100 * (1 - miss));
      if (!attained.empty()) {
        const double there = attained[service.workload];
        note += fmt::format(", simulated {:.2f} %", 100 * there);
        if (there < problem.params.number("target")) {
          note +=
              ": below the target; full batches and pooled replicas are assumed (dispatcher "
              "eager, routing wrr or shortest_finish)";
        }
      }
      plan.notes.push_back(std::move(note));
    }
    plan.notes.push_back(solution.is_proven()
                             ? fmt::format("{} GPUs is the proven minimum for these capacities",
                                           solution.gpus.size())
                             : fmt::format("{} GPUs; at least {} are needed for these capacities",
                                           solution.gpus.size(), solution.lower_bound));
  }
};

}  // namespace

PlannerEntry tangram_planner() {
  return {
      {"tangram",
       "the fewest MIG instances that keep SLOs under random arrivals: headroom by effective "
       "bandwidth, the slack of each service chosen by an integer program, checked by simulation",
       "ours; docs/model/planners/tangram.md; for routing central, wrr and shortest_finish: under "
       "weighted_random each replica needs headroom of its own",
       {number_param("target", 0.99, 0.5, 0.99999,
                     "SLO attainment that every workload is planned for"),
        integer_param("max_processes", 3, 1, 1024, "processes on one instance, at most"),
        bool_param("use_suspect", false, "use profile rows that look wrong (profile import warns)"),
        integer_param(
            "verify_runs", 3, 0, 1000,
            "simulations that check a plan, ten times as many when it is near the target; "
            "a workload that misses gets 4 % more capacity, at most four times; 0: no "
            "check"),
        number_param("time_limit_s", 20, 0.1, 1e6, "search time of each integer program")}},
      []() -> std::unique_ptr<Planner> { return std::make_unique<Tangram>(); }};
}

}  // namespace tangram
