// Requests that arrive while everybody is busy are taken together when the policy says that it does
// not mind (Dispatcher::only_serves_idle). That must not change one bit of a run.
#include <memory>
#include <tuple>

#include <gtest/gtest.h>

#include "sim/event_loop.h"
#include "sim/shard_result.h"
#include "tests/sim/fixture.h"

namespace tangram {
namespace {

// The policy, called at every instant.
class ToldOfEverything final : public Dispatcher {
 public:
  explicit ToldOfEverything(std::unique_ptr<Dispatcher> policy) : policy_(std::move(policy)) {}
  std::uint32_t timers(const View& view) const override { return policy_->timers(view); }
  void start(const View& view, Decisions& out) override { policy_->start(view, out); }
  void decide(const View& view, const Changes& changes, Decisions& out) override {
    policy_->decide(view, changes, out);
  }

 private:
  std::unique_ptr<Dispatcher> policy_;
};

ShardResult run_with(Dispatcher& policy, const Scenario& scenario, const Plan& plan) {
  const Deployment deployment =
      deploy(plan, scenario.workloads, scenario.profiles, scenario.routing);
  EventLoop loop(scenario, deployment, {}, policy, StreamKey(scenario.seed),
                 recording_of(scenario));
  loop.start();
  loop.finish({});
  return collect(loop, deployment);
}

auto bits(const RequestRow& row) {
  return std::make_tuple(row.id, row.arrival, row.dispatch, row.start, row.finish, row.batch_size,
                         row.executor, row.outcome);
}

void expect_same(const ShardResult& one, const ShardResult& other) {
  EXPECT_EQ(one.events, other.events);
  EXPECT_EQ(one.end, other.end);
  EXPECT_EQ(one.host.batches, other.host.batches);
  EXPECT_EQ(one.busy.executors, other.busy.executors);
  ASSERT_EQ(one.rows.size(), other.rows.size());
  for (std::size_t i = 0; i < one.rows.size(); ++i) {
    ASSERT_EQ(bits(one.rows[i]), bits(other.rows[i])) << i;
  }
  for (std::size_t w = 0; w < one.metrics.size(); ++w) {
    EXPECT_EQ(one.metrics[w].offered, other.metrics[w].offered);
    EXPECT_EQ(one.metrics[w].completed, other.metrics[w].completed);
    EXPECT_EQ(one.metrics[w].latency.bins(), other.metrics[w].latency.bins());
  }
}

struct Site {
  std::string name;
  Scenario scenario;
  Plan plan;
};

std::vector<Site> sites() {
  const Profile m =
      with_scatter(linear_profile("m", "ideal", 2, 1, 8), Variability::Kind::kExponential);
  const Profile exact = linear_profile("exact", "ideal", 10, 0, 4);
  std::vector<Site> list;
  list.push_back({"one server, 90 % busy", scenario_of({m}, {workload_of("w", "m", 30, 300)}, 3),
                  whole_gpus(1)});
  list.push_back(
      {"eight servers", scenario_of({m}, {workload_of("w", "m", 30, 2300)}, 2), whole_gpus(8)});
  // Arrivals at 5, 15, ... and batches that end at the same nanosecond.
  Workload constant = workload_of("w", "exact", 100, 100);
  constant.arrivals.process = ArrivalSpec::Process::kConstant;
  list.push_back({"ties", scenario_of({exact}, {constant}, 1), whole_gpus(1)});
  Workload bursty = workload_of("b", "m", 60, 120);
  bursty.arrivals.process = ArrivalSpec::Process::kLognormal;
  bursty.arrivals.sigma = 2;
  Workload clients = workload_of("c", "exact", 80, 0);
  clients.arrivals.process = ArrivalSpec::Process::kClosedLoop;
  clients.arrivals.clients = 3;
  clients.arrivals.think = from_ms(1);
  list.push_back({"three workloads, one of them a closed loop",
                  scenario_of({m, exact}, {workload_of("a", "m", 30, 200), bursty, clients}, 3),
                  whole_gpus(2)});
  Plan shared;
  shared.gpus = {
      gpu_of(0, GpuMode::kMps,
             {percent_partition(100, {replica_of("a", "m", 4, 2), replica_of("b", "m", 2, 1, 1)})}),
      gpu_of(1, GpuMode::kTimeSliced, {whole_partition({replica_of("a", "m", 4, 2)})})};
  list.push_back(
      {"shared GPUs", scenario_of({m}, {workload_of("a", "m", 30, 500), bursty}, 2), shared});
  return list;
}

class BusyArrivals : public ::testing::TestWithParam<std::string> {};

TEST_P(BusyArrivals, ChangeNothingWhenThePolicyHearsOfThemLater) {
  for (Site& site : sites()) {
    site.scenario.dispatcher = dispatcher_of(GetParam());
    site.scenario.log_requests = true;
    for (const Routing routing :
         {Routing::kCentral, Routing::kWeightedRandom, Routing::kShortestFinish}) {
      site.scenario.routing = routing;
      for (const bool drain : {true, false}) {
        site.scenario.drain = drain;
        site.scenario.warmup_s = drain ? 0.1 : 0;
        SCOPED_TRACE(site.name + ", " + routing_names()[static_cast<std::size_t>(routing)]);
        const std::unique_ptr<Dispatcher> policy = make_dispatcher(site.scenario);
        ToldOfEverything told(make_dispatcher(site.scenario));
        const ShardResult later = run_with(*policy, site.scenario, site.plan);
        const ShardResult at_once = run_with(told, site.scenario, site.plan);
        ASSERT_GT(at_once.rows.size(), 50U);
        expect_same(later, at_once);
        if (routing == Routing::kCentral && policy->only_serves_idle() && site.name != "ties") {
          EXPECT_LT(later.host.instants, at_once.host.instants);  // it did happen
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         BusyArrivals,
                         ::testing::ValuesIn(dispatcher_names()),
                         [](const auto& tested) { return tested.param; });

TEST(BusyArrivals, AreTakenTogetherByThePoliciesThatNeverWait) {
  for (const char* name : {"fifo", "edf", "eager"}) {
    EXPECT_TRUE(find_dispatcher(name)
                    ->make(default_params(find_dispatcher(name)->info))
                    ->only_serves_idle())
        << name;
  }
}

}  // namespace
}  // namespace tangram
