// The simulator against queueing theory. Each test states the formula above its expectation and
// prints one line of docs/model/validation-against-theory.md.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/sim/fixture.h"

namespace tangram {
namespace {

constexpr int kReplications = 16;
constexpr double kRequests = 125'000;  // per replication, after the warm-up
constexpr double kFewer = 50'000;      // where every event re-times all that runs
constexpr double kWarmup = 5'000;
constexpr double kServiceMs = 1;
// Two-sided 99.9 % point of Student's t with 15 degrees of freedom.
constexpr double kStudent = 4.073;

using Figure = std::function<double(const WorkloadMetrics&)>;

double mean_wait_ms(const WorkloadMetrics& m) {
  return m.wait.mean_ns() * 1e-6;
}
double mean_ms(const WorkloadMetrics& m) {
  return m.latency.mean_ns() * 1e-6;
}
double p99_ms(const WorkloadMetrics& m) {
  return to_ms(m.latency.quantile(0.99));
}
double mean_batch(const WorkloadMetrics& m) {
  return static_cast<double>(m.batch_items) / static_cast<double>(m.batches);
}

// The share of waits up to `x_ms`; a bin that holds it counts in proportion.
double waits_within(const WorkloadMetrics& m, double x_ms) {
  const double x = x_ms * 1e6;
  double below = 0;
  for (const Histogram::Bin& bin : m.wait.bins()) {
    const auto lower = static_cast<double>(bin.lower), upper = static_cast<double>(bin.upper);
    below += static_cast<double>(bin.count) * std::clamp((x - lower) / (upper - lower), 0.0, 1.0);
  }
  return below / static_cast<double>(m.wait.count());
}

// One workload, independent replications of one seed. Every test has a seed of its own, from its
// name: with one for all, chance would push all figures the same way.
class Replications {
 public:
  Replications(Scenario scenario, const Plan& plan, double requests = kRequests) {
    const char* test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    scenario.seed = StreamKey(1).with(test).value();
    const double rate = scenario.workloads[0].arrivals.rate_rps;
    scenario.warmup_s = kWarmup / rate;
    scenario.duration_s = (kWarmup + requests) / rate;
    for (int r = 0; r < kReplications; ++r) {
      RunOptions options;
      options.replication = static_cast<std::uint64_t>(r);
      metrics_.push_back(run(scenario, plan, options).metrics[0]);
    }
  }

  // The mean over the replications is within `kStudent` standard errors of theory, the standard
  // error being that of independent replications (standard deviation / sqrt(n)), plus `bias` where
  // the figure has a stated relative error of its own. A standard error above 2 % would prove
  // little.
  void expect(const char* name, double theory, const Figure& figure, double bias = 0) const {
    double sum = 0, squares = 0;
    for (const WorkloadMetrics& m : metrics_) sum += figure(m);
    const double mean = sum / kReplications;
    for (const WorkloadMetrics& m : metrics_) squares += std::pow(figure(m) - mean, 2);
    const double error = std::sqrt(squares / (kReplications - 1) / kReplications);
    std::printf("| %-54s | %9.5f | %9.5f | %8.5f |\n", name, theory, mean, error);
    EXPECT_NEAR(mean, theory, kStudent * error + bias * theory) << name;
    EXPECT_LT(error, 0.02 * theory) << name << ": too short to tell";
  }

 private:
  std::vector<WorkloadMetrics> metrics_;
};

// Poisson arrivals of one model at `rho` per server; the mean service is 1 ms.
Scenario poisson(double rho, int servers, const Profile& profile) {
  return scenario_of({profile},
                     {workload_of("unit", "unit", 100, 1000 / kServiceMs * rho * servers)}, 1);
}
Profile unit(Variability::Kind kind, double cv = 0) {
  return with_scatter(linear_profile("unit", "ideal", kServiceMs, 0, 1), kind, cv);
}

TEST(Theory, MM1WaitAndSojourn) {
  const double rho = 0.8;
  const Replications runs(poisson(rho, 1, unit(Variability::Kind::kExponential)), whole_gpus(1));
  // E[W] = rho s / (1 - rho).
  runs.expect("M/M/1 rho 0.8: mean wait, ms", rho * kServiceMs / (1 - rho), mean_wait_ms);
  // The sojourn is exponential with mean s / (1 - rho): its 99th percentile is that times ln 100.
  runs.expect("M/M/1 rho 0.8: p99 of the latency, ms", kServiceMs / (1 - rho) * std::log(100),
              p99_ms, Histogram::kRelativeError);
}

// Erlang 1909 (Crommelin 1932 for one server), M/D/1, x in service times:
// P(W <= x) = (1 - rho) sum_{j=0}^{floor x} (-rho (x - j))^j / j! e^(rho (x - j)).
double md1_wait_within(double rho, double x) {
  double sum = 0, factorial = 1;
  for (int j = 0; j <= static_cast<int>(x); ++j) {
    if (j > 0) factorial *= j;
    sum += std::pow(-rho * (x - j), j) / factorial * std::exp(rho * (x - j));
  }
  return (1 - rho) * sum;
}

TEST(Theory, MD1Wait) {
  const double rho = 0.8;
  const Replications runs(poisson(rho, 1, unit(Variability::Kind::kNone)), whole_gpus(1));
  // Pollaczek-Khinchine with E[S^2] = s^2: E[W] = rho s / (2 (1 - rho)).
  runs.expect("M/D/1 rho 0.8: mean wait, ms", rho * kServiceMs / (2 * (1 - rho)), mean_wait_ms);
  for (const int x : {3, 6, 10}) {
    const std::string name = "M/D/1 rho 0.8: P(W <= " + std::to_string(x) + " s)";
    runs.expect(name.c_str(), md1_wait_within(rho, x),
                [x](const WorkloadMetrics& m) { return waits_within(m, x * kServiceMs); });
  }
}

// P(all c servers are busy), offered load a = c rho: Erlang C from Erlang B's recursion
// B_k = a B_(k-1) / (k + a B_(k-1)), C = B / (1 - rho (1 - B)).
double erlang_c(int c, double rho) {
  double b = 1;
  for (int k = 1; k <= c; ++k) b = c * rho * b / (k + c * rho * b);
  return b / (1 - rho * (1 - b));
}

// The smallest x with tail(x) <= 1 - q, by bisection of a falling tail.
double quantile(double q, const std::function<double(double)>& tail) {
  double low = 0, high = 1000;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (tail(middle) > 1 - q ? low : high) = middle;
  }
  return high;
}

TEST(Theory, MM8Latency) {
  const int c = 8;
  const double rho = 0.8;
  const Replications runs(poisson(rho, c, unit(Variability::Kind::kExponential)), whole_gpus(c));
  const double busy = erlang_c(c, rho);
  // E[T] = s + C s / (c (1 - rho)) = 1.28603 ms.
  runs.expect("M/M/8 rho 0.8: mean latency, ms", kServiceMs + busy * kServiceMs / (c * (1 - rho)),
              mean_ms);
  // W > 0 with probability C, then exponential with rate a = c (1 - rho) / s; T = W + S, mu = 1 /
  // s: P(T > t) = (1 - C) e^(-mu t) + C (a e^(-mu t) - mu e^(-a t)) / (a - mu). Its p99 is 5.1522
  // ms.
  const double mu = 1 / kServiceMs, a = c * (1 - rho) / kServiceMs;
  const double p99 = quantile(0.99, [&](double t) {
    return (1 - busy) * std::exp(-mu * t) +
           busy * (a * std::exp(-mu * t) - mu * std::exp(-a * t)) / (a - mu);
  });
  runs.expect("M/M/8 rho 0.8: p99 of the latency, ms", p99, p99_ms, Histogram::kRelativeError);
}

TEST(Theory, MG1LognormalWait) {
  const double rho = 0.7, cv = 1.5;
  const Replications runs(poisson(rho, 1, unit(Variability::Kind::kLognormal, cv)), whole_gpus(1));
  // Pollaczek-Khinchine: E[W] = lambda E[S^2] / (2 (1 - rho)) = rho s (1 + cv^2) / (2 (1 - rho)).
  runs.expect("M/G/1 lognormal cv 1.5, rho 0.7: mean wait, ms",
              rho * kServiceMs * (1 + cv * cv) / (2 * (1 - rho)), mean_wait_ms);
}

TEST(Theory, MG1GammaWait) {
  const double rho = 0.8, cv = 0.5;
  const Replications runs(poisson(rho, 1, unit(Variability::Kind::kGamma, cv)), whole_gpus(1));
  runs.expect("M/G/1 gamma cv 0.5, rho 0.8: mean wait, ms",
              rho * kServiceMs * (1 + cv * cv) / (2 * (1 - rho)), mean_wait_ms);
}

// One GPU on which 64 processes may run side by side: at rho 0.8 a 65th request waits once in 2e6.
Plan side_by_side(GpuMode mode, double share_pct) {
  const std::vector<PlanReplica> replicas{replica_of("unit", "unit", {}, 64)};
  Plan plan;
  plan.gpus = {gpu_of(0, mode,
                      {mode == GpuMode::kMps ? percent_partition(share_pct, replicas)
                                             : whole_partition(replicas)})};
  return plan;
}

TEST(Theory, ProcessorSharingUnderMps) {
  const double rho = 0.8;
  // M/G/1-PS: E[T] = s / (1 - rho), whatever the distribution of the service.
  const double theory = kServiceMs / (1 - rho);
  const Plan plan = side_by_side(GpuMode::kMps, 100);
  Replications(poisson(rho, 1, unit(Variability::Kind::kExponential)), plan, kFewer)
      .expect("M/M/1-PS (MPS, caps 100 %) rho 0.8: mean latency, ms", theory, mean_ms);
  Replications(poisson(rho, 1, unit(Variability::Kind::kNone)), plan, kFewer)
      .expect("M/D/1-PS (MPS, caps 100 %) rho 0.8: mean latency, ms", theory, mean_ms);
}

TEST(Theory, MpsCapsLimitWhatOneProcessGets) {
  const double rho = 0.8;
  Profile profile = table_profile("unit", "ideal", {point_of({ShareKind::kPercent, 50}, 1, 1, 1)});
  profile = with_scatter(profile, Variability::Kind::kExponential);
  // Caps of 50 %: one or two batches run at full speed, n > 2 at 2 / n of it. The number of
  // requests is that of M/M/2, and by Little's law so is the mean: E[T] = s + C s / (2 (1 - rho)).
  Replications(poisson(rho, 2, profile), side_by_side(GpuMode::kMps, 50), kFewer)
      .expect("M/M/2-PS (MPS, caps 50 %) rho 0.8: mean latency, ms",
              kServiceMs + erlang_c(2, rho) * kServiceMs / (2 * (1 - rho)), mean_ms);
}

TEST(Theory, TimeSlicingIsProcessorSharing) {
  const double rho = 0.8;
  Replications(poisson(rho, 1, unit(Variability::Kind::kExponential)),
               side_by_side(GpuMode::kTimeSliced, 100), kFewer)
      .expect("M/M/1-PS (time slicing) rho 0.8: mean latency, ms", kServiceMs / (1 - rho), mean_ms);
}

TEST(Theory, TimeSlicingLosesTheSwitches) {
  const double rho = 0.7;
  Scenario scenario = poisson(rho, 1, unit(Variability::Kind::kExponential));
  scenario.device.quantum_ms = 2;
  scenario.device.switch_ms = 0.25;
  // A birth-death chain: alone, a batch is served at rate 1 / s; n > 1 together at rate f / s with
  // f = quantum / (quantum + switch). With r = rho / f: p_n = p_0 rho r^(n-1),
  // p_0 = 1 / (1 + rho / (1 - r)), E[N] = p_0 rho / (1 - r)^2, and E[T] = E[N] s / rho.
  const double r = rho / (2 / 2.25);
  const double p0 = 1 / (1 + rho / (1 - r));
  Replications(scenario, side_by_side(GpuMode::kTimeSliced, 100), kFewer)
      .expect("time slicing 2 ms + 0.25 ms, rho 0.7: mean latency, ms",
              p0 * rho / ((1 - r) * (1 - r)) * kServiceMs / rho, mean_ms);
}

// The server that takes all that waits, up to `most`, in 2 + 0.25 n ms: the chain of the number n
// that waits when a batch ends. From n it runs b = min(n, most), after one arrival if n = 0 (then b
// = 1), and Poisson(lambda L(b)) requests arrive meanwhile.
struct BatchServer {
  double rate_per_ms = 2.56, fixed = 2, per_item = 0.25;
  int most = 32, states = 320;

  int batch(int n) const { return std::clamp(n, 1, most); }
  double length(int n) const { return fixed + per_item * batch(n); }
  int left(int n) const { return std::max(0, n - most); }

  // The stationary distribution, by powers of the transition matrix.
  std::vector<double> stationary() const {
    const auto size = static_cast<std::size_t>(states);
    std::vector<double> p(size), next(size);
    p[0] = 1;  // far from the cut at `states`: nothing is lost there
    for (double change = 1; change > 1e-13;) {
      std::fill(next.begin(), next.end(), 0.0);
      for (int n = 0; n < states; ++n) {
        const double mean = rate_per_ms * length(n);
        double poisson = std::exp(-mean);
        for (int k = 0; left(n) + k < states; ++k) {
          next[static_cast<std::size_t>(left(n) + k)] += p[static_cast<std::size_t>(n)] * poisson;
          poisson *= mean / (k + 1);
        }
      }
      change = 0;
      for (std::size_t n = 0; n < size; ++n) change += std::abs(next[n] - p[n]);
      p.swap(next);
    }
    return p;
  }
};

TEST(Theory, BatchServer) {
  const BatchServer server;
  const std::vector<double> p = server.stationary();
  // Per cycle (one batch, with the idle time before it): mean batch, mean length, and the integral
  // of the number in the system, n L + lambda L^2 / 2. Little: E[T] = integral / (lambda length).
  double total = 0, batch = 0, length = 0, integral = 0;
  for (int n = 0; n < server.states; ++n) {
    const double weight = p[static_cast<std::size_t>(n)], l = server.length(n);
    total += weight;
    batch += weight * server.batch(n);
    length += weight * (l + (n == 0 ? 1 / server.rate_per_ms : 0));
    integral += weight * (std::max(n, 1) * l + server.rate_per_ms * l * l / 2);
  }
  const double latency = integral / (server.rate_per_ms * length);
  EXPECT_NEAR(total, 1, 1e-9);
  EXPECT_NEAR(batch, server.rate_per_ms * length, 1e-9);  // what arrives in a cycle leaves in one
  EXPECT_NEAR(batch, 14.22, 0.005);
  EXPECT_NEAR(latency, 8.893, 0.0005);

  Scenario scenario = scenario_of({linear_profile("unit", "ideal", 2, 0.25, 32)},
                                  {workload_of("unit", "unit", 100, 2560)}, 1);
  scenario.dispatcher = dispatcher_of("eager", {{"max_batch", 32}});
  const Replications runs(scenario, whole_gpus(1));
  runs.expect("batch server C: mean batch", batch, mean_batch);
  runs.expect("batch server C: mean latency, ms", latency, mean_ms);
}

TEST(Theory, ClosedLoopIsTheMachineRepairModel) {
  const int clients = 6;
  const double think = 4;
  // N machines that fail after exponential Z and one repairer with exponential S:
  // 1 / p_0 = sum_k N! / (N - k)! (S / Z)^k, X = (1 - p_0) / S, R = N / X - Z.
  double sum = 1, term = 1;
  for (int k = 1; k <= clients; ++k) {
    term *= (clients - k + 1) * kServiceMs / think;
    sum += term;
  }
  const double throughput = (1 - 1 / sum) / kServiceMs;
  Scenario scenario = poisson(0.8, 1, unit(Variability::Kind::kExponential));
  ArrivalSpec& arrivals = scenario.workloads[0].arrivals;
  arrivals.process = ArrivalSpec::Process::kClosedLoop;
  arrivals.rate_rps = throughput * 1000;  // for the length of the runs only
  arrivals.clients = clients;
  arrivals.think = from_ms(think);
  const Replications runs(scenario, whole_gpus(1));
  const double measured_s = kRequests / arrivals.rate_rps;
  runs.expect(
      "closed loop N 6, Z 4 ms: throughput, 1/ms", throughput,
      [&](const WorkloadMetrics& m) { return static_cast<double>(m.offered) / measured_s / 1000; });
  runs.expect("closed loop N 6, Z 4 ms: mean latency, ms", clients / throughput - think, mean_ms);
}

}  // namespace
}  // namespace tangram
