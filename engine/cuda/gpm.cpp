#include "engine/cuda/gpm.h"

#include <algorithm>
#include <utility>

namespace tangram {
namespace {

// Counts and the time they are divided by are not taken at one instant: a little over all is all.
constexpr double kMostPercent = 105;

// A metric in percent as a fraction; nullopt where it was not computed, or cannot be one.
std::optional<double> fraction_of(const NvmlGpmMetric& metric) {
  const bool is_percent = metric.value >= 0 && metric.value <= kMostPercent;  // not NaN either
  if (metric.result != kNvmlSuccess || !is_percent) return std::nullopt;
  return std::min(1.0, metric.value / 100);
}

}  // namespace

std::unique_ptr<GpmMeter> GpmMeter::open(const NvmlLibrary& nvml, const std::string& uuid) {
  NvmlDevice device = nullptr;
  NvmlGpmSupport support;
  if (!nvml.has_gpm() || nvml.device_by_uuid(uuid.c_str(), &device) != kNvmlSuccess ||
      nvml.gpm_support(device, &support) != kNvmlSuccess || support.is_supported == 0) {
    return nullptr;
  }
  std::unique_ptr<GpmMeter> meter(new GpmMeter(nvml, device));
  for (NvmlGpmSample* sample : {&meter->before_, &meter->now_}) {
    if (nvml.gpm_allocate(sample) == kNvmlSuccess && *sample != nullptr) continue;
    *sample = nullptr;
    return nullptr;
  }
  return meter;
}

GpmMeter::~GpmMeter() {
  for (NvmlGpmSample sample : {before_, now_}) {
    if (sample != nullptr) nvml_.gpm_free(sample);
  }
}

std::optional<GpuActivity> GpmMeter::since_last_call(Clock::time_point now) {
  const std::optional<Clock::time_point> before = std::exchange(read_at_, std::nullopt);
  if (nvml_.gpm_sample(device_, now_) != kNvmlSuccess) return std::nullopt;
  std::optional<GpuActivity> activity;
  if (before && now - *before > kGpmRefresh) activity = between_samples();
  std::swap(before_, now_);
  read_at_ = now;
  return activity;
}

std::optional<GpuActivity> GpmMeter::between_samples() const {
  NvmlGpmMetrics request;
  request.count = 2;
  request.first = before_;
  request.second = now_;
  request.metrics[0].id = kNvmlGpmDramUse;
  request.metrics[1].id = kNvmlGpmSmOccupancy;
  if (nvml_.gpm_metrics(&request) != kNvmlSuccess) return std::nullopt;
  const std::optional<double> dram = fraction_of(request.metrics[0]);
  const std::optional<double> occupancy = fraction_of(request.metrics[1]);
  if (!dram || !occupancy) return std::nullopt;
  return GpuActivity{*dram, *occupancy};
}

}  // namespace tangram
