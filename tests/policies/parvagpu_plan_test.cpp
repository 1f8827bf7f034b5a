// ParvaGPU's deployment maps: the six published ones, relabelling, faults with their lines.
#include <cstdlib>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "profiles/gpu_type.h"
#include "sim/core/atomic_file.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kHeader =
    "Num instance,Num GPU,Model,Placement,Instance size,Batch size,Num proc\n";

const std::vector<std::string> kModels{"bert",        "densenet121", "densenet169", "densenet201",
                                       "inceptionv3", "mobilenetv2", "resnet101",   "resnet152",
                                       "resnet50",    "vgg16",       "vgg19"};

std::vector<Workload> all_workloads() {
  std::vector<Workload> workloads;
  for (const std::string& model : kModels) workloads.push_back(workload_of("w-" + model, model));
  return workloads;
}

ReadPlan read_parvagpu(const std::string& text,
                       const std::vector<Workload>& workloads = all_workloads()) {
  Faults faults;
  ReadPlan result;
  result.plan = parse_parvagpu_plan(text, "d.csv", "a100-80gb", workloads, faults);
  result.faults = sentences(faults);
  return result;
}

std::vector<std::string> faults_of(const std::string& rows) {
  return read_parvagpu(kHeader + rows).faults;
}

TEST(ParvagpuPlan, ARowBecomesAPartitionWithItsReplica) {
  const ReadPlan result = read_parvagpu(kHeader + "1,2,resnet50,4,3,64,2\r\n\n");
  EXPECT_THAT(result.faults, IsEmpty());
  Plan expected;
  expected.planner = "imported";
  // GPU 2 of node 1: 8 * 1 + 2.
  expected.gpus = {{10,
                    "a100-80gb",
                    GpuMode::kMig,
                    {mig_partition(3, 4, {replica_of("w-resnet50", "resnet50", 64, 2)})}}};
  EXPECT_EQ(result.plan, expected);
}

TEST(ParvagpuPlan, AnOverlappingLabelMovesAndIsKeptAsReleasedStart) {
  // The released program marks first slots only: 2@0 holds slots 0 and 1, so 1@1 must move.
  const ReadPlan result = read_parvagpu(kHeader +
                                        "0,0,vgg16,0,2,32,2\n0,0,vgg19,4,2,32,2\n"
                                        "0,0,mobilenetv2,1,1,4,2\n0,0,inceptionv3,6,1,64,1\n");
  EXPECT_THAT(result.faults, IsEmpty());
  const std::vector<PlanPartition>& partitions = result.plan.gpus.at(0).partitions;
  std::vector<int> starts;
  for (const PlanPartition& partition : partitions) starts.push_back(partition.start.value_or(-1));
  EXPECT_THAT(starts, ElementsAre(0, 4, 2, 6));
  EXPECT_EQ(partitions[2].released_start, 1);
  EXPECT_EQ(partitions[0].released_start, std::nullopt);
}

TEST(ParvagpuPlan, GpusAscendWhateverTheOrderOfTheRows) {
  const ReadPlan result = read_parvagpu(kHeader + "1,0,bert,0,1,128,3\n0,1,vgg19,0,7,8,1\n");
  ASSERT_EQ(result.plan.gpus.size(), 2u);
  EXPECT_EQ(result.plan.gpus[0].index, 1u);
  EXPECT_EQ(result.plan.gpus[1].index, 8u);
}

TEST(ParvagpuPlan, MalformedRowsAreFaultsWithTheirLines) {
  EXPECT_THAT(faults_of("0,0,bert,0,1,128\n"), ElementsAre("d.csv:2: must have 7 fields, not 6"));
  EXPECT_THAT(faults_of("0,0,bert,0,1,128,3,\n"),
              ElementsAre("d.csv:2: must have 7 fields, not 8"));
  EXPECT_THAT(faults_of("\n0,8,bert,0,1,128,3\n"),
              ElementsAre("d.csv:3: Num GPU must be an integer from 0 to 7, not \"8\""));
  EXPECT_THAT(faults_of("0,0,bert,-1,1,128,3\n"),
              ElementsAre("d.csv:2: Placement must be an integer from 0 to 7, not \"-1\""));
  EXPECT_THAT(
      faults_of("0,0,bert,0,5,128,3\n"),
      ElementsAre("d.csv:2: a100-80gb has no MIG instance of 5 slices; known: 1, 2, 3, 4, 7"));
  EXPECT_THAT(faults_of("0,0,bert,0,1,12x,3\n"),
              ElementsAre("d.csv:2: Batch size must be an integer from 1 to 1048576, not \"12x\""));
  EXPECT_THAT(faults_of("0,0,bert,0,1,128,0\n"),
              ElementsAre("d.csv:2: Num proc must be an integer from 1 to 1024, not \"0\""));
}

TEST(ParvagpuPlan, TheHeaderMustBeThere) {
  const std::string sentence =
      "\"Num instance,Num GPU,Model,Placement,Instance size,Batch size,Num proc\"";
  EXPECT_THAT(read_parvagpu("0,0,bert,0,1,128,3\n").faults,
              ElementsAre("d.csv:1: the header must be " + sentence));
  EXPECT_THAT(read_parvagpu("").faults,
              ElementsAre("d.csv:1: the file is empty; it begins with " + sentence));
}

TEST(ParvagpuPlan, SizesWithoutALegalPlacementAreAFaultAtTheGpusFirstRow) {
  EXPECT_THAT(faults_of("0,0,bert,0,1,8,1\n0,1,bert,0,4,8,1\n0,1,vgg19,4,4,8,1\n"),
              ElementsAre("d.csv:3: GPU 1: a100-80gb has no legal placement of instances of 4, 4 "
                          "slices"));
}

TEST(ParvagpuPlan, AModelMustBelongToExactlyOneWorkload) {
  const std::vector<Workload> two{workload_of("a", "bert"), workload_of("b", "bert")};
  EXPECT_THAT(
      read_parvagpu(kHeader + "0,0,bert,0,1,8,1\n", two).faults,
      ElementsAre("d.csv:2: the model bert belongs to 2 workloads; this format names models, "
                  "so each may belong to one"));
  EXPECT_THAT(read_parvagpu(kHeader + "0,0,brt,0,1,8,1\n", two).faults,
              ElementsAre("d.csv:2: unknown model \"brt\"; did you mean \"bert\"? known: bert"));
}

TEST(ParvagpuPlan, TheGpuTypeMustHaveMig) {
  Faults faults;
  parse_parvagpu_plan(kHeader, "d.csv", "t4", all_workloads(), faults);
  EXPECT_THAT(sentences(faults),
              ElementsAre("d.csv: a ParvaGPU plan needs a GPU type with MIG, not \"t4\""));
}

TEST(ToParvagpu, WritesWhatTheReaderTakes) {
  const std::string text = kHeader +
                           "0,0,vgg16,0,2,32,2\n0,0,vgg19,4,2,32,2\n"
                           "0,0,mobilenetv2,1,1,4,2\n1,2,inceptionv3,6,1,64,1\n";
  const Plan plan = read_parvagpu(text).plan;
  EXPECT_EQ(to_parvagpu(plan), text);  // 1@1, moved, is written with its released label
  EXPECT_EQ(read_parvagpu(to_parvagpu(plan)).plan, plan);
}

TEST(ToParvagpu, RefusesWhatTheFormatCannotSay) {
  const auto refusal = [](const PlanGpu& gpu) {
    Plan plan;
    plan.gpus = {gpu};
    try {
      return to_parvagpu(plan);
    } catch (const NoAnswer& error) {
      return std::string(error.what());
    }
  };
  const std::string begin = "the ParvaGPU format cannot say this plan: on GPU 3, ";
  const PlanReplica bert = replica_of("w", "bert", 8);
  EXPECT_EQ(refusal({3, "a100-80gb", GpuMode::kWhole, {whole_partition({bert})}}),
            begin + "a partition is no MIG instance");
  EXPECT_EQ(refusal({3, "a100-80gb", GpuMode::kMig, {mig_partition(3, 0)}}),
            begin + "an instance does not have exactly one replica");
  EXPECT_EQ(
      refusal({3, "a100-80gb", GpuMode::kMig, {mig_partition(3, 0, {replica_of("w", "bert")})}}),
      begin + "a replica has no planned batch");
  EXPECT_EQ(
      refusal({3,
               "a100-80gb",
               GpuMode::kMig,
               {mig_partition(3, 0, {bert}), mig_partition(3, 4, {replica_of("v", "bert", 8)})}}),
      "the ParvaGPU format names models, and bert belongs to the workloads \"w\" and \"v\"");
}

struct Published {
  int scenario;
  std::uint32_t gpus, slices;
  std::size_t segments;
};

// Counts of the published maps: GPUs, slices and segments as released with a limit of 5 processes.
class PublishedPlan : public ::testing::TestWithParam<Published> {};

TEST_P(PublishedPlan, IsImportedWithItsSizesAndLegalStarts) {
  const char* data = std::getenv("TANGRAM_REFERENCE_DATA");
  if (data == nullptr) GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set";
  const Published& expected = GetParam();
  const std::string path = std::string(data) + "/parvagpu/deployments/SLO" +
                           std::to_string(expected.scenario) + "_ParvaGPU_deploy.csv";
  const std::vector<Workload> workloads = all_workloads();
  Faults faults;
  const Plan plan = parse_parvagpu_plan(read_file(path), path, "a100-80gb", workloads, faults);
  EXPECT_THAT(sentences(faults), IsEmpty());
  EXPECT_EQ(plan.gpus_used(), expected.gpus);
  EXPECT_EQ(plan.slices_used(), expected.slices);
  EXPECT_EQ(to_parvagpu(plan), read_file(path));
  std::size_t segments = 0;
  const GpuType* type = find_gpu_type("a100-80gb");
  for (const PlanGpu& gpu : plan.gpus) {
    std::set<int> slots;
    for (const PlanPartition& partition : gpu.partitions) {
      ++segments;
      const MigSize* size = find_mig_size(*type, *partition.size);
      EXPECT_THAT(size->starts, ::testing::Contains(*partition.start));
      for (int slot = 0; slot < size->memory_slices; ++slot) {
        EXPECT_TRUE(slots.insert(*partition.start + slot).second) << "GPU " << gpu.index;
      }
    }
  }
  EXPECT_EQ(segments, expected.segments);
}

INSTANTIATE_TEST_SUITE_P(ParvagpuPlan,
                         PublishedPlan,
                         ::testing::Values(Published{1, 2, 10, 6},
                                           Published{2, 3, 20, 11},
                                           Published{3, 5, 33, 18},
                                           Published{4, 7, 48, 26},
                                           Published{5, 13, 90, 53},
                                           Published{6, 16, 112, 62}),
                         [](const auto& case_info) {
                           return numbered("S", case_info.param.scenario);
                         });

std::vector<PlanPartition> unplaced(const std::vector<int>& sizes) {
  std::vector<PlanPartition> partitions(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) partitions[i].size = sizes[i];
  return partitions;
}

// The twelve maximal legal sets of instances on an A100.
const std::vector<std::vector<int>> kMaximalSets{
    {7},          {4, 3},          {4, 2, 1},          {4, 1, 1, 1},
    {3, 3},       {3, 2, 2},       {3, 2, 1, 1},       {3, 1, 1, 1, 1},
    {2, 2, 2, 1}, {2, 2, 1, 1, 1}, {2, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1, 1}};

bool placed_legally(const GpuType& type, const std::vector<PlanPartition>& partitions) {
  std::set<int> slots;
  for (const PlanPartition& partition : partitions) {
    const MigSize* size = find_mig_size(type, *partition.size);
    if (std::find(size->starts.begin(), size->starts.end(), *partition.start) ==
        size->starts.end()) {
      return false;
    }
    for (int slot = 0; slot < size->memory_slices; ++slot) {
      if (!slots.insert(*partition.start + slot).second) return false;
    }
  }
  return true;
}

TEST(PlaceMigPartitions, PlacesEveryMaximalSetInEitherOrder) {
  const GpuType& type = *find_gpu_type("a100-80gb");
  for (std::vector<int> sizes : kMaximalSets) {
    for (int order = 0; order < 2; ++order) {
      std::vector<PlanPartition> partitions = unplaced(sizes);
      EXPECT_TRUE(place_mig_partitions(type, partitions)) << ::testing::PrintToString(sizes);
      EXPECT_TRUE(placed_legally(type, partitions)) << ::testing::PrintToString(sizes);
      std::reverse(sizes.begin(), sizes.end());
    }
  }
}

TEST(PlaceMigPartitions, NoMaximalSetTakesOneMore) {
  const GpuType& type = *find_gpu_type("a100-80gb");
  for (std::vector<int> sizes : kMaximalSets) {
    sizes.push_back(1);
    std::vector<PlanPartition> partitions = unplaced(sizes);
    EXPECT_FALSE(place_mig_partitions(type, partitions)) << ::testing::PrintToString(sizes);
    EXPECT_EQ(partitions[0].start, std::nullopt);  // nothing is changed
  }
}

TEST(PlaceMigPartitions, RefusesIllegalSets) {
  const GpuType& type = *find_gpu_type("a100-80gb");
  // 4 + 4: one start. 3 + 3 + 1: seven slices, but 3 occupies four slots. 5: no such size.
  for (const std::vector<int>& sizes : std::vector<std::vector<int>>{
           {4, 4}, {3, 3, 1}, {7, 1}, {4, 2, 2}, {2, 2, 2, 2}, {5}, {3, 4, 1}}) {
    std::vector<PlanPartition> partitions = unplaced(sizes);
    EXPECT_FALSE(place_mig_partitions(type, partitions)) << ::testing::PrintToString(sizes);
  }
}

TEST(PlaceMigPartitions, KeepsLegalDisjointStartsAndMovesTheFewest) {
  const GpuType& type = *find_gpu_type("a100-80gb");
  std::vector<PlanPartition> legal{mig_partition(1, 5), mig_partition(2, 2), mig_partition(1, 0)};
  const std::vector<PlanPartition> before = legal;
  EXPECT_TRUE(place_mig_partitions(type, legal));
  EXPECT_EQ(legal, before);
  // 3@4 holds slots 4-7: only 1@6 moves, to the first free slot beside 2@0.
  std::vector<PlanPartition> clash{mig_partition(3, 4), mig_partition(1, 6), mig_partition(2, 0)};
  EXPECT_TRUE(place_mig_partitions(type, clash));
  EXPECT_EQ(clash, (std::vector<PlanPartition>{mig_partition(3, 4), mig_partition(1, 2),
                                               mig_partition(2, 0)}));
}

}  // namespace
}  // namespace tangram
