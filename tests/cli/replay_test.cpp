// tangram-engine run --record and tangram replay from outside.
#include <filesystem>

#include <gmock/gmock.h>

#include "command.h"
#include "sim/scenario/recording.h"

namespace tangram::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kReplayed = R"({
  "schema": 1, "name": "recorded", "seed": 5, "duration_s": 0.4,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 1, "per_item_ms": 0.5, "max_batch": 8}}],
  "cluster": {"gpus": [{"type": "ideal", "count": 2}]},
  "workloads": [
    {"name": "a", "model": "unit", "slo_ms": 50, "arrivals": {"process": "poisson", "rate_rps": 200}},
    {"name": "b", "model": "unit", "slo_ms": 50, "arrivals": {"process": "gamma", "cv": 2, "rate_rps": 100}}]})";

class Replay : public ::testing::Test {
 protected:
  Replay() { folder_.write("s.json", kReplayed); }
  Outcome record(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"run", "s.json", "--backend", "emulated", "--record", "log.jsonl"};
    all.insert(all.end(), more.begin(), more.end());
    return folder_.run(TANGRAM_ENGINE_COMMAND, all);
  }
  Folder folder_;
};

TEST_F(Replay, SaysThatARealRunDecidedAsItsPolicyDoes) {
  for (const std::string dispatcher :
       {"eager", "edf", "nexus", "symphony", "tf_serving", "triton"}) {
    SCOPED_TRACE(dispatcher);
    const Outcome recorded = record({"--set", "/dispatcher/name=" + dispatcher});
    ASSERT_EQ(recorded.exit_code, 0) << recorded.err;
    const Outcome done = folder_.tangram({"replay", "log.jsonl"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.out,
                HasSubstr(dispatcher + " on 2 executors, recorded on the backend emulated"));
    EXPECT_THAT(done.out, HasSubstr("the same decisions\n"));
  }
  EXPECT_THAT(folder_.names(), ElementsAre("log.jsonl", "s.json"));
}

TEST_F(Replay, NamesTheFirstDecisionThatDiffersAndExitsWithOne) {
  ASSERT_EQ(record().exit_code, 0);
  RunRecording recording = read_recording(folder_.path("log.jsonl"));
  const auto run = std::find_if(recording.log.instants.begin(), recording.log.instants.end(),
                                [](const Instant& i) { return !i.decisions.empty(); });
  ASSERT_NE(run, recording.log.instants.end());
  run->decisions.clear();
  write_recording(folder_.path("log.jsonl"), recording.source, recording.scenario, recording.plan,
                  recording.log);
  const Outcome done = folder_.tangram({"replay", "log.jsonl"});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.out, IsEmpty());
  const auto line = std::to_string(run - recording.log.instants.begin() + 2);
  EXPECT_THAT(done.err_lines(), ElementsAre(StartsWith("error: log.jsonl:" + line + ": instant ")));
  EXPECT_THAT(done.err, HasSubstr("logged nothing; replayed run batch"));
}

TEST_F(Replay, NotesThatAnotherBuildRecorded) {
  ASSERT_EQ(record().exit_code, 0);
  const RunRecording recording = read_recording(folder_.path("log.jsonl"));
  write_recording(folder_.path("log.jsonl"), {"cpu", "0.0.9", "123"}, recording.scenario,
                  recording.plan, recording.log);
  const Outcome done = folder_.tangram({"replay", "log.jsonl"});
  EXPECT_EQ(done.exit_code, 0);
  EXPECT_THAT(done.err, StartsWith("note: recorded by tangram 0.0.9 (git 123); this is "));
}

TEST_F(Replay, RefusesADamagedRecordingWithTheLine) {
  ASSERT_EQ(record().exit_code, 0);
  const std::string text = folder_.read("log.jsonl");
  folder_.write("log.jsonl", text.substr(0, text.size() / 2));
  const Outcome cut = folder_.tangram({"replay", "log.jsonl"});
  EXPECT_EQ(cut.exit_code, 2);
  EXPECT_THAT(cut.err_lines(), ElementsAre(HasSubstr("cut off")));
  std::string changed = text;
  char& digit = changed[changed.find("\"now\":") + 6];
  digit = digit == '9' ? '8' : '9';
  folder_.write("log.jsonl", changed);
  const Outcome damaged = folder_.tangram({"replay", "log.jsonl"});
  EXPECT_EQ(damaged.exit_code, 2);
  EXPECT_THAT(damaged.err_lines(),
              ElementsAre(HasSubstr("log.jsonl:2: not as it was written: this line was changed")));
  EXPECT_EQ(folder_.tangram({"replay", "none.jsonl"}).exit_code, 2);
  EXPECT_EQ(folder_.tangram({"replay"}).exit_code, 2);
}

TEST_F(Replay, LeavesNoRecordingThatCannotBeWritten) {
  EXPECT_EQ(record({"--out", "log.jsonl"}).exit_code, 2);
  EXPECT_THAT(folder_.names(), ElementsAre("s.json"));
}

}  // namespace
}  // namespace tangram::cli_test
