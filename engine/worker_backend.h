// A backend whose executors are lanes of worker processes: all that run on a real device. What
// differs between them is the layout.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/layout.h"
#include "engine/pinned_thread.h"

namespace tangram {

class WorkerBackend final : public Backend, private WorkerListener {
 public:
  WorkerBackend(std::string name, LayOut lay_out, EngineSettings settings);
  ~WorkerBackend() override;

  std::string name() const override { return name_; }
  // Pins the calling thread, and those that it starts, to the dispatcher's core until close().
  void open(const Deployment& deployment, const RealClock& clock, Inbox& inbox) override;
  void submit(const RunCommand& command) override;
  void close() override;
  std::vector<std::string> granted() const override;

  // The process of an executor.
  pid_t process(ExecutorId executor) const;

 private:
  using Steady = RealClock::Steady;

  void take_grants(const Deployment& deployment, const std::vector<WorkerGrant>& grants);
  ExecutorId executor_at(LaneAddress at) const { return executor_at_[at.worker][at.lane]; }
  // The clock has been started by the time that a lane answers; says so to the memory model.
  TimePoint time_of(Steady::time_point moment) const;
  void started(LaneAddress at, BatchId batch, Steady::time_point start) override;
  void finished(LaneAddress at,
                BatchId batch,
                Steady::time_point start,
                Steady::time_point end) override;
  void refused(LaneAddress at, BatchId batch, Refusal why, const std::string& reason) override;
  void lost(LaneAddress at, const std::string& why) override;

  const std::string name_;
  const LayOut lay_out_;
  const EngineSettings settings_;
  const Deployment* deployment_ = nullptr;
  const RealClock* clock_ = nullptr;
  Inbox* inbox_ = nullptr;
  Layout layout_;
  std::vector<std::vector<ExecutorId>> executor_at_;  // by worker and lane
  std::vector<std::string> notes_;
  std::atomic<bool> has_submitted_ = false;
  mutable std::mutex mutex_;                     // guards the next
  std::map<std::string, std::uint64_t> events_;  // what executors reported, and how often
  std::unique_ptr<PinnedThread> pinned_;
  WorkerPool pool_;  // last: its thread uses all of the above
};

}  // namespace tangram
