// What this machine can do at best: three queueing models as hand-written event loops, without our
// queue, engine or policies, and the hold model on a bare winner tree. The simulator is measured
// against these figures. Shared with it are only the random numbers and the histogram.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

#include "sim/core/histogram.h"
#include "sim/core/random.h"

namespace {

using tangram::Duration;
using tangram::Histogram;
using tangram::RandomStream;
using tangram::StreamKey;
__extension__ using Key = unsigned __int128;

constexpr int kRepetitions = 7;

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
template <typename Run>
double nanoseconds(std::uint64_t units, Run run) {
  std::array<double, kRepetitions> times{};
  for (double& time : times) {
    const std::clock_t before = std::clock();
    run();
    const std::clock_t after = std::clock();
    time =
        static_cast<double>(after - before) * (1e9 / CLOCKS_PER_SEC) / static_cast<double>(units);
  }
  std::nth_element(times.begin(), times.begin() + kRepetitions / 2, times.end());
  return times[kRepetitions / 2];
}

template <typename Model>
void report_model(const char* name, double theory_ms, Model model) {
  constexpr std::uint64_t kRequests = 5'000'000;
  Histogram all;
  std::uint64_t seed = 0;
  const double ns = nanoseconds(kRequests, [&] { all.merge(model(kRequests, ++seed)); });
  std::printf("%-12s %8.2f ns/request   mean latency %.4f ms (theory %.4f)   p99 %.3f ms\n", name,
              ns, all.mean_ns() * 1e-6, theory_ms, tangram::to_ms(all.quantile(0.99)));
}

}  // namespace

int main() {
  report_model("M/M/1", 5.0, [](auto n, auto seed) { return multi_server(1, n, seed); });
  report_model("M/M/8", 1.28603, [](auto n, auto seed) { return multi_server(8, n, seed); });
  report_model("batching", 8.8930, [](auto n, auto seed) { return batching(n, seed); });
  for (const std::size_t pending : std::initializer_list<std::size_t>{16, 100, 10'000, 100'000}) {
    constexpr std::uint64_t kEvents = 10'000'000;
    std::uint64_t last = 0;
    const double ns = nanoseconds(kEvents, [&] { last = hold(pending, kEvents, 1); });
    std::printf("hold %-7zu %8.2f ns/event     reached %.3f ms\n", pending, ns,
                static_cast<double>(last) * 1e-6);
  }
}
