// What every dispatcher must do, whatever its rule. Runs over the registry, so a new policy is
// covered by its line in policies/CMakeLists.txt.
#include <algorithm>
#include <map>
#include <ostream>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram::testing {
namespace {

struct Case {
  std::string name;      // of the policy
  std::string params;    // beyond the defaults, so that every branch of a rule is exercised
  bool patient = false;  // may hold requests back for ever
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name << ' ' << c.params;
}

// Every registered policy with its defaults, and more parameters for some.
std::vector<Case> cases() {
  std::vector<Case> list;
  for (const std::string& name : dispatcher_names()) {
    list.push_back({name, "{}", name == "fixed_batch"});
  }
  list.push_back({"eager", R"({"max_batch": 2})"});
  list.push_back({"clipper", R"({"max_wait_ms": 3, "objective_ms": 4})"});
  list.push_back({"nexus", R"({"drop": "lazy", "batch": 5, "post_ms": 1})"});
  list.push_back(
      {"clockwork", R"({"schedule_ahead_ms": 2, "margin_ms": 1, "estimate_window": 3})"});
  list.push_back({"symphony", R"({"window": "immediate", "drop": "timeout"})"});
  list.push_back({"symphony", R"({"window": "target_batch", "response_ms": 0})"});
  list.push_back({"symphony", R"({"window": "immediate", "stale_timers": false})"});
  list.push_back({"duty_cycle", R"({"drop_ratio": 0.5})"});
  list.push_back({"symphony", R"({"window": "target_delay", "rate_window_ms": 5})"});
  // Nothing is sent ahead: a policy that never drops would send to a device that never accepts what
  // it decided long ago (tight latest) for ever.
  const std::string at_once = R"("control_ms": 0, "data_ms": 0})";
  list.push_back({"symphony", R"({"window": "latest", "drop": "fcfs", )" + at_once});
  list.push_back({"symphony", R"({"window": "timeout", "timeout_pct": 30, "drop": "timeout"})"});
  list.push_back({"symphony", R"({"window": "beta_lambda", "drop": "fcfs", )" + at_once});
  list.push_back({"edf", R"({"drop": true, "slack_ms": 1})"});
  list.push_back({"fixed_batch", R"({"timeout_ms": 3})"});
  list.push_back({"fixed_batch", R"({"batch": 3, "timeout_ms": 10})"});
  list.push_back({"tf_serving", R"({"max_batch": 4, "timeout_ms": 2})"});
  list.push_back({"tf_serving", R"({"max_batch": 3, "timeout_ms": 5, "max_enqueued_batches": 1})"});
  list.push_back({"triton", R"({"preferred": [2, 5], "max_queue_delay_ms": 4})"});
  list.push_back({"triton", R"({"max_queue_delay_ms": 3, "timeout_ms": 8, "max_queue_size": 6})"});
  list.push_back({"triton", R"({"priority_levels": 2, "priorities": [1], "max_queue_delay_ms": 2,
                                "timeout_ms": 6, "level_delay": [1]})"});
  list.push_back({"triton", R"({"priority_levels": 3, "priorities": [3], "max_queue_delay_ms": 1,
                                "timeout_ms": 4,
                                "level_max_queue_size": [0, 9, 5]})"});
  // Each batch holds all there is of its GPU.
  list.push_back({"triton", R"({"rate_limit": "execution_count", "rate_needs": [1],
                                "rate_priorities": [2], "preferred": [3], "max_queue_delay_ms": 2})"});
  return list;
}

// Where the policies run.
struct Site {
  std::string name;
  std::uint32_t workloads = 0;
  Deployment deployment;
};

std::vector<TestWorkload> workloads(std::uint32_t n) {
  std::vector<TestWorkload> list;
  for (std::uint32_t w = 0; w < n; ++w) {
    list.push_back({.name = "w" + std::to_string(w),
                    .slo_ms = 15.0 + 10 * w,
                    .fixed_ms = 1,
                    .per_item_ms = 0.5 + 0.1 * w,
                    .max_batch = 6 + 2 * w,
                    .model = {}});
  }
  return list;
}

std::vector<TestWorkload> of_one_model() {
  std::vector<TestWorkload> list;
  for (const double slo_ms : {15.0, 25.0, 60.0}) {
    list.push_back({.name = "slo " + std::to_string(slo_ms),
                    .slo_ms = slo_ms,
                    .fixed_ms = 1,
                    .per_item_ms = 0.5,
                    .max_batch = 6,
                    .model = "m"});
  }
  return list;
}

std::vector<TestGpu> replicated_gpus() {
  return {{{{.workload = "w0", .batch = 4, .duty_ms = 5}, {.workload = "w1", .duty_ms = 9}}},
          {{{.workload = "w0"}}, "slow"},
          {{{.workload = "w1", .batch = 3}, {.workload = "w2", .batch = 5}}}};
}

const std::vector<Site>& sites() {
  static const std::vector<Site> list{
      {"one executor", 1, deployment_of(workloads(1), {{}})},
      // One group of three classes: another speed, another planned batch.
      {"classes", 1,
       deployment_of(workloads(1), {{}, {{{}}, "slow"}, {{{.workload = "w0", .batch = 2}}}})},
      // Groups {w0 w1}, {w1 w2}, {w0 w1 w2}, overlapping.
      {"groups", 3,
       deployment_of(workloads(3), {{{{.workload = "w0"}, {.workload = "w1", .batch = 3}}},
                                    {{{.workload = "w1"}, {.workload = "w2", .duty_ms = 4}}},
                                    {},
                                    {{{}}, "slow"}})},
      // Three SLOs on one model.
      {"one model", 3, deployment_of(of_one_model(), {{}, {{{}}, "slow"}})},
      // More queues than a class scans.
      {"many queues", 12, deployment_of(workloads(12), {{}, {}, {{{}}, "slow"}})},
      {"weighted_random", 3,
       deployment_of(workloads(3), replicated_gpus(), Routing::kWeightedRandom)},
      {"wrr", 3, deployment_of(workloads(3), replicated_gpus(), Routing::kWrr)},
      {"shortest_finish", 3,
       deployment_of(workloads(3), replicated_gpus(), Routing::kShortestFinish)},
      // Four models of 100 MiB in caches of two, 0.5 ms a load.
      {"weights", 4, with_weights(deployment_of(workloads(4), {{}, {}}), {100}, 200, 200)},
  };
  return list;
}

// What may go wrong.
struct Condition {
  std::string name;
  DriverOptions options;
  bool bursts = false;  // arrivals in heaps of one instant
};

const std::vector<Condition>& conditions() {
  static const std::vector<Condition> list = [] {
    std::vector<Condition> c;
    c.push_back({"exact", {}});
    c.push_back({"depth 1", {.depth = 1, .exponential = true}});
    c.push_back({"exponential", {.exponential = true}});
    c.push_back({"refusals", {.exponential = true, .refuse = 0.05}});
    // 0.1 ms on average between decision and start, at most 0.2: exp(-2) = 14 % are refused.
    c.push_back({"tight latest",
                 {.exponential = true, .start_delay = from_ms(0.1), .latest = from_ms(0.2)}});
    c.push_back({"outages",
                 {.exponential = true,
                  .refuse = 0.02,
                  .outages = {{at_ms(20), ExecutorId(0), false},
                              {at_ms(60), ExecutorId(0), true},
                              {at_ms(90), ExecutorId(0), false},
                              {at_ms(90), ExecutorId(0), true}}}});
    c.push_back({"bursts", {.exponential = true, .refuse = 0.05}, true});
    return c;
  }();
  return list;
}

std::vector<TestArrival> arrivals_for(const Site& site, const Condition& condition) {
  constexpr std::size_t kEach = 300;
  // A load near 1 for every site: queues fill, empty, and fill again.
  const double rate = 450.0 / site.workloads;
  std::vector<TestArrival> arrivals = poisson_arrivals(site.workloads, rate, kEach, 11);
  if (condition.bursts) {
    // Every time is rounded up to 10 ms.
    for (TestArrival& arrival : arrivals) {
      const std::int64_t step = from_ms(10).count();
      const std::int64_t t = (arrival.time - kStart).count();
      arrival.time = kStart + Duration((t + step - 1) / step * step);
    }
  }
  return arrivals;
}

// Says what is wrong with a finished run, or "".
std::string fault_of(const DriverResult& result) {
  std::vector<RequestId> answered = result.unanswered;
  for (const BatchRecord& batch : result.batches) {
    if (batch.ids.empty()) return "an empty batch";
    if (batch.start < batch.decided) return "a batch starts before its decision";
    answered.insert(answered.end(), batch.ids.begin(), batch.ids.end());
  }
  const std::size_t completed = answered.size() - result.unanswered.size();
  for (const DropRecord& drop : result.drops) answered.push_back(drop.id);
  std::vector<RequestId> offered = result.offered;
  std::sort(offered.begin(), offered.end());
  std::sort(answered.begin(), answered.end());
  if (answered != offered) return "a request is lost or doubled";
  if (completed + result.drops.size() + result.queued + result.in_flight != offered.size()) {
    return "the counts do not add up";
  }
  std::map<ExecutorId, TimePoint> free;
  for (const BatchRecord& batch : result.batches) {  // in the order of their finishes
    if (batch.start < free[batch.executor]) return "two batches at once on one executor";
    free[batch.executor] = batch.finish;
  }
  return "";
}

bool all_up_at_the_end(const DriverOptions& options) {
  return options.outages.empty() || options.outages.back().up;
}

class Conformance : public ::testing::TestWithParam<Case> {
 protected:
  // Runs the policy in every condition at every site.
  template <typename Check>
  void everywhere(Check check) {
    for (const Site& site : sites()) {
      if (site.deployment.weights.managed() && !loads_weights()) continue;
      for (const Condition& condition : conditions()) {
        SCOPED_TRACE(site.name + ", " + condition.name);
        const auto arrivals = arrivals_for(site, condition);
        const auto policy = make();
        check(site, condition, arrivals,
              drive(site.deployment, *policy, arrivals, condition.options));
      }
    }
  }
  static std::unique_ptr<Dispatcher> make() {
    return make_dispatcher(GetParam().name, GetParam().params);
  }
  static bool loads_weights() { return find_dispatcher(GetParam().name)->loads_weights; }
};

TEST_P(Conformance, NoRequestIsLostOrDoubled) {
  everywhere([](const Site&, const Condition&, const auto&, const DriverResult& result) {
    EXPECT_EQ(fault_of(result), "");
    EXPECT_FALSE(result.batches.empty());
  });
}

// A wake-up that was forgotten, or requests that came back and were not seen, show as a rest.
TEST_P(Conformance, NothingIsLeftWaitingWhenItCouldRun) {
  if (GetParam().patient) GTEST_SKIP() << "holds requests back for ever by its rule";
  everywhere([](const Site&, const Condition& condition, const auto&, const DriverResult& result) {
    ASSERT_TRUE(all_up_at_the_end(condition.options));
    EXPECT_EQ(result.queued, 0U);
    EXPECT_EQ(result.in_flight, 0U);
  });
}

// The two tests above mean something only if the device did refuse.
TEST_P(Conformance, IsRefusedAndGoesOn) {
  std::uint64_t refused = 0;
  everywhere([&](const Site&, const Condition&, const auto&, const DriverResult& result) {
    refused += result.counters.refused;
    EXPECT_EQ(result.counters.stale, 0U);
  });
  EXPECT_GT(refused, 100U);
}

TEST_P(Conformance, TwoRunsDecideTheSame) {
  everywhere([](const Site& site, const Condition& condition, const auto& arrivals,
                const DriverResult& first) {
    const auto policy = make();
    const DriverResult second = drive(site.deployment, *policy, arrivals, condition.options);
    ASSERT_EQ(first.log.instants.size(), second.log.instants.size());
    for (std::size_t i = 0; i < first.log.instants.size(); ++i) {
      ASSERT_EQ(first.log.instants[i].now, second.log.instants[i].now) << "instant " << i;
      ASSERT_TRUE(first.log.instants[i].decisions == second.log.instants[i].decisions)
          << "instant " << i;
    }
  });
}

TEST_P(Conformance, ItsLogReplaysIdentically) {
  everywhere(
      [](const Site& site, const Condition& condition, const auto&, const DriverResult& result) {
        const auto policy = make();
        EXPECT_EQ(
            replay(result.log, site.deployment, *policy, condition.options.depth).value_or(""), "");
      });
}

// All executors are away while a full batch arrives, and nothing arrives when they are back.
TEST_P(Conformance, AnExecutorThatComesUpServesWhatWaits) {
  const Site& site = sites().front();
  const auto policy = make();
  DriverOptions options;
  options.outages = {{at_ms(1), ExecutorId(0), false}, {at_ms(3), ExecutorId(0), true}};
  const DriverResult result =
      drive(site.deployment, *policy, arrivals_at_ms({2, 2, 2, 2, 2, 2}), options);
  EXPECT_FALSE(result.batches.empty());
  EXPECT_EQ(fault_of(result), "");
}

TEST_P(Conformance, NoArrivalsMeanNoDecisions) {
  for (const Site& site : sites()) {
    if (site.deployment.weights.managed() && !loads_weights()) continue;
    SCOPED_TRACE(site.name);
    const auto policy = make();
    DriverOptions options;
    options.outages = {{at_ms(1), ExecutorId(0), false}, {at_ms(2), ExecutorId(0), true}};
    options.end = at_ms(1000);
    const DriverResult result = drive(site.deployment, *policy, {}, options);
    EXPECT_TRUE(result.batches.empty());
    EXPECT_TRUE(result.drops.empty());
  }
}

// The teeth of the replay: a log with one message changed must be found out.
class Mutation : public Conformance {
 protected:
  void SetUp() override {
    site_ = &sites()[1];
    const auto policy = make();
    // A low load, so that timeouts and delays decide more often than full batches.
    log_ = drive(site_->deployment, *policy, poisson_arrivals(1, 100, 400, 5), options_).log;
  }
  std::optional<std::string> replayed() const {
    const auto policy = make();
    return replay(log_, site_->deployment, *policy, options_.depth);
  }
  // The n-th message of this type from the middle of the log on.
  template <typename T>
  std::pair<std::size_t, std::size_t> find(std::size_t n = 0) const {
    for (std::size_t i = log_.instants.size() / 2; i < log_.instants.size(); ++i) {
      const std::vector<Message>& messages = log_.instants[i].messages;
      for (std::size_t m = 0; m < messages.size(); ++m) {
        if (std::holds_alternative<T>(messages[m]) && n-- == 0) return {i, m};
      }
    }
    throw std::runtime_error("no such message in the log");
  }
  Message& at(std::pair<std::size_t, std::size_t> place) {
    return log_.instants[place.first].messages[place.second];
  }
  template <typename T>
  void erase() {
    const auto [i, m] = find<T>();
    std::vector<Message>& messages = log_.instants[i].messages;
    messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(m));
  }

  const Site* site_ = nullptr;
  const DriverOptions options_{.exponential = true, .refuse = 0.05};
  MessageLog log_;
};

TEST_P(Mutation, AnUnchangedLogIsIdentical) {
  EXPECT_EQ(replayed(), std::nullopt);
}

TEST_P(Mutation, AMissingArrivalIsNoticed) {
  erase<ArrivedMessage>();
  EXPECT_NE(replayed(), std::nullopt);
}
TEST_P(Mutation, AMissingFinishIsNoticed) {
  erase<FinishedMessage>();
  EXPECT_NE(replayed(), std::nullopt);
}
TEST_P(Mutation, AMissingRefusalIsNoticed) {
  erase<RefusedMessage>();
  EXPECT_NE(replayed(), std::nullopt);
}
TEST_P(Mutation, TwoSwappedArrivalsAreNoticed) {
  std::swap(at(find<ArrivedMessage>(0)), at(find<ArrivedMessage>(1)));
  EXPECT_NE(replayed(), std::nullopt);
}

// A second half that is 2 ms late: an arrival that came less than 2 ms before a batch was due is
// then late for it. Policies that never look at the clock (fifo, eager, and batches without a
// timeout or delay) rightly do not notice; edf looks at it for its batch sizes only, so either
// answer is right.
TEST_P(Mutation, AShiftInTimeIsNoticedByThoseWhoLookAtTheClock) {
  for (std::size_t i = log_.instants.size() / 2; i < log_.instants.size(); ++i) {
    log_.instants[i].now += from_ms(2);
  }
  const std::optional<std::string> difference = replayed();
  const Case& policy = GetParam();
  const bool waits = policy.params.find("timeout_ms") != std::string::npos ||
                     policy.params.find("delay_ms") != std::string::npos ||
                     policy.name == "duty_cycle";
  const bool never_looks =
      policy.name == "fifo" || policy.name == "eager" ||
      (policy.params == "{}" &&
       (policy.name == "fixed_batch" || policy.name == "triton" || policy.name == "tf_serving"));
  if (waits) {
    EXPECT_NE(difference, std::nullopt);
  }
  if (never_looks) {
    EXPECT_EQ(difference, std::nullopt);
  }
}

std::string test_name(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name + "_" + std::to_string(info.index);
}
INSTANTIATE_TEST_SUITE_P(Dispatchers, Conformance, ::testing::ValuesIn(cases()), test_name);
INSTANTIATE_TEST_SUITE_P(Dispatchers, Mutation, ::testing::ValuesIn(cases()), test_name);

// The suite must be able to fail: a policy that serves on arrivals only forgets what waits when an
// executor becomes free.
class ServesOnArrivalOnly final : public Dispatcher {
 public:
  void decide(const View& view, const Changes& changes, Decisions& out) override {
    if (!changes.finished.empty()) return;
    for (const QueueId q : changes.grown) {
      if (const auto e = view.first_idle(q)) out.run(*e, q, 1);
    }
  }
};
TEST(ConformanceSuiteTest, NoticesAPolicyThatForgetsWhatWaits) {
  ServesOnArrivalOnly policy;
  const Deployment deployment = deployment_of({{.name = "a"}}, {{}});
  const DriverResult result = drive(deployment, policy, arrivals_at_ms({0, 0, 0.5}));
  EXPECT_GT(result.queued, 0U);
  EXPECT_EQ(fault_of(result), "");
}

TEST(ConformanceSuiteTest, NoticesLostAndDoubledRequests) {
  const Deployment deployment = deployment_of({{.name = "a"}}, {{}});
  const auto policy = make_dispatcher("fifo");
  DriverResult result = drive(deployment, *policy, arrivals_at_ms({0, 0, 0.5}));
  ASSERT_EQ(fault_of(result), "");
  DriverResult doubled = result;
  doubled.batches.push_back(doubled.batches.back());
  EXPECT_EQ(fault_of(doubled), "a request is lost or doubled");
  result.batches.pop_back();
  EXPECT_EQ(fault_of(result), "a request is lost or doubled");
}

}  // namespace
}  // namespace tangram::testing
