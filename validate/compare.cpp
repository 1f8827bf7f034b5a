// Figures of each world, and of the pairs.
#include "validate/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace tangram {
namespace {

constexpr const char* kPlace = "comparison";

// Nearest rank: the value of rank ceil(q n). Requires: ascending; q in (0, 1000] per mille.
template <typename T>
T nearest_rank(const std::vector<T>& ascending, std::uint64_t per_mille) {
  if (ascending.empty()) return T{};
  const std::uint64_t rank = (ascending.size() * per_mille + 999) / 1000;
  return ascending[std::max<std::uint64_t>(rank, 1) - 1];
}

double mean_ms(Int128 sum_ns, double n) {
  return n > 0 ? static_cast<double>(sum_ns) / n * 1e-6 : 0;
}

Answer answer_of(const RequestRow& row) {
  if (row.outcome == 0) return Answer::kGood;
  if (row.outcome == 1) return Answer::kLate;
  return row.outcome == 2 ? Answer::kUnfinished : Answer::kDropped;
}

bool is_completed(const RequestRow& row) {
  return row.outcome <= 1;
}

// Adds up one world's requests of one workload, or of all.
class World {
 public:
  void add(std::uint32_t point, const RequestRow& row) {
    ++counts_[static_cast<std::size_t>(answer_of(row))];
    if (!is_completed(row)) return;
    latencies_.push_back(row.finish - row.arrival);
    wait_ += row.start - row.arrival;
    execution_ += row.finish - row.start;
    batches_.emplace_back(point, row.id.workload().value(), row.executor, row.start, row.finish,
                          row.batch_size);
  }

  Figures figures(double measured_s) {
    Figures f;
    const auto count = [&](Answer a) {
      return static_cast<double>(counts_[static_cast<std::size_t>(a)]);
    };
    f.late = count(Answer::kLate);
    f.completed = count(Answer::kGood) + f.late;
    f.dropped = count(Answer::kDropped);
    f.unfinished = count(Answer::kUnfinished);
    f.offered = f.completed + f.dropped + f.unfinished;
    if (measured_s > 0) {
      f.throughput_rps = f.completed / measured_s;
      f.good_rate_rps = count(Answer::kGood) / measured_s;
    }
    if (f.offered > 0) f.slo_attainment = count(Answer::kGood) / f.offered;
    std::sort(latencies_.begin(), latencies_.end());
    Int128 sum = 0;
    for (const std::int64_t latency : latencies_) sum += latency;
    f.mean_ms = mean_ms(sum, f.completed);
    f.p50_ms = to_ms(Duration(nearest_rank(latencies_, 500)));
    f.p95_ms = to_ms(Duration(nearest_rank(latencies_, 950)));
    f.p99_ms = to_ms(Duration(nearest_rank(latencies_, 990)));
    f.batch_mean = batch_mean();
    f.wait_ms = mean_ms(wait_, f.completed);
    f.execution_ms = mean_ms(execution_, f.completed);
    return f;
  }

 private:
  // Run, workload, executor, start, finish, size: the rows of a batch agree in these.
  using BatchKey = std::
      tuple<std::uint32_t, std::uint32_t, std::int32_t, std::int64_t, std::int64_t, std::uint32_t>;

  double batch_mean() {
    std::sort(batches_.begin(), batches_.end());
    batches_.erase(std::unique(batches_.begin(), batches_.end()), batches_.end());
    double items = 0;
    for (const BatchKey& batch : batches_) items += std::get<5>(batch);
    return batches_.empty() ? 0 : items / static_cast<double>(batches_.size());
  }

  std::array<std::uint64_t, kAnswers> counts_{};
  std::vector<std::int64_t> latencies_;  // ns
  Int128 wait_ = 0, execution_ = 0;
  std::vector<BatchKey> batches_;
};

// Adds up pairs.
class Pairs {
 public:
  void add(const RequestRow& simulated, const RequestRow& real) {
    ++pairing_.requests;
    ++pairing_.answers[static_cast<std::size_t>(answer_of(simulated))]
                      [static_cast<std::size_t>(answer_of(real))];
    if (!is_completed(simulated) || !is_completed(real)) return;
    const std::int64_t real_ns = real.finish - real.arrival;
    const std::int64_t difference = (simulated.finish - simulated.arrival) - real_ns;
    differences_.push_back(difference);
    // Whole numbers: a difference of exactly 5 % counts.
    const auto within = [&](std::int64_t percent) {
      return static_cast<Int128>(std::abs(difference)) * 100 <=
             static_cast<Int128>(real_ns) * percent;
    };
    within_5_ += within(5) ? 1 : 0;
    within_10_ += within(10) ? 1 : 0;
    within_20_ += within(20) ? 1 : 0;
  }

  Pairing pairing() {
    pairing_.completed = differences_.size();
    if (differences_.empty()) return pairing_;
    const auto n = static_cast<double>(differences_.size());
    pairing_.within_5 = static_cast<double>(within_5_) / n;
    pairing_.within_10 = static_cast<double>(within_10_) / n;
    pairing_.within_20 = static_cast<double>(within_20_) / n;
    Int128 sum = 0;
    Int128 absolute = 0;
    for (const std::int64_t difference : differences_) {
      sum += difference;
      absolute += std::abs(difference);
    }
    pairing_.mean_ms = mean_ms(sum, n);
    pairing_.mean_absolute_ms = mean_ms(absolute, n);
    std::sort(differences_.begin(), differences_.end());
    const auto rank = [&](std::uint64_t q) {
      return to_ms(Duration(nearest_rank(differences_, q)));
    };
    pairing_.p5_ms = rank(50);
    pairing_.p25_ms = rank(250);
    pairing_.p50_ms = rank(500);
    pairing_.p75_ms = rank(750);
    pairing_.p95_ms = rank(950);
    return pairing_;
  }

 private:
  Pairing pairing_;
  std::vector<std::int64_t> differences_;  // simulated - real, ns
  std::uint64_t within_5_ = 0, within_10_ = 0, within_20_ = 0;
};

// Mean durations of batches by workload, size and prediction.
class Batches {
 public:
  void add(const StoredRun& run, TimePoint warmup, bool is_real) {
    for (const BatchSpan& span : run.timeline) {
      if (span.start < warmup) continue;
      Sum& sum = sums_[{span.workload.value(), span.size, span.predicted}][is_real ? 1 : 0];
      ++sum.n;
      sum.ns += (span.end - span.start).count();
    }
  }
  std::vector<BatchDurations> times() const {
    std::vector<BatchDurations> list;
    for (const auto& [key, sums] : sums_) {
      const auto& [workload, size, predicted] = key;
      const auto mean = [](const Sum& sum) { return mean_ms(sum.ns, static_cast<double>(sum.n)); };
      list.push_back(
          {workload, size, to_ms(predicted), sums[0].n, sums[1].n, mean(sums[0]), mean(sums[1])});
    }
    return list;
  }

 private:
  struct Sum {
    std::uint64_t n = 0;
    Int128 ns = 0;
  };
  std::map<std::tuple<std::uint32_t, std::uint32_t, Duration>, std::array<Sum, 2>> sums_;
};

struct Gathered {
  World simulated, real;
  Pairs pairs;
  void add(std::uint32_t point, const RequestRow& s, const RequestRow& r) {
    simulated.add(point, s);
    real.add(point, r);
    pairs.add(s, r);
  }
  ComparedWorkload compared(std::string name,
                            std::string model,
                            double simulated_s,
                            double real_s) {
    return {std::move(name), std::move(model), simulated.figures(simulated_s), real.figures(real_s),
            pairs.pairing()};
  }
};

std::string described(const StoredRun& run, const RequestRow& row) {
  const std::size_t w = row.id.workload().index();
  return fmt::format("request {} of workload \"{}\" (at {:.6f} s)", row.id.number(),
                     w < run.workloads.size() ? run.workloads[w].name : "?",
                     static_cast<double>(row.arrival) * 1e-9);
}

[[noreturn]] void differ(const std::string& what) {
  throw ConfigError(kPlace, what +
                                "; a comparison needs the same arrivals in both worlds: the "
                                "same scenario and seed, no closed loop, and runs that ended");
}

void check_arrivals(const StoredRun& simulated, const StoredRun& real) {
  const std::size_t n = std::min(simulated.requests.size(), real.requests.size());
  for (std::size_t i = 0; i < n; ++i) {
    const RequestRow& s = simulated.requests[i];
    const RequestRow& r = real.requests[i];
    if (s.id < r.id) differ(described(simulated, s) + " is in the simulated run only");
    if (r.id < s.id) differ(described(real, r) + " is in the real run only");
    if (s.arrival != r.arrival) {
      differ(described(simulated, s) + fmt::format(" arrives at {:.6f} s in the real run",
                                                   static_cast<double>(r.arrival) * 1e-9));
    }
  }
  if (simulated.requests.size() > n) {
    differ(described(simulated, simulated.requests[n]) + " is in the simulated run only");
  }
  if (real.requests.size() > n) {
    differ(described(real, real.requests[n]) + " is in the real run only");
  }
}

void check_logged(const StoredRun& run, const char* world) {
  for (const StoredWorkload& workload : run.workloads) {
    const auto offered = workload.figures.find("offered");
    const bool asked =
        offered != workload.figures.end() && offered->is_number() && offered->get<double>() > 0;
    if (asked && run.requests.empty()) {
      throw ConfigError(kPlace, fmt::format("the {} run has no request log: set "
                                            "/outputs/requests of the scenario",
                                            world));
    }
  }
}

void check_workloads(const StoredRun& simulated, const StoredRun& real) {
  const auto same = [](const StoredWorkload& a, const StoredWorkload& b) {
    return a.name == b.name && a.model == b.model && a.slo == b.slo;
  };
  if (!std::equal(simulated.workloads.begin(), simulated.workloads.end(), real.workloads.begin(),
                  real.workloads.end(), same)) {
    throw ConfigError(kPlace, "the two results are not of the same workloads");
  }
}

// Takes in run after run.
class Comparer {
 public:
  explicit Comparer(const StoredRun& first) : first_(first), workloads_(first.workloads.size()) {}

  void add(const StoredRun& simulated, const StoredRun& real, TimePoint warmup) {
    check_workloads(first_, simulated);
    check_workloads(simulated, real);
    check_logged(simulated, "simulated");
    check_logged(real, "real");
    check_arrivals(simulated, real);
    simulated_s_ += simulated.measured_s;
    real_s_ += real.measured_s;
    for (std::size_t i = 0; i < simulated.requests.size(); ++i) {
      const RequestRow& row = simulated.requests[i];
      if (kStart + Duration(row.arrival) >= warmup) add(row, real.requests[i]);
    }
    batches_.add(simulated, warmup, false);
    batches_.add(real, warmup, true);
    ++point_;
  }

  Comparison comparison() {
    for (std::size_t w = 0; w < workloads_.size(); ++w) {
      const StoredWorkload& workload = first_.workloads[w];
      comparison_.workloads.push_back(
          workloads_[w].compared(workload.name, workload.model, simulated_s_, real_s_));
    }
    comparison_.total = total_.compared("total", "", simulated_s_, real_s_);
    comparison_.batches = batches_.times();
    return std::move(comparison_);
  }

 private:
  void add(const RequestRow& simulated, const RequestRow& real) {
    workloads_[simulated.id.workload().index()].add(point_, simulated, real);
    total_.add(point_, simulated, real);
    if (!is_completed(simulated) || !is_completed(real)) return;
    comparison_.pairs.push_back({point_, simulated.id,
                                 Duration(simulated.finish - simulated.arrival),
                                 Duration(real.finish - real.arrival)});
  }

  const StoredRun& first_;
  std::uint32_t point_ = 0;
  double simulated_s_ = 0, real_s_ = 0;
  std::vector<Gathered> workloads_;
  Gathered total_;
  Batches batches_;
  Comparison comparison_;
};

}  // namespace

TimePoint warmup_of(const StoredResult& result) {
  Faults faults;
  const auto json = parse_json(result.scenario_text, result.name, faults);
  faults.throw_if_any();
  const auto warmup = json->is_object() ? json->find("warmup_s") : json->end();
  if (warmup == json->end() || !warmup->is_number()) return kStart;
  const double seconds = warmup->get<double>();
  if (!(seconds >= 0 && seconds <= kLongestRunSeconds)) {
    throw ConfigError(kPlace, "the scenario's warmup_s is out of range");
  }
  return kStart + from_seconds(seconds);
}

std::span<const Metric> metrics() {
  static constexpr std::array<Metric, 15> kMetrics{{
      {"offered", &Figures::offered},
      {"completed", &Figures::completed},
      {"late", &Figures::late},
      {"dropped", &Figures::dropped},
      {"unfinished", &Figures::unfinished},
      {"throughput_rps", &Figures::throughput_rps},
      {"good_rate_rps", &Figures::good_rate_rps},
      {"slo_attainment", &Figures::slo_attainment},
      {"mean_ms", &Figures::mean_ms},
      {"p50_ms", &Figures::p50_ms},
      {"p95_ms", &Figures::p95_ms},
      {"p99_ms", &Figures::p99_ms},
      {"batch_mean", &Figures::batch_mean},
      {"wait_ms", &Figures::wait_ms},
      {"execution_ms", &Figures::execution_ms},
  }};
  return kMetrics;
}

double relative_error(double simulated, double real) {
  if (real != 0) return (simulated - real) / real;
  return simulated == 0 ? 0 : std::numeric_limits<double>::quiet_NaN();
}

const std::vector<std::string>& answer_names() {
  static const std::vector<std::string> names{"good", "late", "dropped", "unfinished"};
  return names;
}

Comparison compare(std::span<const StoredResult> simulated, std::span<const StoredResult> real) {
  if (simulated.empty() || simulated.size() != real.size()) {
    throw ConfigError(kPlace, "needs as many real results as simulated ones, at least one");
  }
  Comparer comparer(simulated[0].runs[0]);
  for (std::size_t i = 0; i < simulated.size(); ++i) {
    const TimePoint warmup = warmup_of(simulated[i]);
    if (simulated[i].runs.size() != real[i].runs.size() || warmup_of(real[i]) != warmup) {
      throw ConfigError(kPlace, "the two results differ in their number of runs or their warm-up");
    }
    for (std::size_t r = 0; r < simulated[i].runs.size(); ++r) {
      comparer.add(simulated[i].runs[r], real[i].runs[r], warmup);
    }
  }
  return comparer.comparison();
}

}  // namespace tangram
