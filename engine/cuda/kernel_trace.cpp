#include "engine/cuda/kernel_trace.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <mutex>

#include <fmt/format.h>

#include "engine/cuda/cupti_records.h"
#include "engine/worker/runner.h"

namespace tangram {
// Named, because KernelTrace::State holds them.
namespace detail {

struct Cupti {
  decltype(&cuptiActivityRegisterCallbacks) register_callbacks = nullptr;
  decltype(&cuptiActivityEnable) enable = nullptr;
  decltype(&cuptiActivityDisable) disable = nullptr;
  decltype(&cuptiActivityFlushAll) flush_all = nullptr;
  decltype(&cuptiActivityGetNextRecord) next_record = nullptr;
  decltype(&cuptiActivityGetNumDroppedRecords) dropped = nullptr;
};

// CUPTI asks for buffers and hands full ones back without a word about whose they are.
struct CuptiSink {
  std::mutex mutex;
  Cupti cupti;
  CuptiRecords records;
  std::size_t lost = 0;
};

}  // namespace detail

namespace {

using detail::Cupti;
using detail::CuptiSink;

[[noreturn]] void no_kernel_lists(const std::string& what) {
  throw RunnerError(RunnerFault::kUnsupported, "kernel lists: " + what);
}

Cupti load_cupti() {
  // Records have the layout of the headers' version; another version's would be read wrongly.
  const std::string name = fmt::format("libcupti.so.{}", CUPTI_API_VERSION / 10000);
  void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    no_kernel_lists(reason != nullptr ? reason : name);
  }
  Cupti cupti;
  const auto find = [&]<typename Function>(Function& target, const char* symbol) {
    target = reinterpret_cast<Function>(::dlsym(library, symbol));
    if (target == nullptr) no_kernel_lists(fmt::format("{} has no {}", name, symbol));
  };
  find(cupti.register_callbacks, "cuptiActivityRegisterCallbacks");
  find(cupti.enable, "cuptiActivityEnable");
  find(cupti.disable, "cuptiActivityDisable");
  find(cupti.flush_all, "cuptiActivityFlushAll");
  find(cupti.next_record, "cuptiActivityGetNextRecord");
  find(cupti.dropped, "cuptiActivityGetNumDroppedRecords");
  return cupti;
}

CuptiSink* sink = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

constexpr std::size_t kBufferBytes = std::size_t{4} << 20;

void CUPTIAPI give_buffer(std::uint8_t** buffer, std::size_t* size, std::size_t* most_records) {
  *buffer = static_cast<std::uint8_t*>(std::aligned_alloc(8, kBufferBytes));
  *size = *buffer != nullptr ? kBufferBytes : 0;
  *most_records = 0;  // as many as fit
}

void CUPTIAPI take_buffer(
    CUcontext context, std::uint32_t stream, std::uint8_t* buffer, std::size_t, std::size_t valid) {
  if (sink != nullptr) {
    const std::lock_guard lock(sink->mutex);
    CUpti_Activity* record = nullptr;
    while (sink->cupti.next_record(buffer, valid, &record) == CUPTI_SUCCESS) {
      sink->records.add(*record);
    }
    std::size_t lost = 0;
    if (sink->cupti.dropped(context, stream, &lost) == CUPTI_SUCCESS) sink->lost += lost;
  }
  std::free(buffer);
}

bool same_shape(const TracedKernel& a, const TracedKernel& b) {
  return a.kernel.name == b.kernel.name && a.kernel.grid == b.kernel.grid &&
         a.kernel.threads == b.kernel.threads;
}

}  // namespace

struct KernelTrace::State {
  detail::CuptiSink sink;
};

KernelTrace::KernelTrace() : state_(std::make_unique<State>()) {
  if (sink != nullptr) no_kernel_lists("a trace is running already");
  state_->sink.cupti = load_cupti();
  const Cupti& cupti = state_->sink.cupti;
  sink = &state_->sink;
  const bool is_on = cupti.register_callbacks(give_buffer, take_buffer) == CUPTI_SUCCESS &&
                     cupti.enable(CUPTI_ACTIVITY_KIND_CONTEXT) == CUPTI_SUCCESS &&
                     cupti.enable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL) == CUPTI_SUCCESS;
  if (!is_on) {
    sink = nullptr;
    no_kernel_lists("CUPTI does not record on this machine");
  }
}

KernelTrace::~KernelTrace() {
  state_->sink.cupti.disable(CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
  state_->sink.cupti.disable(CUPTI_ACTIVITY_KIND_CONTEXT);
  state_->sink.cupti.flush_all(CUPTI_ACTIVITY_FLAG_FLUSH_FORCED);
  sink = nullptr;
}

std::vector<TracedKernel> KernelTrace::take() {
  state_->sink.cupti.flush_all(0);
  const std::lock_guard lock(state_->sink.mutex);
  if (state_->sink.lost > 0) {
    no_kernel_lists(fmt::format("CUPTI lost {} records", state_->sink.lost));
  }
  return state_->sink.records.take();
}

std::optional<std::vector<Kernel>> kernels_of_batch(
    std::uint32_t batch, const std::vector<std::vector<TracedKernel>>& runs) {
  if (runs.empty() || runs.front().empty()) return std::nullopt;
  for (const std::vector<TracedKernel>& run : runs) {
    if (!std::ranges::equal(run, runs.front(), same_shape)) return std::nullopt;
  }
  std::vector<Kernel> kernels;
  for (std::size_t i = 0; i < runs.front().size(); ++i) {
    std::vector<double> durations;
    for (const auto& run : runs) durations.push_back(run[i].kernel.duration_us);
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::ranges::nth_element(durations, middle);
    kernels.push_back(runs.front()[i].kernel);
    kernels.back().batch = batch;
    kernels.back().duration_us = *middle;
  }
  return kernels;
}

}  // namespace tangram
