#include "sim/replanned_run.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "policies/registry.h"
#include "sim/scenario/plan_of_scenario.h"

namespace tangram {
namespace {

// A workload without requests is planned for at this rate: some planners refuse a demand of zero.
constexpr double kLeastRate = 0.01;

// Whether a partition goes on as it is: same place, same processes of the same models.
bool is_same(const PlanPartition& a, const PlanPartition& b) {
  const auto same_replica = [](const PlanReplica& x, const PlanReplica& y) {
    return x.workload == y.workload && x.model == y.model && x.processes == y.processes &&
           x.group == y.group;
  };
  return a.size == b.size && a.start == b.start && a.share_pct == b.share_pct && a.sms == b.sms &&
         std::equal(a.replicas.begin(), a.replicas.end(), b.replicas.begin(), b.replicas.end(),
                    same_replica);
}

const PlanGpu* find_gpu(const Plan& plan, std::uint32_t index) {
  for (const PlanGpu& gpu : plan.gpus) {
    if (gpu.index == index) return &gpu;
  }
  return nullptr;
}

// For each partition of a GPU, the old one that it goes on as; none where it must be rebuilt.
std::vector<std::optional<std::size_t>> kept_partitions(const PlanGpu* before, const PlanGpu& now) {
  std::vector<std::optional<std::size_t>> kept(now.partitions.size());
  if (before == nullptr || before->type != now.type || before->mode != now.mode) return kept;
  std::vector<bool> taken(before->partitions.size());
  for (std::size_t p = 0; p < kept.size(); ++p) {
    for (std::size_t q = 0; q < taken.size(); ++q) {
      if (taken[q] || !is_same(before->partitions[q], now.partitions[p])) continue;
      taken[q] = true;
      kept[p] = q;
      break;
    }
  }
  return kept;
}

std::set<std::uint32_t> gpus_in_use(const Plan& plan) {
  std::set<std::uint32_t> used;
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanPartition& partition : gpu.partitions) {
      if (!partition.replicas.empty()) used.insert(gpu.index);
    }
  }
  return used;
}

class Run {
 public:
  Run(const Scenario& scenario,
      const Plan& plan,
      StreamKey key,
      const std::function<void(double)>& progress)
      : scenario_(scenario),
        key_(key),
        progress_(progress),
        horizon_(kStart + from_seconds(scenario.duration_s)),
        rule_(find_replan_rule(scenario.replanning->rule.name)
                  ->make(scenario.replanning->rule.params)),
        plan_(plan) {
    result_.plan = plan;
    for (const Workload& workload : scenario.workloads) {
      rates_.push_back(mean_rate(workload.arrivals).value_or(0));
    }
    sent_.resize(scenario.workloads.size());
  }

  ReplannedRun run() {
    rule_->start(kStart, rates_);
    begin({}, {});
    TimePoint next_sample = kStart + rule_->sample_every();
    while (true) {
      const TimePoint stop = pending_ ? std::min(next_sample, pending_->at) : next_sample;
      if (stop >= horizon_) break;
      loop_->run_until(stop, progress_);
      if (pending_ && pending_->at == stop) put_in_place(stop);
      if (next_sample == stop) {
        sample(stop);
        next_sample += rule_->sample_every();
      }
    }
    count_gpus(horizon_);
    loop_->finish(progress_);
    take_results();
    result_.counts.gpus_mean /= scenario_.duration_s;
    result_.result.busy.gpus.resize(result_.plan.gpus.size());
    return std::move(result_);
  }

 private:
  struct Pending {
    Plan plan;
    std::vector<double> rates;
    TimePoint at;
  };

  void begin(std::optional<Handover> from, std::vector<TimePoint> up) {
    dispatcher_ = make_dispatcher(scenario_);
    if (!from) {
      deployment_ = deploy(plan_, scenario_.workloads, scenario_.profiles, scenario_.routing);
      loop_ = std::make_unique<EventLoop>(scenario_, *deployment_, scenario_.applications,
                                          *dispatcher_, key_, recording_of(scenario_));
    } else {
      loop_ = std::make_unique<EventLoop>(scenario_, *deployment_, *dispatcher_,
                                          key_.with("plan").with(result_.counts.reconfigurations),
                                          recording_of(scenario_), std::move(*from), std::move(up));
    }
    loop_->start();
    used_ = gpus_in_use(plan_);
  }

  void sample(TimePoint now) {
    std::vector<double> rates;
    for (std::size_t w = 0; w < sent_.size(); ++w) {
      const std::uint64_t sent = loop_->sent(WorkloadId(w));
      rates.push_back(static_cast<double>(sent - sent_[w]) / to_seconds(rule_->sample_every()));
      sent_[w] = sent;
    }
    const auto targets = rule_->sample(now, rates);
    if (!targets || pending_) return;
    ++result_.counts.plans;
    std::optional<Plan> plan = plan_for(*targets);
    if (!plan || *plan == plan_) {
      ++result_.counts.kept;
      rule_->planned(now, rates_);
      return;
    }
    rule_->planned(now, *targets);
    pending_ = {std::move(*plan), *targets, now};
    if (!scenario_.replanning->in_place) pending_->at = now + longest_rebuild(pending_->plan);
    if (pending_->at == now) {
      put_in_place(now);
      return;
    }
    count_gpus(now);
    used_.merge(gpus_in_use(pending_->plan));
  }

  // nullopt where the planner has no plan that carries these rates: the old one stays.
  std::optional<Plan> plan_for(const std::vector<double>& rates) const {
    std::vector<Workload> demand = scenario_.workloads;
    for (std::size_t w = 0; w < demand.size(); ++w) {
      ArrivalSpec& arrivals = demand[w].arrivals;
      if (!has_rate_and_shape(arrivals)) {
        arrivals = ArrivalSpec{};
        arrivals.process = ArrivalSpec::Process::kPoisson;
      }
      arrivals.rate_rps = std::max(rates[w], kLeastRate);
    }
    try {
      Plan plan = make_plan_again(scenario_, demand, plan_);
      const bool is_short = std::any_of(plan.unserved.begin(), plan.unserved.end(),
                                        [](const Unserved& u) { return u.rate_rps > kLeastRate; });
      if (is_short) return std::nullopt;
      return plan;
    } catch (const NoAnswer&) {
      return std::nullopt;
    }
  }

  // Whether arrivals are of one process and one rate. Others are planned for as Poisson.
  static bool has_rate_and_shape(const ArrivalSpec& arrivals) {
    using Process = ArrivalSpec::Process;
    return arrivals.process == Process::kConstant || arrivals.process == Process::kPoisson ||
           arrivals.process == Process::kGamma || arrivals.process == Process::kLognormal;
  }

  // To make a partition: what the scenario says, and the loads of its models where profiles know.
  Duration rebuild_time(const PlanGpu& gpu, const PlanPartition& partition) const {
    double ms = scenario_.replanning->rebuild_s * 1e3;
    for (const PlanReplica& replica : partition.replicas) {
      const Profile* profile = scenario_.profiles.find(replica.model, gpu.type);
      if (profile != nullptr) ms += profile->load_ms.value_or(0) * replica.processes;
    }
    return from_ms(ms);
  }

  Duration longest_rebuild(const Plan& next) const {
    Duration longest{};
    for (const PlanGpu& gpu : next.gpus) {
      const auto kept = kept_partitions(find_gpu(plan_, gpu.index), gpu);
      for (std::size_t p = 0; p < kept.size(); ++p) {
        if (!kept[p]) longest = std::max(longest, rebuild_time(gpu, gpu.partitions[p]));
      }
    }
    return longest;
  }

  void put_in_place(TimePoint now) {
    Handover handover = loop_->hand_over(now);
    take_results();
    loop_.reset();
    const Plan before = std::exchange(plan_, std::move(pending_->plan));
    rates_ = std::move(pending_->rates);
    pending_.reset();
    ++result_.counts.reconfigurations;
    const Deployment old = std::move(*deployment_);
    deployment_ = deploy(plan_, scenario_.workloads, scenario_.profiles, scenario_.routing);
    std::vector<TimePoint> up = ready_times(before, old, handover);
    count_gpus(now);
    begin(std::move(handover), std::move(up));
  }

  // By executor of the new deployment: a partition that goes on waits for its own batches, one that
  // is rebuilt for those of the partitions that it takes the place of.
  std::vector<TimePoint> ready_times(const Plan& before,
                                     const Deployment& old,
                                     const Handover& handover) {
    std::vector<TimePoint> up;
    std::vector<std::vector<TimePoint>> by_partition;  // of the new plan
    for (const PlanGpu& gpu : plan_.gpus) {
      const auto kept = kept_partitions(find_gpu(before, gpu.index), gpu);
      const auto drained = [&](auto&& counts) {
        TimePoint last = handover.at;
        for (std::size_t e = 0; e < old.executors.size(); ++e) {
          const ExecutorInfo& info = old.executors[e];
          if (old.gpus[info.gpu.index()].plan_index == gpu.index && counts(info.partition)) {
            last = std::max(last, handover.free[e]);
          }
        }
        return last;
      };
      std::vector<TimePoint>& ready = by_partition.emplace_back();
      for (std::size_t p = 0; p < kept.size(); ++p) {
        if (kept[p]) {
          ready.push_back(drained([&](std::uint32_t q) { return q == *kept[p]; }));
          continue;
        }
        ++result_.counts.rebuilt;
        const TimePoint free = drained([&](std::uint32_t q) {
          return std::find(kept.begin(), kept.end(), std::optional<std::size_t>(q)) == kept.end();
        });
        ready.push_back(free + (scenario_.replanning->in_place
                                    ? rebuild_time(gpu, gpu.partitions[p])
                                    : Duration{}));
      }
    }
    for (const ExecutorInfo& info : deployment_->executors) {
      up.push_back(by_partition[info.gpu.index()][info.partition]);
    }
    return up;
  }

  // Adds the GPUs in use since the last call.
  void count_gpus(TimePoint now) {
    result_.counts.gpus_mean += static_cast<double>(used_.size()) * to_seconds(now - counted_);
    result_.counts.gpus_most =
        std::max(result_.counts.gpus_most, static_cast<std::uint32_t>(used_.size()));
    counted_ = now;
  }

  // The position of a GPU in result_.plan.
  std::uint32_t add_gpu(const PlanGpu& gpu) {
    std::vector<PlanGpu>& gpus = result_.plan.gpus;
    for (std::uint32_t g = 0; g < gpus.size(); ++g) {
      if (gpus[g].index == gpu.index) return g;
    }
    gpus.push_back({gpu.index, gpu.type, gpu.mode, {}});
    return static_cast<std::uint32_t>(gpus.size()) - 1;
  }

  // Adds what the loop leaves; executors of one name are one.
  void take_results() {
    ShardResult part = collect(*loop_, *deployment_);
    ShardResult& all = result_.result;
    std::vector<std::uint32_t> executor;
    for (std::size_t e = 0; e < part.executor_names.size(); ++e) {
      const auto found =
          std::find(all.executor_names.begin(), all.executor_names.end(), part.executor_names[e]);
      executor.push_back(static_cast<std::uint32_t>(found - all.executor_names.begin()));
      if (found == all.executor_names.end()) {
        all.executor_names.push_back(part.executor_names[e]);
        const GpuInfo& gpu = deployment_->gpus[part.gpu_of_executor[e]];
        all.gpu_of_executor.push_back(add_gpu(*find_gpu(plan_, gpu.plan_index)));
        all.busy.executors.emplace_back();
      }
      all.busy.executors[executor[e]] += part.busy.executors[e];
    }
    for (std::size_t g = 0; g < part.busy.gpus.size(); ++g) {
      const std::uint32_t position = add_gpu(*find_gpu(plan_, deployment_->gpus[g].plan_index));
      if (all.busy.gpus.size() <= position) all.busy.gpus.resize(position + 1);
      all.busy.gpus[position] += part.busy.gpus[g];
    }
    all.metrics.resize(part.metrics.size());
    for (std::size_t w = 0; w < part.metrics.size(); ++w) all.metrics[w].merge(part.metrics[w]);
    for (RequestRow& row : part.rows) {
      if (row.executor >= 0) {
        row.executor = static_cast<std::int32_t>(executor[static_cast<std::size_t>(row.executor)]);
      }
      all.rows.push_back(row);
    }
    for (BatchSpan& span : part.spans) {
      span.executor = ExecutorId(executor[span.executor.index()]);
      all.spans.push_back(span);
    }
    for (const std::string& note : part.notes) {
      if (std::find(all.notes.begin(), all.notes.end(), note) == all.notes.end()) {
        all.notes.push_back(note);
      }
    }
    all.host.instants += part.host.instants;
    all.host.batches += part.host.batches;
    all.host.refused += part.host.refused;
    all.host.stale += part.host.stale;
    all.events += part.events;
    all.end = std::max(all.end, part.end);
  }

  const Scenario& scenario_;
  StreamKey key_;
  const std::function<void(double)>& progress_;
  TimePoint horizon_;
  std::unique_ptr<ReplanRule> rule_;
  Plan plan_;                  // in force
  std::vector<double> rates_;  // what it was made for
  std::optional<Deployment> deployment_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<EventLoop> loop_;
  std::vector<std::uint64_t> sent_;  // by workload, at the last sample
  std::optional<Pending> pending_;   // being built
  std::set<std::uint32_t> used_;     // GPUs, by their indices in the plan
  TimePoint counted_ = kStart;
  ReplannedRun result_;
};

}  // namespace

ReplannedRun run_replanned(const Scenario& scenario,
                           const Plan& plan,
                           StreamKey key,
                           const std::function<void(double)>& progress) {
  TANGRAM_CHECK(scenario.replanning.has_value(), "the scenario does not plan again");
  return Run(scenario, plan, key, progress).run();
}

}  // namespace tangram
