// The description of the machine's GPUs.
#include "engine/cuda/machine.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

TEST(Machine, ListsTheGpusInTheDriversOrder) {
  fake::Settings settings;
  settings.devices = 2;
  const fake::Driver fake(settings);
  const CudaMachine machine = describe_machine(fake.table(), std::nullopt, "");
  ASSERT_EQ(machine.gpus.size(), 2U);
  EXPECT_EQ(machine.gpus[0].name, "Fake GPU");
  EXPECT_EQ(machine.gpus[0].uuid, "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f");
  EXPECT_EQ(machine.gpus[1].uuid, "GPU-10111213-1415-1617-1819-1a1b1c1d1e1f");
  EXPECT_EQ(machine.gpus[0].sms, 132U);
  EXPECT_EQ(machine.gpus[0].memory_mib, 1024);
  EXPECT_EQ(machine.cuda, 13000);
  EXPECT_TRUE(machine.green_contexts);
  EXPECT_FALSE(machine.gpus[0].mig);
}

TEST(Machine, ListsTheInstancesOfAGpuInMigMode) {
  const fake::Driver fake({});
  const fake::Nvml nvml({{"MIG-a", 3, 60, 71000}, {"MIG-b", 1, 16, 18000}});
  const CudaMachine machine = describe_machine(fake.table(), nvml.table(), "");
  ASSERT_EQ(machine.gpus.size(), 1U);
  EXPECT_TRUE(machine.gpus[0].mig);
  ASSERT_EQ(machine.gpus[0].instances.size(), 2U);
  EXPECT_EQ(machine.gpus[0].instances[0].uuid, "MIG-a");
  EXPECT_EQ(machine.gpus[0].instances[0].slices, 3U);
  EXPECT_EQ(machine.gpus[0].instances[1].sms, 16U);
  EXPECT_EQ(machine.gpus[0].instances[1].memory_mib, 18000);
  EXPECT_EQ(machine.driver, "580.1");
}

TEST(Machine, ReadsClocksAndLeavesOutWhatIsNotTold) {
  const fake::Nvml nvml({});
  const GpuCondition condition = condition_of(nvml.table(), "GPU-fake");
  EXPECT_EQ(condition.sm_mhz, 1980U);
  EXPECT_EQ(condition.memory_mhz, 3201U);
  EXPECT_FALSE(condition.power_w);
}

TEST(Machine, FindsTheFolderOfAnMpsDaemon) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "tangram-mps-test";
  std::filesystem::create_directories(folder);
  EXPECT_EQ(find_mps_pipe(folder.c_str()), "");
  std::ofstream(folder / "control") << "";
  EXPECT_EQ(find_mps_pipe(folder.c_str()), folder.string());
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace tangram
