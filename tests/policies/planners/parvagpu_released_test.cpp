// parvagpu_released against the outputs of the released program, and by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/atomic_file.h"
#include "tests/policies/planners/parvagpu_cases.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- Against the released program ----------------------------------------------------------------

std::map<std::uint32_t, GpuRows> expected_rows(const Json& build) {
  std::map<std::uint32_t, GpuRows> rows;
  for (const Json& row : build["segs"]) {
    rows[row[0].get<std::uint32_t>()].emplace_back(parvagpu_models()[row[1].get<std::size_t>()],
                                                   row[3].get<int>(), row[4].get<std::uint32_t>(),
                                                   row[5].get<std::uint32_t>());
  }
  for (auto& [gpu, here] : rows) std::sort(here.begin(), here.end());
  return rows;
}

// The original's labels in the order of its rows: (GPU, label).
std::vector<std::pair<std::uint32_t, int>> labels_of(const Plan& plan) {
  std::vector<std::pair<std::uint32_t, int>> labels;
  for (const PlanGpu& gpu : plan.gpus) {
    for (const PlanPartition& p : gpu.partitions) {
      labels.emplace_back(gpu.index, p.released_start.value_or(*p.start));
    }
  }
  return labels;
}

std::vector<std::pair<std::uint32_t, int>> expected_labels(const Json& build) {
  std::vector<std::pair<std::uint32_t, int>> labels;
  for (const Json& row : build["segs"]) {
    labels.emplace_back(row[0].get<std::uint32_t>(), row[2].get<int>());
  }
  return labels;
}

// Workload -> unmet part of its rate.
std::map<std::string, double> unmet_of(const Plan& plan, const MigWorld& world) {
  std::map<std::string, double> unmet;
  for (const Unserved& entry : plan.unserved) {
    const auto workload = std::find_if(world.workloads.begin(), world.workloads.end(),
                                       [&](const Workload& w) { return w.name == entry.workload; });
    unmet[entry.workload] = entry.rate_rps / workload->arrivals.rate_rps;
  }
  return unmet;
}

void expect_same(const Json& build, const MigWorld& world, const std::string& processes) {
  const std::string params = R"("max_processes": )" + processes;
  if (build["rc"] != 0) {
    EXPECT_THROW(world.plan("parvagpu_released", '{' + params + '}'), NoAnswer);
    return;
  }
  const Plan plan = world.plan("parvagpu_released", '{' + params + '}');
  EXPECT_EQ(rows_of(plan), expected_rows(build));
  EXPECT_EQ(labels_of(plan), expected_labels(build));
  EXPECT_EQ(plan.gpus_used(), build["gpus"].get<std::uint32_t>());
  EXPECT_EQ(plan.slices_used(), build["gpcs"].get<std::uint32_t>());
  EXPECT_EQ(plan.lost.size(), build.value("lost_segments", std::size_t{0}));
  std::map<std::string, double> unmet = unmet_of(plan, world);
  const Json unserved = build.value("unserved", Json::object());
  const Json fractions = build.value("unmet_fraction", Json::object());
  for (const auto& [model, why] : unserved.items()) {
    EXPECT_EQ(unmet[model], 1) << model << ": " << why;
    unmet.erase(model);
  }
  for (const auto& [model, fraction] : fractions.items()) {
    EXPECT_NEAR(unmet[model], fraction.get<double>(), 1e-3) << model;
    unmet.erase(model);
  }
  EXPECT_THAT(unmet, IsEmpty());
  const Plan before = world.plan("parvagpu_released", '{' + params + R"(, "split": false})");
  EXPECT_EQ(before.gpus_used(), build["pre_gpus"].get<std::uint32_t>());
  EXPECT_EQ(before.slices_used(), build["pre_gpcs"].get<std::uint32_t>());
}

TEST(ParvagpuReleased, GivesTheReleasedProgramsPlansInBothBuilds) {
  if (reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  MigWorld world;
  world.profiles = parvagpu_profiles();
  const std::vector<Json> cases = parvagpu_reference_cases();
  EXPECT_THAT(cases, SizeIs(135));
  for (const Json& one : cases) {
    SCOPED_TRACE(one["id"].get<std::string>());
    world.workloads = parvagpu_workloads(one);
    expect_same(one["P3"], world, "3");
    expect_same(one["P5"], world, "5");
  }
}

// The published deployments were made with a limit of 5 processes.
TEST(ParvagpuReleased, WritesThePublishedDeployments) {
  if (reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  MigWorld world;
  world.profiles = parvagpu_profiles();
  const std::vector<Json> cases = parvagpu_reference_cases();
  for (std::size_t s = 0; s < 6; ++s) {
    world.workloads = parvagpu_workloads(cases.at(s));
    const Plan plan = world.plan("parvagpu_released", R"({"max_processes": 5})");
    EXPECT_EQ(to_parvagpu(plan),
              read_file(std::string(reference_data()) + "/parvagpu/deployments/SLO" +
                        std::to_string(s + 1) + "_ParvaGPU_deploy.csv"));
  }
}

// --- By hand -------------------------------------------------------------------------------------

// One model at batch 1: 90, 190 and 300 items/s on 1, 2 and 3 slices.
MigWorld small_world(double rate_rps) {
  MigWorld world;
  std::vector<LatencyPoint> points;
  for (const auto& [size, rps] : std::vector<std::pair<int, double>>{{1, 90}, {2, 190}, {3, 300}}) {
    points.push_back(point_of({ShareKind::kMig, static_cast<double>(size)}, 1, 1, 1000 / rps));
  }
  world.profiles.add(table_profile("m", "a100-80gb", std::move(points)));
  world.workloads = {workload_of("w", "m", 100, rate_rps)};
  return world;
}

std::vector<std::vector<int>> cuts_of(const Plan& plan) {
  std::vector<std::vector<int>> cuts;
  for (const PlanGpu& gpu : plan.gpus) {
    std::vector<int>& sizes = cuts.emplace_back();
    for (const PlanPartition& p : gpu.partitions) sizes.push_back(*p.size);
  }
  return cuts;
}

TEST(ParvagpuReleased, PutsOneInstanceOf3OnAGpuAndThenSplits) {
  // 650 = 2 x 300 + 50: sizes 3, 3 and 1. Each 3 opens a GPU; the 1 joins the first.
  const MigWorld world = small_world(650);
  EXPECT_THAT(cuts_of(world.plan("parvagpu_released", R"({"split": false})")),
              ElementsAre(ElementsAre(3, 1), ElementsAre(3)));
  // GPU 1: the 3 is owed 300 = 1 x 190 + 110: size 2 and, at 90 a piece, two of size 1. They fill
  // GPU 0 to seven slices (3 + 1 + 2 + 1), the last one stays on GPU 1. GPU 0 is then full.
  EXPECT_THAT(cuts_of(world.plan("parvagpu_released")),
              ElementsAre(ElementsAre(3, 2, 1, 1), ElementsAre(1)));
}

TEST(ParvagpuReleased, ARateThatIsAMultipleStillEndsWithALastSegment) {
  // 600 = 2 x 300: one of size 3, and a last one that must carry 300.
  EXPECT_THAT(cuts_of(small_world(600).plan("parvagpu_released", R"({"split": false})")),
              ElementsAre(ElementsAre(3), ElementsAre(3)));
}

TEST(ParvagpuReleased, RatesAndSlosAreReadAsIntegers) {
  MigWorld world = small_world(90.9);
  const Plan plan = world.plan("parvagpu_released");
  EXPECT_THAT(cuts_of(plan), ElementsAre(ElementsAre(1)));
  ASSERT_THAT(plan.unserved, SizeIs(1));
  EXPECT_NEAR(plan.unserved[0].rate_rps, 0.9, 1e-4);
  EXPECT_EQ(plan.unserved[0].reason, "the released program reads its rate as an integer, 90");
  world.workloads[0].slo = from_ms(0.9);
  EXPECT_THAT(world.plan("parvagpu_released").unserved.at(0).reason, HasSubstr("its SLO"));
}

TEST(ParvagpuReleased, StopsAtItsLimitOfGpus) {
  const Plan plan =
      small_world(650).plan("parvagpu_released", R"({"gpu_limit": 1, "split": false})");
  EXPECT_THAT(cuts_of(plan), ElementsAre(ElementsAre(3)));
  EXPECT_THAT(plan.unserved,
              ElementsAre(Unserved{"w", 350, "the released program found no GPU for 2 segments"}));
}

// GPU 0 takes the first 3, nothing the second, which is gone and ends it: the 1 still waits.
// Splitting, the 3 is owed 300: size 2 and two of size 1. Three are placed, as many as were queued,
// and one 1 goes on waiting though there is room. 190 + 2 x 90 of 650 items/s are carried. (The 1
// at slot 6 is taken out and put back later: the debt is 300 - 190 - 180 + 90 = 20.)
TEST(ParvagpuReleased, WhatWaitsAtItsLimitTakesTheTurnsOfLaterPieces) {
  const Plan plan = small_world(650).plan("parvagpu_released", R"({"gpu_limit": 1})");
  EXPECT_THAT(cuts_of(plan), ElementsAre(ElementsAre(2, 1, 1)));
  EXPECT_THAT(plan.unserved,
              ElementsAre(Unserved{"w", 280, "the released program found no GPU for 2 segments"}));
}

// The published runs at 100 times the rates of S5 and S6, whose first placement needs more GPUs
// than its 2000.
TEST(ParvagpuReleased, IsShortAsReportedBeyondItsLimit) {
  if (reference_data() == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  MigWorld world;
  world.profiles = parvagpu_profiles();
  const auto hundredfold = [&](std::size_t s) {
    world.workloads = parvagpu_workloads(parvagpu_reference_cases().at(s - 1));
    for (Workload& workload : world.workloads) workload.arrivals.rate_rps *= 100;
    return world.plan("parvagpu_released");
  };
  const Plan s5 = hundredfold(5);
  EXPECT_EQ(s5.gpus_used(), 1052U);
  std::map<std::string, double> unmet = unmet_of(s5, world);
  EXPECT_THAT(unmet, SizeIs(5));
  EXPECT_NEAR(unmet["inceptionv3"], 0.80, 0.005);
  EXPECT_NEAR(unmet["vgg19"], 0.50, 0.005);
  EXPECT_EQ(hundredfold(6).gpus_used(), 1289U);
}

TEST(ParvagpuReleased, NeedsGpusOfSevenSlices) {
  MigWorld world = small_world(90);
  world.cluster.gpus = {{"t4", 1}};
  EXPECT_THROW(world.plan("parvagpu_released"), NoAnswer);
}

}  // namespace
}  // namespace tangram
