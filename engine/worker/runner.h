// The inside of a worker process: a device, divided into lanes that run batches. One implementation
// per runner; the worker's loop (worker.h) knows these interfaces.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/worker/spec.h"

namespace tangram {

// What can go wrong in a worker; the engine treats them differently.
enum class RunnerFault : std::uint8_t {
  kOutOfMemory,  // of the device or the process; the lane goes on
  kLoadFailed,   // a model's file is missing, damaged or does not fit the runner; the lane goes on
  kDeviceLost,   // nothing will run on this device any more; the worker ends
  kUnsupported,  // the device or driver cannot do what the spec asks
};
// "out of memory", "load failed", "device lost", "unsupported".
std::string to_string(RunnerFault fault);

class RunnerError : public std::runtime_error {
 public:
  RunnerError(RunnerFault fault, const std::string& what)
      : std::runtime_error(what), fault_(fault) {}
  RunnerFault fault() const { return fault_; }

 private:
  RunnerFault fault_;
};

// An executor's hands. Made, used and destroyed by one thread, its own; `model` is an index into
// WorkerSpec::models. Everything throws RunnerError.
class Lane {
 public:
  virtual ~Lane() = default;
  virtual LaneGrant grant() const = 0;
  // Brings the weights to the device, ready to run. Requires: not loaded.
  virtual void load(std::uint32_t model) = 0;
  // Frees what load() took. Requires: loaded.
  virtual void unload(std::uint32_t model) = 0;
  // Runs one batch of inputs of the model's shape, made beforehand, and returns when the results
  // are in host memory. Requires: loaded; batch >= 1.
  virtual void run(std::uint32_t model, std::uint32_t batch) = 0;
  // Memory that the weights of a loaded model hold, MiB; 0 where the runner cannot tell.
  virtual double weights_mib(std::uint32_t model) const = 0;
  // Runs a batch several times and returns its kernels, in the order of their starts, with median
  // durations. Requires: loaded. Throws RunnerError: kUnsupported where they cannot be listed, or
  // WorkerSpec::lists_kernels was not set.
  virtual std::vector<Kernel> kernels(std::uint32_t /*model*/, std::uint32_t /*batch*/) {
    throw RunnerError(RunnerFault::kUnsupported, "this runner lists no kernels");
  }
};

// The device of one worker process; lanes open from their own threads, in any order, after it.
class WorkerDevice {
 public:
  virtual ~WorkerDevice() = default;
  // Without lanes.
  virtual WorkerGrant describe() const = 0;
  // Throws RunnerError. The device outlives its lanes.
  virtual std::unique_ptr<Lane> open(const LaneSpec& lane, std::size_t index) = 0;
};

// Makes the device of a spec; the spec outlives it. Throws RunnerError.
using MakeDevice = std::unique_ptr<WorkerDevice> (*)(const WorkerSpec& spec);

// A runner that a worker program has.
struct RunnerEntry {
  std::string name;  // WorkerSpec::runner
  MakeDevice make = nullptr;
};

}  // namespace tangram
