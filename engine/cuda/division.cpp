#include "engine/cuda/division.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

namespace tangram {
namespace {

// SMs that a share means on a device of `sms`.
double wanted_sms(const Share& share, unsigned sms) {
  switch (share.kind) {
    case ShareKind::kWhole:
      return sms;
    case ShareKind::kPercent:
      return share.amount / 100 * sms;
    case ShareKind::kSms:
      return share.amount;
    case ShareKind::kMig:
      break;
  }
  throw RunnerError(RunnerFault::kUnsupported,
                    "a share in MIG slices needs the backend cuda-mig, not " + to_string(share));
}

LaneGrant granted_sms(const Share& asked, unsigned granted, unsigned sms) {
  if (wanted_sms(asked, sms) == granted) return {asked, ""};
  return {{ShareKind::kSms, static_cast<double>(granted)}, fmt::format("the device has {}", sms)};
}

}  // namespace

DividedDevice::DividedDevice(const CudaDriver& driver, const WorkerSpec& spec)
    : driver_(driver), ordinal_(spec.sharing == "cuda-mig" ? 0 : device_ordinal(spec.device)) {
  check(driver, driver.DeviceGet(&device_, ordinal_), spec.device);
  sms_ =
      static_cast<unsigned>(attribute(driver, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, device_));
  primary_ = std::make_unique<PrimaryContext>(driver, device_);
  check(driver, driver.CtxSetCurrent(primary_->get()), "cuCtxSetCurrent");
  contexts_.resize(spec.lanes.size());
  if (spec.sharing == "cuda-green") {
    divide_green(spec);
    return;
  }
  for (const LaneSpec& lane : spec.lanes) {
    if (spec.sharing == "cuda-mps") {
      divide_mps(spec, lane);
    } else {
      share_all(spec, lane);
    }
  }
}

CUcontext DividedDevice::context(std::size_t lane) const {
  const CUcontext own = contexts_[lane].get();
  return own != nullptr ? own : primary_->get();
}

std::string DividedDevice::device_text() const {
  std::array<char, 256> name{};
  check(driver_, driver_.DeviceGetName(name.data(), 256, device_), "cuDeviceGetName");
  return fmt::format("{}, {} SMs", name.data(), sms_);
}

std::string DividedDevice::driver_text() const {
  int version = 0;
  check(driver_, driver_.DriverGetVersion(&version), "cuDriverGetVersion");
  return fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
}

void DividedDevice::divide_green(const WorkerSpec& spec) {
  std::map<std::uint32_t, std::size_t> index;  // partition -> wanted
  std::vector<double> wanted;
  const unsigned all = device_sms(driver_, device_);
  for (const LaneSpec& lane : spec.lanes) {
    if (index.emplace(lane.partition, wanted.size()).second) {
      wanted.push_back(wanted_sms(lane.share, all));
    }
  }
  partitions_ = make_green_partitions(driver_, device_, wanted);
  for (const LaneSpec& lane : spec.lanes) {
    const GreenPartition& partition = partitions_[index.at(lane.partition)];
    CUstream stream = nullptr;
    check(driver_,
          driver_.GreenCtxStreamCreate(&stream, partition.context.get(), CU_STREAM_NON_BLOCKING,
                                       /*priority=*/0),
          "cuGreenCtxStreamCreate");
    streams_.emplace_back(driver_, stream);
    green_sms_.push_back(partition.granted_sms);
    grants_.push_back(granted_sms(lane.share, partition.granted_sms, all));
  }
}

void DividedDevice::divide_mps(const WorkerSpec& spec, const LaneSpec& lane) {
  const std::size_t i = streams_.size();
  unsigned granted = sms_;  // the driver shows the SMs of the percentage
  if (lane.share.kind == ShareKind::kSms && spec.runner == "kernels") {
    CUexecAffinityParam affinity{};
    affinity.type = CU_EXEC_AFFINITY_TYPE_SM_COUNT;
    affinity.param.smCount.val = static_cast<unsigned>(lane.share.amount);
    CUcontext context = nullptr;
    check(driver_, driver_.CtxCreate(&context, &affinity, 1, CU_CTX_SCHED_AUTO, device_),
          "a context of " + to_string(lane.share));
    contexts_[i] = {driver_, context};
    check(driver_, driver_.CtxGetExecAffinity(&affinity, CU_EXEC_AFFINITY_TYPE_SM_COUNT),
          "cuCtxGetExecAffinity");
    granted = affinity.param.smCount.val;
  }
  streams_.push_back(make_stream(driver_));
  if (lane.share.kind == ShareKind::kWhole) {
    grants_.push_back({lane.share, ""});
  } else {
    grants_.push_back(
        {{ShareKind::kSms, static_cast<double>(granted)}, "a cap: others may use the same SMs"});
  }
  check(driver_, driver_.CtxSetCurrent(primary_->get()), "cuCtxSetCurrent");
}

void DividedDevice::share_all(const WorkerSpec& spec, const LaneSpec& lane) {
  streams_.push_back(make_stream(driver_));
  LaneGrant grant{{}, ""};
  if (spec.sharing == "cuda-mig") {
    grant = {lane.share, fmt::format("the instance has {} SMs", sms_)};
  } else if (lane.share.kind != ShareKind::kWhole) {
    grant.note = spec.sharing + " does not limit shares";
  }
  grants_.push_back(grant);
}

}  // namespace tangram
