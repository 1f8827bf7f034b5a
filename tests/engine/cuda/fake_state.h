// The inside of the fake driver: what its handles point to, and what its entry points share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram::fake {

using Sms = std::set<unsigned>;
inline constexpr CUresult kLost = CUDA_ERROR_ILLEGAL_ADDRESS;

struct Green {
  Sms sms;
};
struct Stream;
struct Graph {
  std::vector<std::function<CUresult(Stream&)>> nodes;
};
struct Stream {
  Sms sms;
  int priority = 0;
  unsigned queue = 0;
  double end_ns = 0;  // of the last thing in it
  Graph* capture = nullptr;
  bool green = false;
};
struct Event {
  double ns = 0;
};
struct Kernel {
  std::string name;
};
struct Context {
  unsigned sms = 0;
};

struct Driver::State {
  explicit State(Settings s) : settings(std::move(s)), primary{settings.sms} {}

  Settings settings;
  mutable std::mutex mutex;
  Context primary;
  std::vector<Launch> launches;
  bool lost = false;
  std::uint32_t splits = 0;
  unsigned streams = 0;
  std::size_t objects = 0;
  std::map<CUdeviceptr, std::pair<std::unique_ptr<char[]>, std::size_t>> memory;
  std::map<CUdevResourceDesc, Sms> descriptions;
  std::map<std::string, std::unique_ptr<Kernel>> kernels;
  std::map<unsigned, double> queue_free_ns;
  std::multiset<double> running;      // ends of resident grids
  std::vector<std::jthread> answers;  // ping-pong kernels

  std::size_t used() const {
    std::size_t sum = 0;
    for (const auto& [at, block] : memory) sum += block.second;
    return sum;
  }
  Sms all_sms() const {
    Sms sms;
    for (unsigned i = 0; i < settings.sms * settings.mps_percentage / 100; ++i) sms.insert(i);
    return sms;
  }

  // When a grid starts and ends: after its stream, after the full dispatch of what went into its
  // hardware queue before it, and when there is room for one more grid.
  std::pair<double, double> place(
      Stream& stream, unsigned grid, unsigned block, double block_ns, std::size_t sms) {
    double start = stream.end_ns + settings.gap_ns;
    start = std::max(start, queue_free_ns[stream.queue]);
    running.erase(running.begin(), running.upper_bound(start));
    while (running.size() >= settings.resident_grids) {
      start = std::max(start, *running.begin());
      running.erase(running.begin());
    }
    const double room = static_cast<double>(sms) * std::min(2048U / block, 32U);
    const double waves = std::ceil(grid / room);
    const double end = start + waves * block_ns;
    queue_free_ns[stream.queue] = end - block_ns;
    running.insert(end);
    stream.end_ns = end;
    return {start, end};
  }
};

// The entry points of a driver are plain functions.
extern Driver::State* current;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// Every call after the device was lost fails.
template <typename Call>
CUresult guarded(Call call) {
  const std::lock_guard lock(current->mutex);
  return current->lost ? kLost : call(*current);
}

template <typename Handle, typename Object>
void give(Handle* handle, Object* object) {
  *handle = reinterpret_cast<Handle>(object);
  ++current->objects;
}
// Releases work on a lost device, too: tests look for leaks.
template <typename Object, typename Handle>
CUresult release(Handle handle) {
  const std::lock_guard lock(current->mutex);
  delete reinterpret_cast<Object*>(handle);
  --current->objects;
  return CUDA_SUCCESS;
}

template <typename Value>
Value* at(CUdeviceptr address) {
  return reinterpret_cast<Value*>(address);  // device memory is host memory here
}

CUresult new_stream(CUstream* handle, const Sms& sms, int priority, bool green);
CUresult launch_kernel(CUfunction function,
                       unsigned grid,
                       unsigned grid_y,
                       unsigned grid_z,
                       unsigned block,
                       unsigned block_y,
                       unsigned block_z,
                       unsigned shared_memory,
                       CUstream handle,
                       void** arguments,
                       void** extra);
void add_green(CudaDriver& table);

}  // namespace tangram::fake
