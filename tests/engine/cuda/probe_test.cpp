// What a machine's GPUs offer, and what the commands say where there is none.
#include "engine/cuda/probe.h"

#include <array>
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cuda/this_machine.h"
#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

TEST(Probe, ListsTheSplitsOfEveryGpu) {
  const fake::Driver fake({});
  const fake::Nvml nvml({});
  const Json json = probe_gpus(fake.table(), nvml.table(), "/run/mps");
  EXPECT_EQ(json["cuda"], "13.0");
  EXPECT_EQ(json["driver"], "580.1");
  EXPECT_EQ(json["mps_pipe"], "/run/mps");
  ASSERT_EQ(json["gpus"].size(), 1U);
  const Json& gpu = json["gpus"][0];
  EXPECT_EQ(gpu["now"]["sm_mhz"], 1980);
  EXPECT_EQ(gpu["now"]["busy_pct"], 73);
  EXPECT_EQ(gpu["now"]["memory_busy_pct"], 41);
  EXPECT_EQ(gpu["counts_activity"], true);
  EXPECT_EQ(gpu["compute_capability"], "9.0");
  const Json& green = gpu["green_contexts"];
  EXPECT_EQ(green["smallest"], 8);
  // 132 SMs: 16 groups of 8, 8 of 16, 5 of 24, 4 of 32, 3 of 40, 2 of 48 to 64, 1 beyond.
  std::vector<int> groups;
  for (const Json& range : green["splits"]) groups.push_back(range["groups"].get<int>());
  EXPECT_THAT(groups, ::testing::ElementsAre(16, 8, 5, 4, 3, 2, 1, 0));
  EXPECT_EQ(green["splits"][0]["from"], 1);
  EXPECT_EQ(green["splits"][0]["to"], 8);
  EXPECT_EQ(green["splits"][5]["from"], 41);
  EXPECT_EQ(green["splits"][5]["to"], 64);
}

TEST(Nvml, CountsEnergyWhereTheLibraryDoes) {
  const fake::Nvml nvml({});
  NvmlLibrary table = nvml.table();
  EXPECT_EQ(energy_j(table, "GPU-fake"), 12345.678);
  table.energy_mj = nullptr;
  table.utilization = nullptr;
  EXPECT_EQ(energy_j(table, "GPU-fake"), std::nullopt);
  EXPECT_EQ(condition_of(table, "GPU-fake").busy_pct, std::nullopt);
}

TEST(Probe, SaysWhereNothingIsCounted) {
  const fake::Driver fake({});
  const fake::Nvml nvml({});
  nvml.counters().supported = false;
  EXPECT_EQ(probe_gpus(fake.table(), nvml.table(), "")["gpus"][0]["counts_activity"], false);
  EXPECT_EQ(nvml.counters().samples, 0U);
}

TEST(Probe, ListsMigInstancesInTheirPlace) {
  const fake::Driver fake({});
  const fake::Nvml nvml({{"MIG-a", 3, 60, 71000}});
  const Json json = probe_gpus(fake.table(), nvml.table(), "");
  const Json& gpu = json["gpus"][0];
  EXPECT_EQ(gpu["mig"], true);
  EXPECT_EQ(gpu["instances"][0]["slices"], 3);
  EXPECT_FALSE(gpu.contains("green_contexts"));
}

TEST(Probe, WithoutADriverItIsAnAnswer) {
  const Json json = probe_this_machine();
  ASSERT_TRUE(json.contains("gpus"));
  EXPECT_EQ(json["gpus"].empty(), json.contains("reason"));
}

int status_of(const std::string& arguments) {
  const std::string command = std::string(TANGRAM_GPU_BENCH_COMMAND) + ' ' + arguments;
  const int status = std::system((command + " >/dev/null 2>&1").c_str());
  return WEXITSTATUS(status);
}

TEST(GpuBench, TellsWrongInputFromAMachineWithoutAGpu) {
  EXPECT_EQ(status_of("constants --connections 40"), 2);
  EXPECT_EQ(status_of("constants --out /no/such/folder/file.json"), 2);
  EXPECT_EQ(status_of("nothing"), 2);
  EXPECT_EQ(status_of("--version"), 0);
  if (!probe_this_machine()["gpus"].empty()) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(status_of("constants"), 3);
}

}  // namespace
}  // namespace tangram
