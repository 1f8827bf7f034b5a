// Importers: small texts with exact fault places, and the published tables where they are.
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/profile_io.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::ScratchFolder;

constexpr const char* kParva = "Mig instance,Batch size,Workload Number,Throughput,Latency\r\n";

std::string fault_of(const std::string& format,
                     const std::string& path,
                     const ImportOptions& options = {}) {
  try {
    import_profiles(format, {path}, options);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ParvaGpuImport, LatencyComesFromTheThroughputAndUnmeasuredRowsAreSkipped) {
  const ScratchFolder folder;
  const std::string path =
      folder.write("net.csv", std::string(kParva) +
                                  "1,1,1,196.762,0.005\r\n1,2,1,274.088,0.007\r\n1,4,1,0,0\r\n");
  const ImportResult result = import_profiles("parvagpu", {path}, {});
  ASSERT_EQ(result.profiles.size(), 1U);
  const Profile& p = result.profiles[0];
  EXPECT_EQ(p.model, "net");
  EXPECT_EQ(p.gpu, "a100-80gb");
  ASSERT_EQ(p.points.size(), 2U);
  EXPECT_DOUBLE_EQ(p.points[0].latency_ms, 1000 / 196.762);
  EXPECT_EQ(p.points[0].reported_latency_ms, 5);
  EXPECT_EQ(p.points[0].reported_throughput_rps, 196.762);
  EXPECT_EQ(p.points[0].share, (Share{ShareKind::kMig, 1}));
  EXPECT_EQ(p.interpolation, Interpolation::kLinear);
  EXPECT_THAT(result.warnings, Contains(HasSubstr("1 of 3 points were not measured")));
}

TEST(ParvaGpuImport, SuspiciousRowsAreWarnedAboutAndLeftOutOnRequest) {
  const ScratchFolder folder;
  const std::string path =
      folder.write("net.csv", std::string(kParva) +
                                  "1,1,1,100,0.010\r\n1,2,1,110,0.018\r\n1,4,1,200,0.020\r\n"
                                  "2,1,1,100,0.010\r\n2,1,2,100,0.010\r\n");
  const ImportResult kept = import_profiles("parvagpu", {path}, {});
  EXPECT_EQ(kept.profiles[0].points.size(), 5U);
  EXPECT_THAT(kept.warnings, Contains(HasSubstr("net.csv:4: suspicious: throughput jumps 1.82x")));
  EXPECT_THAT(kept.warnings,
              Contains(HasSubstr("net.csv:6: suspicious: a copy of the row with 1 process")));
  const ImportResult dropped = import_profiles("parvagpu", {path}, {"", true});
  EXPECT_EQ(dropped.profiles[0].points.size(), 3U);
  EXPECT_THAT(dropped.warnings, Contains(HasSubstr("suspicious, left out")));
}

TEST(ParvaGpuImport, AContradictionBeyondRoundingIsAWarning) {
  const ScratchFolder folder;
  const std::string path =
      folder.write("net.csv", std::string(kParva) + "1,1,1,100,0.0105\n1,2,1,100,0.025\n");
  const ImportResult result = import_profiles("parvagpu", {path}, {});
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_THAT(result.warnings[0], HasSubstr("net.csv:3: latency and throughput contradict"));
}

TEST(ParvaGpuImport, EveryBadRowIsAFaultWithItsLine) {
  const ScratchFolder folder;
  const std::string path = folder.write(
      "net.csv", std::string(kParva) +
                     "5,1,1,10,0.1\n1,0,1,10,0.1\n1,1.5,1,10,0.1\n1,1,1,-3,0.1\n1,1,1,nan,0.1\n"
                     "1,1,1,10\n1,1,x,10,0.1\n1,1,1,0,0.1\n1,2,1,10,0.2\n1,2,1,11,0.2\n");
  const std::string faults = fault_of("parvagpu", path);
  EXPECT_THAT(faults, HasSubstr("net.csv:2: Mig instance must be 1, 2, 3, 4 or 7, not 5"));
  EXPECT_THAT(faults, HasSubstr("net.csv:3: Batch size must be a whole number from 1 to 1000000"));
  EXPECT_THAT(faults, HasSubstr("net.csv:4: Batch size must be a whole number"));
  EXPECT_THAT(faults, HasSubstr("net.csv:5: Throughput must be a number from 0"));
  EXPECT_THAT(faults, HasSubstr("net.csv:6: Throughput must be a number from 0"));
  EXPECT_THAT(faults, HasSubstr("net.csv:7: must have 5 cells, not 4"));
  EXPECT_THAT(faults, HasSubstr("net.csv:8: Workload Number must be a whole number"));
  EXPECT_THAT(faults, HasSubstr("net.csv:9: Throughput is 0 but Latency is not"));
  EXPECT_THAT(faults, HasSubstr("net.csv:11: a second row for batch 2 on mig 1 with 1 process of "
                                "net; the first is in line 10"));
}

TEST(ParvaGpuImport, WrongFilesAreFaults) {
  const ScratchFolder folder;
  EXPECT_THAT(fault_of("parvagpu", folder.write("a.csv", "1,1,1,2,3\n")),
              HasSubstr("a.csv:1: the first line must be"));
  EXPECT_THAT(fault_of("parvagpu", folder.write("b.csv", "")),
              HasSubstr("b.csv: the file is empty"));
  EXPECT_THAT(fault_of("parvagpu", folder.write("c.csv", std::string(kParva) + "1,1,1,0,0\n")),
              HasSubstr("c.csv: no row was measured"));
  EXPECT_THAT(fault_of("parvagpu", folder.file("absent.csv")), HasSubstr("absent.csv"));
  EXPECT_THAT(fault_of("parvagpus", folder.file("a.csv")), HasSubstr("did you mean \"parvagpu\"?"));
}

TEST(GpuletImport, UtilisationIsOfTheWholeGpu) {
  const ScratchFolder folder;
  folder.write("UTIL.CSV", "bench,batch,l2_util(%),mem_util(%),\nnet,1,20,40,\nnet,3,1,1,\n");
  const std::string path = folder.write("latency.csv", "net,20,1,9.5\nnet,100,1,3\nnet,100,2,4\n");
  const ImportResult result = import_profiles("gpulet", {path}, {});
  ASSERT_EQ(result.profiles.size(), 1U);
  const Profile& p = result.profiles[0];
  EXPECT_EQ(p.gpu, "2080ti");
  EXPECT_EQ(p.latency_ms({ShareKind::kPercent, 20}, 1, 1), 9.5);
  EXPECT_EQ(p.latency_ms({}, 1, 2), 4);
  EXPECT_DOUBLE_EQ(p.utilisation({}, 1, 1)->l2, 0.2);
  EXPECT_DOUBLE_EQ(p.utilisation({}, 1, 1)->dram, 0.4);
  EXPECT_FALSE(p.utilisation({ShareKind::kPercent, 20}, 1, 1).has_value());
}

TEST(GpuletImport, TimesToPutABatchTogetherCarryTheReleasedFactors) {
  const ScratchFolder folder;
  folder.write("3_224_224.txt", "1,0.25,\n2,0.5,\n");
  folder.write("3_300_300.txt", "1,0.5,\n3,1,\n");
  const std::string rows = "vgg16,100,1,3\nlenet3,100,1,3\nbert,100,1,3\nnet,100,1,3\n";
  const ImportResult result = import_profiles("gpulet", {folder.write("latency.csv", rows)}, {});
  ASSERT_EQ(result.profiles.size(), 4U);  // by name
  EXPECT_EQ(result.profiles[0].batching_ms, std::vector<double>(32, 1));
  EXPECT_EQ(result.profiles[1].batching_ms, std::vector<double>(32, 0.4F));
  EXPECT_TRUE(result.profiles[2].batching_ms.empty());
  // 1.9 * 0.25 and 1.9 * 0.5, in single precision.
  EXPECT_EQ(result.profiles[3].batching_ms, (std::vector<double>{0.475F, 0.95F}));
  EXPECT_THAT(
      fault_of("gpulet", folder.write("latency2.csv", "ssd-mobilenetv1,100,1,3\n")),
      HasSubstr("3_300_300.txt:2: batch must be 2: one row for each batch, ascending from 1"));
}

TEST(GpuletImport, OneLenetStandsForAllSix) {
  const ScratchFolder folder;
  folder.write("UTIL.CSV", "bench,batch,l2_util(%),mem_util(%)\nlenet,1,20,40\n");
  const std::string rows = "lenet1,100,1,3\nlenet4,100,1,5\n";
  const ImportResult result = import_profiles("gpulet", {folder.write("latency.csv", rows)}, {});
  ASSERT_EQ(result.profiles.size(), 6U);
  for (const Profile& p : result.profiles) {
    EXPECT_EQ(p.latency_ms({}, 1, 1), p.model == "lenet4" ? 5 : 3) << p.model;
    EXPECT_DOUBLE_EQ(p.utilisation({}, 1, 1)->dram, 0.4) << p.model;
  }
}

TEST(GpuletImport, BadRowsAreFaultsWithTheirLine) {
  const ScratchFolder folder;
  const std::string path =
      folder.write("latency.csv", "net,0,1,9.5\nnet,101,1,3\n,20,1,1\nnet,20,1\n");
  const std::string faults = fault_of("gpulet", path);
  EXPECT_THAT(faults, HasSubstr("latency.csv:1: partition must be a number above 0, at most 100"));
  EXPECT_THAT(faults, HasSubstr("latency.csv:2: partition"));
  EXPECT_THAT(faults, HasSubstr("latency.csv:3: model must not be empty"));
  EXPECT_THAT(faults, HasSubstr("latency.csv:4: must have 4 cells, not 3"));
}

TEST(TidyImport, ColumnsAreFoundByName) {
  const ScratchFolder folder;
  const std::string path = folder.write(
      "t.csv",
      "\xef\xbb\xbfgpu,model,latency_ms,batch,share_pct,processes,std_ms,l2_util_pct,interpolation,"
      "memory_mib\n"
      "t4,\"a, b\",10,1,50,2,1,30,linear,600\n\nt4,\"a, "
      "b\",20,2,50,2,4,,linear,\nv100,c,1,1,,,,,,\n");
  const ImportResult result = import_profiles("csv", {path}, {});
  ASSERT_EQ(result.profiles.size(), 2U);
  const Profile& p = result.profiles[0];
  EXPECT_EQ(p.model, "a, b");
  EXPECT_EQ(p.gpu, "t4");
  EXPECT_EQ(p.latency_ms({ShareKind::kPercent, 50}, 2, 2), 20);
  EXPECT_EQ(p.points[0].l2_utilisation, 0.3);
  EXPECT_EQ(p.memory_mib, 600);
  EXPECT_EQ(p.interpolation, Interpolation::kLinear);
  // The upper median of 1 / 10 and 4 / 20.
  EXPECT_EQ(p.variability.kind, Variability::Kind::kLognormal);
  EXPECT_DOUBLE_EQ(p.variability.cv, 0.2);
  EXPECT_EQ(result.profiles[1].latency_ms({}, 1, 1), 1);
}

TEST(TidyImport, TheGpuTypeMayBeGivenInstead) {
  const ScratchFolder folder;
  const std::string path = folder.write("t.csv", "model,batch,latency_ms\nm,1,2\n");
  EXPECT_EQ(import_profiles("csv", {path}, {"v100", false}).profiles[0].gpu, "v100");
  EXPECT_THAT(fault_of("csv", path), HasSubstr("t.csv:1: the column \"gpu\" is missing"));
  const ImportResult odd = import_profiles("csv", {path}, {"v10", false});
  EXPECT_THAT(odd.warnings,
              Contains(HasSubstr("unknown GPU type \"v10\"; did you mean \"v100\"?")));
}

TEST(TidyImport, EveryMistakeIsAFaultWithItsLine) {
  const ScratchFolder folder;
  EXPECT_THAT(
      fault_of("csv", folder.write("h.csv", "model,gpu,bach,latency_ms,model\nm,t4,1,2,m\n")),
      ::testing::AllOf(HasSubstr("h.csv:1: unknown column \"bach\"; did you mean \"batch\"?"),
                       HasSubstr("h.csv:1: the column \"model\" appears twice"),
                       HasSubstr("h.csv:1: the column \"batch\" is missing")));
  const std::string path =
      folder.write("t.csv",
                   "model,gpu,batch,latency_ms,mig,sms,interpolation,load_ms\n"
                   "m,t4,1,2,1,3,,\nm,t4,1,-2,,,,\nm,,1,2,,,,\nm,t4,1,1,,,cubic,5\n"
                   "m,t4,2,1,,,,6\nm,t4,2,1,6,,,\nm,t4,2,1\n");
  const std::string faults = fault_of("csv", path);
  EXPECT_THAT(faults, HasSubstr("t.csv:2: fill at most one of mig, share_pct and sms"));
  EXPECT_THAT(faults, HasSubstr("t.csv:3: latency_ms must be a number above 0"));
  EXPECT_THAT(faults, HasSubstr("t.csv:4: gpu must not be empty"));
  EXPECT_THAT(faults, HasSubstr("t.csv:5: unknown interpolation \"cubic\""));
  EXPECT_THAT(faults, HasSubstr("t.csv:6: load_ms of m is 6 here and 5 before"));
  EXPECT_THAT(faults, HasSubstr("t.csv:7: mig must be 1, 2, 3, 4 or 7, not 6"));
  EXPECT_THAT(faults, HasSubstr("t.csv:8: must have 8 cells, not 4"));
}

TEST(ReferenceImport, ParvaGpuHasElevenModelsAndTwelveSuspiciousRows) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  const ImportResult result =
      import_profiles("parvagpu", {testing::reference_data() + "/parvagpu/profiles"}, {});
  ASSERT_EQ(result.profiles.size(), 11U);
  EXPECT_EQ(result.profiles[0].model, "bert");
  EXPECT_EQ(result.profiles[8].model, "resnet50");
  std::size_t points = 0;
  std::vector<std::string> suspicious;
  for (const Profile& p : result.profiles) {
    points += p.points.size();
    for (const LatencyPoint& x : p.points) {
      if (x.suspicion.empty()) continue;
      suspicious.push_back(p.model + " (" + std::to_string(static_cast<int>(x.share.amount)) + "," +
                           std::to_string(x.batch) + "," + std::to_string(x.processes) + ")");
      std::printf("suspicious: %s: %s\n", suspicious.back().c_str(), x.suspicion.c_str());
    }
  }
  // 11 x 5 sizes x 9 batches x 5 process counts = 2475 rows, of which 1747 were measured.
  EXPECT_EQ(points, 1747U);
  EXPECT_THAT(suspicious,
              ::testing::UnorderedElementsAre(
                  "bert (3,256,3)", "densenet121 (1,8,5)", "densenet169 (3,128,1)",
                  "densenet169 (4,128,1)", "densenet169 (7,128,2)", "densenet201 (1,8,3)",
                  "inceptionv3 (2,8,5)", "mobilenetv2 (4,64,4)", "mobilenetv2 (4,128,3)",
                  "mobilenetv2 (4,256,2)", "resnet152 (1,4,5)", "resnet50 (2,32,4)"));
  for (const std::string& warning : result.warnings) {
    EXPECT_THAT(warning, ::testing::Not(HasSubstr("contradict")));
  }
  const ImportResult clean =
      import_profiles("parvagpu", {testing::reference_data() + "/parvagpu/profiles"}, {"", true});
  std::size_t kept = 0;
  for (const Profile& p : clean.profiles) kept += p.points.size();
  EXPECT_EQ(kept, 1747U - 12U);
}

TEST(ReferenceImport, GpuletHasFourModelsOn36PointsEachWithUtilisation) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  const ImportResult result =
      import_profiles("gpulet", {testing::reference_data() + "/gpulet"}, {});
  ASSERT_EQ(result.profiles.size(), 4U);
  for (const Profile& p : result.profiles) {
    EXPECT_EQ(p.points.size(), 36U) << p.model;
    EXPECT_TRUE(p.utilisation({}, 1, 8).has_value()) << p.model;
  }
}

TEST(ReferenceImport, V100SoloTableIsTidy) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  const ImportResult result = import_profiles(
      "csv", {testing::reference_data() + "/igniter/v100_solo.csv"}, {"v100", false});
  std::size_t points = 0;
  for (const Profile& p : result.profiles) points += p.points.size();
  EXPECT_EQ(result.profiles.size(), 4U);
  EXPECT_EQ(points, 648U);
}

}  // namespace
}  // namespace tangram
