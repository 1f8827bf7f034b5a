#include "sim/results/stored_result.h"

#include <functional>

#include <gmock/gmock.h>

#include "sim/results/result_file.h"
#include "sim/results/summary.h"
#include "tests/profiles/scratch.h"
#include "tests/sim/results/sample_run.h"

namespace tangram {
namespace {

// The sample with a log of two requests and one batch.
RunResult logged_run() {
  RunResult run = sample_run();
  run.notes = {"one note"};
  run.scenario_text = "{\"schema\": 1}";
  run.requests.push_back({RequestId::of(WorkloadId(0), 0), 1'000, 1'005, 1'010, 1'030, 2, 0, 0});
  run.requests.push_back({RequestId::of(WorkloadId(0), 1), 1'200, -1, -1, -1, 0, -1, 3});
  run.timeline.push_back({ExecutorId(0), WorkloadId(0), 2, kStart + Duration(1'005),
                          kStart + Duration(1'010), kStart + Duration(1'030), Duration(18),
                          Duration(20)});
  return run;
}

// Of executors in another order: what a run leaves that planned again.
RunResult replanned_run() {
  RunResult run = logged_run();
  run.executor_names.insert(run.executor_names.begin(), "gpu 7 / whole #0 / process 0");
  run.gpu_of_executor.insert(run.gpu_of_executor.begin(), 0);
  run.busy.executors.emplace_back();
  for (RequestRow& row : run.requests) row.executor += row.executor >= 0 ? 1 : 0;
  run.timeline[0].executor = ExecutorId(1);
  run.replanning = ReplanningCounts{
      .plans = 4, .kept = 1, .reconfigurations = 3, .rebuilt = 5, .gpus_mean = 1.5, .gpus_most = 2};
  return run;
}

class StoredResultTest : public ::testing::Test {
 protected:
  StoredResult round_trip(const std::vector<RunResult>& runs) {
    write_result_file(path_, runs);
    return read_result_file(path_);
  }
  // The place and text of the only fault in reading a file that `write` makes.
  std::string fault_of(const std::function<void(Hdf5Writer&)>& write) {
    Hdf5Writer file(path_);
    write(file);
    file.commit();
    try {
      read_result_file(path_);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  testing::ScratchFolder folder_;
  const std::string path_ = folder_.file("r.h5");
};

TEST_F(StoredResultTest, RunsWithOtherExecutorsShareOneList) {
  RunResult second = replanned_run();
  const StoredResult result = round_trip({logged_run(), second});
  ASSERT_EQ(result.executors.size(), logged_run().executor_names.size() + 1);
  const auto name = [&](const StoredRun& run) {
    return result.executors.at(static_cast<std::size_t>(run.requests.at(0).executor));
  };
  EXPECT_EQ(name(result.runs.at(0)), name(result.runs.at(1)));
  EXPECT_EQ(result.runs[1].requests.at(1).executor, -1);
  EXPECT_EQ(result.runs[1].timeline.at(0).executor, result.runs[0].timeline.at(0).executor);
}

TEST_F(StoredResultTest, ReadsBackWhatWasWritten) {
  const RunResult run = logged_run();
  const StoredResult stored = round_trip({run});
  EXPECT_EQ(stored.name, "sample");
  EXPECT_EQ(stored.planner, "exclusive");
  EXPECT_EQ(stored.runtime, "simulation");
  EXPECT_EQ(stored.scenario_text, run.scenario_text);
  EXPECT_EQ(Json::parse(stored.plan_text)["planner"], "exclusive");
  EXPECT_THAT(stored.notes, ::testing::ElementsAre("one note"));
  EXPECT_EQ(stored.executors, run.executor_names);
  ASSERT_EQ(stored.runs.size(), 1U);
  const StoredRun& back = stored.runs[0];
  EXPECT_EQ(back.seed, 7U);
  EXPECT_EQ(back.measured_s, 10);
  ASSERT_EQ(back.workloads.size(), 2U);
  EXPECT_EQ(back.workloads[0].slo, Duration(50));
  EXPECT_EQ(back.workloads[0].latency, run.metrics[0].latency.bins());
  ASSERT_EQ(back.gpus.size(), 1U);
  EXPECT_EQ(back.gpus[0].busy_fraction, 0.4);  // 4 s of 10 s
}

TEST_F(StoredResultTest, FiguresHaveTheirPlaceInTheSummary) {
  const RunResult run = logged_run();
  const StoredRun back = round_trip({run}).runs[0];
  const Json summary = summarize({&run, 1});
  for (const char* pointer : {"/completed", "/latency_ms/p99", "/dropped_by/deadline"}) {
    const Json::json_pointer place(pointer);
    EXPECT_EQ(back.total.at(place), summary["total"].at(place)) << pointer;
    EXPECT_EQ(back.workloads[0].figures.at(place), summary["workloads"]["a"].at(place)) << pointer;
  }
}

TEST_F(StoredResultTest, ReadsBackTheLogs) {
  const RunResult run = logged_run();
  const StoredRun back = round_trip({run}).runs[0];
  ASSERT_EQ(back.requests.size(), 2U);
  EXPECT_EQ(back.requests[0].id, run.requests[0].id);
  EXPECT_EQ(back.requests[0].finish, 1'030);
  EXPECT_EQ(back.requests[1].start, -1);
  EXPECT_EQ(back.requests[1].outcome, 3);
  ASSERT_EQ(back.timeline.size(), 1U);
  EXPECT_EQ(back.timeline[0].end, kStart + Duration(1'030));
  EXPECT_EQ(back.timeline[0].predicted, Duration(18));
}

TEST_F(StoredResultTest, KeepsReplicationsApart) {
  RunResult second = logged_run();
  second.seed = 8;
  second.requests.pop_back();
  const StoredResult stored = round_trip({logged_run(), second});
  ASSERT_EQ(stored.runs.size(), 2U);
  EXPECT_EQ(stored.runs[1].seed, 8U);
  EXPECT_EQ(stored.runs[0].requests.size(), 2U);
  EXPECT_EQ(stored.runs[1].requests.size(), 1U);
}

TEST_F(StoredResultTest, ReadsAResultThatWasCopiedIntoAnotherFile) {
  write_result_file(path_, std::vector{logged_run()});
  const std::string outer = folder_.file("outer.h5");
  Hdf5Writer file(outer);
  file.copy("/worlds/real", path_);
  file.commit();
  const StoredResult stored = read_result(Hdf5Reader(outer), "/worlds/real");
  EXPECT_EQ(stored.name, "sample");
  EXPECT_EQ(stored.runs[0].requests.size(), 2U);
}

TEST_F(StoredResultTest, RefusesAFileOfAnotherKind) {
  EXPECT_THAT(fault_of([](Hdf5Writer& file) { file.attribute("/", "format", "something"); }),
              ::testing::HasSubstr("not a result"));
  EXPECT_THROW(read_result_file(folder_.file("none.h5")), ConfigError);
  EXPECT_THROW(read_result_file(folder_.write("text.h5", "no HDF5 at all")), ConfigError);
}

TEST_F(StoredResultTest, NamesThePlaceOfAMissingPart) {
  const std::string fault = fault_of([](Hdf5Writer& file) {
    file.attribute("/", "format", "tangram result");
    file.attribute("/", "schema", std::uint64_t{1});
  });
  EXPECT_THAT(fault, ::testing::HasSubstr("r.h5#/"));
  EXPECT_THAT(fault, ::testing::HasSubstr("attribute version is missing"));
}

TEST_F(StoredResultTest, RefusesLogsThatContradictThemselves) {
  const auto fault = [&](const std::function<void(RunResult&)>& spoil) {
    RunResult run = logged_run();
    spoil(run);
    try {
      round_trip({run});
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(fault([](RunResult& run) { std::swap(run.requests[0], run.requests[1]); }),
              ::testing::HasSubstr("/requests[1]: requests must ascend"));
  EXPECT_THAT(fault([](RunResult& run) { run.requests[0].executor = 1; }),
              ::testing::HasSubstr("/requests/executor[0]: must be from -1 to 0, not 1"));
  EXPECT_THAT(fault([](RunResult& run) { run.requests[0].finish = 5; }),
              ::testing::HasSubstr("a completed request must have run"));
  EXPECT_THAT(fault([](RunResult& run) { run.requests[1].outcome = 99; }),
              ::testing::HasSubstr("/requests/outcome[1]: must be from 0 to 6, not 99"));
  EXPECT_THAT(fault([](RunResult& run) { run.timeline[0].end = kStart; }),
              ::testing::HasSubstr("/timeline[0]"));
}

TEST_F(StoredResultTest, ADamagedByteIsRefusedOrHarmless) {
  write_result_file(path_, std::vector{logged_run()});
  const std::string whole = testing::content_of(path_);
  int refused = 0;
  constexpr std::size_t kTries = 300;
  for (std::size_t i = 0; i < kTries; ++i) {
    std::string damaged = whole;
    char& byte = damaged[i * (whole.size() / kTries)];
    byte = static_cast<char>(~byte);
    try {
      read_result_file(folder_.write("damaged.h5", damaged));
    } catch (const ConfigError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace tangram
