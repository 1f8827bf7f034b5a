#include "sim/simulation.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "sim/blocks/block_loop.h"
#include "sim/replanned_run.h"
#include "sim/shard_result.h"
#include "sim/shards.h"

namespace tangram {
namespace {

ShardResult run_on_blocks(const Scenario& scenario,
                          const Plan& part,
                          const Deployment& deployment,
                          const std::vector<ApplicationLoad>& applications,
                          StreamKey key,
                          const RecorderOptions& recording,
                          const std::function<void(double)>& progress) {
  ShardResult result;
  BlockLoop loop(scenario, part, deployment, applications, key, recording);
  loop.run(progress);
  result.executor_names = loop.metrics().lane_names();
  result.gpu_of_executor = loop.metrics().gpu_of_lane();
  result.metrics = loop.metrics().workloads();
  result.busy = loop.busy_time();
  result.rows = std::move(loop.metrics().rows());
  result.spans = std::move(loop.metrics().spans());
  result.blocks = loop.counters();
  result.host.instants = loop.messages();
  result.host.batches = loop.jobs();
  result.events = loop.events();
  result.end = loop.now();
  return result;
}

ShardResult run_shard(const Scenario& scenario,
                      const Plan& plan,
                      const Shard& shard,
                      StreamKey key,
                      const std::function<void(double)>& progress) {
  Plan part;
  for (const std::uint32_t g : shard.gpus) part.gpus.push_back(plan.gpus[g]);
  std::vector<Workload> workloads;
  std::vector<std::uint32_t> place(scenario.workloads.size());  // in the shard
  for (const std::uint32_t w : shard.workloads) {
    place[w] = static_cast<std::uint32_t>(workloads.size());
    workloads.push_back(scenario.workloads[w]);
  }
  std::vector<ApplicationLoad> applications;
  for (const std::uint32_t a : shard.applications) {
    applications.push_back(scenario.applications[a]);
    for (WorkloadId& stage : applications.back().stages) stage = WorkloadId(place[stage.index()]);
  }

  Deployment deployment = deploy(part, workloads, scenario.believed(), scenario.routing);
  manage_weights(deployment, scenario.cluster, scenario.profiles, scenario.device.weights);
  std::optional<Deployment> truth;
  if (scenario.beliefs) truth = true_deployment(deployment, part, scenario.profiles);
  const RecorderOptions recording = recording_of(scenario);
  if (scenario.device.model == DeviceModel::kBlocks) {
    return run_on_blocks(scenario, part, deployment, applications, key, recording, progress);
  }
  const std::unique_ptr<Dispatcher> dispatcher = make_dispatcher(scenario);
  EventLoop loop(scenario, deployment, applications, *dispatcher, key, recording,
                 truth ? &*truth : nullptr);
  loop.start();
  loop.finish(progress);
  return collect(loop, deployment);
}

// Runs every shard on a pool of threads. The first exception, by shard, is thrown again: shards
// begin in order, so every shard before a failing one has run.
std::vector<ShardResult> run_shards(const Scenario& scenario,
                                    const Plan& plan,
                                    const std::vector<Shard>& shards,
                                    StreamKey key,
                                    const RunOptions& options) {
  std::vector<ShardResult> results(shards.size());
  std::vector<std::exception_ptr> failures(shards.size());
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::atomic<bool> failed{false};  // no further shard is begun
  const auto work = [&](bool reports) {
    while (!failed) {
      const std::size_t i = next++;
      if (i >= shards.size()) break;
      const auto progress = [&](double share) {
        if (!reports || !options.progress) return;
        options.progress((static_cast<double>(done) + share) / static_cast<double>(shards.size()));
      };
      try {
        results[i] = run_shard(scenario, plan, shards[i], key, progress);
      } catch (...) {
        failures[i] = std::current_exception();
        failed = true;
      }
      ++done;
    }
  };
  const std::size_t helpers = std::min<std::size_t>(std::max(1U, options.threads), shards.size());
  {
    std::vector<std::jthread> pool;
    for (std::size_t t = 1; t < helpers; ++t) pool.emplace_back([&] { work(false); });
    work(true);
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return results;
}

// Puts the shards back together in the scenario's order of workloads and the plan's of GPUs.
class Merger {
 public:
  // `workloads`: how many the scenario has, without applications.
  Merger(const std::vector<Shard>& shards,
         std::vector<ShardResult>& parts,
         std::size_t workloads,
         RunResult& result)
      : shards_(shards),
        parts_(parts),
        workloads_(static_cast<std::uint32_t>(workloads)),
        result_(result),
        executor_of_(shards.size()) {}

  void merge() {
    place_executors();
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      merge_workloads(s);
      merge_rows(s);
    }
    if (kernels_ > 0) {
      result_.notes.push_back(fmt::format("block model: {} kernels, {} blocks in {} cohorts",
                                          kernels_, blocks_, cohorts_));
    }
    std::sort(result_.requests.begin(), result_.requests.end(),
              [](const RequestRow& a, const RequestRow& b) { return a.id < b.id; });
    // Stable: batches that take no time keep the order in which their executor ran them.
    std::stable_sort(result_.timeline.begin(), result_.timeline.end(),
                     [](const BatchSpan& a, const BatchSpan& b) {
                       return a.start != b.start ? a.start < b.start : a.executor < b.executor;
                     });
  }

 private:
  void place_executors() {
    struct Place {
      std::uint32_t gpu;
      std::size_t shard, executor;
    };
    std::vector<Place> places;
    for (std::size_t s = 0; s < shards_.size(); ++s) {
      const std::vector<std::uint32_t>& gpu_of = parts_[s].gpu_of_executor;
      executor_of_[s].resize(gpu_of.size());
      for (std::size_t e = 0; e < gpu_of.size(); ++e) {
        places.push_back({shards_[s].gpus[gpu_of[e]], s, e});
      }
      for (std::size_t g = 0; g < shards_[s].gpus.size(); ++g) {
        result_.busy.gpus[shards_[s].gpus[g]] = parts_[s].busy.gpus[g];
      }
    }
    std::stable_sort(places.begin(), places.end(),
                     [](const Place& a, const Place& b) { return a.gpu < b.gpu; });
    for (const Place& place : places) {
      const ShardResult& part = parts_[place.shard];
      executor_of_[place.shard][place.executor] = ExecutorId(result_.executor_names.size());
      result_.executor_names.push_back(part.executor_names[place.executor]);
      result_.gpu_of_executor.push_back(place.gpu);
      result_.busy.executors.push_back(part.busy.executors[place.executor]);
    }
  }

  void merge_workloads(std::size_t s) {
    const ShardResult& part = parts_[s];
    for (std::size_t w = 0; w < part.metrics.size(); ++w) {
      result_.metrics[workload(s, WorkloadId(w)).index()] = part.metrics[w];
    }
    result_.events += part.events;
    result_.host.instants += part.host.instants;
    result_.host.batches += part.host.batches;
    result_.host.refused += part.host.refused;
    result_.host.stale += part.host.stale;
    kernels_ += part.blocks.kernels;
    blocks_ += part.blocks.blocks;
    cohorts_ += part.blocks.cohorts;
    result_.simulated_s = std::max(result_.simulated_s, to_seconds(part.end - kStart));
    for (const std::string& note : part.notes) {
      if (std::find(result_.notes.begin(), result_.notes.end(), note) == result_.notes.end()) {
        result_.notes.push_back(note);
      }
    }
  }

  // The scenario's id of a shard's workload or application.
  WorkloadId workload(std::size_t s, WorkloadId w) const {
    const Shard& shard = shards_[s];
    if (w.index() < shard.workloads.size()) return WorkloadId(shard.workloads[w.index()]);
    const std::uint32_t a = shard.applications[w.index() - shard.workloads.size()];
    return WorkloadId(workloads_ + a);
  }

  void merge_rows(std::size_t s) {
    for (RequestRow& row : parts_[s].rows) {
      row.id = RequestId::of(workload(s, row.id.workload()), row.id.number());
      if (row.executor >= 0) {
        row.executor = static_cast<std::int32_t>(
            executor_of_[s][static_cast<std::size_t>(row.executor)].value());
      }
      result_.requests.push_back(row);
    }
    for (BatchSpan& span : parts_[s].spans) {
      span.workload = workload(s, span.workload);
      span.executor = executor_of_[s][span.executor.index()];
      result_.timeline.push_back(span);
    }
  }

  const std::vector<Shard>& shards_;
  std::vector<ShardResult>& parts_;
  std::uint32_t workloads_;
  RunResult& result_;
  std::vector<std::vector<ExecutorId>> executor_of_;  // by shard, by its executor
  std::uint64_t kernels_ = 0, blocks_ = 0, cohorts_ = 0;
};

std::string block_device_name(const BlockSpec& spec) {
  const char* contention = spec.contention == Contention::kNone     ? "none"
                           : spec.contention == Contention::kFactor ? "factor"
                                                                    : "roofline";
  return fmt::format("blocks ({} queues, contention {})", spec.queues, contention);
}

Shard everything(const Scenario& scenario, const Plan& plan) {
  Shard shard;
  for (std::uint32_t w = 0; w < scenario.workloads.size(); ++w) shard.workloads.push_back(w);
  for (std::uint32_t a = 0; a < scenario.applications.size(); ++a) shard.applications.push_back(a);
  for (std::uint32_t g = 0; g < plan.gpus.size(); ++g) shard.gpus.push_back(g);
  return shard;
}

}  // namespace

RunResult simulate(const Scenario& scenario, const Plan& plan, const RunOptions& options) {
  const auto began = std::chrono::steady_clock::now();
  RunResult result;
  result.scenario = scenario.name;
  result.scenario_text = scenario.text;
  result.routing = routing_names()[static_cast<std::size_t>(scenario.routing)];
  const bool is_blocks = scenario.device.model == DeviceModel::kBlocks;
  result.dispatcher = is_blocks ? scenario.stages.policy.name : scenario.dispatcher.name;
  result.device = is_blocks
                      ? block_device_name(scenario.device.blocks)
                      : "rate (sharing " +
                            sharing_names()[static_cast<std::size_t>(scenario.device.sharing)] +
                            ", interference " + scenario.device.interference.name + ")";
  result.runtime = "simulation";
  result.seed = scenario.seed;
  result.measured_s = scenario.duration_s - scenario.warmup_s;
  result.simulated_s = scenario.duration_s;
  result.workloads = counted_workloads(scenario);
  result.notes = scenario.notes;
  result.metrics.resize(result.workloads.size());
  const StreamKey key = StreamKey(scenario.seed).with(options.replication);
  std::vector<Shard> shards;
  std::vector<ShardResult> parts;
  if (scenario.replanning) {
    ReplannedRun run = run_replanned(scenario, plan, key, options.progress);
    result.plan = std::move(run.plan);
    result.replanning = run.counts;
    shards = {everything(scenario, result.plan)};
    parts.push_back(std::move(run.result));
  } else {
    result.plan = plan;
    shards = options.split && !scenario.device.weights.managed  // node memory joins its GPUs
                 ? split(plan, scenario.workloads, scenario.applications)
                 : std::vector{everything(scenario, plan)};
    parts = run_shards(scenario, plan, shards, key, options);
  }
  result.busy.gpus.resize(result.plan.gpus.size());
  Merger(shards, parts, scenario.workloads.size(), result).merge();
  result.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return result;
}

}  // namespace tangram
