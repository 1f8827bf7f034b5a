// Real runs written down, read again and replayed: what tangram-engine run --record and tangram
// replay do, in one process.
#include "sim/scenario/recording.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "sim/core/atomic_file.h"
#include "tests/engine/fixture.h"

namespace tangram {
namespace {

class RecordingFile {
 public:
  RecordingFile() {
    std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    for (char& c : name) c = c == '/' ? '_' : c;
    path_ = (std::filesystem::path(::testing::TempDir()) / ("tangram_rec_" + name)).string();
  }
  ~RecordingFile() { std::filesystem::remove(path_); }
  RecordingFile(const RecordingFile&) = delete;
  RecordingFile& operator=(const RecordingFile&) = delete;

  RunRecording through(const Scenario& scenario, const Plan& plan, const MessageLog& log) const {
    write_recording(path_, {"emulated", "0", "0"}, scenario, plan, log);
    return read_recording(path_);
  }
  // What is read has the same messages and decisions, and the plan and its beliefs decide the same.
  void expect_replays(const RecordedRun& run) const {
    const RunRecording read = through(run.scenario, run.plan, run.log);
    EXPECT_EQ(size_of(read.log), size_of(run.log));
    const auto difference = replay(read);
    EXPECT_FALSE(difference.has_value()) << difference->what;
    const std::string before = read_file(path_);
    through(read.scenario, read.plan, read.log);
    EXPECT_EQ(read_file(path_), before);
  }

 private:
  std::string path_;
};

class RecordedRuns : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedRuns, DecideTheSameFromTheirFile) {
  const RecordedRun run =
      run_recorded(three_workloads({{"/dispatcher/name", GetParam()}}), {{ExecutorId(1), 5}});
  RecordingFile().expect_replays(run);
}

TEST_P(RecordedRuns, WithAMessageLessDifferAtALineOfTheFile) {
  const RecordedRun run = run_recorded(three_workloads({{"/dispatcher/name", GetParam()}}));
  MessageLog log = run.log;
  // The first batch never finishes.
  for (Instant& instant : log.instants) {
    const auto found =
        std::find_if(instant.messages.begin(), instant.messages.end(),
                     [](const Message& m) { return std::holds_alternative<FinishedMessage>(m); });
    if (found == instant.messages.end()) continue;
    instant.messages.erase(found);
    break;
  }
  const auto difference = replay(RecordingFile().through(run.scenario, run.plan, log));
  ASSERT_TRUE(difference.has_value());
  EXPECT_GT(difference->line, 2U);
  EXPECT_LE(difference->line, log.instants.size() + 1);
  EXPECT_THAT(difference->what, ::testing::StartsWith("instant "));
}

INSTANTIATE_TEST_SUITE_P(Registered,
                         RecordedRuns,
                         ::testing::ValuesIn(dispatcher_names()),
                         [](const auto& param) { return param.param; });

TEST(RecordedRun, OfRandomRoutingReplays) {
  RecordingFile().expect_replays(run_recorded(three_workloads({{"/routing", "weighted_random"}})));
}

TEST(RecordedRun, OfApplicationsReplays) {
  RecordingFile().expect_replays(
      run_recorded(three_workloads({{"/applications", R"([{"name": "chain", "stages": [
          {"name": "one", "model": "small"}, {"name": "two", "model": "large", "after": ["one"]}]}])"},
                                    {"/workloads/-", R"({"application": "chain", "slo_ms": 100,
                            "arrivals": {"process": "poisson", "rate_rps": 40}})"}})));
}

TEST(RecordedRun, ThatLoadsWeightsReplays) {
  RecordingFile().expect_replays(
      run_recorded(three_workloads({{"/dispatcher/name", "clockwork"},
                                    {"/profiles/0/weights_mib", "100"},
                                    {"/profiles/1/weights_mib", "100"},
                                    {"/device/weights", R"({"cache_gib": 0.15})"}})));
}

TEST(RecordedRun, OfDedicatedPartitionsReplays) {
  RecordingFile().expect_replays(run_recorded(three_workloads({{"/planner/name", "dedicated"}})));
}

}  // namespace
}  // namespace tangram
