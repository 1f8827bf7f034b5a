#include "engine/load_generator.h"

namespace tangram {

LoadGenerator::LoadGenerator(const std::vector<Workload>& workloads,
                             StreamKey key,
                             TimePoint horizon,
                             const RealClock& clock,
                             Inbox& inbox)
    : horizon_(horizon), clock_(clock), inbox_(inbox), due_(workloads.size()) {
  for (const Workload& workload : workloads) {
    sources_.emplace_back(workload.arrivals, key.with("arrivals").with(workload.name));
    any_closed_ |= sources_.back().closed();
    schedule(sources_.size() - 1);
  }
}

LoadGenerator::~LoadGenerator() {
  try {
    stop();
  } catch (...) {
    // Reported by stop() already, or an earlier exception is on its way.
  }
}

void LoadGenerator::schedule(std::size_t w) {
  const TimePoint t = sources_[w].next();
  if (t < horizon_) {
    due_.set(w, t);
  } else {
    due_.clear(w);
  }
}

void LoadGenerator::answered(WorkloadId workload, TimePoint now) {
  RequestSource& source = sources_[workload.index()];
  if (!source.closed()) return;
  {
    const std::scoped_lock lock(mutex_);
    source.answered(now);
    schedule(workload.index());
  }
  changed_.notify_one();
}

void LoadGenerator::start() {
  thread_ = std::thread([this] {
    const PreciseTimers precise;
    try {
      run();
    } catch (...) {
      failure_ = std::current_exception();
    }
    inbox_.post(LoadOverPost{});
  });
}

void LoadGenerator::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void LoadGenerator::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const TimePoint now = clock_.now();
    post_due(now);
    // Clients of a closed loop may ask again until the horizon.
    if (due_.empty() && (!any_closed_ || now >= horizon_)) return;
    TimePoint next = any_closed_ ? horizon_ : kNever;
    if (!due_.empty()) next = TimePoint(Duration(static_cast<std::int64_t>(due_.top_primary())));
    changed_.wait_until(lock, clock_.moment(next));
  }
}

void LoadGenerator::post_due(TimePoint now) {
  posts_.clear();
  while (!due_.empty()) {
    const std::size_t w = due_.top();
    const TimePoint intended = TimePoint(Duration(static_cast<std::int64_t>(due_.top_primary())));
    if (intended > now) break;
    posts_.push_back(ArrivalPost{{intended, RequestId::of(WorkloadId(w), sources_[w].take())}});
    lag_.record(now - intended);
    schedule(w);
  }
  if (!posts_.empty()) inbox_.post(posts_);
}

}  // namespace tangram
