// The rate device model, worked by hand: who runs when, and how fast beside whom. All times in ms.
#include "sim/rate_device.h"

#include <cmath>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "tests/sim/fixture.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr TimePoint at(double ms) {
  return kStart + from_ms(ms);
}

// What became of a batch.
struct Outcome {
  bool refused = false;
  TimePoint start, end;  // refused: both are the time of the refusal
  Duration alone{};
};

// A device with a script: batches are handed over at given times, events of an instant first.
class Bench {
 public:
  Bench(std::vector<Profile> profiles, std::vector<PlanGpu> gpus, DeviceSpec spec = {}) {
    for (Profile& profile : profiles) {
      workloads_.push_back(workload_of(profile.model, profile.model));
      profiles_.add(std::move(profile));
    }
    Plan plan;
    plan.gpus = std::move(gpus);
    Cluster cluster;
    cluster.gpus = {{plan.gpus[0].type, static_cast<std::uint32_t>(plan.gpus.size())}};
    Faults faults;
    for (const Workload& workload : workloads_) plan.unserved.push_back({workload.name, 0, ""});
    check_plan(plan, workloads_, profiles_, cluster, "plan", faults);
    faults.throw_if_any();
    deployment_ = deploy(plan, workloads_, profiles_, Routing::kCentral);
    events_.emplace(deployment_.executors.size());
    device_.emplace(deployment_, profiles_, cluster.own_types, spec, StreamKey(1), *events_, 0);
  }

  // A batch of `size` of the workload, by its number in the profiles.
  void submit(double ms,
              std::uint32_t executor,
              std::size_t workload = 0,
              std::uint32_t size = 1,
              Window window = {}) {
    Command command;
    command.executor = ExecutorId(executor);
    command.queue = deployment_.queues_of[workload].front();
    command.batch = {static_cast<std::uint32_t>(script_.size()), 1};
    command.count = size;
    const ExecutorClass& cls = deployment_.classes[deployment_.executors[executor].cls.index()];
    command.service = cls.index_of(command.queue);
    script_.push_back({at(ms), command, window});
  }

  // Plays the script, which is in the order of time; outcomes in its order.
  std::vector<Outcome> play() {
    outcomes_.resize(script_.size());
    std::size_t next = 0;
    while (next < script_.size() || !events_->empty()) {
      const TimePoint submission = next < script_.size() ? script_[next].time : kNever;
      const TimePoint now = std::min(submission, events_->next_time());
      while (events_->next_time() == now) fire(now);
      for (; next < script_.size() && script_[next].time == now; ++next) {
        device_->submit(script_[next].command, script_[next].window, now);
      }
    }
    return outcomes_;
  }
  const RateDevice& device() const { return *device_; }

 private:
  struct Step {
    TimePoint time;
    Command command;
    Window window;
  };
  void fire(TimePoint now) {
    const DeviceMessage message = device_->fire(ExecutorId(events_->top().value()), now);
    if (message.kind == DeviceMessage::Kind::kNothing) return;
    const bool refused = message.kind == DeviceMessage::Kind::kRefused;
    outcomes_[message.batch.slot] = {refused, message.start, now, message.alone};
  }

  std::vector<Workload> workloads_;
  ProfileSet profiles_;
  Deployment deployment_;
  std::optional<EventQueue> events_;
  std::optional<RateDevice> device_;
  std::vector<Step> script_;
  std::vector<Outcome> outcomes_;
};

std::vector<TimePoint> ends(const std::vector<Outcome>& outcomes) {
  std::vector<TimePoint> result;
  for (const Outcome& outcome : outcomes) result.push_back(outcome.end);
  return result;
}

// Any batch takes `ms`.
Profile constant(const std::string& model, double ms, const std::string& gpu = "ideal") {
  return linear_profile(model, gpu, ms, 0, 8);
}
DeviceSpec slowed(double factor) {
  DeviceSpec spec;
  spec.interference = {"constant", factor, {}};
  return spec;
}
PlanGpu two_processes(GpuMode mode, const std::string& type = "ideal") {
  return gpu_of(0, mode, {whole_partition({replica_of("a", "a", {}, 2)})}, type);
}

TEST(RateDevice, AWholeGpuRunsOneBatchAtATimeInOrder) {
  Bench bench({constant("a", 10)},
              {gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("a", "a", {}, 3)})})});
  bench.submit(0, 1);
  bench.submit(4, 2);
  bench.submit(5, 0);
  const auto outcomes = bench.play();
  EXPECT_THAT(ends(outcomes), ElementsAre(at(10), at(20), at(30)));
  EXPECT_EQ(outcomes[1].start, at(10));
  EXPECT_EQ(outcomes[2].start, at(20));
  EXPECT_EQ(outcomes[2].alone, from_ms(10));
}

TEST(RateDevice, GpusDoNotShareAnything) {
  Bench bench({constant("a", 10)},
              {gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("a", "a")})}),
               gpu_of(1, GpuMode::kWhole, {whole_partition({replica_of("a", "a")})})},
              slowed(2));
  bench.submit(0, 0);
  bench.submit(0, 1);
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(10), at(10)));
}

TEST(RateDevice, TimeSlicesOfTwoAreHalves) {
  Bench bench({constant("a", 10)}, {two_processes(GpuMode::kTimeSliced)});
  bench.submit(0, 0);
  bench.submit(5, 1);
  // At 5 the first has 5 left and gets half: ends at 15. The second has done 5 by then; alone: 20.
  const auto outcomes = bench.play();
  EXPECT_THAT(ends(outcomes), ElementsAre(at(15), at(20)));
  EXPECT_EQ(outcomes[1].start, at(5));  // no wait: it runs, slowly
  EXPECT_EQ(outcomes[1].alone, from_ms(10));
}

TEST(RateDevice, SwitchingCostsAreLostWhileSeveralRun) {
  DeviceSpec spec;
  spec.quantum_ms = 3;
  spec.switch_ms = 1;
  Bench bench({constant("a", 10)}, {two_processes(GpuMode::kTimeSliced)}, spec);
  bench.submit(0, 0);
  bench.submit(4, 1);
  // Two run at 3/4 / 2 = 0.375 each. First: 6 left at 4, 6 / 0.375 = 16, ends at 20. Second: has
  // done 6 by then, 4 left alone: 24.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(20), at(24)));
}

TEST(RateDevice, TimeSlicesOfThree) {
  DeviceSpec spec;
  spec.quantum_ms = 3;
  spec.switch_ms = 1;
  Bench bench({constant("a", 4)},
              {gpu_of(0, GpuMode::kTimeSliced, {whole_partition({replica_of("a", "a", {}, 3)})})},
              spec);
  bench.submit(0, 0);
  bench.submit(0, 1);
  bench.submit(8, 2);
  // Two at 0.375 each: by 8 they have done 3. Three at 3/4 / 3 = 0.25: the 1 left takes 4, both end
  // at
  // 12. The third has done 1; the 3 left alone: 15.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(12), at(12), at(15)));
}

TEST(RateDevice, ASpeedThatIsNoBinaryFractionIsRoundedToTheNextNanosecond) {
  Bench bench({constant("a", 10)},
              {gpu_of(0, GpuMode::kTimeSliced, {whole_partition({replica_of("a", "a", {}, 3)})})});
  for (const std::uint32_t e : {0u, 1u, 2u}) bench.submit(0, e);
  // A third of the GPU each: 30 ms; 1/3 is kept in units of 2^-32, and finishes round up.
  for (const Outcome& outcome : bench.play()) {
    EXPECT_GE(outcome.end, at(30));
    EXPECT_LE(outcome.end, at(30) + Duration(1));
  }
}

// Latency over the share: 25 % 22, 50 % 10, 100 % 8.
Profile curved(const std::string& model) {
  std::vector<LatencyPoint> points;
  for (const auto& [percent, ms] : {std::pair{25.0, 22.0}, {50.0, 10.0}, {100.0, 8.0}}) {
    points.push_back(point_of({ShareKind::kPercent, percent}, 1, 1, ms));
  }
  return table_profile(model, "ideal", points);
}

TEST(RateDevice, CapsThatFitAreFullSpeed) {
  Bench bench({curved("a"), curved("b")},
              {gpu_of(0, GpuMode::kMps,
                      {percent_partition(50, {replica_of("a", "a")}),
                       percent_partition(25, {replica_of("b", "b")})})});
  bench.submit(0, 0, 0);
  bench.submit(3, 1, 1);
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(10), at(25)));
}

TEST(RateDevice, AnOversubscribedGpuIsSharedEvenlyAlongTheCurve) {
  Bench bench({curved("a")},
              {gpu_of(0, GpuMode::kMps, {percent_partition(50, {replica_of("a", "a", {}, 4)})})});
  for (const std::uint32_t e : {0u, 1u, 2u, 3u}) bench.submit(0, e);
  // Four clients with caps of 50 %: 25 % each, where the profile says 22 in place of 10: speed 10
  // / 22.
  for (const Outcome& outcome : bench.play()) {
    EXPECT_GE(outcome.end, at(22));
    EXPECT_LE(outcome.end, at(22) + Duration(1));
    EXPECT_EQ(outcome.alone, from_ms(10));
  }
}

TEST(RateDevice, SmallCapsAreFilledFirst) {
  Bench bench({curved("a"), curved("b")},
              {gpu_of(0, GpuMode::kMps,
                      {percent_partition(50, {replica_of("a", "a", {}, 2)}),
                       percent_partition(25, {replica_of("b", "b")})})});
  bench.submit(0, 0, 0);
  bench.submit(0, 1, 0);
  bench.submit(0, 2, 1);
  // Max-min: b gets its 25 %, the others 37.5 % each, where the line between 25 % (22) and 50 %
  // (10) says 16: speed 10 / 16, end at 16. b is never slowed: 22.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(16), at(16), at(22)));
}

TEST(RateDevice, BelowTheSmallestKnownShareTimeGoesWithItsInverse) {
  Bench bench({constant("a", 8)},
              {gpu_of(0, GpuMode::kStreams, {whole_partition({replica_of("a", "a", {}, 4)})})});
  bench.submit(0, 0);
  bench.submit(2, 1);
  bench.submit(4, 2);
  bench.submit(4, 3);
  // Only the whole GPU is known, so k streams get 1/k. Done by 4: 2 + 1, and 1. Four at 1/4: the
  // first needs 20 for its 5, ends at 24, when the second has done 6, the others 5. Then three at
  // 1/3: the second needs 6 for its 2: 30; the others have done 7, two at 1/2: 32.
  const auto end = ends(bench.play());
  EXPECT_EQ(end[0], at(24));
  for (const auto& [i, ms] : {std::pair{1u, 30}, {2u, 32}, {3u, 32}}) {
    EXPECT_GE(end[i], at(ms));
    EXPECT_LE(end[i], at(ms) + Duration(2));  // a third is not exact
  }
}

TEST(RateDevice, SmSharesRunAtFullSpeedButForInterference) {
  const auto profile = [](const std::string& model) {
    return table_profile(model, "a100-80gb", {point_of({ShareKind::kSms, 54}, 1, 1, 10)});
  };
  Bench bench(
      {profile("a"), profile("b")},
      {gpu_of(0, GpuMode::kSm,
              {sm_partition(54, {replica_of("a", "a")}), sm_partition(54, {replica_of("b", "b")})},
              "a100-80gb")},
      slowed(1.6));
  bench.submit(0, 0, 0);
  bench.submit(5, 1, 1);
  // Beside each other at 1 / 1.6 = 0.625. a: 5 left at 5, ends at 13. b has done 5; alone: 18.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(13), at(18)));
}

TEST(RateDevice, PairTableSlowsEachSideByItsOwnFactor) {
  const auto profile = [](const std::string& model, const std::string& other, double slowdown) {
    Profile result = table_profile(model, "ideal", {point_of({ShareKind::kPercent, 50}, 1, 1, 10)});
    result.co_runs = {{other, 1, 1, 50, 50, slowdown}};
    result.interference_factor =
        slowdown;  // what is measured is what is expected: nothing to shrink
    return result;
  };
  DeviceSpec spec;
  spec.interference.name = "pair_table";
  Bench bench({profile("a", "b", 1.6), profile("b", "a", 2)},
              {gpu_of(0, GpuMode::kMps,
                      {percent_partition(50, {replica_of("a", "a")}),
                       percent_partition(50, {replica_of("b", "b")})})},
              spec);
  bench.submit(0, 0, 0);
  bench.submit(5, 1, 1);
  // a: 5 left at 5 at 0.625, ends at 13. b at 0.5 has done 4; the 6 left alone: 19.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(13), at(19)));
}

TEST(RateDevice, GpuletSlowsByUseOfL2AndBandwidth) {
  const auto profile = [](const std::string& model, double l2) {
    std::vector<LatencyPoint> points{point_of({}, 1, 1, 8),
                                     point_of({ShareKind::kPercent, 50}, 1, 1, 10)};
    points[0].l2_utilisation = l2;
    points[0].dram_utilisation = 0;
    return table_profile(model, "ideal", points);
  };
  DeviceSpec spec;
  // 1 + 2 x (L2 use of the other on the whole GPU) x (its share).
  spec.interference = {"gpulet", 0, {0, 2, 0, 0, 1}};
  Bench bench({profile("a", 1), profile("b", 0.6)},
              {gpu_of(0, GpuMode::kMps,
                      {percent_partition(50, {replica_of("a", "a")}),
                       percent_partition(50, {replica_of("b", "b")})})},
              spec);
  bench.submit(0, 0, 0);
  bench.submit(5, 1, 1);
  // a beside b: 1 + 2 x 0.3 = 1.6; b beside a: 1 + 2 x 0.5 = 2. Times as in the pair table's test.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(13), at(19)));
}

TEST(RateDevice, SharingAndInterferenceMultiply) {
  Bench bench({constant("a", 10)}, {two_processes(GpuMode::kStreams)}, slowed(2));
  bench.submit(0, 0);
  bench.submit(2, 1);
  // Half of the GPU at half the speed: 1/4. First: 8 left at 2, ends at 34; second: 8 done, then
  // 2: 36.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(34), at(36)));
}

// One process 8, two side by side 16 each.
Profile mig_profile(const std::string& model) {
  std::vector<LatencyPoint> points;
  for (const double slices : {3.0, 4.0}) {
    points.push_back(point_of({ShareKind::kMig, slices}, 1, 1, 8));
    points.push_back(point_of({ShareKind::kMig, slices}, 2, 1, 16));
  }
  return table_profile(model, "a100-80gb", points);
}

TEST(RateDevice, MigInstancesAreIsolated) {
  Bench bench({mig_profile("a"), mig_profile("b")},
              {gpu_of(0, GpuMode::kMig,
                      {mig_partition(4, 0, {replica_of("a", "a")}),
                       mig_partition(3, 4, {replica_of("b", "b")})},
                      "a100-80gb")},
              slowed(2));
  bench.submit(0, 0, 0);
  bench.submit(1, 1, 1);
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(8), at(9)));
  EXPECT_THAT(bench.device().notes(), IsEmpty());
}

PlanGpu mig_mps() {
  return gpu_of(0, GpuMode::kMig,
                {mig_partition(4, 0, {replica_of("a", "a", {}, 2)}),
                 mig_partition(3, 4, {replica_of("b", "b", {}, 2)})},
                "a100-80gb");
}

TEST(RateDevice, ProcessesOfAnInstanceTakeWhatWasMeasuredWithAllOfThemBusy) {
  Bench bench({mig_profile("a"), mig_profile("b")}, {mig_mps()});
  bench.submit(0, 0);
  bench.submit(4, 1);
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(16), at(20)));
}

TEST(RateDevice, BusyProcessesSetTheSpeedWhenAsked) {
  DeviceSpec spec;
  spec.busy_processes = true;
  Bench bench({mig_profile("a"), mig_profile("b")}, {mig_mps()}, spec);
  bench.submit(0, 0);
  bench.submit(1, 2, 1);  // on the other instance: nobody notices
  bench.submit(4, 1);
  // Alone at 16 / 8 = 2. By 4 the first has done 8 of its 16; two at 1: it ends at 12. The second
  // has done 8 by then; the 8 left at 2: 16. The other instance: 1 + 8.
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(12), at(9), at(16)));
}

TEST(RateDevice, ABatchWaitsForItsWindow) {
  Bench bench({constant("a", 10)}, {two_processes(GpuMode::kWhole)});
  bench.submit(0, 0, 0, 1, {at(5), at(6)});
  bench.submit(12, 0, 0, 1, {at(30), kNever});
  bench.submit(16, 1);  // the device is free until 30
  const auto outcomes = bench.play();
  EXPECT_EQ(outcomes[0].start, at(5));
  EXPECT_THAT(ends(outcomes), ElementsAre(at(15), at(40), at(26)));
}

TEST(RateDevice, AWindowThatHasClosedIsFoundWhenTheDeviceGetsToIt) {
  Bench bench({constant("a", 10)},
              {gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("a", "a")})})});
  bench.submit(0, 0);
  bench.submit(1, 0, 0, 1, {kStart, at(8)});
  bench.submit(2, 0, 0, 1, {kStart, at(10)});  // closes as the device gets free: in time
  bench.submit(30, 0, 0, 1, {kStart, at(29)});
  bench.submit(40, 0, 0, 1, {at(45), at(44)});  // opens after it has closed
  const auto outcomes = bench.play();
  EXPECT_THAT(ends(outcomes), ElementsAre(at(10), at(10), at(20), at(30), at(40)));
  std::vector<bool> refused;
  for (const Outcome& outcome : outcomes) refused.push_back(outcome.refused);
  EXPECT_THAT(refused, ElementsAre(false, true, false, true, true));
}

TEST(RateDevice, ARefusalBehindTheDeviceLeavesTheTurnToTheNext) {
  Bench bench({constant("a", 10)},
              {gpu_of(0, GpuMode::kWhole, {whole_partition({replica_of("a", "a", {}, 4)})})});
  bench.submit(0, 0);
  bench.submit(1, 1, 0, 1, {kStart, at(5)});
  bench.submit(2, 2, 0, 1, {kStart, at(6)});
  bench.submit(3, 3);
  const auto outcomes = bench.play();
  EXPECT_TRUE(outcomes[1].refused);
  EXPECT_TRUE(outcomes[2].refused);
  EXPECT_THAT(ends(outcomes), ElementsAre(at(10), at(10), at(10), at(20)));
}

TEST(RateDevice, TheSecondOfTwoBatchesStartsAtTheInstantTheFirstEnds) {
  for (const GpuMode mode : {GpuMode::kWhole, GpuMode::kStreams}) {
    Bench bench({constant("a", 10)}, {two_processes(mode)});
    bench.submit(0, 0);
    bench.submit(3, 0);
    const auto outcomes = bench.play();
    EXPECT_EQ(outcomes[1].start, at(10));
    EXPECT_EQ(outcomes[1].end, at(20));
  }
}

TEST(RateDevice, AProcessThatGoesOnTakesItsTurnBehindThoseThatWait) {
  Bench bench({constant("a", 10)}, {two_processes(GpuMode::kWhole)});
  bench.submit(0, 0);
  bench.submit(1, 0);
  bench.submit(2, 1);
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(10), at(30), at(20)));
}

TEST(RateDevice, OverheadIsAddedToEveryBatch) {
  DeviceSpec spec;
  spec.overhead_ms = 0.25;
  Bench bench({linear_profile("a", "ideal", 2, 1, 8)}, {two_processes(GpuMode::kWhole)}, spec);
  bench.submit(0, 0, 0, 4);
  const auto outcomes = bench.play();
  EXPECT_EQ(outcomes[0].end, at(6.25));
  EXPECT_EQ(outcomes[0].alone, from_ms(6.25));
}

TEST(RateDevice, EmpiricalTimesScatterAsTheSamplesDoAroundTheMean) {
  std::vector<LatencyPoint> points{point_of({}, 1, 1, 10), point_of({}, 1, 2, 20)};
  points[0].samples_ms = {8, 12};
  Profile profile = table_profile("a", "ideal", points);
  profile = with_scatter(profile, Variability::Kind::kEmpirical);
  Bench bench({profile}, {two_processes(GpuMode::kWhole)});
  constexpr int kBatches = 2000;
  for (int i = 0; i < kBatches; ++i) bench.submit(i * 50, 0);
  bench.submit(kBatches * 50, 0, 0, 2);  // without samples: always the mean
  const auto outcomes = bench.play();
  EXPECT_EQ(outcomes.back().alone, from_ms(20));
  double sum = 0;
  for (int i = 0; i < kBatches; ++i) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    EXPECT_GE(outcome.alone, from_ms(8));
    EXPECT_LE(outcome.alone, from_ms(12));
    sum += to_ms(outcome.alone);
  }
  // Uniform on [8, 12]: standard deviation 4 / sqrt(12).
  EXPECT_NEAR(sum / kBatches, 10, 4 * 4 / std::sqrt(12.0 * kBatches));
}

// Two processes of one GPU, both from 0 on, 10 ms each, interference factor 2.
struct SharingCase {
  GpuMode mode;
  Sharing sharing;
  double first, second;
};

class SharingOf : public ::testing::TestWithParam<SharingCase> {};

TEST_P(SharingOf, TwoProcesses) {
  const SharingCase& param = GetParam();
  DeviceSpec spec = slowed(2);
  spec.sharing = param.sharing;
  Profile profile = constant("a", 10, "a100-80gb");
  PlanGpu gpu = two_processes(param.mode, "a100-80gb");
  if (param.mode == GpuMode::kMig || param.mode == GpuMode::kSm) {
    const bool mig = param.mode == GpuMode::kMig;
    const Share share{mig ? ShareKind::kMig : ShareKind::kSms, mig ? 7.0 : 108.0};
    profile = table_profile("a", "a100-80gb", {point_of(share, 2, 1, 10)});
    PlanPartition& partition = gpu.partitions[0];
    partition =
        mig ? mig_partition(7, 0, partition.replicas) : sm_partition(108, partition.replicas);
  }
  if (param.mode == GpuMode::kMps) gpu.partitions[0].share_pct = 100;
  Bench bench({profile}, {gpu}, spec);
  bench.submit(0, 0);
  bench.submit(0, 1);
  EXPECT_THAT(ends(bench.play()), ElementsAre(at(param.first), at(param.second)));
}

INSTANTIATE_TEST_SUITE_P(
    Modes,
    SharingOf,
    ::testing::Values(SharingCase{GpuMode::kWhole, Sharing::kFromPlan, 10, 20},
                      SharingCase{GpuMode::kTimeSliced, Sharing::kFromPlan, 20, 20},
                      SharingCase{GpuMode::kMps, Sharing::kFromPlan, 40, 40},
                      SharingCase{GpuMode::kStreams, Sharing::kFromPlan, 40, 40},
                      SharingCase{GpuMode::kSm, Sharing::kFromPlan, 20, 20},
                      SharingCase{GpuMode::kMig, Sharing::kFromPlan, 10, 10},
                      SharingCase{GpuMode::kMps, Sharing::kExclusive, 10, 20},
                      SharingCase{GpuMode::kMig, Sharing::kExclusive, 10, 20},
                      SharingCase{GpuMode::kMps, Sharing::kTimeSlicing, 20, 20},
                      SharingCase{GpuMode::kWhole, Sharing::kMps, 40, 40},
                      SharingCase{GpuMode::kMps, Sharing::kSm, 20, 20},
                      SharingCase{GpuMode::kMps, Sharing::kMig, 10, 10},
                      SharingCase{GpuMode::kWhole, Sharing::kMigMps, 10, 10}),
    [](const auto& tested) {
      return gpu_mode_names()[static_cast<std::size_t>(tested.param.mode)] + "_as_" +
             sharing_names()[static_cast<std::size_t>(tested.param.sharing)];
    });

TEST(RateDevice, SaysWhichInterferenceItAssumes) {
  const Bench bench({constant("a", 10)}, {two_processes(GpuMode::kStreams)});
  EXPECT_THAT(bench.device().notes(), ElementsAre(HasSubstr("interference_factor")));
}

TEST(RateDevice, ListsWhatIsRunning) {
  Bench bench({constant("a", 10)}, {two_processes(GpuMode::kStreams)});
  bench.play();
  int running = 0;
  bench.device().for_each_running([&](ExecutorId, TimePoint) { ++running; });
  EXPECT_EQ(running, 0);
}

}  // namespace
}  // namespace tangram
