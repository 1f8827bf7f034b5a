#include "sim/event_loop.h"

#include <algorithm>

namespace tangram {
namespace {

// A policy that wakes itself again and again without moving anything is stopped: this many rounds
// in one instant, or this long without an answer once the arrivals are over.
constexpr std::uint32_t kMostRounds = 100'000;
constexpr Duration kPatience = std::chrono::hours(1);
constexpr std::uint64_t kProgressEvery = 1 << 18;

std::uint32_t slots(const Deployment& deployment, const Host& host) {
  const std::size_t executors = deployment.executors.size();
  const std::size_t loads = deployment.weights.managed() ? executors : 0;
  return static_cast<std::uint32_t>(deployment.workloads.size() + executors + loads) +
         host.timers();
}

}  // namespace

EventLoop::EventLoop(const Scenario& scenario,
                     const Deployment& deployment,
                     Dispatcher& dispatcher,
                     StreamKey key,
                     const RecorderOptions& recording)
    : scenario_(&scenario),
      horizon_(kStart + from_seconds(scenario.duration_s)),
      workloads_(static_cast<std::uint32_t>(deployment.workloads.size())),
      host_(deployment, dispatcher, scenario.device.depth),
      events_(slots(deployment, host_)),
      device_(deployment,
              scenario.profiles,
              scenario.cluster.own_types,
              scenario.device,
              key,
              events_,
              workloads_),
      recorder_(deployment, recording) {
  if (deployment.weights.managed()) {
    transfers_.emplace(deployment);
    loads_.resize(deployment.executors.size());
  }
  sources_.reserve(workloads_);
  for (std::uint32_t w = 0; w < workloads_; ++w) {
    const Workload& workload = deployment.workloads[w];
    sources_.emplace_back(workload.arrivals, key.with("arrivals").with(workload.name));
    any_closed_ |= sources_.back().closed();
    if (deployment.routing == Routing::kWeightedRandom) {
      routing_.emplace_back(key.with("routing").with(workload.name));
    }
  }
}

void EventLoop::schedule_arrival(std::uint32_t w) {
  const TimePoint t = sources_[w].next();
  if (t < horizon_) [[likely]] {
    events_.schedule(SlotId(w), t, Phase::kArrive);
    return;
  }
  events_.cancel(SlotId(w));
  if (!sources_[w].closed()) --open_sources_;
}

void EventLoop::arrive(std::uint32_t w) {
  const Request request{now_, RequestId::of(WorkloadId(w), sources_[w].take())};
  // First of all: the sooner this event has its successor, the sooner the next event is known.
  schedule_arrival(w);
  ++in_system_;
  recorder_.arrived(WorkloadId(w), now_);
  const std::uint64_t draw = routing_.empty() ? 0 : routing_[w].bits();
  if (!host_.arrived(WorkloadId(w), request, draw)) [[unlikely]]
    unserved(request);
}

// By value: a request whose address is taken has to live in memory.
void EventLoop::unserved(Request request) {
  recorder_.dropped({&request, 1}, DropReason::kUnserved);
  answered({&request, 1});
}

void EventLoop::answered(std::span<const Request> requests) {
  in_system_ -= requests.size();
  last_move_ = now_;
  if (!any_closed_) [[likely]]
    return;
  for (const Request& request : requests) {
    const std::uint32_t w = request.id.workload().value();
    RequestSource& source = sources_[w];
    if (!source.closed()) continue;
    // A client that never thinks and is never served would ask again for ever, at one instant.
    if (source.think() == Duration::zero() && host_.view().deployment().queues_of[w].empty())
      continue;
    source.answered(now_);
    schedule_arrival(w);
  }
}

void EventLoop::device_event(ExecutorId e) {
  const DeviceMessage message = device_.fire(e, now_);
  switch (message.kind) {
    case DeviceMessage::Kind::kFinished: {
      const Batch& batch = host_.batch(message.batch);
      host_.finished(message.batch, message.start, now_);
      answered(batch.requests);
      finished_.push_back({&batch, message.start, message.alone});
      break;
    }
    case DeviceMessage::Kind::kRefused:
      host_.refused(message.batch, Refusal::kTooLate);
      break;
    case DeviceMessage::Kind::kNothing:
      break;
  }
  if (!device_.begun().empty()) [[unlikely]]
    report_begun();
}

void EventLoop::carry_out(std::span<const Command> commands) {
  for (const Command& command : commands) {
    if (command.kind == CommandKind::kRun) [[likely]] {
      device_.submit(command, host_.batch(command.batch).window, now_);
      if (!device_.begun().empty()) [[unlikely]]
        report_begun();
    } else if (command.kind == CommandKind::kDrop) {
      const std::span<const Request> requests = host_.dropped(command);
      recorder_.dropped(requests, command.reason);
      answered(requests);
    } else if (command.kind == CommandKind::kLoad) {
      begin_load(command.executor, command.model());
    }
  }
}

void EventLoop::begin_load(ExecutorId e, ModelId m) {
  loads_[e.index()].push_back({m, transfers_->load(e, m, now_)});
  if (loads_[e.index()].size() == 1) schedule_load(e);
}

// The slots behind the policy's timers.
void EventLoop::schedule_load(ExecutorId e) {
  const SlotId slot(workloads_ + host_.view().executors() + host_.timers() + e.value());
  if (loads_[e.index()].empty()) {
    events_.cancel(slot);
  } else {
    events_.schedule(slot, loads_[e.index()].front().span.end, Phase::kFinish);
  }
}

void EventLoop::load_over(ExecutorId e) {
  const Load load = loads_[e.index()].front();
  loads_[e.index()].pop_front();
  host_.loaded(e, load.model, true, load.span.start, load.span.end);
  schedule_load(e);
}

std::optional<std::string> EventLoop::weights_note() const {
  if (!transfers_) return std::nullopt;
  return std::to_string(transfers_->loads()) + " loads of weights, " +
         std::to_string(transfers_->loaded_kib() / 1024) + " MiB in all";
}

void EventLoop::fire(std::uint32_t slot) {
  if (slot < workloads_) {
    arrive(slot);
  } else if (const std::uint32_t e = slot - workloads_; e < host_.view().executors()) {
    device_event(ExecutorId(e));
  } else if (const std::uint32_t t = e - host_.view().executors(); t < host_.timers()) [[likely]] {
    events_.cancel(SlotId(slot));
    host_.timer(TimerId(t));
  } else {
    load_over(ExecutorId(t - host_.timers()));
  }
  ++events_fired_;
}

// Out of line: the loop keeps its registers to itself.
void EventLoop::record_finished() {
  for (const Ended& ended : finished_) {
    recorder_.finished(*ended.batch, ended.start, now_, ended.alone);
  }
  finished_.clear();
}

void EventLoop::report_begun() {
  for (const ExecutorId begun : device_.begun()) recorder_.started(begun, now_);
  device_.clear_begun();
}

bool EventLoop::over(TimePoint next) const {
  // Only timers are left when nobody will send and nothing is in the system.
  if (next == kNever || !scenario_->drain) return true;
  if (open_sources_ > 0) return false;
  // A batch that is committed moves in the end, however long it takes.
  return in_system_ == 0 || (next - last_move_ > kPatience && host_.in_flight() == 0);
}

void EventLoop::run(const std::function<void(double)>& progress) {
  carry_out(host_.start(kStart, events_, workloads_ + host_.view().executors()));
  for (std::uint32_t w = 0; w < workloads_; ++w) {
    if (!sources_[w].closed()) ++open_sources_;
    schedule_arrival(w);
  }
  std::uint64_t next_progress = kProgressEvery;
  std::uint32_t rounds = 0;
  for (TimePoint t = events_.next_time(); t < horizon_ || !over(t); t = events_.next_time()) {
    if (t != now_) [[likely]] {
      rounds = 0;
    } else {
      TANGRAM_CHECK(++rounds < kMostRounds, "the policy keeps waking itself at one instant; time ",
                    t.time_since_epoch().count(), " ns");
    }
    now_ = t;
    host_.begin(t);
    do {
      fire(events_.top().value());
    } while (events_.next_time() == t);
    carry_out(host_.decide());
    // Recorded last: the next event is found while this is done, and nothing waits for it.
    if (!finished_.empty()) record_finished();
    if (events_fired_ >= next_progress) [[unlikely]] {
      next_progress += kProgressEvery;
      if (progress) progress(std::min(1.0, to_seconds(now_ - kStart) / scenario_->duration_s));
    }
  }
  device_.for_each_running(
      [&](ExecutorId e, TimePoint start) { recorder_.abandoned(e, start, horizon_); });
  if (scenario_->log_requests) {
    host_.for_each_unanswered([&](const Request& request) { recorder_.unfinished(request); });
  }
}

}  // namespace tangram
