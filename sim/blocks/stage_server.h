// One block device with the stage dispatcher that drives it: the server that reads messages one by
// one, asks the policy, and issues launches, each of which costs it time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "policies/stage_dispatcher.h"
#include "sim/blocks/device.h"
#include "sim/core/ring.h"

namespace tangram {

// What a workload's requests are on this device.
struct StageProgram {
  StageModel model;
  std::vector<DeviceKernel> kernels;  // by stage
};

// An executor of the plan on this device: a process, or the part of the GPU that it is confined to.
struct StageSlot {
  ExecutorId executor;
  bool own_context = false;  // takes turns with the others (GPU mode time_sliced)
  std::uint32_t sms_cap = ~std::uint32_t{0};
  std::uint32_t first_sm = 0, sms = 0;
};

class StageServer {
 public:
  // A job that this server has answered, with the times that are its own.
  struct Answer {
    std::uint64_t user = 0;
    TimePoint decided, start;
  };

  // `programs` by workload; empty stages where the device does not serve it.
  StageServer(const BlockSpec& spec,
              const StageTarget& target,
              std::vector<StageProgram> programs,
              std::vector<StageSlot> slots,
              std::unique_ptr<StageDispatcher> policy,
              StreamKey key);
  StageServer(const StageServer&) = delete;
  StageServer& operator=(const StageServer&) = delete;

  // A request for a workload that the device serves, in one of its slots. `stretch`: of its
  // kernels' times. `user` comes back with the answer.
  void submit(
      WorkloadId workload, std::uint32_t slot, double stretch, std::uint64_t user, TimePoint now);
  // When the device or the server does something next.
  TimePoint next_device() const { return device_->next(); }
  TimePoint next_server() const;
  void advance_device(TimePoint now);
  // Reads the messages that are due and carries out what the policy answers.
  void advance_server(TimePoint now);
  // Since the last clear.
  const std::vector<Answer>& answers() const { return answers_; }
  void clear_answers() { answers_.clear(); }

  bool busy() const { return device_->busy(); }
  const BlockDevice& device() const { return *device_; }
  const std::vector<StageSlot>& slots() const { return slots_; }
  std::uint32_t jobs() const { return active_; }  // not answered yet
  std::uint32_t jobs_in(std::uint32_t slot) const { return jobs_in_[slot]; }
  bool serves(WorkloadId w) const { return !programs_[w.index()].kernels.empty(); }
  Duration alone(WorkloadId w) const { return alone_[w.index()]; }
  std::uint64_t messages() const { return messages_; }
  // Visits (user, decided, start) of every job that is not answered; start is kNever before its
  // first launch.
  template <typename Visit>
  void for_each_job(Visit visit) const {
    for (const Job& job : jobs_) {
      if (job.active) visit(job.user, job.decided, job.start);
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  struct Job {
    bool active = false;
    std::uint32_t slot = 0;
    double stretch = 1;
    std::uint64_t user = 0;
    TimePoint decided = kNever, start = kNever;
    std::vector<std::uint32_t> tags;  // of launched, unfinished stages, the oldest first
  };
  // A launch on the device.
  struct Tag {
    JobId job;
    std::uint32_t stage = 0;
    std::uint32_t with = kNone;  // the next job of a merged launch: another tag, not on the device
    bool watched = false;
    std::unique_ptr<DeviceKernel> merged;  // its kernel, where it is of several jobs
  };
  struct Notice {
    TimePoint at;  // in the server's memory
    StageMessage message;
  };

  std::uint32_t new_tag(JobId job, std::uint32_t stage);
  void read_reports(TimePoint now);
  void report(const DeviceReport& report, std::uint32_t tag, TimePoint now);
  void handle(const StageMessage& message, TimePoint now);
  void carry_out(TimePoint now);
  void issue(const StageLaunch& launch, std::size_t& merged, TimePoint now);
  std::uint32_t client_of(JobId job) const;
  std::uint32_t records_of(const StageMessage& message) const;

  BlockSpec spec_;
  StageTarget target_;
  std::vector<StageProgram> programs_;
  std::vector<StageModel> models_;
  std::vector<Duration> alone_;  // by workload
  std::vector<StageSlot> slots_;
  std::unique_ptr<StageDispatcher> policy_;
  StageSetup setup_;
  std::unique_ptr<BlockDevice> device_;
  StageView view_;
  StageDecisions decisions_;
  std::vector<StageJob> stage_jobs_;  // by JobId, as the policy sees them
  std::vector<Job> jobs_;
  std::vector<JobId> free_jobs_;
  std::vector<Tag> tags_;
  std::vector<std::uint32_t> free_tags_;
  Ring<Notice> requests_, notices_;
  std::vector<TimePoint> free_at_;  // by client; a server has one thread for all: the first
  std::vector<std::uint32_t> jobs_in_;
  std::vector<Answer> answers_;
  std::uint64_t accepted_ = 0, messages_ = 0;
  std::uint32_t active_ = 0;
};

}  // namespace tangram
