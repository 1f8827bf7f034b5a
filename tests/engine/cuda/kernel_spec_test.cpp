// The text that names synthetic kernels.
#include "engine/cuda/kernel_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

std::vector<std::string> spec_faults(const std::string& text) {
  try {
    parse_kernel_model(text, "model");
  } catch (const ConfigError& error) {
    std::vector<std::string> faults;
    for (const Fault& fault : error.faults()) faults.push_back(fault.what);
    return faults;
  }
  return {};
}

TEST(KernelSpec, ReadsEveryKeyOfItsKind) {
  const KernelModel model = parse_kernel_model(
      "spin:grid=264,grid_per_item=8,block=256,us=200.5,smem=1024,count=8,regs=64,in_kib=588,"
      "out_kib=4,weights_mib=97.5,graph=0",
      "");
  EXPECT_EQ(model.kind, KernelKind::kSpin);
  EXPECT_EQ(model.grid_of(1), 264U);
  EXPECT_EQ(model.grid_of(4), 264U + 3 * 8);
  EXPECT_EQ(model.block, 256U);
  EXPECT_EQ(model.us, 200.5);
  EXPECT_EQ(model.smem, 1024U);
  EXPECT_EQ(model.count, 8U);
  EXPECT_EQ(model.in_kib, 588);
  EXPECT_EQ(model.out_kib, 4);
  EXPECT_EQ(model.weights_mib, 97.5);
  EXPECT_FALSE(model.graph);
  EXPECT_EQ(model.entry(), "tangram_spin_64");
}

TEST(KernelSpec, AKindAloneTakesTheDefaults) {
  const KernelModel model = parse_kernel_model("empty", "");
  EXPECT_EQ(model.entry(), "tangram_empty");
  EXPECT_EQ(model.grid, 1U);
  EXPECT_TRUE(model.graph);
}

TEST(KernelSpec, ReadsTheHogs) {
  const KernelModel dram = parse_kernel_model("dram:mib=512,rate=0.5,passes=3", "");
  EXPECT_EQ(dram.mib, 512);
  EXPECT_EQ(dram.rate, 0.5);
  EXPECT_EQ(dram.passes, 3U);
  EXPECT_EQ(parse_kernel_model("fma:iterations=5e6", "").iterations, 5'000'000U);
  EXPECT_EQ(parse_kernel_model("l2:mib=20", "").entry(), "tangram_l2");
}

TEST(KernelSpec, NamesTheNearestKindAndKey) {
  EXPECT_THAT(spec_faults("spim:us=3"),
              ::testing::ElementsAre(::testing::HasSubstr("did you mean \"spin\"")));
  EXPECT_THAT(spec_faults("spin:us=3,blok=3"),
              ::testing::ElementsAre(::testing::HasSubstr("did you mean \"block\"")));
  // A key of another kind is unknown, too.
  EXPECT_THAT(spec_faults("fma:iterations=3,us=3"),
              ::testing::ElementsAre(::testing::HasSubstr("unknown key of fma \"us\"")));
}

TEST(KernelSpec, TellsAllFaultsAtOnce) {
  EXPECT_THAT(spec_faults("spin:block=2000,count=1.5,grid=nan,smem,block=1,regs=60"),
              ::testing::UnorderedElementsAre(
                  "\"smem\" is not KEY=VALUE", "block is given twice",
                  "block: \"2000\" is not a number from 1 to 1024", "count: 1.5 is not whole",
                  "grid: \"nan\" is not a number from 1 to 1e+06",
                  "regs: 60 is not one of 0, 64, 128, 200", "missing: us"));
  EXPECT_THAT(spec_faults("dram"), ::testing::ElementsAre("missing: mib"));
  EXPECT_THAT(spec_faults("spin:us=1,regs=128,block=1024"),
              ::testing::ElementsAre("1024 threads of 128 registers do not fit a multiprocessor"));
  EXPECT_THAT(spec_faults("spin:us=1 "), ::testing::SizeIs(1));
}

}  // namespace
}  // namespace tangram
