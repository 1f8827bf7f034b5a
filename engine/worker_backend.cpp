#include "engine/worker_backend.h"

#include <set>

#include <fmt/format.h>

#include "engine/model_catalogue.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

PoolOptions options_of(const EngineSettings& settings) {
  PoolOptions options;
  options.folder = settings.workers;
  return options;
}

}  // namespace

WorkerBackend::WorkerBackend(std::string name, LayOut lay_out, EngineSettings settings)
    : name_(std::move(name)),
      lay_out_(lay_out),
      settings_(std::move(settings)),
      pool_(options_of(settings_)) {}

WorkerBackend::~WorkerBackend() {
  close();
}

void WorkerBackend::open(const Deployment& deployment, const RealClock& clock, Inbox& inbox) {
  deployment_ = &deployment;
  clock_ = &clock;
  inbox_ = &inbox;
  const Machine machine = this_machine();
  const Cores cores = divide_cores(machine, settings_);
  layout_ = lay_out_(deployment, machine, settings_,
                     find_models(deployment.models, settings_.runner, settings_.models));
  executor_at_.resize(layout_.workers.size());
  for (std::size_t w = 0; w < layout_.workers.size(); ++w) {
    // Workers would inherit the dispatcher's core.
    if (layout_.workers[w].cores.empty()) layout_.workers[w].cores = cores.partitions;
    executor_at_[w].resize(layout_.workers[w].lanes.size());
  }
  for (std::size_t e = 0; e < layout_.lane_of.size(); ++e) {
    const LaneAddress at = layout_.lane_of[e];
    executor_at_[at.worker][at.lane] = ExecutorId(e);
  }
  if (cores.dispatcher) {
    pinned_ = std::make_unique<PinnedThread>(*cores.dispatcher);
    notes_.push_back(
        fmt::format("{}: dispatcher and load generator on core {}", name_, *cores.dispatcher));
  }
  take_grants(deployment, pool_.open(layout_.workers, *this));
}

void WorkerBackend::take_grants(const Deployment& deployment,
                                const std::vector<WorkerGrant>& grants) {
  std::map<std::string, std::size_t> kinds;
  for (const WorkerGrant& grant : grants) {
    ++kinds[fmt::format("{}; {}; {}", grant.device, grant.driver, grant.framework)];
  }
  for (const auto& [kind, count] : kinds) {
    notes_.push_back(fmt::format("{}: {} worker{}, runner {}, on {}", name_, count,
                                 count == 1 ? "" : "s", settings_.runner, kind));
  }
  notes_.insert(notes_.end(), layout_.notes.begin(), layout_.notes.end());
  std::string differs;
  for (std::size_t e = 0; e < layout_.lane_of.size(); ++e) {
    const LaneAddress at = layout_.lane_of[e];
    const Share& asked = layout_.workers[at.worker].lanes[at.lane].share;
    const LaneGrant& got = grants[at.worker].lanes[at.lane];
    if (got.share == asked && got.note.empty()) continue;
    const ExecutorInfo& executor = deployment.executors[e];
    notes_.push_back(fmt::format("{}: executor {} on GPU {} asked for {} and got {}{}{}", name_, e,
                                 deployment.gpus[executor.gpu.index()].plan_index, to_string(asked),
                                 to_string(got.share), got.note.empty() ? "" : ": ", got.note));
    if (got.share != asked) differs = notes_.back();
  }
  if (settings_.exact_grants && !differs.empty()) throw SystemError(differs);
  notes_.push_back(name_ +
                   ": what a batch would have taken alone is not known; interference is "
                   "given as 0");
}

void WorkerBackend::submit(const RunCommand& command) {
  has_submitted_.store(true, std::memory_order_release);
  pool_.run(layout_.lane_of[command.executor.index()], command.batch,
            deployment_->queues[command.queue.index()].model.value(), command.size,
            clock_->moment(command.window.earliest), clock_->moment(command.window.latest));
}

void WorkerBackend::close() {
  pool_.close();
  pinned_.reset();
}

std::vector<std::string> WorkerBackend::granted() const {
  std::vector<std::string> notes = notes_;
  const std::scoped_lock lock(mutex_);
  for (const auto& [event, count] : events_) {
    notes.push_back(count == 1 ? event : fmt::format("{} ({} times)", event, count));
  }
  return notes;
}

pid_t WorkerBackend::process(ExecutorId executor) const {
  return pool_.process(layout_.lane_of[executor.index()].worker);
}

TimePoint WorkerBackend::time_of(Steady::time_point moment) const {
  has_submitted_.load(std::memory_order_acquire);
  return clock_->at(moment);
}

void WorkerBackend::started(LaneAddress at, BatchId batch, Steady::time_point start) {
  inbox_->post_quietly(StartedPost{batch, executor_at(at), time_of(start)});
}

void WorkerBackend::finished(LaneAddress,
                             BatchId batch,
                             Steady::time_point start,
                             Steady::time_point end) {
  inbox_->post(FinishedPost{batch, time_of(start), time_of(end), end - start});
}

void WorkerBackend::refused(LaneAddress at, BatchId batch, Refusal why, const std::string& reason) {
  if (!reason.empty()) {
    const std::scoped_lock lock(mutex_);
    ++events_[fmt::format("executor {} refused a batch: {}", executor_at(at).value(), reason)];
  }
  inbox_->post(RefusedPost{batch, why});
}

void WorkerBackend::lost(LaneAddress at, const std::string& why) {
  {
    const std::scoped_lock lock(mutex_);
    ++events_[fmt::format("executor {} was lost: {}", executor_at(at).value(), why)];
  }
  inbox_->post(ExecutorPost{executor_at(at), false});
}

}  // namespace tangram
