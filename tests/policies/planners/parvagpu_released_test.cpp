// parvagpu_released against the outputs of the released program, and by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    world.workloads = workloads_of(one);
    expect_same(one["P3"], world, "3");
    expect_same(one["P5"], world, "5");
  }
}

}  // namespace
}  // namespace tangram
