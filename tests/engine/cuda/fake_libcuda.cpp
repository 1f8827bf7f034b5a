// The fake driver as a library that programs find in place of the real one: libcuda.so.1 in a
// folder of its own, for tests of whole processes.
#include <string_view>

#include "tests/engine/cuda/fake_driver.h"

extern "C" CUresult cuGetProcAddress(const char* symbol,
                                     void** address,
                                     int version,
                                     cuuint64_t,
                                     CUdriverProcAddressQueryResult* found) {
  static const tangram::fake::Driver fake({});
  static const tangram::CudaDriver table = fake.table();
  *address = nullptr;
  // As in a real driver, an entry point has the version that brought its prototype.
#define TANGRAM_FAKE_ENTRY(name, its_version)                           \
  if (std::string_view(symbol) == "cu" #name && version == its_version) \
    *address = reinterpret_cast<void*>(table.name);
  TANGRAM_CUDA_REQUIRED(TANGRAM_FAKE_ENTRY)
  TANGRAM_CUDA_GREEN(TANGRAM_FAKE_ENTRY)
#undef TANGRAM_FAKE_ENTRY
  *found = *address != nullptr ? CU_GET_PROC_ADDRESS_SUCCESS : CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  return *address != nullptr ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}
