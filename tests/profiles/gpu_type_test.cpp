// The built-in GPU types against what must hold for any of them.
#include "profiles/gpu_type.h"

#include <set>

#include <gtest/gtest.h>

namespace tangram {
namespace {

TEST(GpuTypes, AllNamedTypesAreThere) {
  for (const char* name : {"t4", "v100", "2080ti", "3080", "gv100", "a100-40gb", "a100-80gb",
                           "h100-80gb", "h200", "cpu", "ideal"}) {
    const GpuType* type = find_gpu_type(name);
    ASSERT_NE(type, nullptr) << name;
    EXPECT_FALSE(type->source.empty()) << name;
    EXPECT_FALSE(type->description.empty()) << name;
  }
  EXPECT_EQ(find_gpu_type("a100"), nullptr);
}

TEST(GpuTypes, NamesAreUnique) {
  const std::vector<std::string> names = gpu_type_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(GpuTypes, MigSizesFitTheirSlotsAndSms) {
  for (const GpuType& type : builtin_gpu_types()) {
    EXPECT_EQ(type.mig_slices, type.mig_sizes.empty() ? 0 : 7) << type.name;
    for (const MigSize& size : type.mig_sizes) {
      for (const int start : size.starts) EXPECT_LE(start + size.memory_slices, 8) << type.name;
      EXPECT_LE(size.sms, type.sms) << type.name;
      EXPECT_LE(size.memory_gib, *type.memory_gib) << type.name;
    }
  }
}

TEST(GpuTypes, A100CutsIntoSevenSlicesOf14Sms) {
  const GpuType* a100 = find_gpu_type("a100-80gb");
  for (const int slices : {1, 2, 3, 4, 7}) {
    ASSERT_NE(find_mig_size(*a100, slices), nullptr);
    EXPECT_EQ(find_mig_size(*a100, slices)->sms, 14 * slices);
  }
  EXPECT_EQ(find_mig_size(*a100, 5), nullptr);
  EXPECT_EQ(find_mig_size(*a100, 3)->starts, (std::vector<int>{0, 4}));
  EXPECT_EQ(find_mig_size(*a100, 2)->starts, (std::vector<int>{0, 2, 4}));
  EXPECT_EQ(find_mig_size(*a100, 1)->starts.size(), 7U);
}

TEST(GpuTypes, H200SliceSizesAreNotMultiplesOfOne) {
  const GpuType* h200 = find_gpu_type("h200");
  EXPECT_EQ(find_mig_size(*h200, 1)->sms, 16);
  EXPECT_EQ(find_mig_size(*h200, 2)->sms, 32);
  EXPECT_EQ(find_mig_size(*h200, 3)->sms, 60);
  EXPECT_EQ(find_mig_size(*h200, 4)->sms, 64);
  EXPECT_EQ(find_mig_size(*h200, 7)->sms, 132);
}

TEST(GpuTypes, IdealHasNoLimitsAndNoSlices) {
  const GpuType* ideal = find_gpu_type("ideal");
  EXPECT_FALSE(ideal->memory_gib.has_value());
  EXPECT_EQ(ideal->sms, 0);
  EXPECT_TRUE(ideal->mig_sizes.empty());
}

TEST(GpuTypes, AScenariosOwnTypeHidesABuiltInOne) {
  GpuType own;
  own.name = "t4";
  own.sms = 3;
  EXPECT_EQ(find_gpu_type("t4", {own})->sms, 3);
  EXPECT_EQ(find_gpu_type("v100", {own})->sms, 80);
}

}  // namespace
}  // namespace tangram
