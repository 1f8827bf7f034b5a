// A CUDA driver that runs nothing: it keeps the rules that the documentation states, remembers what
// was asked of it, and has a clock of its own on which kernels take the time that they were given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/cuda/driver.h"
#include "engine/cuda/kernel_module.h"
#include "engine/cuda/nvml.h"

namespace tangram::fake {

// An image of kernels: the fake knows them by name and does not look at the bytes.
inline constexpr int kAnyBytes = 0;
inline constexpr KernelImage kImage{&kAnyBytes, sizeof kAnyBytes};

struct Settings {
  unsigned devices = 1;
  int compute_major = 9;
  unsigned sms = 132;
  std::size_t memory = std::size_t{1} << 30;
  // Partitions of at least this many SMs get `withheld_sms` fewer than asked.
  unsigned withhold_from = 1000, withheld_sms = 0;
  bool green_contexts = true;
  bool contexts_fail = false;              // cuGreenCtxCreate: out of memory
  std::optional<unsigned> lost_at_launch;  // the n-th launch, counted from 1, loses the device
  unsigned mps_percentage = 100;           // what this process may use
  unsigned hardware_queues = 8;            // streams share them round robin
  unsigned resident_grids = 128;
  double gap_ns = 2000;      // between kernels of a stream
  unsigned leaking_sms = 0;  // kernels in a green context use this many SMs outside it, too
};

struct Launch {
  std::string kernel;
  unsigned grid = 0, block = 0, shared_memory = 0;
  std::set<unsigned> sms;  // on which it may run
  int priority = 0;
  bool from_graph = false;
};

// One fake driver exists at a time: the driver's functions take no state of ours.
class Driver {
 public:
  explicit Driver(Settings settings);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  CudaDriver table() const;
  std::vector<Launch> launches() const;
  std::size_t memory_in_use() const;
  // Contexts, streams, events, modules, graphs and memory that were not released.
  std::size_t live_objects() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

// An NVML of one GPU; in MIG mode when there are instances.
struct NvmlInstance {
  std::string uuid;
  unsigned slices = 0, sms = 0;
  unsigned long long memory_mib = 0;
};
// Its counters, and what their calls answer.
struct NvmlCounters {
  bool supported = true;
  double dram_pct = 62.5, sm_occupancy_pct = 25;
  int support_result = kNvmlSuccess, sample_result = kNvmlSuccess, metrics_result = kNvmlSuccess;
  int occupancy_result = kNvmlSuccess;  // of that metric alone
  unsigned memory = 2;                  // samples that there is memory for
  std::size_t samples = 0;              // that are allocated
};
class Nvml {
 public:
  explicit Nvml(std::vector<NvmlInstance> instances);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  NvmlLibrary table() const;
  NvmlCounters& counters() const;
};

}  // namespace tangram::fake
