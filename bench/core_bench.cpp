// Speed of the event core: the hold model through the public queue with either backend, re-timing,
// cancellation, random samples and histogram recording. Reference numbers:
// docs/model/event-core.md.
#include <benchmark/benchmark.h>

#include "sim/core/event_queue.h"
#include "sim/core/histogram.h"
#include "sim/core/random.h"

namespace tangram {
namespace {

constexpr std::size_t kTree = SlotTree::kMostSlots;
constexpr std::size_t kRadix = 0;
constexpr double kMeanNs = 1e6;

// Every slot has one event, an exponential time from now.
EventQueue filled(std::size_t slots, std::size_t tree_limit, RandomStream& random) {
  EventQueue queue(slots, tree_limit);
  for (std::size_t i = 0; i < slots; ++i) {
    queue.schedule(SlotId(i), kStart + from_ns(random.exponential() * kMeanNs), Phase::kFinish);
  }
  return queue;
}

// Classic hold: the earliest event is replaced by one an exponential time later.
void hold(benchmark::State& state, std::size_t tree_limit) {
  RandomStream random{StreamKey(1)};
  EventQueue queue = filled(static_cast<std::size_t>(state.range(0)), tree_limit, random);
  for (auto _ : state) {
    const TimePoint now = queue.next_time();
    queue.schedule(queue.top(), now + from_ns(random.exponential() * kMeanNs), Phase::kFinish);
  }
  benchmark::DoNotOptimize(queue.next_time());
}

// Hold, and after each event one random other event is moved: interference, preemption.
void hold_and_retime(benchmark::State& state, std::size_t tree_limit) {
  RandomStream random{StreamKey(1)};
  const auto slots = static_cast<std::size_t>(state.range(0));
  EventQueue queue = filled(slots, tree_limit, random);
  for (auto _ : state) {
    const TimePoint now = queue.next_time();
    queue.schedule(queue.top(), now + from_ns(random.exponential() * kMeanNs), Phase::kFinish);
    const SlotId other(random.below(slots));
    queue.schedule(other, now + from_ns(random.exponential() * kMeanNs), Phase::kFinish);
  }
  benchmark::DoNotOptimize(queue.next_time());
}

// Hold, and after each event a timer is set and an earlier one cancelled: batch timeouts.
void hold_and_cancel(benchmark::State& state, std::size_t tree_limit) {
  RandomStream random{StreamKey(1)};
  const auto slots = static_cast<std::size_t>(state.range(0));
  EventQueue queue = filled(slots, tree_limit, random);
  std::size_t timer = 0;
  for (auto _ : state) {
    const TimePoint now = queue.next_time();
    const SlotId first = queue.top();
    queue.schedule(first, now + from_ns(random.exponential() * kMeanNs), Phase::kFinish);
    timer = timer + 1 == slots ? 0 : timer + 1;
    const TimePoint was = queue.time_of(SlotId(timer));
    queue.cancel(SlotId(timer));
    queue.schedule(SlotId(timer), was, Phase::kTimer);
  }
  benchmark::DoNotOptimize(queue.next_time());
}

BENCHMARK_CAPTURE(hold, tree, kTree)->Arg(16)->Arg(100)->Arg(10000)->Arg(100000)->Arg(1000000);
BENCHMARK_CAPTURE(hold, radix, kRadix)->Arg(16)->Arg(100)->Arg(10000)->Arg(100000)->Arg(1000000);
BENCHMARK_CAPTURE(hold_and_retime, tree, kTree)->Arg(16)->Arg(100)->Arg(10000)->Arg(100000);
BENCHMARK_CAPTURE(hold_and_retime, radix, kRadix)->Arg(10000)->Arg(100000)->Arg(1000000);
BENCHMARK_CAPTURE(hold_and_cancel, tree, kTree)->Arg(16)->Arg(100)->Arg(10000)->Arg(100000);
BENCHMARK_CAPTURE(hold_and_cancel, radix, kRadix)->Arg(10000)->Arg(100000)->Arg(1000000);

template <typename Draw>
void sample(benchmark::State& state, Draw draw) {
  RandomStream random{StreamKey(1)};
  double sum = 0;
  for (auto _ : state) sum += static_cast<double>(draw(random));
  benchmark::DoNotOptimize(sum);
}
BENCHMARK_CAPTURE(sample, uniform, [](RandomStream& r) { return r.uniform(); });
BENCHMARK_CAPTURE(sample, exponential, [](RandomStream& r) { return r.exponential(); });
BENCHMARK_CAPTURE(sample, normal, [](RandomStream& r) { return r.normal(); });
BENCHMARK_CAPTURE(sample, lognormal, [](RandomStream& r) { return r.lognormal(0.1, 0.8); });
BENCHMARK_CAPTURE(sample, gamma_4, [](RandomStream& r) { return r.gamma(4); });
BENCHMARK_CAPTURE(sample, gamma_half, [](RandomStream& r) { return r.gamma(0.5); });
BENCHMARK_CAPTURE(sample, below_1000, [](RandomStream& r) { return r.below(1000); });

// Latencies with a lognormal spread around 20 ms, prepared in advance.
void histogram_record(benchmark::State& state) {
  RandomStream random{StreamKey(1)};
  std::vector<Duration> latencies(4096);
  for (Duration& d : latencies) d = from_ms(20 * random.lognormal(0, 0.8));
  Histogram histogram;
  std::size_t i = 0;
  for (auto _ : state) histogram.record(latencies[i++ & 4095]);
  benchmark::DoNotOptimize(histogram.count());
}
BENCHMARK(histogram_record);

}  // namespace
}  // namespace tangram

BENCHMARK_MAIN();
