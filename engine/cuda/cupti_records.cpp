#include "engine/cuda/cupti_records.h"

#include <algorithm>
#include <utility>

namespace tangram {
namespace {

// Records grow from version to version of CUPTI, at their end.
#if CUPTI_API_VERSION >= 130000
using KernelRecord = CUpti_ActivityKernel10;
#else
using KernelRecord = CUpti_ActivityKernel9;
#endif

TracedKernel kernel_from(const KernelRecord& record) {
  TracedKernel traced;
  traced.start_ns = record.start;
  traced.stream = record.streamId;
  Kernel& kernel = traced.kernel;
  kernel.name = record.name != nullptr ? record.name : "?";
  kernel.grid = static_cast<std::uint32_t>(record.gridX * record.gridY * record.gridZ);
  kernel.threads = static_cast<std::uint32_t>(record.blockX * record.blockY * record.blockZ);
  kernel.registers = record.registersPerThread;
  kernel.shared_memory =
      static_cast<std::uint32_t>(record.staticSharedMemory + record.dynamicSharedMemory);
  kernel.duration_us = static_cast<double>(record.end - record.start) / 1e3;
  return traced;
}

}  // namespace

void CuptiRecords::add(const CUpti_Activity& record) {
  if (record.kind == CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) {
    const auto& kernel = reinterpret_cast<const KernelRecord&>(record);
    kernels_.push_back({kernel_from(kernel), kernel.contextId});
  }
#if CUPTI_API_VERSION >= 130000
  if (record.kind == CUPTI_ACTIVITY_KIND_CONTEXT) {
    const auto& context = reinterpret_cast<const CUpti_ActivityContext3&>(record);
    contexts_[context.contextId] = {context.isGreenContext != 0, context.numMultiprocessors};
  }
#endif
}

std::vector<TracedKernel> CuptiRecords::take() {
  std::vector<TracedKernel> kernels;
  for (Pending& pending : kernels_) {
    const ContextFacts& facts = contexts_[pending.context];
    pending.kernel.is_green = facts.is_green;
    pending.kernel.sms = facts.sms;
    kernels.push_back(std::move(pending.kernel));
  }
  kernels_.clear();
  std::ranges::stable_sort(kernels, {}, &TracedKernel::start_ns);
  return kernels;
}

}  // namespace tangram
