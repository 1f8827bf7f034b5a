// The measurements of the block-level constants, on a driver whose constants are known.
#include "engine/cuda/block_constants.h"

#include <gtest/gtest.h>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

Json measured(const fake::Settings& settings) {
  const fake::Driver fake(settings);
  BenchSizes sizes;
  sizes.repetitions = 2;
  sizes.launches = 20;
  Json json = measure_block_constants(fake.table(), fake::kImage, 0, sizes);
  EXPECT_EQ(fake.live_objects(), 0U);
  return json;
}

TEST(BlockConstants, FindsTheGapBetweenKernelsOfAStream) {
  fake::Settings settings;
  settings.gap_ns = 1500;
  const Json json = measured(settings);
  EXPECT_NEAR(json["gap_us"]["median"].get<double>(), 1.5, 1e-9);
  // An empty kernel takes 1 us on the fake: 1 + 1.5 us from kernel to kernel.
  EXPECT_NEAR(json["back_to_back_us"]["median"].get<double>(), 2.5, 1e-3);
  EXPECT_EQ(json["gap_us"]["samples"], 2);
}

TEST(BlockConstants, FindsThatAWaveTakesTheTimeOfABlock) {
  const Json json = measured({});
  // 132 SMs with room for min(2048 / 256, 32) = 8 blocks of 256 threads.
  EXPECT_EQ(json["blocks_of_wave"], 132 * 8);
  EXPECT_NEAR(json["wave_us"].get<double>(), 100, 1e-6);
  ASSERT_EQ(json["waves"].size(), 8U);
  EXPECT_NEAR(json["waves"][4]["span_us"].get<double>(), 500, 1e-6);
}

TEST(BlockConstants, FindsTheLimitOfResidentGrids) {
  fake::Settings settings;
  settings.resident_grids = 100;
  settings.hardware_queues = 32;
  const Json json = measured(settings);
  EXPECT_EQ(json["grids"]["started"], 256);
  EXPECT_EQ(json["grids"]["most_at_once"], 100);
}

TEST(BlockConstants, FindsTheHardwareQueuesFromHeadOfLineBlocking) {
  for (const unsigned queues : {8U, 32U}) {
    fake::Settings settings;
    settings.hardware_queues = queues;
    const Json json = measured(settings)["queues"];
    // Job by job a queue holds 64 / queues jobs; each starts with the last kernel of the one
    // before: span = (64 / queues * 7 + 1) * 500 us, and 2 us more for each gap.
    EXPECT_NEAR(json["hardware_queues"].get<double>(), queues, 0.02 * queues);
    // Kernel by kernel nothing blocks: all 64 run side by side, 8 * (500 + 2) us.
    EXPECT_NEAR(json["span_kernel_by_kernel_us"].get<double>(), 8 * 502, 3);
  }
}

TEST(BlockConstants, WithoutGreenContextsPartitionsAreNotTimed) {
  fake::Settings settings;
  EXPECT_TRUE(measured(settings).contains("partition_us"));
  settings.green_contexts = false;
  EXPECT_FALSE(measured(settings).contains("partition_us"));
}

TEST(MostAtOnce, CountsTheIntervalsThatHoldOneInstant) {
  EXPECT_EQ(most_at_once({}), 0U);
  EXPECT_EQ(most_at_once({{0, 10}, {5, 15}, {9, 12}}), 3U);
  // One ends as the next begins.
  EXPECT_EQ(most_at_once({{0, 10}, {10, 20}, {20, 30}}), 1U);
}

}  // namespace
}  // namespace tangram
