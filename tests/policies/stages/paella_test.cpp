// Paella's decisions on hand-worked traces.
#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "policies/registry.h"

namespace tangram {
namespace {

// Plays the device to a policy: what it launches is noted, and finished when the test says so.
class StageBench {
 public:
  StageBench(const Json& params, std::vector<StageModel> models)
      : models_(std::move(models)), view_(target_, models_) {
    Faults faults;
    const JsonNode node(params, "test", faults);
    const StageDispatcherEntry* entry = find_stage_dispatcher("paella");
    policy_ = entry->make(read_params(entry->info, node, faults));
    faults.throw_if_any();
    view_.set(kStart, jobs_);
    policy_->setup(view_);
  }

  JobId arrive(std::uint32_t workload) {
    const JobId job(jobs_.size());
    jobs_.push_back({WorkloadId(workload), jobs_.size(), kStart, 0, 0});
    tell({StageMessage::Kind::kArrived, job});
    return job;
  }
  // The oldest launch that is not over ends.
  void finish() {
    const auto [job, stage] = running.front();
    running.pop_front();
    jobs_[job.index()].finished = stage + 1;
    const StageInfo& info = models_[jobs_[job.index()].workload.index()].stages[stage];
    tell({StageMessage::Kind::kFinished, job, stage, info.blocks});
  }
  void started(JobId job, std::uint32_t stage) {
    tell({StageMessage::Kind::kPlaced, job, stage, 0});
  }

  std::string trace;  // the workloads of the launches, in order: A, B, ..
  std::deque<std::pair<JobId, std::uint32_t>> running;

 private:
  void tell(const StageMessage& message) {
    view_.set(kStart, jobs_);
    StageDecisions out;
    policy_->decide(view_, message, out);
    for (const StageLaunch& launch : out.launches()) {
      StageJob& job = jobs_[launch.job.index()];
      running.emplace_back(launch.job, job.launched++);
      trace += static_cast<char>('A' + job.workload.value());
    }
  }

  StageTarget target_{1, {1024, 16, 65536, 65536}};
  std::vector<StageModel> models_;
  std::vector<StageJob> jobs_;
  StageView view_;
  std::unique_ptr<StageDispatcher> policy_;
};

// `stages` kernels of `blocks` blocks of 1024 threads, of which one SM holds one.
StageModel model_of(std::uint32_t stages, double us, std::uint32_t blocks = 1) {
  StageModel model;
  StageInfo stage;
  stage.blocks = blocks;
  stage.need = {32, 0, 0};
  stage.alone = from_ns(us * 1e3);
  model.stages.assign(stages, stage);
  return model;
}

Json params(double fairness, int extra = 0) {
  return {{"fairness", fairness}, {"extra_kernels", extra}, {"profile", "oracle"}};
}

TEST(Paella, ShortestRemainingTimeGoesFirst) {
  // The device holds one kernel. A has 3 stages of 10 us, B 2 of 10: B, though later, is shorter.
  StageBench bench(params(1e6), {model_of(3, 10), model_of(2, 10)});
  bench.arrive(0);
  bench.arrive(1);
  for (int i = 0; i < 5; ++i) bench.finish();
  EXPECT_EQ(bench.trace, "ABBAA");
}

TEST(Paella, DeficitsForceAStarvedWorkload) {
  // A is always shorter. F = 2, both queues never empty (two jobs each, one kernel at a time): each
  // A gives B half a stage. B is due after 4, then pays 1/2, so that every second stage is B's:
  // deficits of B: 0.5 1 1.5 2 -> B: 1.5, A: 2 -> B: 1.5, ..
  StageBench bench(params(2), {model_of(50, 1), model_of(50, 100)});
  bench.arrive(0);  // launched at once: nothing else is queued, no deficit
  bench.arrive(0);
  bench.arrive(1);
  bench.arrive(1);
  for (int i = 0; i < 9; ++i) bench.finish();
  EXPECT_EQ(bench.trace, "AAAAABABAB");
}

TEST(Paella, AnEmptyQueueForgivesTheDeficit) {
  // One job of B: when its only stage in the queue is launched the queue is empty, and what B is
  // still owed (1.5) is forgotten; it has to earn 2 again. A's own -1.5 stays.
  StageBench bench(params(2), {model_of(50, 1), model_of(50, 100)});
  bench.arrive(0);
  bench.arrive(0);
  bench.arrive(1);
  for (int i = 0; i < 12; ++i) bench.finish();
  EXPECT_EQ(bench.trace, "AAAAABAAAABAA");
}

TEST(Paella, ExtraKernelsAreLaunchedWithoutRoomAndCountedUntilTheyBegin) {
  // The device holds one kernel; two more may be launched. The fourth waits until one of them has
  // begun.
  StageBench bench(params(1e6, 2), {model_of(1, 10)});
  std::vector<JobId> jobs;
  for (int i = 0; i < 5; ++i) jobs.push_back(bench.arrive(0));
  EXPECT_EQ(bench.trace.size(), 3U);
  bench.started(jobs[1], 0);
  EXPECT_EQ(bench.trace.size(), 4U);
}

TEST(Paella, AKernelThatNeverFitsIsAnExtraOne) {
  // 5 blocks on a device that holds one: only the extra kernels let it run.
  StageBench bench(params(1e6, 1), {model_of(2, 10, 5)});
  bench.arrive(0);
  bench.arrive(0);
  EXPECT_EQ(bench.trace.size(), 1U);
  for (int i = 0; i < 4; ++i) {
    ASSERT_FALSE(bench.running.empty());
    bench.finish();
  }
  EXPECT_EQ(bench.trace.size(), 4U);
}

}  // namespace
}  // namespace tangram
