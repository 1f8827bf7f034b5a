// gpulet's schedules: rows to partitions and back, faults with their lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Cluster kCluster{{{"3080", 1}, {"2080ti", 2}}, {}, {}};

ReadPlan read_gpulet(const std::string& text) {
  const std::vector<Workload> workloads{workload_of("cars", "vgg16"), workload_of("w", "resnet50"),
                                        workload_of("x", "bert"), workload_of("y", "bert")};
  Faults faults;
  ReadPlan result;
  result.plan = parse_gpulet_plan(text, "m.txt", kCluster, workloads, faults);
  result.faults = sentences(faults);
  return result;
}

constexpr const char* kText =
    "0,50,0,vgg16,6,88.235291\n"
    "0,50,0,resnet50,2,88.235291\n"
    "0,50,1,reserved,32,0.000000\n"
    "2,100,0,resnet50,5,73.529411\n";

TEST(GpuletPlan, RowsOfOnePartitionShareAProcess) {
  const ReadPlan result = read_gpulet(kText);
  EXPECT_THAT(result.faults, IsEmpty());
  ASSERT_EQ(result.plan.gpus.size(), 2U);
  const PlanGpu& first = result.plan.gpus[0];
  EXPECT_EQ(first.type, "2080ti");  // numbered by type's name: the 2080 Tis come first
  EXPECT_EQ(first.mode, GpuMode::kMps);
  ASSERT_EQ(first.partitions.size(), 2U);
  EXPECT_EQ(first.partitions[0].share_pct, 50);
  ASSERT_EQ(first.partitions[0].replicas.size(), 2U);
  EXPECT_EQ(first.partitions[0].replicas[0].workload, "cars");
  EXPECT_EQ(first.partitions[0].replicas[0].batch, 6U);
  EXPECT_EQ(first.partitions[0].replicas[0].duty_ms, 88.235291);
  EXPECT_EQ(first.partitions[0].replicas[0].group, first.partitions[0].replicas[1].group);
  EXPECT_THAT(first.partitions[1].replicas, IsEmpty());
  EXPECT_EQ(result.plan.gpus[1].type, "3080");
}

TEST(GpuletPlan, WhatIsReadIsWrittenByteForByte) {
  EXPECT_EQ(to_gpulet(read_gpulet(kText).plan), kText);
}

TEST(GpuletPlan, BadRowsAreFaultsWithTheirLines) {
  EXPECT_THAT(read_gpulet("").faults, ElementsAre(HasSubstr("m.txt:1: the file is empty")));
  EXPECT_THAT(read_gpulet("EMPTY").faults, ElementsAre(HasSubstr("m.txt:1: EMPTY")));
  EXPECT_THAT(read_gpulet("3,40,0,vgg16,6,1\n0,0,0,vgg16,6,1\n0,40,2,vgg16,6,1\n0,40,0,vgg61,6,1\n"
                          "0,40,0,vgg16,0,1\n0,40,0,vgg16,6,-1\n0,40,0,vgg16,6\n0,40,0,bert,6,1\n")
                  .faults,
              ElementsAre("m.txt:1: GPU must be an integer from 0 to 2, not \"3\"",
                          "m.txt:2: partition must be an integer from 1 to 100, not \"0\"",
                          "m.txt:3: twin must be an integer from 0 to 1, not \"2\"",
                          HasSubstr("m.txt:4: unknown model \"vgg61\""),
                          HasSubstr("m.txt:5: batch must be an integer from 1"),
                          HasSubstr("m.txt:6: duty cycle must be a number of ms from 0"),
                          "m.txt:7: must have 6 fields, not 5",
                          HasSubstr("m.txt:8: the model bert belongs to 2 workloads")));
  EXPECT_THAT(read_gpulet("0,40,0,vgg16,6,1\n0,40,0,reserved,32,0\n").faults,
              ElementsAre(HasSubstr("m.txt:2: GPU 0: the partition of 40 % appears twice")));
}

TEST(GpuletPlan, WhatTheFormatCannotSayIsRefused) {
  const Plan good = read_gpulet(kText).plan;
  const auto refused = [&](auto change) {
    Plan plan = good;
    change(plan.gpus[0]);
    try {
      to_gpulet(plan);
    } catch (const NoAnswer& error) {
      return std::string(error.what());
    }
    return std::string("it was written");
  };
  EXPECT_THAT(refused([](PlanGpu& gpu) { gpu.partitions[0].share_pct = 33.3; }),
              HasSubstr("on GPU 0, a partition is not a whole percentage"));
  EXPECT_THAT(refused([](PlanGpu& gpu) { gpu.partitions[0].replicas[0].batch.reset(); }),
              HasSubstr("\"cars\" has no planned batch or no duty cycle"));
  EXPECT_THAT(refused([](PlanGpu& gpu) { gpu.partitions[0].replicas[1].group = 1; }),
              HasSubstr("a partition has several processes"));
  EXPECT_THAT(refused([](PlanGpu& gpu) { gpu.partitions[0].replicas[1].workload = "other"; }),
              HasSubstr("resnet50 belongs to the workloads"));
}

}  // namespace
}  // namespace tangram
