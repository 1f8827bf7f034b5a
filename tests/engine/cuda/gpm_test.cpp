// The counters of a whole GPU, read through a fake NVML.
#include "engine/cuda/gpm.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

using std::chrono::milliseconds;

class Gpm : public ::testing::Test {
 protected:
  std::unique_ptr<GpmMeter> open() const { return GpmMeter::open(nvml_.table(), "GPU-fake"); }
  // A call of the meter that much after the one before.
  static std::optional<GpuActivity> after(GpmMeter& meter, milliseconds time) {
    static GpmMeter::Clock::time_point now;
    return meter.since_last_call(now += time);
  }
  fake::Nvml nvml_{{}};
  fake::NvmlCounters& counters_ = nvml_.counters();
};

TEST_F(Gpm, TellsWhatTheDeviceDidSinceTheCallBefore) {
  const auto meter = open();
  ASSERT_NE(meter, nullptr);
  EXPECT_FALSE(after(*meter, milliseconds(500)));  // there was none before
  const auto first = after(*meter, milliseconds(200));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->dram, 0.625);
  EXPECT_EQ(first->sm_occupancy, 0.25);
  counters_.dram_pct = 10;
  const auto second = after(*meter, milliseconds(101));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->dram, 0.1);
}

TEST_F(Gpm, TwoCallsWithinARefreshTellNothing) {
  const auto meter = open();
  after(*meter, milliseconds(0));
  EXPECT_FALSE(after(*meter, milliseconds(100)));
  EXPECT_FALSE(after(*meter, milliseconds(1)));
  EXPECT_TRUE(after(*meter, milliseconds(101)));
}

TEST_F(Gpm, AFailedSampleCostsBothIntervalsBesideIt) {
  const auto meter = open();
  after(*meter, milliseconds(0));
  counters_.sample_result = 999;
  EXPECT_FALSE(after(*meter, milliseconds(200)));
  counters_.sample_result = kNvmlSuccess;
  EXPECT_FALSE(after(*meter, milliseconds(200)));
  EXPECT_TRUE(after(*meter, milliseconds(200)));
}

TEST_F(Gpm, WhatCannotBeComputedIsNotTold) {
  const auto meter = open();
  after(*meter, milliseconds(0));
  counters_.metrics_result = 999;
  EXPECT_FALSE(after(*meter, milliseconds(200)));
  counters_.metrics_result = kNvmlSuccess;
  counters_.occupancy_result = 3;
  EXPECT_FALSE(after(*meter, milliseconds(200)));
  counters_.occupancy_result = kNvmlSuccess;
  for (const double percent : {-1.0, 400.0, std::numeric_limits<double>::quiet_NaN()}) {
    counters_.dram_pct = percent;
    EXPECT_FALSE(after(*meter, milliseconds(200))) << percent;
  }
  counters_.dram_pct = 100.4;  // two clocks
  EXPECT_EQ(after(*meter, milliseconds(200)).value_or(GpuActivity{}).dram, 1);
}

TEST_F(Gpm, ADeviceThatDoesNotSupportItHasNoMeter) {
  counters_.supported = false;
  EXPECT_EQ(open(), nullptr);
  counters_.supported = true;
  counters_.support_result = 3;
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(counters_.samples, 0U);
}

TEST_F(Gpm, ALibraryWithoutItHasNoMeter) {
  const NvmlLibrary whole = nvml_.table();
  EXPECT_TRUE(whole.has_gpm());
  const auto is_open_without = [&](auto member) {
    NvmlLibrary table = whole;
    table.*member = nullptr;
    return table.has_gpm() || GpmMeter::open(table, "GPU-fake") != nullptr;
  };
  EXPECT_FALSE(is_open_without(&NvmlLibrary::gpm_support));
  EXPECT_FALSE(is_open_without(&NvmlLibrary::gpm_allocate));
  EXPECT_FALSE(is_open_without(&NvmlLibrary::gpm_free));
  EXPECT_FALSE(is_open_without(&NvmlLibrary::gpm_sample));
  EXPECT_FALSE(is_open_without(&NvmlLibrary::gpm_metrics));
  NvmlLibrary table = whole;
  table.device_by_uuid = [](const char*, NvmlDevice*) { return 6; };
  EXPECT_EQ(GpmMeter::open(table, "GPU-other"), nullptr);
}

TEST_F(Gpm, SamplesAreFreed) {
  {
    const auto meter = open();
    EXPECT_EQ(counters_.samples, 2U);
    after(*meter, milliseconds(0));
    after(*meter, milliseconds(200));
  }
  EXPECT_EQ(counters_.samples, 0U);
  counters_.memory = 1;
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(counters_.samples, 0U);
}

}  // namespace
}  // namespace tangram
