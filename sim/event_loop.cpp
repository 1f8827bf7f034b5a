#include "sim/event_loop.h"

#include <algorithm>

#include "sim/progress.h"

namespace tangram {
namespace {

// A policy that wakes itself again and again without moving anything is stopped: this many rounds
// in one instant, or this long without an answer once the arrivals are over.
constexpr std::uint32_t kMostRounds = 100'000;
constexpr Duration kPatience = std::chrono::hours(1);

// Of executors, timers, requests in transit, loads of weights, executors that come up.
std::uint32_t back_slots(std::uint32_t workloads,
                         const Deployment& deployment,
                         const Host& host,
                         const NetworkDelay& network,
                         bool takes_over) {
  const std::uint32_t executors = host.view().executors();
  return executors + host.timers() + (network.none() ? 0 : workloads) +
         (deployment.weights.managed() ? executors : 0) + (takes_over ? executors : 0);
}

}  // namespace

EventLoop::EventLoop(const Scenario& scenario,
                     const Deployment& deployment,
                     const std::vector<ApplicationLoad>& applications,
                     Dispatcher& dispatcher,
                     StreamKey key,
                     const RecorderOptions& recording,
                     const Deployment* truth)
    : EventLoop(scenario,
                deployment,
                truth == nullptr ? deployment : *truth,
                applications,
                dispatcher,
                key,
                recording,
                false) {
  for (std::uint32_t w = 0; w < workloads_; ++w) {
    const bool is_application = tracker_.is_application(WorkloadId(w));
    const Workload& workload = is_application ? applications[w - deployment.workloads.size()].load
                                              : deployment.workloads[w];
    sources_.emplace_back(workload.arrivals, key.with("arrivals").with(workload.name));
    any_closed_ |= sources_.back().closed();
    if (!scenario.network.none()) {
      transits_.emplace_back(scenario.network,
                             RandomStream(key.with("network").with(workload.name)));
    }
  }
}

EventLoop::EventLoop(const Scenario& scenario,
                     const Deployment& deployment,
                     Dispatcher& dispatcher,
                     StreamKey key,
                     const RecorderOptions& recording,
                     Handover from,
                     std::vector<TimePoint> up)
    : EventLoop(scenario, deployment, deployment, {}, dispatcher, key, recording, true) {
  TANGRAM_CHECK(from.sources.size() == workloads_, "the workloads changed; there are ",
                from.sources.size(), " and ", workloads_);
  sources_ = std::move(from.sources);
  transits_ = std::move(from.transits);
  taken_over_ = std::move(from.waiting);
  up_ = std::move(up);
  now_ = last_move_ = from.at;
  in_system_ = taken_over_.size();
  for (const Transit& transit : transits_) in_system_ += transit.items().size();
}

EventLoop::EventLoop(const Scenario& scenario,
                     const Deployment& deployment,
                     const Deployment& truth,
                     const std::vector<ApplicationLoad>& applications,
                     Dispatcher& dispatcher,
                     StreamKey key,
                     const RecorderOptions& recording,
                     bool takes_over)
    : scenario_(&scenario),
      horizon_(kStart + from_seconds(scenario.duration_s)),
      workloads_(static_cast<std::uint32_t>(deployment.workloads.size() + applications.size())),
      host_(deployment, dispatcher, scenario.device.depth),
      events_(EventQueue::split(
          workloads_, back_slots(workloads_, deployment, host_, scenario.network, takes_over))),
      first_arrival_slot_(events_.front_slot()),
      first_executor_slot_(events_.back_slot()),
      device_(truth,
              scenario.profiles,
              scenario.cluster.own_types,
              scenario.device,
              key,
              events_,
              first_executor_slot_),
      recorder_(deployment, recording, applications),
      tracker_(applications, static_cast<std::uint32_t>(deployment.workloads.size()), key),
      first_transit_slot_(first_executor_slot_ + host_.view().executors() + host_.timers()),
      first_load_slot_(first_transit_slot_ + (scenario.network.none() ? 0 : workloads_)),
      first_up_slot_(first_load_slot_ +
                     (deployment.weights.managed() ? host_.view().executors() : 0)),
      is_plain_(applications.empty() && scenario.network.none()),
      only_serves_idle_(is_plain_ && deployment.routing != Routing::kWeightedRandom &&
                        dispatcher.only_serves_idle()) {
  if (deployment.weights.managed()) {
    transfers_.emplace(deployment);
    loads_.resize(deployment.executors.size());
  }
  sources_.reserve(workloads_);
  if (deployment.routing == Routing::kWeightedRandom) {
    for (const Workload& workload : deployment.workloads) {
      routing_.emplace_back(key.with("routing").with(workload.name));
    }
  }
}

void EventLoop::schedule_arrival(std::uint32_t w) {
  const TimePoint t = sources_[w].next();
  if (t < horizon_) [[likely]] {
    events_.schedule(SlotId(first_arrival_slot_ + w), t, Phase::kArrive);
    return;
  }
  events_.cancel(SlotId(first_arrival_slot_ + w));
  if (!sources_[w].closed()) --open_sources_;
}

void EventLoop::arrive(std::uint32_t w) {
  const Request request{now_, RequestId::of(WorkloadId(w), sources_[w].take())};
  // First of all: the sooner this event has its successor, the sooner the next event is known.
  schedule_arrival(w);
  ++in_system_;
  recorder_.arrived(WorkloadId(w), now_);
  if (is_plain_) [[likely]] {
    enter(request);
  } else {
    arrive_elsewhere(request);
  }
}

bool EventLoop::take_while_busy(std::uint32_t slot, TimePoint end) {
  const WorkloadId w(slot - first_arrival_slot_);
  if (w.value() >= workloads_) return false;
  const MaybeId<QueueId> queue = host_.busy_queue(w);
  if (!queue) return false;
  const TimePoint limit = std::min({events_.next_time_besides(SlotId(slot)), horizon_, end});
  RequestSource& source = sources_[w.index()];
  TimePoint t = source.next();
  if (t >= limit) return false;  // not alone at this instant
  const std::uint64_t before = source.sent();
  std::uint64_t counted = 0;
  TimePoint last;
  do {
    last = t;
    counted += recorder_.counts(t);
    host_.enter(*queue, {t, RequestId::of(w, source.take())});
    t = source.next();
  } while (t < limit);
  now_ = last;
  host_.grew(*queue);
  recorder_.offered(w, counted);
  const std::uint64_t n = source.sent() - before;
  in_system_ += n;
  events_fired_ += n;
  schedule_arrival(w.value());
  return true;
}

void EventLoop::enter(Request request) {
  const WorkloadId w = request.id.workload();
  const std::uint64_t draw = routing_.empty() ? 0 : routing_[w.index()].bits();
  if (!host_.arrived(w, request, draw)) [[unlikely]]
    unserved(request);
}

void EventLoop::arrive_elsewhere(Request request) {
  const std::uint32_t w = request.id.workload().value();
  if (transits_.empty()) {
    admit(request);
  } else {
    transits_[w].send(now_, request.id.number());
    events_.schedule(SlotId(first_transit_slot_ + w), transits_[w].next(), Phase::kArrive);
  }
}

void EventLoop::leave_transit(std::uint32_t w) {
  const Transit::Item item = transits_[w].take();
  events_.schedule(SlotId(first_transit_slot_ + w), transits_[w].next(), Phase::kArrive);
  admit({item.sent, RequestId::of(WorkloadId(w), item.number)});
}

void EventLoop::admit(Request request) {
  if (tracker_.is_application(request.id.workload())) {
    tracker_.arrived(request);
  } else {
    enter(request);
  }
  follow_up();
}

void EventLoop::follow_tracker() {
  tracker_.deliver(
      [this](const Request& request) {
        ++in_system_;
        recorder_.arrived(request.id.workload(), request.arrival);
        enter(request);
      },
      [this](const ApplicationTracker::Ended& ended) {
        recorder_.ended(ended);
        answered({&ended.request, 1}, ended.dropped == DropReason::kUnserved);
      });
}

void EventLoop::stages_finished(const Batch& batch, const DeviceMessage& message) {
  const Duration exec = now_ - message.start;
  for (const Request& request : batch.requests) {
    if (!tracker_.is_stage(request.id.workload())) continue;
    tracker_.finished(request, now_, {batch.decided - request.arrival, exec, exec - message.alone});
  }
  follow_up();
}

void EventLoop::dropped(std::span<const Request> requests, DropReason reason) {
  recorder_.dropped(requests, reason);
  answered(requests, reason == DropReason::kUnserved);
  if (tracker_.empty()) [[likely]]
    return;
  for (const Request& request : requests) {
    if (tracker_.is_stage(request.id.workload())) tracker_.dropped(request, reason);
  }
}

// By value: a request whose address is taken has to live in memory.
void EventLoop::unserved(Request request) {
  dropped({&request, 1}, DropReason::kUnserved);
}

void EventLoop::answered(std::span<const Request> requests, bool unserved) {
  in_system_ -= requests.size();
  last_move_ = now_;
  if (!any_closed_) [[likely]]
    return;
  for (const Request& request : requests) {
    const std::uint32_t w = request.id.workload().value();
    RequestSource& source = sources_[w];
    if (!source.closed()) continue;
    // A client that never thinks and is never served would ask again for ever, at one instant.
    if (source.think() == Duration::zero() && unserved) continue;
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
      if (!tracker_.empty()) [[unlikely]]
        stages_finished(batch, message);
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
      dropped(host_.dropped(command), command.reason);
    } else if (command.kind == CommandKind::kLoad) {
      begin_load(command.executor, command.model());
    }
  }
  follow_up();
}

void EventLoop::begin_load(ExecutorId e, ModelId m) {
  loads_[e.index()].push_back({m, transfers_->load(e, m, now_)});
  if (loads_[e.index()].size() == 1) schedule_load(e);
}

void EventLoop::schedule_load(ExecutorId e) {
  const SlotId slot(first_load_slot_ + e.value());
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
  // Either difference wraps where the slot lies below.
  if (const std::uint32_t w = slot - first_arrival_slot_; w < workloads_) {
    arrive(w);
  } else if (const std::uint32_t e = slot - first_executor_slot_; e < host_.view().executors()) {
    device_event(ExecutorId(e));
  } else if (slot < first_transit_slot_) [[likely]] {
    events_.cancel(SlotId(slot));
    host_.timer(TimerId(e - host_.view().executors()));
  } else if (slot < first_load_slot_) {
    leave_transit(slot - first_transit_slot_);
  } else if (slot < first_up_slot_) {
    load_over(ExecutorId(slot - first_load_slot_));
  } else {
    executor_up(ExecutorId(slot - first_up_slot_));
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
  if (in_system_ == 0) return true;
  return next - last_move_ > kPatience && host_.in_flight() == 0 &&
         std::all_of(transits_.begin(), transits_.end(),
                     [](const Transit& transit) { return transit.next() == kNever; });
}

void EventLoop::executor_up(ExecutorId e) {
  events_.cancel(SlotId(first_up_slot_ + e.value()));
  host_.executor(e, true);
}

void EventLoop::start() {
  carry_out(host_.start(now_, events_, first_executor_slot_ + host_.view().executors()));
  for (std::uint32_t w = 0; w < workloads_; ++w) {
    if (!sources_[w].closed()) ++open_sources_;
    schedule_arrival(w);
    if (!transits_.empty()) {
      events_.schedule(SlotId(first_transit_slot_ + w), transits_[w].next(), Phase::kArrive);
    }
  }
  if (up_.empty()) return;
  host_.begin(now_);
  for (std::uint32_t e = 0; e < up_.size(); ++e) {
    if (up_[e] <= now_) continue;
    host_.executor(ExecutorId(e), false);
    events_.schedule(SlotId(first_up_slot_ + e), up_[e], Phase::kFinish);
  }
  for (const Request& request : taken_over_) enter(request);
  taken_over_.clear();
  carry_out(host_.decide());
}

void EventLoop::run_until(TimePoint end, const std::function<void(double)>& progress) {
  std::uint64_t next_progress = events_fired_ + kProgressEvery;
  std::uint32_t rounds = 0;
  const TimePoint sure = std::min(end, horizon_);
  for (TimePoint t = events_.next_time(); t < sure || (t < end && !over(t));
       t = events_.next_time()) {
    if (only_serves_idle_ && take_while_busy(events_.top().value(), end)) continue;
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
}

void EventLoop::finish(const std::function<void(double)>& progress) {
  run_until(kNever, progress);
  device_.for_each_running(
      [&](ExecutorId e, TimePoint start) { recorder_.abandoned(e, start, horizon_); });
  if (scenario_->log_requests) {
    const auto unfinished = [&](const Request& request) { recorder_.unfinished(request); };
    host_.for_each_unanswered(unfinished);
    tracker_.for_each_open(unfinished);
    for (std::uint32_t w = 0; w < transits_.size(); ++w) {
      for (const Transit::Item& item : transits_[w].items()) {
        unfinished({item.sent, RequestId::of(WorkloadId(w), item.number)});
      }
    }
  }
}

Handover EventLoop::hand_over(TimePoint at) {
  const std::uint32_t executors = host_.view().executors();
  Handover handover{at, std::move(sources_), std::move(transits_), {}, {}};
  handover.free.assign(executors, at);
  for (std::size_t e = 0; e < up_.size(); ++e) handover.free[e] = std::max(at, up_[e]);
  const auto wait = [&](const Request& request) { handover.waiting.push_back(request); };
  host_.for_each_waiting(wait);
  // Nothing happens any more but to what executors hold.
  for (std::uint32_t w = 0; w < workloads_; ++w) events_.cancel(SlotId(first_arrival_slot_ + w));
  const auto slots = first_up_slot_ + static_cast<std::uint32_t>(up_.size());
  for (std::uint32_t slot = first_executor_slot_ + executors; slot < slots; ++slot) {
    events_.cancel(SlotId(slot));
  }
  for (TimePoint t = events_.next_time(); t != kNever; t = events_.next_time()) {
    now_ = t;
    const ExecutorId e(events_.top().value() - first_executor_slot_);
    const DeviceMessage message = device_.fire(e, now_);
    handover.free[e.index()] = now_;
    if (message.kind == DeviceMessage::Kind::kFinished) {
      finished_.push_back({&host_.batch(message.batch), message.start, message.alone});
      record_finished();
    } else if (message.kind == DeviceMessage::Kind::kRefused) {
      // Its window has passed. It waits for the next plan, where it may even be a little early.
      for (const Request& request : host_.batch(message.batch).requests) wait(request);
    }
    if (!device_.begun().empty()) report_begun();
    ++events_fired_;
  }
  std::sort(handover.waiting.begin(), handover.waiting.end(),
            [](const Request& a, const Request& b) {
              return a.arrival != b.arrival ? a.arrival < b.arrival : a.id < b.id;
            });
  return handover;
}

}  // namespace tangram
