#include "engine/cuda/partition.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace tangram {
namespace {

CUdevResource device_resource(const CudaDriver& driver, CUdevice device) {
  if (!driver.has_green_contexts()) {
    throw RunnerError(RunnerFault::kUnsupported,
                      "the CUDA driver has no green contexts (they came with CUDA 12.5)");
  }
  CUdevResource all{};
  check(driver, driver.DeviceGetDevResource(device, &all, CU_DEV_RESOURCE_TYPE_SM),
        "cuDeviceGetDevResource");
  return all;
}

// One split: symmetrical groups, and what fits into none.
struct Split {
  std::vector<CUdevResource> groups;
  CUdevResource remainder{};
  unsigned remainder_sms = 0;
};

Split split_device(const CudaDriver& driver, CUdevice device) {
  const CUdevResource all = device_resource(driver, device);
  const int major = attribute(driver, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device);
  const unsigned minimum = sm_granularity(major).minimum;
  unsigned count = 0;
  check(driver, driver.DevSmResourceSplitByCount(nullptr, &count, &all, nullptr, 0, minimum),
        fmt::format("splitting {} SMs into groups of {}", all.sm.smCount, minimum));
  Split split;
  split.groups.resize(count);
  check(driver,
        driver.DevSmResourceSplitByCount(split.groups.data(), &count, &all, &split.remainder, 0,
                                         minimum),
        fmt::format("splitting {} SMs into groups of {}", all.sm.smCount, minimum));
  split.groups.resize(count);
  if (split.remainder.type == CU_DEV_RESOURCE_TYPE_SM) {
    split.remainder_sms = split.remainder.sm.smCount;
  }
  return split;
}

GreenPartition make_green(const CudaDriver& driver,
                          CUdevice device,
                          std::vector<CUdevResource>& resources) {
  CUdevResourceDesc description = nullptr;
  check(driver,
        driver.DevResourceGenerateDesc(&description, resources.data(),
                                       static_cast<unsigned>(resources.size())),
        "cuDevResourceGenerateDesc");
  CUgreenCtx context = nullptr;
  check(driver, driver.GreenCtxCreate(&context, description, device, CU_GREEN_CTX_DEFAULT_STREAM),
        "cuGreenCtxCreate");
  GreenPartition partition{{driver, context}, 0};
  CUdevResource granted{};
  check(driver, driver.GreenCtxGetDevResource(context, &granted, CU_DEV_RESOURCE_TYPE_SM),
        "cuGreenCtxGetDevResource");
  partition.granted_sms = granted.sm.smCount;
  return partition;
}

// Index of the largest value; of equals, the first.
std::size_t largest(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

}  // namespace

SmGranularity sm_granularity(int compute_major) {
  if (compute_major >= 9) return {8, 8};
  if (compute_major == 8) return {4, 2};
  return {2, 2};
}

SmPlan plan_sms(const std::vector<double>& wanted,
                unsigned group_sms,
                unsigned groups,
                unsigned remainder_sms) {
  if (wanted.size() > groups) {
    throw RunnerError(RunnerFault::kUnsupported,
                      fmt::format("{} partitions, but the device splits into {} groups of {} SMs",
                                  wanted.size(), groups, group_sms));
  }
  SmPlan plan;
  std::vector<double> missing;  // in groups, by partition; below 0: more than wanted
  for (const double sms : wanted) {
    const double exact = sms / group_sms;
    plan.groups.push_back(std::max(1U, static_cast<unsigned>(std::floor(exact))));
    missing.push_back(exact - plan.groups.back());
  }
  const double sum = std::accumulate(wanted.begin(), wanted.end(), 0.0) / group_sms;
  const unsigned target = std::min(groups, static_cast<unsigned>(std::lround(sum)));
  unsigned dealt = std::accumulate(plan.groups.begin(), plan.groups.end(), 0U);
  for (; dealt < target; ++dealt) {
    const std::size_t i = largest(missing);
    ++plan.groups[i];
    missing[i] -= 1;
  }
  for (; dealt > groups; --dealt) {
    const auto most = std::ranges::max_element(plan.groups);
    --*most;
    missing[static_cast<std::size_t>(most - plan.groups.begin())] += 1;
  }
  if (remainder_sms > 0 && !wanted.empty()) {
    const std::size_t i = largest(missing);
    // Half an SM of tolerance: shares in percent do not come out even.
    if (missing[i] * group_sms + 0.5 >= remainder_sms) plan.with_remainder = i;
  }
  return plan;
}

std::vector<SplitProbe> probe_splits(const CudaDriver& driver, CUdevice device, unsigned flags) {
  const CUdevResource all = device_resource(driver, device);
  std::vector<SplitProbe> probes;
  for (unsigned min_count = 1; min_count <= all.sm.smCount; ++min_count) {
    unsigned count = 0;
    const CUresult result =
        driver.DevSmResourceSplitByCount(nullptr, &count, &all, nullptr, flags, min_count);
    if (result == CUDA_SUCCESS) probes.push_back({min_count, count});
  }
  return probes;
}

unsigned device_sms(const CudaDriver& driver, CUdevice device) {
  return device_resource(driver, device).sm.smCount;
}

std::vector<GreenPartition> make_green_partitions(const CudaDriver& driver,
                                                  CUdevice device,
                                                  const std::vector<double>& wanted_sms) {
  const Split split = split_device(driver, device);
  const unsigned group_sms = split.groups.empty() ? 1 : split.groups.front().sm.smCount;
  const SmPlan plan = plan_sms(wanted_sms, group_sms, static_cast<unsigned>(split.groups.size()),
                               split.remainder_sms);
  std::vector<GreenPartition> partitions;
  auto next = split.groups.begin();
  for (std::size_t i = 0; i < wanted_sms.size(); ++i) {
    std::vector<CUdevResource> resources(next, next + plan.groups[i]);
    next += plan.groups[i];
    if (plan.with_remainder == i) resources.push_back(split.remainder);
    partitions.push_back(make_green(driver, device, resources));
  }
  return partitions;
}

}  // namespace tangram
