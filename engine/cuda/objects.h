// Owners of the driver's objects: each releases its handle when it goes, with the context of its
// thread as it is then. Errors of a release are ignored: the device may be lost by then.
#pragma once

#include <cstddef>
#include <utility>

#include "engine/cuda/driver.h"

namespace tangram {

// `kRelease` is the member of CudaDriver that releases a Handle.
template <typename Handle, auto kRelease>
class CudaHandle {
 public:
  CudaHandle() = default;
  CudaHandle(const CudaDriver& driver, Handle handle) : driver_(&driver), handle_(handle) {}
  CudaHandle(CudaHandle&& other) noexcept
      : driver_(other.driver_), handle_(std::exchange(other.handle_, Handle{})) {}
  CudaHandle& operator=(CudaHandle&& other) noexcept {
    std::swap(driver_, other.driver_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  CudaHandle(const CudaHandle&) = delete;
  CudaHandle& operator=(const CudaHandle&) = delete;
  ~CudaHandle() {
    if (handle_ != Handle{}) (driver_->*kRelease)(handle_);
  }
  Handle get() const { return handle_; }

 private:
  const CudaDriver* driver_ = nullptr;
  Handle handle_{};
};

using CudaContext = CudaHandle<CUcontext, &CudaDriver::CtxDestroy>;
using GreenContext = CudaHandle<CUgreenCtx, &CudaDriver::GreenCtxDestroy>;
using CudaStream = CudaHandle<CUstream, &CudaDriver::StreamDestroy>;
using CudaEvent = CudaHandle<CUevent, &CudaDriver::EventDestroy>;
using CudaModule = CudaHandle<CUmodule, &CudaDriver::ModuleUnload>;
using CudaGraph = CudaHandle<CUgraph, &CudaDriver::GraphDestroy>;
using CudaGraphExec = CudaHandle<CUgraphExec, &CudaDriver::GraphExecDestroy>;
using DeviceMemory = CudaHandle<CUdeviceptr, &CudaDriver::MemFree>;
using PinnedMemory = CudaHandle<void*, &CudaDriver::MemFreeHost>;

// The context that the CUDA runtime, and with it LibTorch, uses on a device.
class PrimaryContext {
 public:
  PrimaryContext(const CudaDriver& driver, CUdevice device) : driver_(driver), device_(device) {
    check(driver, driver.DevicePrimaryCtxRetain(&context_, device), "cuDevicePrimaryCtxRetain");
  }
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;
  ~PrimaryContext() { driver_.DevicePrimaryCtxRelease(device_); }
  CUcontext get() const { return context_; }

 private:
  const CudaDriver& driver_;
  CUdevice device_;
  CUcontext context_ = nullptr;
};

// The functions below work in the current context of the calling thread and throw RunnerError.
// Streams do not wait for the legacy default stream.
CudaStream make_stream(const CudaDriver& driver, int priority = 0);
// Records times.
CudaEvent make_event(const CudaDriver& driver);
// `bytes` of 0 gives an empty owner.
DeviceMemory device_memory(const CudaDriver& driver, std::size_t bytes);
// Host memory that the device may read and write through device_view().
PinnedMemory pinned_memory(const CudaDriver& driver, std::size_t bytes);
CUdeviceptr device_view(const CudaDriver& driver, const PinnedMemory& memory);
int attribute(const CudaDriver& driver, CUdevice_attribute what, CUdevice device);

}  // namespace tangram
