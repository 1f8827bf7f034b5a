#include "engine/emulated.h"

#include <gmock/gmock.h>

#include "tests/engine/fixture.h"

namespace tangram {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

// One executor that serves "large": 3 ms + 0.5 ms an item, no scatter.
class OneExecutor : public ::testing::Test {
 protected:
  OneExecutor()
      : scenario_(three_workloads({{"/cluster/gpus/0/count", "1"}})),
        deployment_(
            deploy(plan_of(scenario_), scenario_.workloads, scenario_.profiles, Routing::kCentral)),
        backend_(scenario_, StreamKey(1)) {
    clock_.start_at(RealClock::Steady::now());
    backend_.open(deployment_, clock_, inbox_);
  }
  ~OneExecutor() override { backend_.close(); }

  void submit(std::uint32_t slot, Window window = {}, std::uint32_t size = 4) {
    backend_.submit({{slot, 1}, ExecutorId(0), QueueId(2), size, window});
  }
  // The next n answers (finished or refused), in order.
  std::vector<Post> answers(std::size_t n) {
    std::vector<Post> found;
    std::vector<Post> posts;
    while (found.size() < n) {
      inbox_.take(posts, RealClock::Steady::now() + std::chrono::hours(1));
      for (const Post& post : posts) {
        if (!std::holds_alternative<StartedPost>(post)) found.push_back(post);
      }
    }
    return found;
  }

  Scenario scenario_;
  Deployment deployment_;
  RealClock clock_;
  Inbox inbox_;
  EmulatedBackend backend_;
};

TEST_F(OneExecutor, TakesAtLeastTheProfiledTimeAndOneBatchAfterTheOther) {
  submit(0, {}, 4);
  submit(1, {}, 8);
  const std::vector<Post> posts = answers(2);
  const auto& first = std::get<FinishedPost>(posts[0]);
  const auto& second = std::get<FinishedPost>(posts[1]);
  EXPECT_EQ(first.batch, (BatchId{0, 1}));
  // 3 ms + 4 x 0.5 ms, 3 ms + 8 x 0.5 ms; a thread may wake late, never early.
  EXPECT_EQ(first.alone, milliseconds(5));
  EXPECT_GE(first.end - first.start, milliseconds(5));
  EXPECT_EQ(second.alone, milliseconds(7));
  EXPECT_GE(second.end - second.start, milliseconds(7));
  EXPECT_LE(first.end, second.start);
}

TEST_F(OneExecutor, HoldsABatchUntilItsWindowOpens) {
  const TimePoint earliest = clock_.now() + milliseconds(20);
  submit(0, {earliest, kNever});
  EXPECT_GE(std::get<FinishedPost>(answers(1)[0]).start, earliest);
}

TEST_F(OneExecutor, RefusesWhatItComesToAfterTheWindow) {
  submit(0);
  // The first batch takes 5 ms, and so the second cannot start within 1 ms.
  submit(1, {kStart, clock_.now() + milliseconds(1)});
  submit(2);
  const std::vector<Post> posts = answers(3);
  EXPECT_EQ(std::get<RefusedPost>(posts[1]).batch, (BatchId{1, 1}));
  EXPECT_EQ(std::get<RefusedPost>(posts[1]).why, Refusal::kTooLate);
  EXPECT_EQ(std::get<FinishedPost>(posts[2]).batch, (BatchId{2, 1}));
}

TEST_F(OneExecutor, RefusesAnImpossibleWindowWithoutWaitingForIt) {
  const TimePoint later = clock_.now() + std::chrono::hours(1);
  submit(0, {later, later - milliseconds(1)});
  EXPECT_EQ(std::get<RefusedPost>(answers(1)[0]).batch, (BatchId{0, 1}));
}

TEST_F(OneExecutor, ClosesWhileABatchWaits) {
  submit(0, {clock_.now() + std::chrono::hours(1), kNever});
  backend_.close();
  std::vector<Post> posts;
  inbox_.take(posts, RealClock::Steady::time_point{});
  EXPECT_TRUE(posts.empty());
}

TEST(Emulated, RefusesAPlanOfTooManyExecutorsAndSaysWhatToDo) {
  const Scenario scenario = three_workloads({{"/cluster/gpus/0/count", "513"}});
  const Plan plan = plan_of(scenario);
  EmulatedBackend backend(scenario, StreamKey(1));
  try {
    run_engine(scenario, plan, backend);
    FAIL() << "513 executors were accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("513"));
    EXPECT_THAT(error.what(), HasSubstr("at most 512"));
  }
}

TEST(Backends, AnUnknownNameIsAnsweredWithTheNearest) {
  const Scenario scenario = three_workloads();
  try {
    make_backend("emulatd", scenario, StreamKey(1));
    FAIL() << "an unknown backend was made";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"emulated\"?"));
  }
}

}  // namespace
}  // namespace tangram
