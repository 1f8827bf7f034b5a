// The table of the driver's entry points, and what its errors mean.
#include "engine/cuda/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

TEST(Driver, IsLoadedOrSaysWhyNot) {
  // Either is right; a machine without a driver must not crash.
  try {
    const CudaDriver driver = load_cuda_driver();
    EXPECT_NE(driver.LaunchKernel, nullptr);
  } catch (const RunnerError& error) {
    EXPECT_EQ(error.fault(), RunnerFault::kUnsupported);
    EXPECT_STRNE(error.what(), "");
  }
}

TEST(Driver, ErrorsThatEndAContextLoseTheDevice) {
  EXPECT_EQ(fault_of(CUDA_ERROR_ILLEGAL_ADDRESS), RunnerFault::kDeviceLost);
  EXPECT_EQ(fault_of(CUDA_ERROR_ECC_UNCORRECTABLE), RunnerFault::kDeviceLost);
  EXPECT_EQ(fault_of(CUDA_ERROR_LAUNCH_FAILED), RunnerFault::kDeviceLost);
  EXPECT_EQ(fault_of(CUDA_ERROR_UNKNOWN), RunnerFault::kDeviceLost);
}

TEST(Driver, OtherErrorsLeaveIt) {
  EXPECT_EQ(fault_of(CUDA_ERROR_OUT_OF_MEMORY), RunnerFault::kOutOfMemory);
  EXPECT_EQ(fault_of(CUDA_ERROR_NO_BINARY_FOR_GPU), RunnerFault::kLoadFailed);
  EXPECT_EQ(fault_of(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES), RunnerFault::kUnsupported);
  EXPECT_EQ(fault_of(CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION), RunnerFault::kUnsupported);
}

TEST(Driver, ErrorsCarryTheirNamesAndWhatWasDone) {
  const fake::Driver fake({});
  const CudaDriver driver = fake.table();
  EXPECT_EQ(describe(driver, CUDA_ERROR_OUT_OF_MEMORY), "CUDA_ERROR_OUT_OF_MEMORY (out of memory)");
  EXPECT_EQ(describe(driver, CUDA_ERROR_ILLEGAL_ADDRESS), "CUDA_ERROR_ILLEGAL_ADDRESS");
  EXPECT_EQ(describe(driver, CUDA_ERROR_UNKNOWN), "CUDA error 999");
  EXPECT_NO_THROW(check(driver, CUDA_SUCCESS, "cuLaunchKernel"));
  EXPECT_THROW(check(driver, CUDA_ERROR_UNKNOWN, "cuLaunchKernel"), RunnerError);
}

TEST(Driver, DevicesAreNamedByOrdinal) {
  EXPECT_EQ(device_ordinal("cuda:0"), 0);
  EXPECT_EQ(device_ordinal("cuda:12"), 12);
  for (const char* text : {"cuda", "cuda:", "cuda:-1", "cuda:1x", "cpu", ""}) {
    EXPECT_THROW(device_ordinal(text), RunnerError) << text;
  }
}

}  // namespace
}  // namespace tangram
