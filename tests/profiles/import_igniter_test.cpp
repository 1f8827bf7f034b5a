// iGniter's tables: small texts with exact fault places, and the published measurements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/profile_io.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ScratchFolder;

constexpr const char* kSolo =
    "model,batch,share_pct,latency_ms,throughput_rps,l2_util_pct,dram_util_pct,power_w\n"
    "net,2,20,10,250,5,10,90\n"
    "net,2,50,4,550,11,25,\n"
    "other,8,80,20,410,9,30,150\n"
    "other,8,50,30,300,,,\n";
constexpr const char* kHeader =
    "model_a,model_b,batch_a,batch_b,share_a_pct,latency_a_ms,latency_b_ms,std_a_ms,std_b_ms\n";

ImportResult import(const ScratchFolder& folder, const ImportOptions& options = {}) {
  return import_profiles("igniter", {folder.file("")}, options);
}

std::string faults_of(const ScratchFolder& folder) {
  try {
    import(folder);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(IgniterImport, CoRunsAreSlowdownsAgainstTheSameShareAlone) {
  const ScratchFolder folder;
  folder.write("v100_solo.csv", kSolo);
  folder.write(
      "v100_colocations.csv",
      std::string(kHeader) + "net,other,2,8,20,11,25,0.1,0.1\nother,net,8,2,50,33,5,1,1\n");
  folder.write("coefficients_v100.json",
               R"({"hardware": {"F_mhz": 1530},
                   "models": {"net": {"n_kernels": 20}, "third": {"n_kernels": 1}}})");
  folder.write("golden.json", "not read");
  const ImportResult result = import(folder);
  ASSERT_EQ(result.profiles.size(), 2U);
  const Profile& net = result.profiles[0];
  const Profile& other = result.profiles[1];
  EXPECT_EQ(net.model, "net");
  EXPECT_EQ(net.gpu, "v100");
  EXPECT_EQ(net.launches, 20);
  EXPECT_EQ(other.launches, std::nullopt);
  EXPECT_EQ(net.points.size(), 2U);
  EXPECT_EQ(net.points[0].l2_utilisation, 0.05);
  EXPECT_EQ(net.points[0].power_w, 90);
  EXPECT_EQ(other.points[0].dram_utilisation, std::nullopt);
  ASSERT_EQ(net.co_runs.size(), 2U);
  EXPECT_EQ(net.co_runs[0].other, "other");
  EXPECT_EQ(net.co_runs[0].batch, 2U);
  EXPECT_EQ(net.co_runs[0].other_batch, 8U);
  EXPECT_EQ(net.co_runs[0].share_pct, 20);
  EXPECT_EQ(net.co_runs[0].other_share_pct, 80);
  EXPECT_DOUBLE_EQ(net.co_runs[0].slowdown, 1.1);
  EXPECT_DOUBLE_EQ(net.co_runs[1].slowdown, 1.25);
  EXPECT_DOUBLE_EQ(other.co_runs[0].slowdown, 1.25);
  EXPECT_DOUBLE_EQ(other.co_runs[1].slowdown, 1.1);
  EXPECT_THAT(result.warnings, ElementsAre("other: no kernel count (coefficients*.json has none)"));
}

TEST(IgniterImport, EveryBadRowIsAFaultAtItsLine) {
  const ScratchFolder folder;
  folder.write("v100_solo.csv", kSolo);
  folder.write("v100_colocations.csv", std::string(kHeader) +
                                           "net,othr,2,8,20,11,25,0,0\n"      // 2
                                           "net,other,3,8,20,11,25,0,0\n"     // 3
                                           "net,other,2,8,100,11,25,0,0\n"    // 4
                                           "net,other,2,8,20,-1,25,0,0\n"     // 5
                                           "net,other,2,8,20,11\n"            // 6
                                           "net,other,2,8,20,11,25,0,0\n"     // good
                                           "net,other,2,8,20,12,25,0,0\n"     // 8
                                           "net,other,2,8,50,1e6,31,0,0\n");  // 9
  const std::string faults = faults_of(folder);
  for (const char* fault :
       {"v100_colocations.csv:2: unknown model \"othr\"; did you mean \"other\"?",
        "v100_colocations.csv:3: net has no latency alone at batch 3 on 20 %",
        "v100_colocations.csv:4: share_a_pct must leave something to b: below 100",
        "v100_colocations.csv:5: latency_a_ms must be a number above 0", "v100_colocations.csv:6: ",
        "v100_colocations.csv:8: a second row for these models, batches and shares",
        "v100_colocations.csv:9: a latency is 250000 times that alone"}) {
    EXPECT_THAT(faults, HasSubstr(fault));
  }
  EXPECT_THAT(faults, Not(HasSubstr("csv:7")));
}

TEST(IgniterImport, FilesOfAnotherShapeAreFaults) {
  {
    const ScratchFolder folder;
    EXPECT_THAT(faults_of(folder), HasSubstr("the folder has no CSV file of this format"));
    folder.write("v100_colocations.csv", kHeader);
    EXPECT_THAT(faults_of(folder), HasSubstr("there are no latencies alone"));
    folder.write("v100_solo.csv", "model,batch,share_pct\n");
    EXPECT_THAT(faults_of(folder),
                HasSubstr("v100_solo.csv:1: the column \"latency_ms\" is missing"));
  }
  {
    const ScratchFolder folder;
    folder.write("v100_solo.csv", kSolo);
    folder.write("v100_colocations.csv", "model_a,model_b\n");
    folder.write("coefficients.json", R"({"models": {"net": {"n_kernels": 0}}})");
    const std::string faults = faults_of(folder);
    EXPECT_THAT(faults, HasSubstr("v100_colocations.csv:1: the first line must be \"model_a,"));
    EXPECT_THAT(faults, HasSubstr("coefficients.json#/models/net/n_kernels"));
  }
}

TEST(IgniterImport, DropSuspectLeavesOutWhatRestsOnSuspiciousLatencies) {
  const ScratchFolder folder;
  // Throughput alone: 100, 110, then 200 items/s: the last doubling gains more than the one before.
  folder.write("v100_solo.csv",
               "model,batch,share_pct,latency_ms\nnet,1,50,10\nnet,2,50,18.2\nnet,4,50,20\n");
  folder.write("v100_colocations.csv", std::string(kHeader) +
                                           "net,net,4,1,50,22,11,0,0\n"
                                           "net,net,1,2,50,11,20,0,0\n");
  EXPECT_EQ(import(folder).profiles[0].co_runs.size(), 4U);
  const ImportResult dropped = import(folder, {"", true});
  EXPECT_EQ(dropped.profiles[0].points.size(), 2U);
  EXPECT_EQ(dropped.profiles[0].co_runs.size(), 2U);
  EXPECT_THAT(dropped.warnings,
              ::testing::Contains("1 co-runs are left out: a latency alone is suspicious"));
}

TEST(IgniterImportOnReferenceData, ReadsAllOfTheV100) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  const ImportResult result =
      import_profiles("igniter", {testing::reference_data() + "/igniter"}, {});
  ASSERT_EQ(result.profiles.size(), 4U);
  std::size_t points = 0, co_runs = 0;
  for (const Profile& profile : result.profiles) {
    points += profile.points.size();
    co_runs += profile.co_runs.size();
  }
  EXPECT_EQ(points, 648U);
  EXPECT_EQ(co_runs, 1500U);
  EXPECT_EQ(result.profiles[0].model, "alexnet");
  EXPECT_EQ(result.profiles[0].launches, 20);
  EXPECT_THAT(result.warnings, IsEmpty());
}

}  // namespace
}  // namespace tangram
