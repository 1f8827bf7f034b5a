// The seam for policies that decide kernel by kernel. A job (one request) is a fixed sequence of
// stages: copies and kernels. The stage dispatcher is told, one message at a time, what its server
// learned, sees a read-only StageView, and answers with launches. Like a Dispatcher it has no
// clock, no thread and no randomness of its own. Semantics: docs/model/blocks.md.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "policies/policy_info.h"
#include "profiles/sm_limits.h"
#include "sim/core/check.h"
#include "sim/core/ids.h"
#include "sim/core/time.h"

namespace tangram {

using JobId = Id<struct JobTag>;  // a reused slot: a job's until the policy has seen its last stage

// What the server knows of a stage before it launches it.
struct StageInfo {
  enum class Kind : std::uint8_t { kKernel, kCopyIn, kCopyOut };
  Kind kind = Kind::kKernel;
  std::uint32_t blocks = 0;  // 0: a copy
  BlockNeed need;            // of one block
  std::uint32_t per_sm = 1;  // blocks that an empty SM holds
  Duration alone{};          // profiled, alone on the device
  bool memory_bound = false;
};

// The stages of a workload's requests on this device.
struct StageModel {
  std::string workload;
  Duration slo{};
  std::vector<StageInfo> stages;
};

// The device that the policy drives: a GPU or a MIG instance.
struct StageTarget {
  std::uint32_t sms = 0;
  SmLimits sm;
};

struct StageJob {
  WorkloadId workload;
  std::uint64_t number = 0;    // of the job, in the order of arrival at this device, from 0
  TimePoint arrived;           // at the server
  std::uint32_t launched = 0;  // stages so far
  std::uint32_t finished = 0;  // of them, as the server knows
};

class StageView {
 public:
  StageView(const StageTarget& target, const std::vector<StageModel>& models)
      : target_(&target), models_(&models) {}

  TimePoint now() const { return now_; }
  const StageTarget& target() const { return *target_; }
  // By WorkloadId; without stages where this device does not serve the workload.
  const std::vector<StageModel>& models() const { return *models_; }
  const StageModel& model(WorkloadId w) const { return (*models_)[w.index()]; }
  const StageJob& job(JobId job) const { return (*jobs_)[job.index()]; }
  const StageModel& model_of(JobId j) const { return model(job(j).workload); }
  // The next stage that a job has to launch. Requires: there is one.
  const StageInfo& next_stage(JobId j) const { return model_of(j).stages[job(j).launched]; }
  bool all_launched(JobId j) const { return job(j).launched == model_of(j).stages.size(); }
  bool over(JobId j) const { return job(j).finished == model_of(j).stages.size(); }

  // For the runtime.
  void set(TimePoint now, const std::vector<StageJob>& jobs) {
    now_ = now;
    jobs_ = &jobs;
  }

 private:
  const StageTarget* target_;
  const std::vector<StageModel>* models_;
  const std::vector<StageJob>* jobs_ = nullptr;
  TimePoint now_;
};

// What the server has just learned.
struct StageMessage {
  enum class Kind : std::uint8_t {
    kArrived,   // a job; none of its stages is launched
    kPlaced,    // all blocks of the stage have begun; only if StageLaunch::watched
    kReleased,  // `blocks` more blocks have ended; only if StageSetup::released
    kFinished,  // the stage is over; `blocks` of it are released with this
    kKilled,    // by reset(); the stage counts as not launched
  } kind;
  JobId job;
  std::uint32_t stage = 0;
  std::uint32_t blocks = 0;
};

// What a policy needs of its device and its messages; asked once.
struct StageSetup {
  // Processes with hardware queues of their own: one, or one per workload.
  bool client_per_workload = false;
  bool time_sliced = false;  // those processes take turns; else they run together (MPS)
  bool server = true;        // its decisions and the messages to it cost the server's time
  // Which messages beside arrivals, last stages and killed ones.
  bool released = false;
  bool finished = false;  // of every stage
};

struct StageLaunch {
  JobId job;
  std::uint32_t stream = 0;                   // of the job's client; streams are numbered from 0
  std::uint8_t priority = 0;                  // 0 (most urgent) to 3
  std::uint32_t sms_cap = ~std::uint32_t{0};  // the most SMs that its blocks use at once
  std::uint32_t merged = 0;                   // further jobs that share this launch
  bool watched = false;                       // a kPlaced message is wanted
};

// What the policy wants; carried out in order after decide returns.
class StageDecisions {
 public:
  // Launches the job's next stage. Requires: there is one; its earlier stages are finished or were
  // launched into the same stream.
  void launch(JobId job, std::uint32_t stream, std::uint8_t priority = 0) {
    launches_.push_back({job, stream, priority});
  }
  void launch(const StageLaunch& launch) { launches_.push_back(launch); }
  // One kernel that does the next stages of several jobs, which must have equal shapes; its blocks
  // are theirs together. Requires: not empty.
  void launch_merged(std::span<const JobId> jobs, std::uint32_t stream) {
    launches_.push_back(
        {jobs[0], stream, 0, ~std::uint32_t{0}, static_cast<std::uint32_t>(jobs.size() - 1)});
    merged_.insert(merged_.end(), jobs.begin() + 1, jobs.end());
  }
  // Takes the launched, unfinished stages of a job off the device; what ran of them is lost. They
  // come back as kKilled messages, the newest first; launch none of them again before the last of
  // these. A copy under way finishes instead.
  void reset(JobId job) { resets_.push_back(job); }

  const std::vector<StageLaunch>& launches() const { return launches_; }
  const std::vector<JobId>& merged() const { return merged_; }
  const std::vector<JobId>& resets() const { return resets_; }
  void clear() {
    launches_.clear();
    merged_.clear();
    resets_.clear();
  }

 private:
  std::vector<StageLaunch> launches_;
  std::vector<JobId> merged_;  // of the merged launches, in their order
  std::vector<JobId> resets_;  // carried out before the launches
};

class StageDispatcher {
 public:
  virtual ~StageDispatcher() = default;
  // Once, before all else. `view` has no jobs yet.
  virtual StageSetup setup(const StageView& view) = 0;
  // Once per message. The view shows the state after it.
  virtual void decide(const StageView& view, const StageMessage& message, StageDecisions& out) = 0;
};

struct StageDispatcherEntry {
  PolicyInfo info;
  std::unique_ptr<StageDispatcher> (*make)(const Params& params);
};

// For the one line that a policy's file ends with.
template <typename T>
StageDispatcherEntry describe_stage_dispatcher(PolicyInfo info) {
  return {std::move(info), [](const Params& params) -> std::unique_ptr<StageDispatcher> {
            return std::make_unique<T>(params);
          }};
}

}  // namespace tangram
