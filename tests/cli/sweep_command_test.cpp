// tangram sweep, merge and check as a user meets them: files, exit codes, kills.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.h"

namespace tangram::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kSwept = R"({"schema": 1, "duration_s": 40,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 16}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "workloads": [{"model": "unit", "slo_ms": 50,
                 "arrivals": {"process": "poisson", "rate_rps": 100}}],
  "dispatcher": {"name": "eager"}})";

class SweepCommand : public ::testing::Test {
 protected:
  SweepCommand() {
    folder_.write("scenario.json", kSwept);
    folder_.write("sweep.json", R"({"scenario": "scenario.json", "replications": 10,
      "axes": [{"pointer": "/workloads/0/arrivals/rate_rps",
                "values": [50, 100, 200, 300, 400, 500, 600, 700, 800, 900]}]})");
  }
  Folder folder_;
};

TEST_F(SweepCommand, KillsOfTheProcessLoseNothingThatWasFinished) {
  ASSERT_EQ(folder_.tangram({"sweep", "sweep.json", "--out", "whole.h5", "--jobs", "1"}).exit_code,
            0);
  const std::string command = std::string(TANGRAM_COMMAND) + " sweep sweep.json --out parts.h5";
  folder_.run("/bin/sh", {"-c", "timeout -s KILL 0.15 " + command});
  for (int kills = 0; kills < 3; ++kills) {
    folder_.run("/bin/sh", {"-c", "timeout -s KILL 0.15 " + command + " --resume"});
  }
  const Outcome last = folder_.run("/bin/sh", {"-c", command + " --resume"});
  EXPECT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(folder_.read("parts.h5"), folder_.read("whole.h5"));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("parts.h5.journal")));
}

TEST_F(SweepCommand, AnInterruptKeepsTheJournalAndSaysHowToGoOn) {
  folder_.write("long.json", R"({"scenario": "scenario.json", "replications": 100000})");
  const std::string command = std::string(TANGRAM_COMMAND) + " sweep long.json --out long.h5";
  const Outcome outcome =
      folder_.run("/bin/sh", {"-c", "timeout --preserve-status -s INT 0.5 " + command});
  EXPECT_EQ(outcome.exit_code, 1) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("--resume"));
  EXPECT_THAT(folder_.names(),
              ElementsAre("long.h5.journal", "long.json", "scenario.json", "sweep.json"));
  // Without --resume, what is there is not thrown away.
  const Outcome again = folder_.tangram({"sweep", "long.json", "--out", "long.h5"});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("long.h5.journal"));
}

TEST_F(SweepCommand, ShardsMergeIntoTheWhole) {
  ASSERT_EQ(folder_.tangram({"sweep", "sweep.json", "--out", "whole.h5"}).exit_code, 0);
  for (const char* shard : {"0/2", "1/2"}) {
    const std::string out = std::string("part") + shard[0] + ".h5";
    ASSERT_EQ(folder_.tangram({"sweep", "sweep.json", "--out", out, "--shard", shard}).exit_code,
              0);
  }
  ASSERT_EQ(folder_.tangram({"merge", "part1.h5", "part0.h5", "--out", "merged.h5"}).exit_code, 0);
  EXPECT_EQ(folder_.read("merged.h5"), folder_.read("whole.h5"));
  const Outcome one = folder_.tangram({"merge", "part1.h5", "--out", "none.h5"});
  EXPECT_EQ(one.exit_code, 2);
  EXPECT_THAT(one.err, HasSubstr("shard 0/2 is missing"));
  const Outcome other = folder_.tangram({"merge", "scenario.json", "--out", "none.h5"});
  EXPECT_EQ(other.exit_code, 2);
}

TEST_F(SweepCommand, FaultsOfTheSweepAndOfItsScenarioAreToldTogether) {
  folder_.write("bad.json", R"({"scenario": "scenario.json", "replication": 3,
    "search": {"pointer": "/workloads/0/slo_ms", "low": 9, "high": 3,
               "target": {"metric": "/total/late"}}})");
  folder_.write("scenario.json", R"({"schema": 1})");
  const Outcome outcome =
      folder_.tangram({"sweep", "bad.json", "--out", "out.h5", "--shard", "2/2"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--shard 2/2"));
  EXPECT_THAT(outcome.err, HasSubstr("did you mean \"replications\""));
  EXPECT_THAT(outcome.err, HasSubstr("bad.json#/search/high: must be above"));
  EXPECT_THAT(outcome.err, HasSubstr("exactly one of \"at_least\" and \"at_most\""));
  EXPECT_THAT(outcome.err, HasSubstr("\"workloads\" is missing"));
  EXPECT_THAT(folder_.names(), ElementsAre("bad.json", "scenario.json", "sweep.json"));
}

TEST_F(SweepCommand, EveryShippedSweepRuns) {
  int sweeps = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(TANGRAM_SOURCE_DIR "/scenarios/sweeps")) {
    if (entry.path().extension() != ".json") continue;
    const Outcome outcome = folder_.tangram({"sweep", entry.path().string(), "--out", "s.h5"});
    EXPECT_EQ(outcome.exit_code, 0) << entry.path() << outcome.err;
    ++sweeps;
  }
  EXPECT_GT(sweeps, 0);
}

TEST_F(SweepCommand, CheckSaysYesAfterBlessAndNoAfterAChange) {
  std::filesystem::create_directory(folder_.path("gate"));
  folder_.write("gate/one.json", kSwept);
  EXPECT_EQ(folder_.tangram({"check", "gate"}).exit_code, 1);  // nothing was approved yet
  EXPECT_EQ(folder_.tangram({"check", "gate", "--bless"}).exit_code, 0);
  EXPECT_EQ(folder_.tangram({"check", "gate"}).exit_code, 0);

  std::string changed = kSwept;
  changed.replace(changed.find("50"), 2, "7");
  folder_.write("gate/one.json", changed);
  const Outcome outcome = folder_.tangram({"check", "gate", "--junit", "junit.xml"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("/total/slo_attainment: "));
  EXPECT_THAT(folder_.read("junit.xml"), HasSubstr("failures=\"1\""));
  EXPECT_EQ(folder_.tangram({"check", "nowhere"}).exit_code, 2);
}

}  // namespace
}  // namespace tangram::cli_test
