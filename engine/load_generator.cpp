#include "engine/load_generator.h"

#include <algorithm>

namespace tangram {
namespace {
constexpr std::size_t kBlock = 256;
}  // namespace

LoadGenerator::LoadGenerator(const std::vector<Workload>& workloads,
                             StreamKey key,
                             TimePoint horizon,
                             const RealClock& clock,
                             Inbox& inbox)
    : workloads_(workloads),
      horizon_(horizon),
      clock_(clock),
      inbox_(inbox),
      sources_(workloads.size()),
      due_(workloads.size()) {
  for (std::size_t w = 0; w < workloads.size(); ++w) {
    make_source(sources_[w], workloads[w].arrivals, key.with("arrivals").with(workloads[w].name));
    schedule(w);
  }
}

LoadGenerator::~LoadGenerator() {
  try {
    stop();
  } catch (...) {
    // Reported by stop() already, or an earlier exception is on its way.
  }
}

void LoadGenerator::make_source(Source& source, const ArrivalSpec& spec, StreamKey key) {
  if (spec.process != ArrivalSpec::Process::kClosedLoop) {
    source.process = make_arrivals(spec, RandomStream(key));
    source.block.resize(kBlock);
    return;
  }
  any_closed_ = true;
  source.think_stream = std::make_unique<RandomStream>(key);
  // Every client thinks once before its first request.
  for (std::uint32_t c = 0; c < spec.clients; ++c) {
    source.thinking.push_back(kStart + think(source, spec));
  }
  std::make_heap(source.thinking.begin(), source.thinking.end(), std::greater<>());
}

Duration LoadGenerator::think(Source& source, const ArrivalSpec& spec) {
  if (!spec.think_exponential) return spec.think;
  return from_ns(static_cast<double>(spec.think.count()) * source.think_stream->exponential());
}

TimePoint LoadGenerator::next_arrival(Source& source) {
  if (!source.process) return source.thinking.empty() ? kNever : source.thinking.front();
  if (source.next == source.filled) {
    if (source.block.empty()) return kNever;
    source.filled = source.process->next(source.block);
    source.next = 0;
    if (source.filled == 0) {
      source.block.clear();
      return kNever;
    }
  }
  return source.block[source.next];
}

void LoadGenerator::schedule(std::size_t w) {
  const TimePoint t = next_arrival(sources_[w]);
  if (t < horizon_) {
    due_.set(w, t);
  } else {
    due_.clear(w);
  }
}

void LoadGenerator::answered(WorkloadId workload, TimePoint now) {
  Source& source = sources_[workload.index()];
  if (source.process) return;
  {
    const std::scoped_lock lock(mutex_);
    source.thinking.push_back(now + think(source, workloads_[workload.index()].arrivals));
    std::push_heap(source.thinking.begin(), source.thinking.end(), std::greater<>());
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
    Source& source = sources_[w];
    if (source.process) {
      ++source.next;
    } else {
      std::pop_heap(source.thinking.begin(), source.thinking.end(), std::greater<>());
      source.thinking.pop_back();
    }
    posts_.push_back(ArrivalPost{{intended, RequestId::of(WorkloadId(w), source.count++)}});
    lag_.record(now - intended);
    schedule(w);
  }
  if (!posts_.empty()) inbox_.post(posts_);
}

}  // namespace tangram
