// What this machine can do at best: three queueing models as hand-written event loops, without our
// queue, engine or policies, and the hold model on a bare winner tree. The simulator is measured
// against these figures. Shared with it are only the random numbers and the histogram.
//   tangram_limits                    all, medians of several runs
//   tangram_limits MODEL REQUESTS     one run of mm1, mm8 or batching, for
//   bench/beside_the_limit.py
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include "sim/core/histogram.h"
#include "sim/core/random.h"

namespace {

using tangram::Duration;
using tangram::Histogram;
using tangram::RandomStream;
using tangram::StreamKey;
__extension__ using Key = unsigned __int128;

constexpr std::size_t kRepetitions = 7;

// The next event of each slot: time in the upper 64 bits, then 40 of sequence and 24 of slot.
class WinnerTree {
 public:
  explicit WinnerTree(std::size_t slots)
      : leaves_(std::bit_ceil(slots)), nodes_(2 * leaves_, ~Key{0}) {}
  std::uint64_t time() const { return static_cast<std::uint64_t>(nodes_[1] >> 64); }
  std::size_t slot() const { return static_cast<std::size_t>(nodes_[1]) & 0xffffff; }
  void set(std::size_t slot, std::uint64_t time) {
    replay(slot, Key{time} << 64 | (sequence_++ << 24 | slot));
  }
  void clear(std::size_t slot) { replay(slot, ~Key{0}); }

 private:
  void replay(std::size_t slot, Key key) {
    std::size_t i = leaves_ + slot;
    nodes_[i] = key;
    for (; i > 1; i >>= 1) {
      const Key other = nodes_[i ^ 1];
      key = other < key ? other : key;
      nodes_[i >> 1] = key;
    }
  }
  std::size_t leaves_;
  std::vector<Key> nodes_;
  std::uint64_t sequence_ = 0;
};

// Arrival times of the waiting requests; 2^16 of them, more than any run here reaches.
class Waiting {
 public:
  bool empty() const { return head_ == tail_; }
  std::uint32_t size() const { return tail_ - head_; }
  void push(std::uint64_t time) { times_[tail_++ & kMask] = time; }
  std::uint64_t pop() { return times_[head_++ & kMask]; }

 private:
  static constexpr std::uint32_t kMask = (1U << 16) - 1;
  std::vector<std::uint64_t> times_ = std::vector<std::uint64_t>(kMask + 1);
  std::uint32_t head_ = 0, tail_ = 0;
};

std::uint64_t exponential_ns(RandomStream& random, double mean_ns) {
  return static_cast<std::uint64_t>(
      static_cast<std::int64_t>(random.exponential() * mean_ns + 0.5));
}
void record(Histogram& latencies, std::uint64_t from, std::uint64_t to) {
  latencies.record(Duration(static_cast<std::int64_t>(to - from)));
}

// M/M/c, first come first served: load 0.8, mean service 1 ms. Slot 0 is the arrivals, 1..c serve.
Histogram multi_server(int servers, std::uint64_t requests, std::uint64_t seed) {
  constexpr double kService = 1e6;
  const double gap = kService / (0.8 * servers);
  RandomStream arrivals{StreamKey(seed).with("arrivals")};
  RandomStream services{StreamKey(seed).with("services")};
  WinnerTree events(static_cast<std::size_t>(servers) + 1);
  Waiting waiting;
  std::vector<std::uint64_t> arrival_of(static_cast<std::size_t>(servers) + 1);
  std::uint64_t idle = ((std::uint64_t{1} << servers) - 1) << 1;
  Histogram latencies;
  events.set(0, exponential_ns(arrivals, gap));
  for (std::uint64_t done = 0; done < requests;) {
    const std::uint64_t now = events.time();
    const std::size_t slot = events.slot();
    if (slot == 0) {
      if (idle != 0) {
        const auto server = static_cast<std::size_t>(std::countr_zero(idle));
        idle &= idle - 1;
        arrival_of[server] = now;
        events.set(server, now + exponential_ns(services, kService));
      } else {
        waiting.push(now);
      }
      events.set(0, now + exponential_ns(arrivals, gap));
    } else {
      record(latencies, arrival_of[slot], now);
      ++done;
      if (waiting.empty()) {
        idle |= std::uint64_t{1} << slot;
        events.clear(slot);
      } else {
        arrival_of[slot] = waiting.pop();
        events.set(slot, now + exponential_ns(services, kService));
      }
    }
  }
  return latencies;
}

// One server that takes all who wait, at most 32, and needs 2 + 0.25 n ms; Poisson, 2.56 per ms.
Histogram batching(std::uint64_t requests, std::uint64_t seed) {
  constexpr std::uint32_t kLargest = 32;
  constexpr double kGap = 1e6 / 2.56;
  RandomStream arrivals{StreamKey(seed).with("arrivals")};
  WinnerTree events(2);
  Waiting waiting;
  std::array<std::uint64_t, kLargest> batch{};
  std::uint32_t size = 0;
  Histogram latencies;
  const auto start = [&](std::uint64_t now) {
    size = std::min(waiting.size(), kLargest);
    for (std::uint32_t i = 0; i < size; ++i) batch[i] = waiting.pop();
    if (size == 0) {
      events.clear(1);
    } else {
      events.set(1, now + 2'000'000 + std::uint64_t{250'000} * size);
    }
  };
  events.set(0, exponential_ns(arrivals, kGap));
  for (std::uint64_t done = 0; done < requests;) {
    const std::uint64_t now = events.time();
    if (events.slot() == 0) {
      waiting.push(now);
      if (size == 0) start(now);
      events.set(0, now + exponential_ns(arrivals, kGap));
    } else {
      for (std::uint32_t i = 0; i < size; ++i) record(latencies, batch[i], now);
      done += size;
      start(now);
    }
  }
  return latencies;
}

// The earliest of n events is replaced by one an exponential time later.
std::uint64_t hold(std::size_t pending, std::uint64_t events_to_fire, std::uint64_t seed) {
  RandomStream random{StreamKey(seed)};
  WinnerTree events(pending);
  for (std::size_t i = 0; i < pending; ++i) events.set(i, exponential_ns(random, 1e6));
  for (std::uint64_t i = 0; i < events_to_fire; ++i) {
    events.set(events.slot(), events.time() + exponential_ns(random, 1e6));
  }
  return events.time();
}

// Median CPU nanoseconds per unit of work.
template <std::size_t repetitions, typename Run>
double nanoseconds(std::uint64_t units, Run run) {
  std::array<double, repetitions> times{};
  for (double& time : times) {
    const std::clock_t before = std::clock();
    run();
    const std::clock_t after = std::clock();
    time =
        static_cast<double>(after - before) * (1e9 / CLOCKS_PER_SEC) / static_cast<double>(units);
  }
  std::nth_element(times.begin(), times.begin() + repetitions / 2, times.end());
  return times[repetitions / 2];
}

struct Model {
  const char* name;
  const char* title;
  double theory_ms;  // mean latency
  Histogram (*run)(std::uint64_t requests, std::uint64_t seed);
};
constexpr std::array kModels{
    Model{"mm1", "M/M/1", 5.0, [](auto n, auto seed) { return multi_server(1, n, seed); }},
    Model{"mm8", "M/M/8", 1.28603, [](auto n, auto seed) { return multi_server(8, n, seed); }},
    Model{"batching", "batching", 8.8930, [](auto n, auto seed) { return batching(n, seed); }}};

void report(const Model& model, double ns, const Histogram& latencies) {
  std::printf("%-12s %8.2f ns/request   mean latency %.4f ms (theory %.4f)   p99 %.3f ms\n",
              model.title, ns, latencies.mean_ns() * 1e-6, model.theory_ms,
              tangram::to_ms(latencies.quantile(0.99)));
}

void report_hold(std::size_t pending) {
  constexpr std::uint64_t kEvents = 10'000'000;
  std::uint64_t last = 0;
  const double ns = nanoseconds<kRepetitions>(kEvents, [&] { last = hold(pending, kEvents, 1); });
  std::printf("hold %-7zu %8.2f ns/event     reached %.3f ms\n", pending, ns,
              static_cast<double>(last) * 1e-6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    const std::uint64_t requests = std::strtoull(argv[2], nullptr, 10);
    for (const Model& model : kModels) {
      if (std::string_view(argv[1]) != model.name || requests == 0) continue;
      Histogram latencies;
      const double ns = nanoseconds<1>(requests, [&] { latencies = model.run(requests, 1); });
      report(model, ns, latencies);
      return 0;
    }
  }
  if (argc != 1) {
    std::fprintf(stderr, "usage: tangram_limits [mm1|mm8|batching REQUESTS]\n");
    return 2;
  }
  constexpr std::uint64_t kRequests = 5'000'000;
  for (const Model& model : kModels) {
    Histogram all;
    std::uint64_t seed = 0;
    const double ns =
        nanoseconds<kRepetitions>(kRequests, [&] { all.merge(model.run(kRequests, ++seed)); });
    report(model, ns, all);
  }
  for (const std::size_t pending : {16, 100, 10'000, 100'000}) report_hold(pending);
  return 0;
}
