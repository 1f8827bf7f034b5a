#include "engine/cuda/driver.h"

#include <charconv>
#include <dlfcn.h>

#include <fmt/format.h>

namespace tangram {
namespace {

// Function pointers and data pointers are the same thing to dlsym; the language has no cast that
// says so without a warning.
template <typename Function>
Function function_at(void* address) {
  return reinterpret_cast<Function>(address);
}

[[noreturn]] void unsupported(const std::string& what) {
  throw RunnerError(RunnerFault::kUnsupported, what);
}

class EntryPoints {
 public:
  EntryPoints() {
    void* library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* reason = ::dlerror();
      unsupported(fmt::format("no CUDA driver: {}", reason != nullptr ? reason : "libcuda.so.1"));
    }
    // The second version of this function, of CUDA 12.0, tells "absent" from "too old".
    lookup_ = function_at<PFN_cuGetProcAddress_v12000>(::dlsym(library, "cuGetProcAddress_v2"));
    if (lookup_ == nullptr) unsupported("the CUDA driver is older than 12.0");
  }

  // nullptr when the driver does not have that version of the function.
  template <typename Function>
  Function find(const char* name, int version) const {
    void* address = nullptr;
    CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
    const CUresult result =
        lookup_(name, &address, version, CU_GET_PROC_ADDRESS_LEGACY_STREAM, &found);
    if (result != CUDA_SUCCESS || found != CU_GET_PROC_ADDRESS_SUCCESS) return nullptr;
    return function_at<Function>(address);
  }

 private:
  PFN_cuGetProcAddress_v12000 lookup_ = nullptr;
};

}  // namespace

bool CudaDriver::has_green_contexts() const {
#define TANGRAM_CUDA_PRESENT(name, version) &&(name) != nullptr
  return true TANGRAM_CUDA_GREEN(TANGRAM_CUDA_PRESENT);
#undef TANGRAM_CUDA_PRESENT
}

CudaDriver load_cuda_driver() {
  const EntryPoints entries;
  CudaDriver driver;
#define TANGRAM_CUDA_LOAD(name, version) \
  driver.name = entries.find<decltype(driver.name)>("cu" #name, version);
  TANGRAM_CUDA_REQUIRED(TANGRAM_CUDA_LOAD)
  TANGRAM_CUDA_GREEN(TANGRAM_CUDA_LOAD)
#undef TANGRAM_CUDA_LOAD
#define TANGRAM_CUDA_CHECK(name, version) \
  if (driver.name == nullptr) unsupported("the CUDA driver is too old: it has no cu" #name);
  TANGRAM_CUDA_REQUIRED(TANGRAM_CUDA_CHECK)
#undef TANGRAM_CUDA_CHECK
  const CUresult result = driver.Init(0);
  if (result != CUDA_SUCCESS) unsupported("cuInit: " + describe(driver, result));
  return driver;
}

RunnerFault fault_of(CUresult result) {
  switch (result) {
    case CUDA_ERROR_OUT_OF_MEMORY:
      return RunnerFault::kOutOfMemory;
    case CUDA_ERROR_INVALID_IMAGE:
    case CUDA_ERROR_INVALID_PTX:
    case CUDA_ERROR_NO_BINARY_FOR_GPU:
    case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    case CUDA_ERROR_JIT_COMPILER_NOT_FOUND:
    case CUDA_ERROR_FILE_NOT_FOUND:
    case CUDA_ERROR_NOT_FOUND:
      return RunnerFault::kLoadFailed;
    case CUDA_ERROR_INVALID_VALUE:
    case CUDA_ERROR_INVALID_DEVICE:
    case CUDA_ERROR_NO_DEVICE:
    case CUDA_ERROR_NOT_SUPPORTED:
    case CUDA_ERROR_NOT_PERMITTED:
    case CUDA_ERROR_INVALID_RESOURCE_TYPE:
    case CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION:
    case CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY:
    case CUDA_ERROR_UNSUPPORTED_LIMIT:
    case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
    case CUDA_ERROR_STUB_LIBRARY:
    case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
    case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
    case CUDA_ERROR_MPS_CONNECTION_FAILED:
    case CUDA_ERROR_MPS_SERVER_NOT_READY:
    case CUDA_ERROR_MPS_MAX_CLIENTS_REACHED:
    case CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED:
      return RunnerFault::kUnsupported;
    default:
      return RunnerFault::kDeviceLost;
  }
}

std::string describe(const CudaDriver& driver, CUresult result) {
  const char* name = nullptr;
  const char* text = nullptr;
  driver.GetErrorName(result, &name);
  driver.GetErrorString(result, &text);
  if (name == nullptr) return fmt::format("CUDA error {}", static_cast<int>(result));
  return text == nullptr ? name : fmt::format("{} ({})", name, text);
}

void check(const CudaDriver& driver, CUresult result, std::string_view what) {
  if (result == CUDA_SUCCESS) return;
  throw RunnerError(fault_of(result), fmt::format("{}: {}", what, describe(driver, result)));
}

int device_ordinal(const std::string& device) {
  constexpr std::string_view kPrefix = "cuda:";
  int ordinal = -1;
  if (device.starts_with(kPrefix)) {
    const char* end = device.data() + device.size();
    const auto parsed = std::from_chars(device.data() + kPrefix.size(), end, ordinal);
    if (parsed.ec != std::errc() || parsed.ptr != end) ordinal = -1;
  }
  if (ordinal < 0) unsupported("device \"" + device + "\": a CUDA device is cuda:N");
  return ordinal;
}

}  // namespace tangram
