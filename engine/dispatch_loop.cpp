#include "engine/dispatch_loop.h"

#include <algorithm>

namespace tangram {
namespace {

// The loop looks around this often even when nothing is posted: progress, stop, end of the run.
constexpr Duration kTick = std::chrono::milliseconds(250);
// A policy with a periodic timer never falls silent: without a batch on any device, this long
// without an answer after the arrivals are over ends the run.
constexpr Duration kPatience = std::chrono::minutes(1);

// Completions and refusals free capacity before arrivals ask for it, as in the simulator.
bool is_arrival(const Post& post) {
  return std::holds_alternative<ArrivalPost>(post) || std::holds_alternative<LoadOverPost>(post);
}

}  // namespace

DispatchLoop::DispatchLoop(const Scenario& scenario,
                           const Deployment& deployment,
                           Dispatcher& dispatcher,
                           StreamKey key,
                           const EngineOptions& options)
    : scenario_(&scenario),
      options_(&options),
      horizon_(kStart + from_seconds(scenario.duration_s)),
      host_(deployment, dispatcher, scenario.device.depth),
      timers_(host_.timers()),
      recorder_(deployment,
                {kStart + from_seconds(scenario.warmup_s), horizon_, scenario.log_requests,
                 scenario.log_timeline},
                scenario.applications),
      tracker_(scenario.applications, static_cast<std::uint32_t>(deployment.workloads.size()), key),
      held_(deployment.executors.size()) {
  host_.record(options.log);
  if (deployment.routing == Routing::kWeightedRandom) {
    for (const Workload& workload : deployment.workloads) {
      routing_.emplace_back(key.with("routing").with(workload.name));
    }
  }
}

void DispatchLoop::run(const RealClock& clock,
                       Inbox& inbox,
                       LoadGenerator& load,
                       Backend& backend) {
  load_ = &load;
  backend_ = &backend;
  const std::stop_callback wake(options_->stop, [&inbox] { inbox.wake(); });
  carry_out(host_.start(kStart, timers_, 0));
  TimePoint next_tick = kStart;
  while (!over()) {
    inbox.take(posts_, clock.moment(deadline()));
    // One stamp for everything that is known now; messages carry earlier times of their own.
    now_ = std::max(clock.now(), now_);
    if (take_in()) {
      const std::span<const Command> commands = host_.decide();
      costs_.decide.record(clock.now() - now_);
      carry_out(commands);
    }
    if (options_->progress && now_ >= next_tick) {
      next_tick = now_ + kTick;
      options_->progress(std::min(1.0, to_seconds(now_ - kStart) / scenario_->duration_s));
    }
  }
  stopped_ = options_->stop.stop_requested();
}

bool DispatchLoop::over() const {
  if (options_->stop.stop_requested()) return true;
  if (!load_over_) return false;
  if (in_system_ == 0 || (!scenario_->drain && now_ >= horizon_)) return true;
  if (outstanding_ > 0) return false;
  return timers_.empty() || now_ - last_move_ > kPatience;
}

TimePoint DispatchLoop::deadline() const {
  TimePoint t = std::min(timers_.next_time(), now_ + kTick);
  if (!scenario_->drain && now_ < horizon_) t = std::min(t, horizon_);
  return t;
}

bool DispatchLoop::take_in() {
  host_.begin(now_);
  const std::uint64_t before = events_;
  for (const bool arrivals : {false, true}) {
    for (const Post& post : posts_) {
      if (is_arrival(post) == arrivals) std::visit([this](const auto& p) { take(p); }, post);
    }
  }
  fire_timers();
  return events_ != before;
}

void DispatchLoop::fire_timers() {
  while (timers_.next_time() <= now_) {
    const SlotId slot = timers_.top();
    costs_.timer_lag.record(now_ - timers_.next_time());
    timers_.cancel(slot);
    host_.timer(TimerId(slot.value()));
    ++events_;
  }
}

std::vector<DispatchLoop::Held>::iterator DispatchLoop::find(ExecutorId executor, BatchId batch) {
  std::vector<Held>& held = held_[executor.index()];
  return std::find_if(held.begin(), held.end(),
                      [batch](const Held& one) { return one.batch == batch; });
}

void DispatchLoop::take(const StartedPost& post) {
  const auto held = find(post.executor, post.batch);
  if (held == held_[post.executor.index()].end()) return;
  held->start = post.start;
  recorder_.started(post.executor, post.start);
}

void DispatchLoop::take(const FinishedPost& post) {
  const bool is_live = host_.is_live(post.batch);
  const Batch& batch = host_.batch(post.batch);
  if (is_live) {
    recorder_.finished(batch, post.start, post.end, post.alone);
    held_[batch.executor.index()].erase(find(batch.executor, post.batch));
    --outstanding_;
    answered(batch.requests);
  }
  // Counts a message about a batch that was given up before.
  host_.finished(post.batch, post.start, post.end);
  if (is_live && !tracker_.empty()) stages_finished(batch, post);
  ++events_;
}

void DispatchLoop::take(const RefusedPost& post) {
  if (host_.is_live(post.batch)) {
    const ExecutorId executor = host_.batch(post.batch).executor;
    held_[executor.index()].erase(find(executor, post.batch));
    --outstanding_;
  }
  host_.refused(post.batch, post.why);
  ++events_;
}

void DispatchLoop::take(const ExecutorPost& post) {
  host_.executor(post.executor, post.up);
  ++events_;
  if (post.up) return;
  std::vector<Held>& held = held_[post.executor.index()];
  notes_.push_back("executor " + std::to_string(post.executor.value()) + " was lost after " +
                   std::to_string(to_seconds(now_ - kStart)) + " s with " +
                   std::to_string(held.size()) + " batches");
  for (const Held& one : held) {
    if (one.start) recorder_.abandoned(post.executor, *one.start, now_);
    host_.refused(one.batch, Refusal::kLost);
    --outstanding_;
  }
  held.clear();
}

void DispatchLoop::take(const WeightsPost& post) {
  host_.loaded(post.executor, post.model, post.done, post.start, post.end);
  ++events_;
}

void DispatchLoop::take(const ArrivalPost& post) {
  recorder_.arrived(post.request.id.workload(), post.request.arrival);
  ++in_system_;
  ++events_;
  if (tracker_.is_application(post.request.id.workload())) {
    tracker_.arrived(post.request);
  } else {
    enter(post.request);
  }
  follow_up();
}

void DispatchLoop::enter(const Request& request) {
  const WorkloadId workload = request.id.workload();
  const std::uint64_t draw = routing_.empty() ? 0 : routing_[workload.index()].bits();
  if (!host_.arrived(workload, request, draw)) dropped({&request, 1}, DropReason::kUnserved);
}

void DispatchLoop::follow_up() {
  if (tracker_.empty()) return;
  tracker_.deliver(
      [this](const Request& request) {
        recorder_.arrived(request.id.workload(), request.arrival);
        ++in_system_;
        enter(request);
      },
      [this](const ApplicationTracker::Ended& ended) {
        recorder_.ended(ended);
        answered({&ended.request, 1});
      });
}

void DispatchLoop::stages_finished(const Batch& batch, const FinishedPost& post) {
  for (const Request& request : batch.requests) {
    if (!tracker_.is_stage(request.id.workload())) continue;
    const Duration exec = post.end - post.start;
    tracker_.finished(request, post.end,
                      {batch.decided - request.arrival, exec, exec - post.alone});
  }
  follow_up();
}

void DispatchLoop::dropped(std::span<const Request> requests, DropReason reason) {
  recorder_.dropped(requests, reason);
  answered(requests);
  for (const Request& request : requests) {
    if (tracker_.is_stage(request.id.workload())) tracker_.dropped(request, reason);
  }
}

void DispatchLoop::take(const LoadOverPost&) {
  load_over_ = true;
  last_move_ = now_;
}

void DispatchLoop::answered(std::span<const Request> requests) {
  in_system_ -= requests.size();
  last_move_ = now_;
  for (const Request& request : requests) load_->answered(request.id.workload(), now_);
}

void DispatchLoop::carry_out(std::span<const Command> commands) {
  for (const Command& command : commands) {
    if (command.kind == CommandKind::kRun) {
      const Batch& batch = host_.batch(command.batch);
      held_[command.executor.index()].push_back({command.batch, std::nullopt});
      ++outstanding_;
      backend_->submit({command.batch, command.executor, batch.queue, batch.size(), batch.window});
    } else if (command.kind == CommandKind::kLoad) {
      backend_->load(command.executor, command.model());
    } else if (command.kind == CommandKind::kUnload) {
      backend_->unload(command.executor, command.model());
    } else {
      dropped(host_.dropped(command), command.reason);
    }
  }
  follow_up();
}

void DispatchLoop::settle(Inbox& inbox) {
  inbox.take(posts_, RealClock::Steady::time_point{});
  const auto never_seen = [this](const Request& request) {
    recorder_.arrived(request.id.workload(), request.arrival);
    recorder_.unfinished(request);
  };
  for (const Post& post : posts_) {
    if (const auto* started = std::get_if<StartedPost>(&post)) take(*started);
    if (const auto* arrival = std::get_if<ArrivalPost>(&post)) never_seen(arrival->request);
  }
  for (const ArrivalPost& arrival : load_->in_transit()) never_seen(arrival.request);
  tracker_.for_each_open([this](const Request& request) { recorder_.unfinished(request); });
  host_.for_each_unanswered([this](const Request& request) { recorder_.unfinished(request); });
  for (std::size_t e = 0; e < held_.size(); ++e) {
    for (const Held& one : held_[e]) {
      if (one.start) recorder_.abandoned(ExecutorId(e), *one.start, now_);
    }
  }
}

}  // namespace tangram
