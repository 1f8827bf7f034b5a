// Plays server and device to a stage dispatcher: what it launches is noted, and ends when the test
// says so.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "policies/registry.h"

namespace tangram {

// A kernel of `blocks` blocks of 1024 threads, of which one SM holds one.
inline StageInfo stage_of(double us, std::uint32_t blocks = 1, bool memory_bound = false) {
  StageInfo stage;
  stage.blocks = blocks;
  stage.need = {32, 0, 0};
  stage.alone = from_ns(us * 1e3);
  stage.memory_bound = memory_bound;
  return stage;
}

inline StageModel model_of(std::vector<StageInfo> stages) {
  StageModel model;
  model.stages = std::move(stages);
  return model;
}

inline StageModel model_of(std::uint32_t stages, double us, std::uint32_t blocks = 1) {
  return model_of(std::vector<StageInfo>(stages, stage_of(us, blocks)));
}

class StageBench {
 public:
  StageBench(const std::string& policy,
             const Json& params,
             std::vector<StageModel> models,
             std::uint32_t sms = 1)
      : target_{sms, {1024, 16, 65536, 65536}},
        models_(std::move(models)),
        view_(target_, models_),
        jobs_of_(models_.size()) {
    Faults faults;
    const JsonNode node(params, "test", faults);
    const StageDispatcherEntry* entry = find_stage_dispatcher(policy);
    policy_ = entry->make(read_params(entry->info, node, faults));
    faults.throw_if_any();
    view_.set(kStart, jobs_);
    policy_->setup(view_);
  }

  JobId arrive(std::uint32_t workload) {
    const JobId job(jobs_.size());
    jobs_.push_back({WorkloadId(workload), jobs_.size(), kStart, 0, 0});
    names_.push_back(letter(workload) + std::to_string(jobs_of_[workload]++));
    tell({StageMessage::Kind::kArrived, job});
    return job;
  }
  // The oldest launch that is not over ends; of a merged one, one job's part.
  void finish() {
    const auto [job, stage] = running.front();
    finish(job);
  }
  // The oldest launched stage of this job ends.
  void finish(JobId job) {
    const auto at = std::find_if(running.begin(), running.end(),
                                 [&](const auto& launch) { return launch.first == job; });
    ASSERT_NE(at, running.end());
    const std::uint32_t stage = at->second;
    running.erase(at);
    jobs_[job.index()].finished = stage + 1;
    const StageInfo& info = models_[jobs_[job.index()].workload.index()].stages[stage];
    tell({StageMessage::Kind::kFinished, job, stage, info.blocks});
  }
  void started(JobId job, std::uint32_t stage) {
    tell({StageMessage::Kind::kPlaced, job, stage, 0});
  }
  // The server learns what the resets so far have killed, the newest stages first.
  void deliver_kills() {
    while (!killed_.empty()) {
      const auto [job, stage] = killed_.front();
      killed_.pop_front();
      StageJob& seen = jobs_[job.index()];
      seen.launched = std::min(seen.launched, stage);
      tell({StageMessage::Kind::kKilled, job, stage, 0});
    }
  }
  // What the policy decided since the last call: "B0.2" is stage 2 of workload B's first job,
  // "/4" behind it a limit of 4 SMs, "+" joins jobs of one launch, "!B0" is a reset.
  std::string decided() {
    std::string log = std::move(log_);
    log_.clear();
    return log;
  }

  std::string trace;  // the workloads of the launches, in order: A, B, ..
  std::deque<std::pair<JobId, std::uint32_t>> running;

 private:
  static std::string letter(std::uint32_t workload) {
    return std::string(1, static_cast<char>('A' + workload));
  }

  void tell(const StageMessage& message) {
    view_.set(kStart, jobs_);
    StageDecisions out;
    policy_->decide(view_, message, out);
    for (const JobId job : out.resets()) reset(job);
    auto merged = out.merged().begin();
    for (const StageLaunch& launch : out.launches()) {
      std::string line = begin(launch.job);
      for (std::uint32_t i = 0; i < launch.merged; ++i) line += '+' + begin(*merged++);
      if (launch.sms_cap != ~std::uint32_t{0}) line += '/' + std::to_string(launch.sms_cap);
      note(line);
      trace += letter(jobs_[launch.job.index()].workload.value());
    }
  }

  std::string begin(JobId job) {
    running.emplace_back(job, jobs_[job.index()].launched);
    return names_[job.index()] + '.' + std::to_string(jobs_[job.index()].launched++);
  }

  void reset(JobId job) {
    note('!' + names_[job.index()]);
    for (std::size_t i = running.size(); i-- > 0;) {
      if (running[i].first != job) continue;
      killed_.push_back(running[i]);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void note(const std::string& line) { log_ += (log_.empty() ? "" : " ") + line; }

  StageTarget target_;
  std::vector<StageModel> models_;
  std::vector<StageJob> jobs_;
  StageView view_;
  std::unique_ptr<StageDispatcher> policy_;
  std::vector<std::uint32_t> jobs_of_;  // by workload: how many came
  std::vector<std::string> names_;      // by job
  std::deque<std::pair<JobId, std::uint32_t>> killed_;
  std::string log_;
};

}  // namespace tangram
