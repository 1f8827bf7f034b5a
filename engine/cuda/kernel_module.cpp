#include "engine/cuda/kernel_module.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tangram {

KernelModule::KernelModule(const CudaDriver& driver, KernelImage image) : driver_(&driver) {
  if (image.size == 0) {
    throw RunnerError(RunnerFault::kUnsupported,
                      "this program was built without a CUDA compiler and has no kernels");
  }
  CUmodule module = nullptr;
  check(driver, driver.ModuleLoadData(&module, image.data), "loading the kernels");
  module_ = {driver, module};
}

CUfunction KernelModule::function(const std::string& name) const {
  CUfunction function = nullptr;
  check(*driver_, driver_->ModuleGetFunction(&function, module_.get(), name.c_str()), name);
  return function;
}

void launch(const CudaDriver& driver,
            CUfunction function,
            const LaunchShape& shape,
            CUstream stream,
            std::initializer_list<const void*> arguments) {
  constexpr std::size_t kMost = 8;
  std::array<void*, kMost> addresses{};
  std::size_t i = 0;
  // The driver only reads them; its prototype is older than const.
  for (const void* address : arguments) addresses.at(i++) = const_cast<void*>(address);
  const CUresult result =
      driver.LaunchKernel(function, shape.grid, 1, 1, shape.block, 1, 1, shape.shared_memory,
                          stream, addresses.data(), nullptr);
  check(driver, result, "cuLaunchKernel");
}

std::set<unsigned> used_sms(const KernelModule& module, CUstream stream, unsigned device_sms) {
  constexpr std::size_t kMostSms = 1024;
  constexpr unsigned kBlock = 1024;  // two to an SM at most, so that the blocks spread
  constexpr std::uint64_t kStayNs = 20'000;
  const CudaDriver& driver = module.driver();
  std::vector<std::uint32_t> blocks(kMostSms);
  const std::size_t bytes = blocks.size() * sizeof(std::uint32_t);
  const DeviceMemory counts = device_memory(driver, bytes);
  const CUdeviceptr address = counts.get();
  check(driver, driver.MemsetD8Async(address, 0, bytes, stream), "cuMemsetD8Async");
  launch(driver, module.function("tangram_smid"), {4 * device_sms, kBlock, 0}, stream,
         {&address, &kStayNs});
  check(driver, driver.MemcpyDtoHAsync(blocks.data(), address, bytes, stream), "cuMemcpyDtoHAsync");
  check(driver, driver.StreamSynchronize(stream), "cuStreamSynchronize");
  std::set<unsigned> used;
  for (unsigned sm = 0; sm < kMostSms; ++sm) {
    if (blocks[sm] > 0) used.insert(sm);
  }
  return used;
}

}  // namespace tangram
