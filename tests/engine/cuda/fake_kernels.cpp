// What the kernels of kernels.cu do on the fake driver, and how launches and graphs run them.
#include <atomic>

#include "tests/engine/cuda/fake_state.h"

namespace tangram::fake {
namespace {

template <typename Value>
Value argument(void** arguments, int index) {
  Value value;
  std::memcpy(&value, arguments[index], sizeof value);
  return value;
}
// What one kernel does, with its arguments taken when it was launched.
struct Work {
  double block_ns = 1000;
  std::function<void(double start, double end, const Sms& sms)> effect;
};

Work stamp_work(void** arguments) {
  auto* const out = at<unsigned long long>(argument<CUdeviceptr>(arguments, 1));
  return {static_cast<double>(argument<std::uint64_t>(arguments, 0)),
          [out](double start, double end, const Sms&) {
            out[0] = std::min(out[0], static_cast<unsigned long long>(start));
            out[1] = std::max(out[1], static_cast<unsigned long long>(end));
          }};
}

Work smid_work(void** arguments, unsigned leaking) {
  auto* const counts = at<std::uint32_t>(argument<CUdeviceptr>(arguments, 0));
  return {static_cast<double>(argument<std::uint64_t>(arguments, 1)),
          [counts, leaking](double, double, const Sms& sms) {
            for (const unsigned sm : sms) ++counts[sm];
            for (unsigned i = 0; i < leaking; ++i) ++counts[(*sms.rbegin() + 1 + i) % 256];
          }};
}

Work ping_pong_work(void** arguments) {
  auto* const from = at<std::uint32_t>(argument<CUdeviceptr>(arguments, 0));
  auto* const to = at<std::uint32_t>(argument<CUdeviceptr>(arguments, 1));
  const auto rounds = argument<std::uint32_t>(arguments, 2);
  return {1000, [from, to, rounds](double, double, const Sms&) {
            current->answers.emplace_back([from, to, rounds](const std::stop_token& stop) {
              for (std::uint32_t i = 1; i <= rounds; ++i) {
                while (std::atomic_ref(*from).load() != i && !stop.stop_requested()) {
                  std::this_thread::yield();
                }
                std::atomic_ref(*to).store(i);
              }
            });
          }};
}

Work work_of(const std::string& kernel, void** arguments, const Driver::State& state) {
  if (kernel.starts_with("tangram_spin")) {
    return {static_cast<double>(argument<std::uint64_t>(arguments, 0)), {}};
  }
  if (kernel == "tangram_stamp") return stamp_work(arguments);
  if (kernel == "tangram_smid") return smid_work(arguments, state.settings.leaking_sms);
  if (kernel == "tangram_ping_pong") return ping_pong_work(arguments);
  if (kernel == "tangram_flag") {
    auto* const flag = at<std::uint32_t>(argument<CUdeviceptr>(arguments, 0));
    const auto value = argument<std::uint32_t>(arguments, 1);
    return {1000, [flag, value](double, double, const Sms&) { *flag = value; }};
  }
  return {};
}

CUresult run_kernel(const Launch& launch, const Work& work, Stream& stream) {
  Driver::State& state = *current;
  state.launches.push_back(launch);
  state.launches.back().sms = stream.sms;
  state.launches.back().priority = stream.priority;
  if (state.settings.lost_at_launch == state.launches.size()) state.lost = true;
  if (state.lost) return kLost;
  const auto [start, end] =
      state.place(stream, launch.grid, launch.block, work.block_ns, stream.sms.size());
  if (work.effect) work.effect(start, end, stream.sms);
  return CUDA_SUCCESS;
}

}  // namespace

CUresult launch_kernel(CUfunction function,
                       unsigned grid,
                       unsigned,
                       unsigned,
                       unsigned block,
                       unsigned,
                       unsigned,
                       unsigned shared_memory,
                       CUstream handle,
                       void** arguments,
                       void**) {
  return guarded([&](Driver::State& state) -> CUresult {
    if (grid == 0 || block == 0 || block > 1024) return CUDA_ERROR_INVALID_VALUE;
    const std::string& name = reinterpret_cast<Kernel*>(function)->name;
    Launch launch{name, grid, block, shared_memory, {}, 0, false};
    const Work work = work_of(name, arguments, state);
    Stream& stream = *reinterpret_cast<Stream*>(handle);
    if (stream.capture == nullptr) return run_kernel(launch, work, stream);
    launch.from_graph = true;
    stream.capture->nodes.push_back(
        [launch, work](Stream& replay) { return run_kernel(launch, work, replay); });
    return CUDA_SUCCESS;
  });
}

}  // namespace tangram::fake
