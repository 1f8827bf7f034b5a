// A CUDA device divided between the lanes of one worker as the backend says: contexts, streams, and
// what was granted. Both runners on CUDA stand on it.
#pragma once

#include <memory>
#include <vector>

#include "engine/cuda/machine.h"
#include "engine/cuda/objects.h"
#include "engine/cuda/partition.h"
#include "engine/worker/spec.h"

namespace tangram {

// "cuda-green": a green context per partition; lanes of one partition share it.
// "cuda-streams": a stream per lane, on all SMs; a share is not enforced.
// "cuda-time-sliced": the same; the backend gives every lane a process of its own.
// "cuda-mps": the percentage of the process's environment; a share in SMs is a context with that
//   affinity for the runner "kernels" alone: the CUDA runtime keeps to the primary context.
// "cuda-mig": the instance that the environment shows, whole.
class DividedDevice {
 public:
  // Leaves the calling thread with the device's primary context. Throws RunnerError. `driver` must
  // outlive it.
  DividedDevice(const CudaDriver& driver, const WorkerSpec& spec);

  // The context for the thread of a lane to make current.
  CUcontext context(std::size_t lane) const;
  // Its kernels run on the lane's share.
  CUstream stream(std::size_t lane) const { return streams_[lane].get(); }
  const LaneGrant& grant(std::size_t lane) const { return grants_[lane]; }
  // SMs of a lane's green context. Requires: sharing "cuda-green".
  unsigned green_sms(std::size_t lane) const { return green_sms_[lane]; }
  // Of the whole device, as this process sees it.
  unsigned sms() const { return sms_; }
  int ordinal() const { return ordinal_; }
  // "NVIDIA H200, 132 SMs", and "CUDA 13.0".
  std::string device_text() const;
  std::string driver_text() const;

 private:
  void divide_green(const WorkerSpec& spec);
  void divide_mps(const WorkerSpec& spec, const LaneSpec& lane);
  void share_all(const WorkerSpec& spec, const LaneSpec& lane);

  const CudaDriver& driver_;
  int ordinal_;
  CUdevice device_ = 0;
  unsigned sms_ = 0;
  std::unique_ptr<PrimaryContext> primary_;
  std::vector<CudaContext> contexts_;       // by lane; empty: the primary one
  std::vector<GreenPartition> partitions_;  // by number of first use
  std::vector<CudaStream> streams_;         // by lane; go before their contexts
  std::vector<LaneGrant> grants_;           // by lane
  std::vector<unsigned> green_sms_;         // by lane; "cuda-green" alone
};

}  // namespace tangram
