// iGniter's plan files: reading, writing, and what is wrong with them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// As the original names its models.
constexpr const char* kGpu1 =
    R"({"models": ["vgg19_dynamic", "alexnet"], "rates": [200, 500], "slos": [30.0, 7.5], )"
    R"("resources": [37.5, 10.0], "batches": [6, 4]})";
constexpr const char* kGpu2 =
    R"({"models": ["vgg19"], "rates": [287], "slos": [25.0], "resources": [105.0], )"
    R"("batches": [3]})";

std::vector<Workload> some_workloads() {
  return {workload_of("small", "alexnet", 15, 500), workload_of("large", "vgg19", 60, 200),
          workload_of("tight", "vgg19", 50, 300)};
}

ReadPlan read_igniter(const std::string& text,
                      const std::vector<Workload>& workloads = some_workloads()) {
  Faults faults;
  ReadPlan result;
  result.plan = parse_igniter_plan(text, "p.jsonl", "v100", workloads, faults);
  result.faults = sentences(faults);
  return result;
}

PlanPartition share_of(
    double share_pct, const char* workload, const char* model, std::uint32_t batch, double rate) {
  PlanPartition partition;
  partition.share_pct = share_pct;
  partition.replicas = {replica_of(workload, model, batch)};
  partition.replicas[0].rate_rps = rate;
  return partition;
}

TEST(IgniterPlan, AnObjectIsAGpuAndTheSloTellsWorkloadsApart) {
  for (const char* between : {"", "\n", "\n\n  "}) {
    const ReadPlan result = read_igniter(std::string(kGpu1) + between + kGpu2 + "\n");
    EXPECT_THAT(result.faults, IsEmpty());
    Plan expected;
    expected.planner = "imported";
    expected.gpus = {
        {0,
         "v100",
         GpuMode::kMps,
         {share_of(37.5, "large", "vgg19", 6, 200), share_of(10, "small", "alexnet", 4, 500)}},
        {1, "v100", GpuMode::kMps, {share_of(100, "tight", "vgg19", 3, 287)}}};
    expected.gpus[1].partitions[0].released_share_pct = 105;
    EXPECT_EQ(result.plan, expected);
  }
}

TEST(IgniterPlan, WrittenAndReadAgainItIsTheSame) {
  const Plan plan = read_igniter(std::string(kGpu1) + kGpu2).plan;
  const std::string text = to_igniter(plan, some_workloads());
  EXPECT_EQ(text,
            R"({"models":["vgg19","alexnet"],"rates":[200,500],"slos":[30.0,7.5],)"
            R"("resources":[37.5,10.0],"batches":[6,4]})"
            "\n"
            R"({"models":["vgg19"],"rates":[287],"slos":[25.0],"resources":[105.0],"batches":[3]})"
            "\n");
  EXPECT_EQ(read_igniter(text).plan, plan);
}

// Alike in everything: each is taken once.
TEST(IgniterPlan, WorkloadsThatNothingTellsApartAreTakenInTurn) {
  const std::vector<Workload> twins{workload_of("a", "vgg19", 50, 300),
                                    workload_of("b", "vgg19", 50, 300)};
  const ReadPlan result = read_igniter(std::string(kGpu2) + kGpu2, twins);
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_EQ(result.plan.gpus.at(0).partitions.at(0).replicas.at(0).workload, "a");
  EXPECT_EQ(result.plan.gpus.at(1).partitions.at(0).replicas.at(0).workload, "b");
}

TEST(IgniterPlan, EveryFaultIsNamedAtItsPlace) {
  EXPECT_THAT(read_igniter("").faults, ElementsAre(HasSubstr("p.jsonl: the file is empty")));
  EXPECT_THAT(
      read_igniter("\n{\"models\": [\"vgg\"], \"rates\": [-1], \"slos\": [30], \"resources\": [0], "
                   "\"batches\": [1.5], \"gpu\": 1}")
          .faults,
      ElementsAre(HasSubstr("p.jsonl:2#/gpu"),
                  HasSubstr("p.jsonl:2#/models/0: unknown model "
                            "\"vgg\"; did you mean \"vgg19\"?"),
                  HasSubstr("p.jsonl:2#/rates/0"), HasSubstr("p.jsonl:2#/resources/0"),
                  HasSubstr("p.jsonl:2#/batches/0")));
  EXPECT_THAT(read_igniter(R"({"models": ["vgg19"], "rates": [], "slos": [], "resources": [], )"
                           R"("batches": []})")
                  .faults,
              ElementsAre(HasSubstr("\"rates\" has 0 entries, and \"models\" has 1")));
  EXPECT_THAT(read_igniter("{\"models\": [").faults, SizeIs(1));
  EXPECT_THAT(read_igniter("[]").faults, SizeIs(::testing::Ge(1)));
}

TEST(IgniterPlan, AnSloOfNoWorkloadOfTheModelIsAFault) {
  EXPECT_THAT(read_igniter(R"({"models": ["vgg19"], "rates": [1], "slos": [1], "resources": [10], )"
                           R"("batches": [1]})")
                  .faults,
              ElementsAre(HasSubstr("#/models/0: 2 workloads run vgg19, and neither an SLO of 2 ms "
                                    "nor 1 requests/s says which is meant")));
}

TEST(IgniterPlan, PlansThatTheFormatCannotSayAreRefused) {
  const auto refusal = [](const PlanPartition& partition, GpuMode mode) {
    Plan plan;
    plan.gpus = {{0, "v100", mode, {partition}}};
    try {
      to_igniter(plan, some_workloads());
    } catch (const NoAnswer& error) {
      return std::string(error.what());
    }
    return std::string("no refusal");
  };
  PlanPartition partition = share_of(50, "small", "alexnet", 1, 1);
  EXPECT_THAT(refusal(whole_partition(partition.replicas), GpuMode::kWhole),
              HasSubstr("no share under MPS"));
  partition.replicas[0].batch.reset();
  EXPECT_THAT(refusal(partition, GpuMode::kMps), HasSubstr("no planned batch"));
  partition = share_of(50, "small", "alexnet", 1, 1);
  partition.replicas[0].rate_rps.reset();
  EXPECT_THAT(refusal(partition, GpuMode::kMps), HasSubstr("no planned rate"));
  partition.replicas.push_back(partition.replicas[0]);
  EXPECT_THAT(refusal(partition, GpuMode::kMps), HasSubstr("exactly one replica"));
}

}  // namespace
}  // namespace tangram
