// The checks that every plan passes: each rule broken once, all faults at once, and scale.
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Two workloads on a cluster of two A100 and one T4, and profiles with a gap of each sort.
struct CheckedWorld {
  std::vector<Workload> workloads{workload_of("vision", "resnet"), workload_of("text", "bert")};
  ProfileSet profiles;
  Cluster cluster;

  CheckedWorld() {
    cluster.gpus = {{"a100-80gb", 2}, {"t4", 1}};
    std::vector<LatencyPoint> points;
    for (const std::uint32_t processes : {1u, 2u}) {
      points.push_back(point_of(kMig1, processes, 1, 5));
      points.push_back(point_of(kMig1, processes, 8, 12));
      points.push_back(point_of(kMig3, processes, 1, 3));
      points.push_back(point_of(kMig3, processes, 16, 9));
    }
    for (const double percent : {40.0, 60.0, 100.0}) {
      points.push_back(point_of({ShareKind::kPercent, percent}, 1, 1, 4));
      points.push_back(point_of({ShareKind::kPercent, percent}, 1, 8, 10));
    }
    points.push_back(point_of({ShareKind::kSms, 64}, 1, 1, 4));
    Profile resnet = table_profile("resnet", "a100-80gb", points);
    resnet.memory_mib = 6000;
    profiles.add(resnet);
    // Batch 1 was not measured, and no interpolation declared.
    profiles.add(table_profile("resnet", "t4", {point_of({}, 1, 2, 9), point_of({}, 1, 4, 15)},
                               Interpolation::kNone));
    Profile bert = linear_profile("bert", "a100-80gb", 10, 1, 32);
    bert.memory_mib = 50'000;
    bert.memory_per_item_mib = 1000;
    profiles.add(bert);
  }

  std::vector<std::string> check(const Plan& plan,
                                 std::vector<std::string>* notes = nullptr) const {
    Faults faults;
    const auto said = check_plan(plan, workloads, profiles, cluster, "p#", faults);
    if (notes != nullptr) *notes = said;
    return sentences(faults);
  }
};

Plan good_plan() {
  Plan plan;
  plan.gpus = {
      {0,
       "a100-80gb",
       GpuMode::kMig,
       {mig_partition(3, 4, {replica_of("vision", "resnet", 16, 2)}),
        mig_partition(1, 0, {replica_of("vision", "resnet")})}},
      {3, "a100-80gb", GpuMode::kWhole, {whole_partition({replica_of("text", "bert", 8)})}}};
  return plan;
}

PlanPartition percent_partition(double percent) {
  PlanPartition partition = whole_partition({replica_of("vision", "resnet")});
  partition.share_pct = percent;
  return partition;
}

TEST(CheckPlan, AGoodPlanPassesWithoutNotes) {
  std::vector<std::string> notes;
  EXPECT_THAT(CheckedWorld().check(good_plan(), &notes), IsEmpty());
  EXPECT_THAT(notes, IsEmpty());
}

struct Broken {
  std::string name;
  std::function<void(Plan&)> break_it;
  std::string fault;
};

class BrokenPlan : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenPlan, IsRefusedWithItsPlace) {
  Plan plan = good_plan();
  GetParam().break_it(plan);
  EXPECT_THAT(CheckedWorld().check(plan), ElementsAre(GetParam().fault));
}

PlanPartition& first(Plan& plan) {
  return plan.gpus[0].partitions[0];
}

// A GPU cut by percent, in place of the first.
void use_percent(Plan& plan, std::vector<double> percents) {
  plan.gpus[0].mode = GpuMode::kMps;
  plan.gpus[0].partitions.clear();
  for (const double percent : percents) {
    plan.gpus[0].partitions.push_back(percent_partition(percent));
  }
}

INSTANTIATE_TEST_SUITE_P(
    CheckPlan,
    BrokenPlan,
    ::testing::Values(
        Broken{
            "UnknownWorkload", [](Plan& p) { first(p).replicas = {replica_of("vison", "resnet")}; },
            "p#/gpus/0/partitions/0/replicas/0/workload: unknown workload \"vison\"; did you mean "
            "\"vision\"? known: vision, text"},
        Broken{"WrongModel", [](Plan& p) { first(p).replicas[0].model = "bert"; },
               "p#/gpus/0/partitions/0/replicas/0/model: the workload \"vision\" runs the model "
               "resnet, not bert"},
        Broken{"StarWithModel", [](Plan& p) { first(p).replicas = {replica_of("*", "resnet")}; },
               "p#/gpus/0/partitions/0/replicas/0/model: must be \"*\", as the workload"},
        Broken{"TwiceInAGroup",
               [](Plan& p) { first(p).replicas.push_back(replica_of("vision", "resnet", 1, 2)); },
               "p#/gpus/0/partitions/0/replicas/1/workload: group 0 serves \"vision\" already"},
        Broken{"IndicesFall", [](Plan& p) { p.gpus[1].index = 0; },
               "p#/gpus/1/index: GPU 0 comes after GPU 0; indices must ascend"},
        Broken{"TypeNotInCluster",
               [](Plan& p) {
                 p.gpus.push_back({7, "h200", GpuMode::kWhole, {}});
               },
               "p#/gpus/2/type: unknown GPU type of the cluster \"h200\"; known: a100-80gb, t4"},
        Broken{"MoreGpusThanTheCluster",
               [](Plan& p) {
                 p.gpus.push_back({8, "a100-80gb", GpuMode::kWhole, {}});
               },
               "p#/gpus/2/type: the plan has more GPUs of type a100-80gb than the cluster's 2"},
        Broken{"NoMig",
               [](Plan& p) {
                 p.gpus.push_back({8, "t4", GpuMode::kMig, {}});
               },
               "p#/gpus/2/mode: t4 has no MIG"},
        Broken{
            "IllegalSize", [](Plan& p) { p.gpus[0].partitions.push_back(mig_partition(5, 0)); },
            "p#/gpus/0/partitions/2/size: a100-80gb has no MIG instance of 5 slices; known: 1, 2, "
            "3, 4, 7"},
        Broken{
            "IllegalStart", [](Plan& p) { first(p).start = 2; },
            "p#/gpus/0/partitions/0/start: an instance of 3 slices cannot start at slot 2; legal: "
            "0, 4"},
        // 3@4 occupies slots 4 to 7 though it has three slices.
        Broken{"SlotsOverlap", [](Plan& p) { p.gpus[0].partitions.push_back(mig_partition(1, 6)); },
               "p#/gpus/0/partitions/2/start: overlaps partition 0 of this GPU"},
        Broken{"StartMissing", [](Plan& p) { first(p).start.reset(); },
               "p#/gpus/0/partitions/0: the key \"start\" is missing"},
        Broken{
            "MigOnAWholeGpu",
            [](Plan& p) {
              p.gpus[0].mode = GpuMode::kTimeSliced;
              first(p).start.reset();
              p.gpus[0].partitions.pop_back();
            },
            "p#/gpus/0/partitions/0/size: a GPU in mode time_sliced has no partitions with size"},
        Broken{"TwoWholes", [](Plan& p) { p.gpus[1].partitions.push_back(whole_partition({})); },
               "p#/gpus/1/partitions: a whole GPU has one partition, not 2"},
        Broken{"SharesAboveAll",
               [](Plan& p) {
                 use_percent(p, {60, 60});
               },
               "p#/gpus/0/partitions: the shares add up to 120 %; at most 100 %"},
        Broken{"TooManySms",
               [](Plan& p) {
                 p.gpus[0].mode = GpuMode::kSm;
                 PlanPartition part = whole_partition({replica_of("vision", "resnet")});
                 part.sms = 64;
                 p.gpus[0].partitions = {part, part};
               },
               "p#/gpus/0/partitions: the partitions have 128 SMs; a100-80gb has 108"},
        Broken{"NoProfileForTheType",
               [](Plan& p) {
                 p.gpus.push_back(
                     {8, "t4", GpuMode::kWhole, {whole_partition({replica_of("text", "bert")})}});
               },
               "p#/gpus/2/partitions/0/replicas/0: no profile of bert on t4"},
        Broken{
            "NothingKnownForTheShare", [](Plan& p) { use_percent(p, {50}); },
            "p#/gpus/0/partitions/0/replicas/0: profile of resnet on a100-80gb: nothing known for "
            "the share 50 %; shares: mig 1, mig 3, 40 %, 60 %, 100 %, 64 SMs"},
        Broken{
            "BatchOneNotMeasured",
            [](Plan& p) {
              p.gpus.push_back(
                  {8, "t4", GpuMode::kWhole, {whole_partition({replica_of("vision", "resnet")})}});
            },
            "p#/gpus/2/partitions/0/replicas/0: profile of resnet on t4: nothing known for batch 1 "
            "on whole with 1 process; batches: 2, 4; interpolation: none; declare an "
            "interpolation"},
        Broken{
            "PlannedBatchTooLarge", [](Plan& p) { first(p).replicas[0].batch = 17; },
            "p#/gpus/0/partitions/0/replicas/0: the planned batch is 17, and batches up to 16 can "
            "be run: profile of resnet on a100-80gb: nothing known for batch 17 on mig 3 with 2 "
            "processes; batches: 1, 16; interpolation: linear"},
        // 2 processes x 6000 MiB on an instance of 10 GiB.
        Broken{"InstanceMemory", [](Plan& p) { p.gpus[0].partitions[1].replicas[0].processes = 2; },
               "p#/gpus/0/partitions/1: needs 12000 MiB; an instance of 1 slices has 10240 MiB"},
        // 50000 + 32 x 1000 MiB on 80 GiB.
        Broken{"GpuMemory", [](Plan& p) { p.gpus[1].partitions[0].replicas[0].batch = 32; },
               "p#/gpus/1: needs 82000 MiB; a100-80gb has 81920 MiB"},
        Broken{"NotServed", [](Plan& p) { p.gpus.pop_back(); },
               "p#/unserved: the workload \"text\" is neither served nor listed as unserved"},
        Broken{"UnknownUnserved",
               [](Plan& p) {
                 p.unserved = {{"texts", 1, "no room"}};
               },
               "p#/unserved/0/workload: unknown workload \"texts\"; did you mean \"text\"? known: "
               "vision, text"},
        Broken{"UnservedTwice",
               [](Plan& p) {
                 p.gpus.pop_back();
                 p.unserved = {{"text", 1, "no room"}, {"text", 1, "no room"}};
               },
               "p#/unserved/1/workload: \"text\" is listed twice"}),
    [](const auto& case_info) { return case_info.param.name; });

TEST(CheckPlan, AllFaultsAreReportedAtOnce) {
  Plan plan = good_plan();
  first(plan).start = 1;
  plan.gpus[0].partitions[1].replicas[0].batch = 64;
  plan.gpus[1].partitions[0].replicas[0].model = "gpt";
  EXPECT_EQ(CheckedWorld().check(plan).size(), 3u);
}

TEST(CheckPlan, AnEmptyPlanThatListsEveryWorkloadPasses) {
  Plan plan;
  plan.unserved = {{"vision", 100, "no GPU is left"}, {"text", 100, "no GPU is left"}};
  EXPECT_THAT(CheckedWorld().check(plan), IsEmpty());
}

TEST(CheckPlan, ThirdsOfAGpuAreNotMoreThanAllOfIt) {
  Plan plan = good_plan();
  CheckedWorld world;
  const double third = 100.0 / 3;
  world.profiles = {};
  world.profiles.add(linear_profile("bert", "a100-80gb", 10, 1, 32));
  world.profiles.add(
      table_profile("resnet", "a100-80gb", {point_of({ShareKind::kPercent, third}, 1, 1, 4)}));
  use_percent(plan, {third, third, third});
  EXPECT_THAT(world.check(plan), IsEmpty());
}

TEST(CheckPlan, GroupsOfAPartitionAddUpTheirMemoryAndMembersDoNot) {
  CheckedWorld world;
  world.workloads[1].model = "resnet";
  Plan plan;
  // One group: its two members run one at a time and need 6000 MiB of 10240.
  plan.gpus = {
      {0,
       "a100-80gb",
       GpuMode::kMig,
       {mig_partition(1, 0, {replica_of("vision", "resnet"), replica_of("text", "resnet")})}}};
  EXPECT_THAT(world.check(plan), IsEmpty());
  first(plan).replicas[1].group = 1;
  EXPECT_THAT(world.check(plan),
              ElementsAre("p#/gpus/0/partitions/0: needs 12000 MiB; an instance of 1 slices has "
                          "10240 MiB"));
}

TEST(CheckPlan, MembersOfAGroupHaveTheSameNumberOfProcesses) {
  CheckedWorld world;
  world.workloads[1].model = "resnet";
  Plan plan;
  plan.gpus = {
      {0,
       "a100-80gb",
       GpuMode::kMig,
       {mig_partition(
           3, 0, {replica_of("vision", "resnet", 8, 1), replica_of("text", "resnet", 8, 2)})}}};
  EXPECT_THAT(
      world.check(plan),
      ElementsAre("p#/gpus/0/partitions/0/replicas/1/processes: must be 1, as for the others "
                  "of group 0"));
}

// bert is known for one process only. Clients of one GPU need that alone, each with memory of its
// own; processes that were to be measured side by side need their own row.
TEST(CheckPlan, ManyProcessesNeedTheirOwnRowsOnlyWhereTheyShareAPartOfTheHardware) {
  CheckedWorld world;
  world.workloads = {workload_of("text", "bert")};
  world.profiles = {};
  world.profiles.add(linear_profile("bert", "a100-80gb", 10, 1, 32));
  Plan plan;
  plan.gpus = {
      {0, "a100-80gb", GpuMode::kWhole, {whole_partition({replica_of("text", "bert", {}, 12)})}}};
  for (const GpuMode mode :
       {GpuMode::kWhole, GpuMode::kMps, GpuMode::kStreams, GpuMode::kTimeSliced}) {
    plan.gpus[0].mode = mode;
    EXPECT_THAT(world.check(plan), IsEmpty());
  }
  plan.gpus[0].mode = GpuMode::kMig;
  first(plan) = mig_partition(7, 0, {replica_of("text", "bert", {}, 12)});
  EXPECT_THAT(world.check(plan), ElementsAre(::testing::HasSubstr("with 12 processes")));
}

TEST(CheckPlan, ProfilesWithoutMemoryAreNotedOnce) {
  CheckedWorld world;
  world.profiles = {};
  world.profiles.add(linear_profile("resnet", "a100-80gb", 10, 1, 32));
  world.profiles.add(linear_profile("bert", "a100-80gb", 10, 1, 32));
  Plan plan;
  plan.gpus = {{0, "a100-80gb", GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}},
               {1, "a100-80gb", GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}}};
  std::vector<std::string> notes;
  EXPECT_THAT(world.check(plan, &notes), IsEmpty());
  EXPECT_THAT(notes, ElementsAre("memory is not checked for models whose profiles do not state it: "
                                 "bert, resnet"));
}

TEST(CheckPlan, AStarMustBeRunnableForEveryWorkload) {
  Plan plan;
  plan.gpus = {{0, "t4", GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}}};
  CheckedWorld world;
  world.workloads[0].model = "bert";
  EXPECT_THAT(world.check(plan),
              ElementsAre("p#/gpus/0/partitions/0/replicas/0: no profile of bert on t4"));
}

TEST(CheckPlan, TenThousandGpusWithAThousandWorkloadsTakeWellUnderASecond) {
  CheckedWorld world;
  world.workloads.clear();
  for (int w = 0; w < 1000; ++w) {
    const std::string model = numbered("m", w);
    world.workloads.push_back(workload_of(numbered("w", w), model));
    world.profiles.add(linear_profile(model, "a100-80gb", 5, 1, 128));
  }
  world.cluster.gpus = {{"a100-80gb", 10'000}};
  Plan plan;
  for (std::uint32_t g = 0; g < 10'000; ++g) {
    plan.gpus.push_back(
        {g, "a100-80gb", GpuMode::kWhole, {whole_partition({replica_of("*", "*")})}});
  }
  // Expanding "*" would make ten million replicas, and this test time out.
  EXPECT_THAT(world.check(plan), IsEmpty());
}

}  // namespace
}  // namespace tangram
