// The worker processes of a run: starts them, talks to them, sees them die, ends them. Knows
// nothing of plans and policies; the backends and the measuring of profiles are built on it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "engine/cpu_quota.h"
#include "engine/worker/protocol.h"
#include "engine/worker/runner.h"

namespace tangram {

// A lane of a worker, by the order of their specifications.
struct LaneAddress {
  std::uint32_t worker = 0, lane = 0;
  friend auto operator<=>(const LaneAddress&, const LaneAddress&) = default;
};

struct LoadReport {
  std::chrono::nanoseconds time{};
  double weights_mib = 0;
};

// What the pool tells, from a thread of its own. The calls must not block, and must not call the
// pool's open and close.
class WorkerListener {
 public:
  using Steady = std::chrono::steady_clock;
  virtual ~WorkerListener() = default;
  virtual void started(LaneAddress at, BatchId batch, Steady::time_point start) = 0;
  virtual void finished(LaneAddress at,
                        BatchId batch,
                        Steady::time_point start,
                        Steady::time_point end) = 0;
  // `reason` is empty for kTooLate, else a sentence: out of memory.
  virtual void refused(LaneAddress at, BatchId batch, Refusal why, const std::string& reason) = 0;
  virtual void loaded(LaneAddress, std::uint32_t /*model*/, const LoadReport&) {}
  virtual void unloaded(LaneAddress, std::uint32_t /*model*/) {}
  // `kernels` is JSON for kernels_from().
  virtual void traced(LaneAddress, std::uint32_t /*model*/, const std::string& /*kernels*/) {}
  // A load, an unload or a list of kernels.
  virtual void load_failed(LaneAddress, std::uint32_t /*model*/, const RunnerError&) {}
  // The lane is gone with all that it held, and says nothing more. Once for each.
  virtual void lost(LaneAddress at, const std::string& why) = 0;
};

struct PoolOptions {
  std::string folder;  // of the worker programs; "": beside the running program
  std::chrono::milliseconds ready_within{600'000};
  // Where quotas of processor time are made; nullopt: in this process's own control group.
  std::optional<CgroupPlace> cgroup;
  // What runs at close() may take this long to end before its process is killed.
  std::chrono::milliseconds close_within{2'000};
};

class WorkerPool {
 public:
  using Steady = std::chrono::steady_clock;

  explicit WorkerPool(PoolOptions options = {});
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Starts all workers at the same time and returns their grants when all are ready. Throws
  // ConfigError for a model that cannot be loaded, SystemError for anything else, and leaves no
  // process behind. Once; the listener must outlive close().
  const std::vector<WorkerGrant>& open(const std::vector<WorkerSpec>& specs,
                                       WorkerListener& listener);
  const std::vector<WorkerGrant>& grants() const;

  // Hand a job to a lane, which does one after the other in this order. What is sent to a lane that
  // is gone vanishes: its loss is or will be told.
  void run(LaneAddress at,
           BatchId batch,
           std::uint32_t model,
           std::uint32_t size,
           Steady::time_point earliest = Steady::time_point::min(),
           Steady::time_point latest = Steady::time_point::max());
  void load(LaneAddress at, std::uint32_t model);
  void unload(LaneAddress at, std::uint32_t model);
  // Asks for the kernels of a batch of a loaded model. Requires: WorkerSpec::lists_kernels.
  void trace(LaneAddress at, std::uint32_t model, std::uint32_t size);

  // The process of a worker, for tests and messages.
  pid_t process(std::uint32_t worker) const;

  // Lets what runs end, for close_within; then kills. Nothing is told from this call on. May be
  // called twice; grants() ends with it.
  void close();

 private:
  class Reader;
  PoolOptions options_;
  std::unique_ptr<Reader> reader_;  // while open
};

}  // namespace tangram
