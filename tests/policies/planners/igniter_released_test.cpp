// igniter_released against the outputs of the released program, and by hand.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/planners/igniter_world.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The plan as the original would have written it: a list of GPUs.
Json written(const Plan& plan, const std::vector<Workload>& workloads) {
  Json gpus = Json::array();
  const std::string text = to_igniter(plan, workloads);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    gpus.push_back(Json::parse(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return gpus;
}

TEST(IgniterReleased, GivesTheReleasedProgramsPlans) {
  if (igniter_reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  ShareWorld world;
  world.profiles = v100_profiles();
  std::ifstream file(igniter_folder() + "/reference_cases.json");
  const Json cases = Json::parse(file);
  EXPECT_THAT(cases, SizeIs(40));
  std::size_t above_whole = 0;
  for (const Json& one : cases) {
    SCOPED_TRACE(one["id"].get<std::string>());
    world.workloads.clear();
    for (const Json& w : one["workloads"]) {
      world.workloads.push_back(workload_of(
          numbered("w", static_cast<int>(world.workloads.size())), w["model"].get<std::string>(),
          w["slo_ms"].get<double>(), w["rate_rps"].get<double>()));
    }
    const Plan plan = world.plan("igniter_released");
    EXPECT_EQ(written(plan, world.workloads), one["gpus"]);
    EXPECT_THAT(plan.unserved, IsEmpty());
    for (const PlanGpu& gpu : plan.gpus) {
      for (const PlanPartition& p : gpu.partitions) above_whole += p.released_share_pct ? 1 : 0;
    }
  }
  EXPECT_EQ(above_whole, 2U);  // 105 % in I004, 132.5 % in I068
}

// The example of the project's README (default arguments), and its experiments 4 and 5.
TEST(IgniterReleased, GivesTheExamplesOfItsReadme) {
  if (igniter_reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  ShareWorld world;
  world.profiles = v100_profiles();
  const auto plan_for = [&](const char* text) {
    world.workloads = workloads_of(text);
    return words_of(world.plan("igniter_released"));
  };
  EXPECT_EQ(plan_for("alexnet:15:500 resnet50:40:400 vgg19:60:200"),
            "0: w2 37.5/6 w1 30/8 w0 10/4");
  EXPECT_EQ(plan_for("ssd:25:150 vgg19:40:200"), "0: w0 60/2 w1 37.5/4");
  EXPECT_EQ(plan_for("alexnet:10:1200 resnet50:30:600 ssd:40:50"), "0: w1 45/9 w0 20/6 w2 15/1");
  EXPECT_EQ(plan_for("vgg19:20:300 ssd:40:100"), "0: w0 60/3 w1 32.5/2");
  // Four would fit only without interference.
  EXPECT_EQ(plan_for("resnet50:30:300 resnet50:30:300 resnet50:30:300 resnet50:30:300"),
            "0: w0 25/5 w1 25/5 w2 25/5; 1: w3 25/5");
}

TEST(IgniterReleased, TwelveWorkloadsTakeSixGpusAndOneFillsTheLast) {
  if (igniter_reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  ShareWorld world;
  world.profiles = v100_profiles();
  world.workloads = workloads_of(kTwelveOfPredict);
  const Plan plan = world.plan("igniter_released");
  ASSERT_THAT(plan.gpus, SizeIs(6));
  // 300/s of ssd are 287 on a GPU of its own, with the batch of workload 6, and 13.
  const PlanReplica& last = plan.gpus[5].partitions.at(0).replicas.at(0);
  EXPECT_EQ(last.workload, "w11");
  EXPECT_EQ(last.rate_rps, 287);
  world.workloads = workloads_of(kTwelveOfGpulet);
  EXPECT_THAT(world.plan("igniter_released").gpus, SizeIs(6));
}

// --- Without the data ----------------------------------------------------------------------------

class IgniterReleasedByHand : public ::testing::Test {
 protected:
  IgniterReleasedByHand() { world_.profiles.add(formula_profile("m", simple_model())); }
  Plan plan_for(const char* text) {
    world_.workloads = workloads_of(text);
    return world_.plan("igniter_released");
  }
  std::string no_answer(const char* text) {
    try {
      plan_for(text);
    } catch (const NoAnswer& error) {
      return error.what();
    }
    return "a plan";
  }
  ShareWorld world_;
};

// Half the SLO is 20 ms: b = 20 x 0.1 = 2, A(2, r) = 200 / r <= 20 gives 10 %. Beside another it
// takes 1.1 times as long: 22 ms, and 17.6 ms on 12.5 %. A third: 1.2 x 16 = 19.2 ms.
TEST_F(IgniterReleasedByHand, NeighboursGrowInSteps) {
  EXPECT_EQ(words_of(plan_for("m:40:100")), "0: w0 10/2");
  EXPECT_EQ(words_of(plan_for("m:40:100 m:40:100")), "0: w0 12.5/2 w1 12.5/2");
  EXPECT_EQ(words_of(plan_for("m:40:100 m:40:100 m:40:100")), "0: w0 12.5/2 w1 12.5/2 w2 12.5/2");
}

// 1000 ms leave 500: b = 50, 5000 / r <= 500 gives 10 %. Its profile ends at 32.
TEST_F(IgniterReleasedByHand, HasNoBatchCap) {
  EXPECT_EQ(words_of(plan_for("m:1000:100")), "0: w0 10/50");
}

// b = 20 x 2.5 = 50 needs 250 %. A whole GPU does a batch below 20 ms: 19, 1000/s, of which 900
// count: two GPUs, and 700/s are left. It then looks up batch number 19 in a list of one.
TEST_F(IgniterReleasedByHand, ACrashOfTheOriginalIsNoAnswer) {
  EXPECT_THAT(no_answer("m:40:2500"), HasSubstr("crashes: w0 fills whole GPUs with a batch of 19, "
                                                "which it looks up in a list of 1 batches"));
}

// A batch of 1 takes 1 ms at least. The share of 200 % opens a second GPU, and the first is empty.
TEST_F(IgniterReleasedByHand, AnSloOutOfReachLeavesNoPlan) {
  EXPECT_THAT(no_answer("m:1:100"), HasSubstr("writes no plan"));
  const Plan plan = plan_for("m:1:100 m:40:100");
  EXPECT_EQ(words_of(plan), "0: w1 10/2; 1: w0 100/1");
  // 1 ms on the whole GPU that it really has.
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("1 of 2 batches take longer")));
}

TEST_F(IgniterReleasedByHand, WithoutCoefficientsAWorkloadIsUnserved) {
  world_.profiles.add(linear_profile("n", "v100", 1, 1, 8));
  const Plan plan = plan_for("m:40:100 n:40:100");
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_EQ(plan.unserved[0], (Unserved{"w1", 100, "no iGniter coefficients of n on v100"}));
}

TEST_F(IgniterReleasedByHand, GpusThatTheClusterLacksAreCutOff) {
  world_.cluster.gpus = {{"v100", 1}};
  const Plan plan = plan_for("m:1:100 m:40:100");
  EXPECT_EQ(words_of(plan), "0: w1 10/2");
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_EQ(plan.unserved[0], (Unserved{"w0", 100, "the cluster has no more GPUs of type v100"}));
}

}  // namespace
}  // namespace tangram
