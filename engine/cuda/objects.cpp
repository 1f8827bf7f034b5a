#include "engine/cuda/objects.h"

namespace tangram {

CudaStream make_stream(const CudaDriver& driver, int priority) {
  CUstream stream = nullptr;
  check(driver, driver.StreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, priority),
        "cuStreamCreateWithPriority");
  return {driver, stream};
}

CudaEvent make_event(const CudaDriver& driver) {
  CUevent event = nullptr;
  check(driver, driver.EventCreate(&event, CU_EVENT_DEFAULT), "cuEventCreate");
  return {driver, event};
}

DeviceMemory device_memory(const CudaDriver& driver, std::size_t bytes) {
  if (bytes == 0) return {};
  CUdeviceptr memory = 0;
  check(driver, driver.MemAlloc(&memory, bytes), "cuMemAlloc");
  return {driver, memory};
}

PinnedMemory pinned_memory(const CudaDriver& driver, std::size_t bytes) {
  if (bytes == 0) return {};
  void* memory = nullptr;
  check(driver, driver.MemHostAlloc(&memory, bytes, CU_MEMHOSTALLOC_DEVICEMAP), "cuMemHostAlloc");
  return {driver, memory};
}

CUdeviceptr device_view(const CudaDriver& driver, const PinnedMemory& memory) {
  CUdeviceptr view = 0;
  check(driver, driver.MemHostGetDevicePointer(&view, memory.get(), 0),
        "cuMemHostGetDevicePointer");
  return view;
}

int attribute(const CudaDriver& driver, CUdevice_attribute what, CUdevice device) {
  int value = 0;
  check(driver, driver.DeviceGetAttribute(&value, what, device), "cuDeviceGetAttribute");
  return value;
}

}  // namespace tangram
