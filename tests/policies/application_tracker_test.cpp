// The life of an application's requests, step by step.
#include "policies/application_tracker.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kWorkloads = 10;

Stage tracked_stage(const std::string& name,
                    std::vector<std::uint32_t> after,
                    FanOut fan_out = FanOut()) {
  const Stage::Wait wait = after.size() > 1 ? Stage::Wait::kAll : Stage::Wait::kEach;
  return {name, "m", std::move(after), wait, fan_out};
}

TimePoint at_ms(double ms) {
  return kStart + from_ms(ms);
}

// One application; stage v is workload 2 + v, so that stages and workloads differ.
class Tracked {
 public:
  explicit Tracked(std::vector<Stage> stages) {
    ApplicationLoad load;
    load.load.name = "app";
    for (std::uint32_t v = 0; v < stages.size(); ++v) load.stages.push_back(WorkloadId(2 + v));
    load.application.stages = std::move(stages);
    loads_.push_back(std::move(load));
    tracker_.emplace(loads_, kWorkloads, StreamKey(1));
  }
  // A request of the application; what starts.
  std::vector<Request> arrive(double ms, std::uint64_t number) {
    tracker_->arrived({at_ms(ms), RequestId::of(WorkloadId(kWorkloads), number)});
    return started();
  }
  std::vector<Request> finish(const Request& request, double ms, PathTime own = {}) {
    tracker_->finished(request, at_ms(ms), own);
    return started();
  }
  std::vector<Request> drop(const Request& request) {
    tracker_->dropped(request, DropReason::kDeadline);
    return started();
  }
  std::vector<ApplicationTracker::Ended> ended;
  std::size_t open() const {
    std::size_t n = 0;
    tracker_->for_each_open([&](const Request&) { ++n; });
    return n;
  }
  const ApplicationTracker& tracker() const { return *tracker_; }

 private:
  std::vector<Request> started() {
    std::vector<Request> result = tracker_->started();
    for (const auto& one : tracker_->ended()) ended.push_back(one);
    tracker_->clear();
    return result;
  }
  std::vector<ApplicationLoad> loads_;
  std::optional<ApplicationTracker> tracker_;
};

std::vector<std::uint32_t> stages(const std::vector<Request>& requests) {
  std::vector<std::uint32_t> result;
  for (const Request& request : requests) result.push_back(request.id.workload().value() - 2);
  return result;
}

TEST(ApplicationTracker, FollowsADiamondAlongItsCriticalPath) {
  Tracked app({tracked_stage("a", {}), tracked_stage("b", {0}), tracked_stage("c", {0}),
               tracked_stage("d", {1, 2})});
  EXPECT_TRUE(app.tracker().is_application(WorkloadId(kWorkloads)));
  EXPECT_TRUE(app.tracker().is_stage(WorkloadId(5)));
  EXPECT_FALSE(app.tracker().is_stage(WorkloadId(6)));
  const auto a = app.arrive(100, 7);
  ASSERT_THAT(stages(a), ElementsAre(0));
  EXPECT_EQ(a[0].arrival, at_ms(100));
  EXPECT_EQ(a[0].id.number(), 7U);
  EXPECT_EQ(app.open(), 1U);
  const auto both = app.finish(a[0], 110, {from_ms(1), from_ms(9), from_ms(2)});
  ASSERT_THAT(stages(both), ElementsAre(1, 2));
  EXPECT_EQ(both[0].arrival, at_ms(110));
  EXPECT_THAT(app.finish(both[0], 125, {from_ms(2), from_ms(13), {}}), IsEmpty());
  const auto d = app.finish(both[1], 140, {from_ms(3), from_ms(20), from_ms(4)});
  ASSERT_THAT(stages(d), ElementsAre(3));
  EXPECT_EQ(d[0].arrival, at_ms(140));
  EXPECT_THAT(app.ended, IsEmpty());
  EXPECT_THAT(app.finish(d[0], 150, {from_ms(0), from_ms(5), {}}), IsEmpty());
  ASSERT_THAT(app.ended, SizeIs(1));
  EXPECT_EQ(app.ended[0].end, at_ms(150));
  EXPECT_EQ(app.ended[0].request.arrival, at_ms(100));
  EXPECT_EQ(app.ended[0].dropped, std::nullopt);
  // Along a, c, d: waits 1 + 3 + 0, execution 9 + 20 + 5, interference 2 + 4.
  EXPECT_EQ(app.ended[0].path.batch_wait, from_ms(4));
  EXPECT_EQ(app.ended[0].path.exec, from_ms(34));
  EXPECT_EQ(app.ended[0].path.interference, from_ms(6));
  EXPECT_EQ(app.open(), 0U);
}

TEST(ApplicationTracker, FansOutForEachRequestAndJoinsAll) {
  // 2 of a, 3 of b for each, one c when all six are done.
  std::vector<Stage> three{tracked_stage("a", {}, FanOut(2)), tracked_stage("b", {0}, FanOut(3)),
                           tracked_stage("c", {1})};
  three[2].wait = Stage::Wait::kAll;
  Tracked app(three);
  const auto a = app.arrive(0, 0);
  ASSERT_THAT(stages(a), ElementsAre(0, 0));
  // The second is first: its own three start without the other's.
  const auto first = app.finish(a[1], 10);
  ASSERT_THAT(stages(first), ElementsAre(1, 1, 1));
  for (const Request& b : first) EXPECT_THAT(app.finish(b, 20), IsEmpty());
  const auto second = app.finish(a[0], 30);
  ASSERT_THAT(stages(second), ElementsAre(1, 1, 1));
  EXPECT_THAT(app.finish(second[0], 31), IsEmpty());
  EXPECT_THAT(app.finish(second[1], 32), IsEmpty());
  const auto c = app.finish(second[2], 33);
  ASSERT_THAT(stages(c), ElementsAre(2));
  EXPECT_EQ(c[0].arrival, at_ms(33));
  app.finish(c[0], 40);
  ASSERT_THAT(app.ended, SizeIs(1));
  EXPECT_EQ(app.ended[0].end, at_ms(40));
}

TEST(ApplicationTracker, GivesEveryRequestANumberOfItsOwn) {
  Tracked app({tracked_stage("a", {}, FanOut(2)), tracked_stage("b", {0}, FanOut(3))});
  std::map<std::uint64_t, int> seen;
  for (std::uint64_t n = 0; n < 20; ++n) {
    for (const Request& a : app.arrive(0, n)) {
      ++seen[a.id.value];
      for (const Request& b : app.finish(a, 1)) ++seen[b.id.value];
    }
  }
  EXPECT_THAT(seen, SizeIs(20 * (2 + 6)));
  for (const auto& [id, count] : seen) EXPECT_EQ(count, 1) << id;
}

TEST(ApplicationTracker, AStageWithoutRequestsIsCompleteAtOnce) {
  // b gets none; c joins a and b; d follows b and gets none either.
  Tracked app({tracked_stage("a", {}), tracked_stage("b", {0}, FanOut(0)),
               tracked_stage("c", {0, 1}), tracked_stage("d", {1})});
  const auto a = app.arrive(0, 0);
  const auto c = app.finish(a[0], 10);
  ASSERT_THAT(stages(c), ElementsAre(2));
  EXPECT_EQ(c[0].arrival, at_ms(10));
  app.finish(c[0], 12);
  ASSERT_THAT(app.ended, SizeIs(1));
  EXPECT_EQ(app.ended[0].end, at_ms(12));
}

TEST(ApplicationTracker, WhatFollowsDoesNotDependOnWhoIsFaster) {
  const std::vector<Stage> random{tracked_stage("a", {}, FanOut(4)),
                                  tracked_stage("b", {0}, FanOut::poisson(2))};
  std::vector<std::size_t> totals;
  for (const bool reversed : {false, true}) {
    Tracked app(random);
    std::size_t total = 0;
    for (std::uint64_t n = 0; n < 50; ++n) {
      auto a = app.arrive(0, n);
      if (reversed) std::reverse(a.begin(), a.end());
      std::size_t own = 0;
      for (const Request& request : a) own += app.finish(request, 1).size();
      total = total * 31 + own;
    }
    totals.push_back(total);
  }
  EXPECT_EQ(totals[0], totals[1]);
}

TEST(ApplicationTracker, ADropEndsTheRequestAndNothingFollowsFromItsOthers) {
  Tracked app({tracked_stage("a", {}), tracked_stage("b", {0}), tracked_stage("c", {0}),
               tracked_stage("d", {2}), tracked_stage("e", {1, 2})});
  const auto a = app.arrive(0, 0);
  const auto both = app.finish(a[0], 10);
  EXPECT_THAT(app.drop(both[0]), IsEmpty());
  ASSERT_THAT(app.ended, SizeIs(1));
  EXPECT_EQ(app.ended[0].dropped, DropReason::kDeadline);
  EXPECT_EQ(app.open(), 0U);
  EXPECT_THAT(app.finish(both[1], 20), IsEmpty());  // served, but d does not start
  EXPECT_THAT(app.ended, SizeIs(1));
  // The number may come no second time, the place is free again.
  EXPECT_THAT(stages(app.arrive(30, 1)), ElementsAre(0));
}

TEST(ApplicationTracker, CountsTwoDropsOfOneRequestOnce) {
  Tracked app({tracked_stage("a", {}, FanOut(3))});
  const auto a = app.arrive(0, 0);
  app.drop(a[2]);
  app.drop(a[0]);
  app.finish(a[1], 5);
  EXPECT_THAT(app.ended, SizeIs(1));
}

TEST(ApplicationTracker, ARequestThatEndsTwiceIsABug) {
  Tracked app({tracked_stage("a", {}, FanOut(2))});
  const auto a = app.arrive(0, 0);
  app.finish(a[0], 5);
  EXPECT_THROW(app.finish(a[0], 6), InternalError);
}

}  // namespace
}  // namespace tangram
