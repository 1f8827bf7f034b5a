// The worker pool for programs that wait for each answer: measuring, calibration, tests.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/worker_pool.h"

namespace tangram {

// When a batch ran, as its lane stamped it; transport is not part of it.
struct BatchTimes {
  std::chrono::steady_clock::time_point start, end;
};

class WorkerCalls final : private WorkerListener {
 public:
  using Steady = std::chrono::steady_clock;

  explicit WorkerCalls(PoolOptions options = {}) : pool_(std::move(options)) {}
  ~WorkerCalls() override;
  WorkerCalls(const WorkerCalls&) = delete;
  WorkerCalls& operator=(const WorkerCalls&) = delete;

  // As WorkerPool.
  const std::vector<WorkerGrant>& open(const std::vector<WorkerSpec>& specs);
  const std::vector<WorkerGrant>& grants() const { return pool_.grants(); }
  pid_t process(std::uint32_t worker) const { return pool_.process(worker); }

  // Each waits for its answer. Throws RunnerError when the lane says no (a batch or a model too
  // large), SystemError when the lane is gone.
  LoadReport load(LaneAddress at, std::uint32_t model);
  void unload(LaneAddress at, std::uint32_t model);
  BatchTimes run(LaneAddress at, std::uint32_t model, std::uint32_t size);
  std::vector<Kernel> kernels(LaneAddress at, std::uint32_t model, std::uint32_t size);
  // The same without waiting: start a batch on each of several lanes at one moment, then get() the
  // answers, which throws what run() throws.
  std::future<BatchTimes> start(LaneAddress at,
                                std::uint32_t model,
                                std::uint32_t size,
                                Steady::time_point earliest = Steady::time_point::min());

 private:
  // What a lane said to a call: one of the three, or what went wrong, which is thrown by the thread
  // that asked.
  struct Answer {
    BatchTimes times;
    LoadReport report;
    std::optional<RunnerFault> fault;
    bool is_lost = false;
    std::string why;
    std::string kernels;  // as JSON
  };
  using Key = std::pair<LaneAddress, std::uint32_t>;  // with the batch's slot, or the model
  using Calls = std::map<Key, std::promise<Answer>>;

  // A call that waits. Throws SystemError when the lane is gone already.
  std::future<Answer> expect(Calls& calls, const Key& key);
  // Returns the answer, or throws what went wrong.
  static Answer checked(std::future<Answer> answer);
  void answer(Calls& calls, const Key& key, const Answer& answer);
  void started(LaneAddress, BatchId, Steady::time_point) override {}
  void finished(LaneAddress at,
                BatchId batch,
                Steady::time_point start,
                Steady::time_point end) override;
  void refused(LaneAddress at, BatchId batch, Refusal why, const std::string& reason) override;
  void loaded(LaneAddress at, std::uint32_t model, const LoadReport& report) override;
  void unloaded(LaneAddress at, std::uint32_t model) override;
  void traced(LaneAddress at, std::uint32_t model, const std::string& kernels) override;
  void load_failed(LaneAddress at, std::uint32_t model, const RunnerError& error) override;
  void lost(LaneAddress at, const std::string& why) override;

  std::atomic<std::uint32_t> next_ = 0;
  std::mutex mutex_;       // guards the next two
  Calls batches_, loads_;  // not yet answered
  std::map<LaneAddress, std::string> lost_;
  WorkerPool pool_;  // last: its thread uses all of the above
};

}  // namespace tangram
