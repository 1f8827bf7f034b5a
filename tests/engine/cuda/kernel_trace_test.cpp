// Kernel lists, from records of CUPTI that are made here.
#include "engine/cuda/kernel_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cuda/cupti_records.h"
#include "engine/worker/runner.h"

namespace tangram {
namespace {

#if CUPTI_API_VERSION >= 130000
using KernelRecord = CUpti_ActivityKernel10;
#else
using KernelRecord = CUpti_ActivityKernel9;
#endif

KernelRecord record_of(const char* name, std::uint64_t start, std::uint64_t end) {
  KernelRecord record{};
  record.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  record.name = name;
  record.start = start;
  record.end = end;
  record.gridX = 4;
  record.gridY = 3;
  record.gridZ = 2;
  record.blockX = 32;
  record.blockY = 2;
  record.blockZ = 1;
  record.registersPerThread = 40;
  record.staticSharedMemory = 1000;
  record.dynamicSharedMemory = 24;
  record.contextId = 7;
  record.streamId = 3;
  return record;
}

void add(CuptiRecords& records, const KernelRecord& record) {
  records.add(reinterpret_cast<const CUpti_Activity&>(record));
}

TEST(CuptiRecords, KeepsTheShapeOfAKernel) {
  CuptiRecords records;
  add(records, record_of("gemm", 1000, 13500));
  const std::vector<TracedKernel> kernels = records.take();
  ASSERT_EQ(kernels.size(), 1U);
  EXPECT_EQ(kernels[0].kernel, (Kernel{1, "gemm", 24, 64, 40, 1024, 12.5}));
  EXPECT_EQ(kernels[0].stream, 3U);
  EXPECT_FALSE(kernels[0].is_green);
  EXPECT_TRUE(records.take().empty());
}

TEST(CuptiRecords, OrdersByStartWhateverTheOrderOfTheRecords) {
  CuptiRecords records;
  add(records, record_of("late", 20, 30));
  add(records, record_of("early", 10, 15));
  const std::vector<TracedKernel> kernels = records.take();
  EXPECT_EQ(kernels[0].kernel.name, "early");
  EXPECT_EQ(kernels[1].kernel.name, "late");
}

#if CUPTI_API_VERSION >= 130000
TEST(CuptiRecords, KnowsThePartitionOfAKernelThroughItsContext) {
  CuptiRecords records;
  add(records, record_of("k", 10, 15));
  CUpti_ActivityContext3 context{};
  context.kind = CUPTI_ACTIVITY_KIND_CONTEXT;
  context.contextId = 7;
  context.isGreenContext = 1;
  context.numMultiprocessors = 48;
  records.add(reinterpret_cast<const CUpti_Activity&>(context));
  const std::vector<TracedKernel> kernels = records.take();
  EXPECT_TRUE(kernels[0].is_green);
  EXPECT_EQ(kernels[0].sms, 48U);
}
#endif

std::vector<TracedKernel> run_of(const std::vector<std::pair<std::string, double>>& kernels) {
  std::vector<TracedKernel> run;
  for (const auto& [name, us] : kernels) {
    run.emplace_back();
    run.back().kernel.name = name;
    run.back().kernel.duration_us = us;
  }
  return run;
}

TEST(KernelsOfBatch, TakesTheMedianOfEachKernel) {
  const auto kernels = kernels_of_batch(
      4,
      {run_of({{"a", 1}, {"b", 9}}), run_of({{"a", 3}, {"b", 7}}), run_of({{"a", 2}, {"b", 8}})});
  ASSERT_TRUE(kernels);
  ASSERT_EQ(kernels->size(), 2U);
  EXPECT_EQ((*kernels)[0].duration_us, 2);
  EXPECT_EQ((*kernels)[1].duration_us, 8);
  EXPECT_EQ((*kernels)[1].batch, 4U);
}

TEST(KernelsOfBatch, RunsThatDifferGiveNoList) {
  EXPECT_FALSE(kernels_of_batch(1, {}));
  EXPECT_FALSE(kernels_of_batch(1, {run_of({})}));
  EXPECT_FALSE(kernels_of_batch(1, {run_of({{"a", 1}}), run_of({{"b", 1}})}));
  EXPECT_FALSE(kernels_of_batch(1, {run_of({{"a", 1}}), run_of({{"a", 1}, {"a", 1}})}));
}

TEST(KernelTrace, StartsOrSaysWhyNot) {
  try {
    KernelTrace trace;
    EXPECT_TRUE(trace.take().empty());
  } catch (const RunnerError& error) {
    EXPECT_EQ(error.fault(), RunnerFault::kUnsupported);
    EXPECT_THAT(error.what(), ::testing::StartsWith("kernel lists: "));
  }
}

}  // namespace
}  // namespace tangram
