// Runs on the backend cpu, with the runners that need no framework: every request is accounted for,
// and the log replays to the same decisions, whatever happens to the workers.
#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "engine/worker_backend.h"
#include "sim/core/error.h"
#include "tests/engine/fixture.h"
#include "tests/engine/workers.h"

namespace tangram {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

// The engine's small scenario with models that the runners have.
Scenario with_models(const std::string& small,
                     const std::string& large,
                     std::vector<Override> more = {}) {
  std::vector<Override> overrides{{"/profiles/0/model", small},  {"/profiles/1/model", large},
                                  {"/profiles/0/gpu", "cpu"},    {"/profiles/1/gpu", "cpu"},
                                  {"/workloads/0/model", small}, {"/workloads/1/model", small},
                                  {"/workloads/2/model", large}, {"/cluster/gpus/0/type", "cpu"},
                                  {"/cluster/gpus/0/count", "1"}};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return three_workloads(overrides);
}
Scenario sleeping(std::vector<Override> more = {}) {
  return with_models("sleep-1-0.1", "sleep-3-0.5", std::move(more));
}

// Three processes that take turns on one core: machines of CI have few.
Plan three_processes(const Scenario& scenario) {
  Plan plan = plan_of(scenario);
  plan.gpus[0].mode = GpuMode::kTimeSliced;
  for (PlanReplica& replica : plan.gpus[0].partitions[0].replicas) replica.processes = 3;
  return plan;
}

EngineSettings settings_of(const std::string& runner) {
  EngineSettings settings;
  settings.runner = runner;
  settings.pool = beside_the_engine();
  return settings;
}

class EveryDispatcherOnCpu : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
};

TEST_P(EveryDispatcherOnCpu, AnswersForEveryRequestAndReplaysToTheSameDecisions) {
  const Scenario scenario = sleeping(
      {{"/dispatcher/name", std::get<0>(GetParam())}, {"/routing", std::get<1>(GetParam())}});
  WorkerBackend backend("cpu", lay_out_cpu, settings_of("sleep"));
  const RecordedRun recorded = run_recorded_on(backend, scenario, three_processes(scenario));
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_GT(recorded.run.result.host.batches, 0U);
  EXPECT_EQ(recorded.run.result.host.stale, 0U);
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST_P(EveryDispatcherOnCpu, GoesOnWhenAProcessIsKilledInTheMiddle) {
  const Scenario scenario = sleeping(
      {{"/dispatcher/name", std::get<0>(GetParam())}, {"/routing", std::get<1>(GetParam())}});
  WorkerBackend backend("cpu", lay_out_cpu, settings_of("sleep"));
  EngineOptions options;
  options.progress = [&backend](double share) {
    if (share > 0.3) ::kill(backend.process(ExecutorId(0)), SIGKILL);
  };
  const RecordedRun recorded =
      run_recorded_on(backend, scenario, three_processes(scenario), options);
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("killed by signal 9")));
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("executor 0 was lost after")));
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         EveryDispatcherOnCpu,
                         ::testing::Combine(::testing::ValuesIn(dispatcher_names()),
                                            ::testing::Values("central", "weighted_random")),
                         [](const auto& param) {
                           return std::get<0>(param.param) + "_" + std::get<1>(param.param);
                         });

TEST(CpuBackend, EndsWhenTheOnlyProcessIsKilled) {
  const Scenario scenario = sleeping();
  WorkerBackend backend("cpu", lay_out_cpu, settings_of("sleep"));
  EngineOptions options;
  options.progress = [&backend](double share) {
    if (share > 0.3) ::kill(backend.process(ExecutorId(0)), SIGKILL);
  };
  const RecordedRun recorded = run_recorded_on(backend, scenario, plan_of(scenario), options);
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_GT(unfinished(recorded.run.result), 0U);
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST(CpuBackend, ComputesAndSaysOnWhat) {
  const Scenario scenario = with_models("mlp-32-2", "stream-1");
  WorkerBackend backend("cpu", lay_out_cpu, settings_of("native"));
  const RecordedRun recorded = run_recorded_on(backend, scenario, plan_of(scenario));
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_EQ(unfinished(recorded.run.result), 0U);
  EXPECT_EQ(recorded.run.result.runtime, "cpu");
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("1 worker, runner native, on")));
}

TEST(CpuBackend, GivesAnExecutorUpWhoseBatchesDoNotFitAndEnds) {
  // A petabyte for each item of the small model; the large one fits.
  const Scenario scenario = with_models("scratch-1000000000", "mlp-32-2");
  WorkerBackend backend(
      "cpu",
      [](const Deployment& deployment, const Machine& machine, const EngineSettings& settings,
         const std::vector<ModelSpec>& models) {
        Layout layout = lay_out_cpu(deployment, machine, settings, models);
        // Warming would find it before the run.
        for (ModelSpec& model : layout.workers[0].models) model.warm_batches.clear();
        return layout;
      },
      settings_of("native"));
  const RecordedRun recorded = run_recorded_on(backend, scenario, plan_of(scenario));
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_GT(recorded.run.result.host.refused, 0U);
  EXPECT_GT(unfinished(recorded.run.result), 0U);
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("needs 1000000000 MiB")));
  EXPECT_THAT(recorded.run.result.notes, Contains(HasSubstr("8 batches in a row failed")));
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

TEST(CpuBackend, FindsBeforeTheRunThatTheLargestBatchDoesNotFit) {
  const Scenario scenario = with_models("scratch-1000000000", "mlp-32-2");
  WorkerBackend backend("cpu", lay_out_cpu, settings_of("native"));
  EXPECT_THROW(run_recorded_on(backend, scenario, plan_of(scenario)), SystemError);
}

TEST(CpuBackend, AStopLeavesTheResultOfWhatRan) {
  const Scenario scenario = sleeping({{"/duration_s", "3600"}});
  WorkerBackend backend("cpu", lay_out_cpu, settings_of("sleep"));
  std::stop_source source;
  EngineOptions options;
  options.stop = source.get_token();
  std::jthread stopper([&source] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    source.request_stop();
  });
  const RecordedRun recorded = run_recorded_on(backend, scenario, plan_of(scenario), options);
  EXPECT_TRUE(recorded.run.stopped);
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_EQ(replayed(recorded, recorded.log), std::nullopt);
}

// Without permission for quotas a partition gets the whole core.
class WithoutPermission : public ::testing::Test {
 protected:
  WithoutPermission() : scenario_(sleeping(percent_profiles())), plan_(plan_of(scenario_)) {
    plan_.gpus[0].mode = GpuMode::kMps;
    plan_.gpus[0].partitions[0].share_pct = 50;
    settings_ = settings_of("sleep");
    settings_.pool.cgroup = CgroupPlace{2, "/no/such/folder"};
  }
  Scenario scenario_;
  Plan plan_;
  EngineSettings settings_;
};

TEST_F(WithoutPermission, TheResultSaysWhatWasGranted) {
  WorkerBackend backend("cpu", lay_out_cpu, settings_);
  const RecordedRun recorded = run_recorded_on(backend, scenario_, plan_);
  expect_all_accounted_for(recorded.scenario, recorded.run.result);
  EXPECT_THAT(recorded.run.result.notes,
              Contains(HasSubstr("executor 0 on GPU 0 asked for 50 % and got whole")));
}

TEST_F(WithoutPermission, ExactGrantsMakeItAnError) {
  settings_.exact_grants = true;
  WorkerBackend backend("cpu", lay_out_cpu, settings_);
  EXPECT_THROW(run_recorded_on(backend, scenario_, plan_), SystemError);
}

TEST(Backends, AnUnknownRunnerIsAnsweredWithTheNearest) {
  const Scenario scenario = sleeping();
  try {
    make_backend("cpu", scenario, StreamKey(1), settings_of("torh"));
    FAIL() << "an unknown runner was accepted";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"torch\"?"));
  }
  EXPECT_THROW(make_backend("emulated", scenario, StreamKey(1), settings_of("native")),
               ConfigError);
}

}  // namespace
}  // namespace tangram
