// The entry points of the CUDA driver that the engine calls, as a table that is filled at run time:
// the programs start without a driver, and tests fill the table with a fake one.
#pragma once

#include <cuda.h>
#include <cudaTypedefs.h>
#include <string>
#include <string_view>

#include "engine/worker/runner.h"

namespace tangram {

// X(name without "cu", version of the prototype). The driver is asked for exactly that version, so
// that a table of any header fits a driver of any age that has it.
#define TANGRAM_CUDA_REQUIRED(X)                     \
  X(Init, 2000)                                      \
  X(DriverGetVersion, 2020)                          \
  X(GetErrorName, 6000)                              \
  X(GetErrorString, 6000)                            \
  X(DeviceGet, 2000)                                 \
  X(DeviceGetCount, 2000)                            \
  X(DeviceGetName, 2000)                             \
  X(DeviceGetUuid, 11040)                            \
  X(DeviceGetAttribute, 2000)                        \
  X(DeviceTotalMem, 3020)                            \
  X(DevicePrimaryCtxRetain, 7000)                    \
  X(DevicePrimaryCtxRelease, 11000)                  \
  X(CtxCreate, 11040)                                \
  X(CtxDestroy, 4000)                                \
  X(CtxSetCurrent, 4000)                             \
  X(CtxGetExecAffinity, 11040)                       \
  X(StreamCreateWithPriority, 5050)                  \
  X(StreamDestroy, 4000)                             \
  X(StreamSynchronize, 2000)                         \
  X(StreamWaitEvent, 3020)                           \
  X(StreamBeginCapture, 10010)                       \
  X(StreamEndCapture, 10000)                         \
  X(EventCreate, 2000)                               \
  X(EventDestroy, 4000)                              \
  X(EventRecord, 2000)                               \
  X(EventElapsedTime, 2000)                          \
  X(MemAlloc, 3020)                                  \
  X(MemFree, 3020)                                   \
  X(MemHostAlloc, 2020)                              \
  X(MemFreeHost, 2000)                               \
  X(MemHostGetDevicePointer, 3020)                   \
  X(MemcpyHtoDAsync, 3020)                           \
  X(MemcpyDtoHAsync, 3020)                           \
  X(MemsetD8Async, 3020)                             \
  X(ModuleLoadData, 2000)                            \
  X(ModuleUnload, 2000)                              \
  X(ModuleGetFunction, 2000)                         \
  X(FuncSetAttribute, 9000)                          \
  X(OccupancyMaxActiveBlocksPerMultiprocessor, 6050) \
  X(LaunchKernel, 4000)                              \
  X(GraphInstantiateWithFlags, 11040)                \
  X(GraphLaunch, 10000)                              \
  X(GraphExecDestroy, 10000)                         \
  X(GraphDestroy, 10000)

// Green contexts: drivers of CUDA 12.4 (streams: 12.5) or later. Null in older ones.
#define TANGRAM_CUDA_GREEN(X)         \
  X(DeviceGetDevResource, 12040)      \
  X(DevSmResourceSplitByCount, 12040) \
  X(DevResourceGenerateDesc, 12040)   \
  X(GreenCtxCreate, 12040)            \
  X(GreenCtxDestroy, 12040)           \
  X(GreenCtxGetDevResource, 12040)    \
  X(GreenCtxStreamCreate, 12050)

// Members bear the driver's names.
// NOLINTBEGIN(readability-identifier-naming, bugprone-macro-parentheses)
struct CudaDriver {
#define TANGRAM_CUDA_MEMBER(name, version) PFN_cu##name##_v##version name = nullptr;
  TANGRAM_CUDA_REQUIRED(TANGRAM_CUDA_MEMBER)
  TANGRAM_CUDA_GREEN(TANGRAM_CUDA_MEMBER)
#undef TANGRAM_CUDA_MEMBER

  bool has_green_contexts() const;
};
// NOLINTEND(readability-identifier-naming, bugprone-macro-parentheses)

// Opens libcuda.so.1, fills the table and initialises the driver. Throws RunnerError (kUnsupported)
// with the reason where there is no driver, it is too old, or it has no device.
CudaDriver load_cuda_driver();

// What an error means to a worker. Errors after which a context is unusable count as kDeviceLost;
// so does every error that is not known to leave it usable.
RunnerFault fault_of(CUresult result);

// "CUDA_ERROR_OUT_OF_MEMORY (out of memory)".
std::string describe(const CudaDriver& driver, CUresult result);

// Throws RunnerError with `what` and the error's name unless `result` is CUDA_SUCCESS.
void check(const CudaDriver& driver, CUresult result, std::string_view what);

// "cuda:3" gives 3. Throws RunnerError (kUnsupported) for anything else.
int device_ordinal(const std::string& device);

}  // namespace tangram
