// What the commands do with good input: exit codes, files, tables.
#include <filesystem>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command.h"

namespace tangram::cli_test {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kPython = "/usr/bin/python3";

// One GPU that takes 5 + n ms for n requests; two workloads, 150 requests/s in all.
Json two_workloads() {
  return Json::parse(R"({
    "schema": 1, "name": "two on one", "seed": 3, "duration_s": 20, "warmup_s": 2,
    "profiles": [{"model": "unit", "gpu": "ideal",
                  "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}}],
    "cluster": {"gpus": [{"type": "ideal"}]},
    "workloads": [
      {"name": "tight", "model": "unit", "slo_ms": 60,
       "arrivals": {"process": "poisson", "rate_rps": 100}},
      {"name": "loose", "model": "unit", "slo_ms": 500,
       "arrivals": {"process": "gamma", "cv": 2, "rate_rps": 50}}],
    "dispatcher": {"name": "fixed_batch", "params": {"batch": 8, "timeout_ms": 10}}})");
}

class Commands : public ::testing::Test {
 protected:
  Commands() { folder_.write("scenario.json", two_workloads().dump()); }

  Json summary_of(std::vector<std::string> options) {
    options.insert(options.begin(), {"run", "scenario.json", "--summary", "summary.json"});
    const Outcome outcome = folder_.tangram(options);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(folder_.read("summary.json"));
  }

  Folder folder_;
};

Json without_wall_time(Json summary) {
  summary.erase("wall_s");
  return summary;
}

void expect_within(const std::string& text, std::size_t width) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), width) << line;
}

TEST_F(Commands, RunPrintsATableThatSaysWhoDecidedAndFitsAHundredColumns) {
  const Outcome outcome = folder_.tangram({"run", "scenario.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("two on one"), HasSubstr("planner     exclusive"),
                    HasSubstr("routing central"), HasSubstr("dispatcher fixed_batch"),
                    HasSubstr("seed 3"), HasSubstr("18 s measured"), HasSubstr("\ntight "),
                    HasSubstr("\nloose "), HasSubstr("\ntotal ")));
  expect_within(outcome.out, 100);
  EXPECT_THAT(folder_.names(), ElementsAre("scenario.json"));
}

TEST_F(Commands, RunWithOutIsSilent) {
  const Outcome outcome = folder_.tangram({"run", "scenario.json", "--out", "out.h5"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
  EXPECT_THAT(folder_.names(), ElementsAre("out.h5", "scenario.json"));
}

TEST_F(Commands, SummaryCountsEveryRequestOnce) {
  const Json summary = summary_of({});
  std::uint64_t offered = 0;
  for (const char* name : {"tight", "loose"}) {
    const Json& one = summary["workloads"][name];
    EXPECT_EQ(one["offered"], one["completed"].get<int>() + one["dropped"].get<int>() +
                                  one["unfinished"].get<int>());
    offered += one["offered"].get<std::uint64_t>();
  }
  EXPECT_EQ(summary["total"]["offered"], offered);
  // 150 requests/s for 18 s; the standard deviation is sqrt(18 (100 + 4 * 50)) = 73.
  EXPECT_NEAR(static_cast<double>(offered), 2700, 4 * 73);
}

TEST_F(Commands, OnlyWallTimeDiffersBetweenRerunsAndNumbersOfThreads) {
  const Json first = summary_of({"--threads", "1"});
  const Json second = summary_of({"--threads", "2"});
  EXPECT_EQ(without_wall_time(first).dump(), without_wall_time(second).dump());
  EXPECT_TRUE(first.contains("wall_s"));
}

TEST_F(Commands, TheSeedOptionIsTheSeedOfTheScenario) {
  const Json by_option = without_wall_time(summary_of({"--seed", "18446744073709551615"}));
  const Json by_set = without_wall_time(summary_of({"--set", "/seed=18446744073709551615"}));
  EXPECT_EQ(by_option["seed"], 18446744073709551615U);
  EXPECT_EQ(by_option, by_set);
  EXPECT_NE(by_option["total"], summary_of({})["total"]);
}

TEST_F(Commands, SetChangesWhatIsThereAndWhatWasLeftToItsDefault) {
  const Json summary = summary_of({"--set", "/workloads/0/name=renamed", "--set", "/routing=wrr"});
  EXPECT_TRUE(summary["workloads"].contains("renamed"));
  EXPECT_EQ(summary["routing"], "wrr");
}

TEST_F(Commands, ReplicationsGiveIntervalsAndTheirOwnStreams) {
  const Json summary = summary_of({"--replications", "5"});
  const Json& replications = summary["replications"];
  EXPECT_EQ(replications["count"], 5);
  EXPECT_GT(replications["total"]["latency_ms"]["mean"]["half_width"], 0);
  EXPECT_EQ(summary["measured_s"], 90);
  // The mean of the replications is the pooled rate: all are equally long.
  EXPECT_NEAR(replications["total"]["throughput_rps"]["mean"].get<double>(),
              summary["total"]["throughput_rps"].get<double>(), 1e-9);
  const Outcome outcome = folder_.tangram({"run", "scenario.json", "--replications", "5"});
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("+-"), HasSubstr("5 replications")));
  expect_within(outcome.out, 100);
}

TEST_F(Commands, StrictSaysNoWhenAnSloIsMissedAndStillWritesTheSummary) {
  EXPECT_EQ(folder_.tangram({"run", "scenario.json", "--strict"}).exit_code, 0);
  const Outcome outcome = folder_.tangram({"run", "scenario.json", "--strict", "--summary",
                                           "summary.json", "--set", "/workloads/0/slo_ms=5.5"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, StartsWith("error: strict: tight: 0.00 %"));
  EXPECT_TRUE(Json::parse(folder_.read("summary.json")).contains("total"));
}

TEST_F(Commands, AFullDiskIsTheSystemsFault) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const Outcome outcome =
      folder_.tangram({"run", "scenario.json", "--out", "out.h5", "--summary", "/dev/full"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, StartsWith("error: /dev/full"));
}

TEST_F(Commands, PlanPrintsAPlanThatRunTakesInPlaceOfThePlanner) {
  const Outcome printed = folder_.tangram({"plan", "scenario.json"});
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  const Outcome listed = folder_.tangram({"plan", "scenario.json", "--out", "plan.json"});
  EXPECT_THAT(listed.out, HasSubstr("gpu 0"));
  EXPECT_EQ(printed.out, folder_.read("plan.json"));
  const Json by_planner = summary_of({});
  const Json by_plan = summary_of({"--set", R"(/planner={"plan": "plan.json"})"});
  EXPECT_EQ(by_planner["total"], by_plan["total"]);
}

TEST_F(Commands, PlanComparesPlanners) {
  const Outcome outcome =
      folder_.tangram({"plan", "scenario.json", "--compare", "exclusive,dedicated,parvagpu"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(StartsWith("planner "), HasSubstr("\nexclusive "),
                                 HasSubstr("\ndedicated "), HasSubstr("parvagpu: no answer: ")));
  expect_within(outcome.out, 100);
  EXPECT_EQ(folder_.tangram({"plan", "scenario.json", "--compare", "nobody"}).exit_code, 2);
}

TEST_F(Commands, PlanRefusesAFormatThatCannotSayIt) {
  const Outcome outcome = folder_.tangram({"plan", "scenario.json", "--format", "parvagpu"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the ParvaGPU format cannot say this plan"));
}

TEST_F(Commands, PlansOfTheGpuletFormatComeBackByteForByte) {
  const std::string text = "0,40,0,resnet50,4,80.250000\n0,60,0,reserved,32,0.000000\n";
  folder_.write("ModelList.txt", text);
  folder_.write("glet.json", R"({"schema": 1, "duration_s": 1,
    "profiles": [{"model": "resnet50", "gpu": "2080ti", "latency": {"points": [
      {"share_pct": 40, "batch": 1, "latency_ms": 5}, {"share_pct": 40, "batch": 4, "latency_ms": 9}],
      "interpolation": "linear"}}],
    "cluster": {"gpus": [{"type": "2080ti"}]},
    "workloads": [{"model": "resnet50", "slo_ms": 200, "arrivals": {"process": "poisson", "rate_rps": 40}}],
    "planner": {"plan": "ModelList.txt", "format": "gpulet"}, "dispatcher": {"name": "duty_cycle"}})");
  const Outcome outcome = folder_.tangram({"plan", "glet.json", "--format", "gpulet"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, text);
}

TEST_F(Commands, TheTimelineHasAnEventPerBatchAndNamesEveryExecutor) {
  const Outcome outcome = folder_.tangram({"run", "scenario.json", "--timeline", "trace.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json trace = Json::parse(folder_.read("trace.json"));
  std::size_t threads = 0;
  std::size_t batches = 0;
  double free_at_us = 0;
  for (const Json& event : trace["traceEvents"]) {
    threads += event["name"] == "thread_name" ? 1 : 0;
    if (event["ph"] != "X") continue;
    ++batches;
    // Alone on its GPU, a batch takes what was predicted: 5 + n ms; and one runs at a time.
    const Json& args = event["args"];
    EXPECT_NEAR(args["actual_ms"].get<double>(), 5 + args["size"].get<double>(), 1e-9);
    EXPECT_EQ(args["actual_ms"], args["predicted_ms"]);
    EXPECT_LE(args["decided_us"], event["ts"]);
    EXPECT_GE(event["ts"].get<double>(), free_at_us - 1e-6);
    free_at_us = event["ts"].get<double>() + event["dur"].get<double>();
  }
  EXPECT_EQ(threads, 1U);
  EXPECT_GT(batches, 100U);
}

TEST_F(Commands, TheResultIsReadByH5pyAndPandasAlone) {
  if (folder_.run(kPython, {"-c", "import h5py, pandas"}).exit_code != 0) {
    GTEST_SKIP() << "no h5py and pandas for " << kPython;
  }
  const Outcome run = folder_.tangram({"run", "scenario.json", "--out", "out.h5", "--summary",
                                       "summary.json", "--timeline", "trace.json", "--replications",
                                       "2", "--set", "/outputs/requests=true"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Outcome read = folder_.run(kPython, {"-c", R"(
import json, h5py, pandas
def table(group):
    return pandas.DataFrame({name: data[:] for name, data in group.items()})
with h5py.File("out.h5") as file:
    points, workloads = table(file["points"]), table(file["workloads"])
    requests, timeline, latency = (
        table(file[name]) for name in ("requests", "timeline", "histograms/latency"))
    assert json.loads(file["scenario"][()])["name"] == "two on one"
    assert file.attrs["format"] == b"tangram result" or file.attrs["format"] == "tangram result"
    assert len(file.attrs["version"]) > 0 and len(file.attrs["git_hash"]) > 0
summary = json.load(open("summary.json"))
assert list(points["replication"]) == [0, 1] and list(points["seed"]) == [3, 3]
assert points["total.offered"].sum() == summary["total"]["offered"]
assert list(workloads["name"]) == [b"tight", b"loose"] * 2
assert workloads["completed"].sum() == summary["total"]["completed"]
assert latency["count"].sum() == summary["total"]["completed"]
measured = requests[requests["arrival_ns"] >= 2 * 10**9]
assert len(measured) == summary["total"]["offered"]
done = measured[measured["outcome"] <= 1]
slo = done["workload"].map({0: 60e6, 1: 500e6})
is_late = done["finish_ns"] - done["arrival_ns"] > slo
assert (is_late == (done["outcome"] == 1)).all()
mean_ms = (done["finish_ns"] - done["arrival_ns"]).mean() / 1e6
assert abs(mean_ms - summary["total"]["latency_ms"]["mean"]) < 1e-6
assert timeline["batch"].sum() == (requests["outcome"] <= 1).sum()
)"});
  EXPECT_EQ(read.exit_code, 0) << read.err;
}

TEST_F(Commands, DescribeListsEveryPolicyAndEachDescribesItself) {
  const Outcome list = folder_.tangram({"describe", "policies"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_THAT(list.out, AllOf(HasSubstr("exclusive"), HasSubstr("fifo"), HasSubstr("tf_serving")));
  expect_within(list.out, 100);
  const Outcome one = folder_.tangram({"describe", "tf_serving"});
  EXPECT_THAT(one.out,
              AllOf(HasSubstr("timeout_ms"), HasSubstr("max_batch"), HasSubstr("default")));
  for (const char* topic : {"scenario", "models", "backends"}) {
    const Outcome outcome = folder_.tangram({"describe", topic});
    EXPECT_EQ(outcome.exit_code, 0) << topic;
    expect_within(outcome.out, 100);
  }
  EXPECT_THAT(folder_.tangram({"describe", "scenario"}).out, HasSubstr("/workloads/*/slo_ms !"));
  EXPECT_THAT(folder_.tangram({"describe", "backends"}).out, HasSubstr("emulated"));
}

TEST_F(Commands, DescribeATraceFileInAHundredColumnsOrAsJson) {
  // Gaps of 1 and 3 s: mean 2, CV 1/2.
  folder_.write("times.csv", "timestamp_s\n10\n11\n14\n15\n18\n");
  const Outcome text = folder_.tangram({"describe", "times.csv", "--plot", "rate.svg"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(text.out.substr(0, text.out.find("  counts")),
            "times.csv (timestamps)\n"
            "  arrivals       5\n"
            "  length         10 s\n"
            "  rate           0.5/s\n"
            "  CV of the gaps 0.5 (Poisson: 1)\n");
  expect_within(text.out, 100);
  EXPECT_THAT(folder_.read("rate.svg"), StartsWith("<svg "));
  const Outcome json = folder_.tangram({"describe", "times.csv", "--json"});
  const Json found = Json::parse(json.out);
  EXPECT_EQ(found["format"], "timestamps");
  EXPECT_EQ(found["count"], 5);
  EXPECT_EQ(found["windows"][0]["index_of_dispersion"], 0.5);
}

TEST_F(Commands, DescribeReadsTheArrivalsOfAResult) {
  folder_.tangram({"run", "scenario.json", "--set", "/outputs={\"requests\": true}", "--set",
                   "/workloads=[{\"model\": \"unit\", \"slo_ms\": 60, \"arrivals\": "
                   "{\"process\": \"constant\", \"rate_rps\": 8}}]",
                   "--out", "r.h5"});
  const Outcome outcome =
      folder_.tangram({"describe", "r.h5", "--dataset", "/requests/arrival_ns", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json found = Json::parse(outcome.out);
  EXPECT_EQ(found["count"], 160);
  EXPECT_EQ(found["length_s"], 20);
  EXPECT_EQ(found["gap_cv"], 0);
}

TEST_F(Commands, EveryWorkloadScenarioRuns) {
  const std::filesystem::path scenarios =
      std::filesystem::path(TANGRAM_SOURCE_DIR) / "scenarios/workloads";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scenarios)) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    const Outcome outcome = folder_.tangram(
        {"run", entry.path().string(), "--set", "/duration_s=20", "--summary", "s.json"});
    EXPECT_EQ(outcome.exit_code, 0) << entry.path() << outcome.err;
    EXPECT_GT(Json::parse(folder_.read("s.json"))["total"]["completed"], 50) << entry.path();
  }
  EXPECT_EQ(count, 13U);
}

TEST_F(Commands, SynthWritesAStoreThatShowPrintsAndAScenarioUses) {
  const Outcome synth =
      folder_.tangram({"profile", "synth", "resnet50", "bert", "--gpu", "t4", "--out", "own.h5"});
  EXPECT_EQ(synth.exit_code, 0) << synth.err;
  const Outcome show = folder_.tangram({"profile", "show", "own.h5"});
  EXPECT_EQ(show.exit_code, 0) << show.err;
  EXPECT_THAT(show.out, AllOf(HasSubstr("resnet50 on t4"), HasSubstr("bert on t4"),
                              HasSubstr("analytic"), HasSubstr("whole")));
  expect_within(show.out, 100);
  summary_of({"--set", R"(/profiles=["own.h5"])", "--set", "/cluster/gpus/0/type=t4", "--set",
              "/workloads/0/model=resnet50", "--set", "/workloads/1/model=bert"});
}

TEST_F(Commands, ImportReadsATidyTable) {
  folder_.write("unit.csv", "model,batch,latency_ms\nunit,1,6\nunit,2,7\n");
  const Outcome import = folder_.tangram(
      {"profile", "import", "--from", "csv", "unit.csv", "--gpu", "ideal", "--out", "own.h5"});
  EXPECT_EQ(import.exit_code, 0) << import.err;
  EXPECT_THAT(import.out, HasSubstr("1 profiles, 2 points"));
  EXPECT_THAT(folder_.tangram({"profile", "show", "own.h5"}).out, HasSubstr("unit on ideal"));
}

// Three models, every pair at two places; what slows is the neighbour, by 10, 20 or 30 %.
Json with_co_runs() {
  const std::map<std::string, double> slowdowns{{"a", 1.1}, {"b", 1.2}, {"c", 1.3}};
  Json profiles = Json::array();
  for (const char* model : {"a", "b", "c"}) {
    Json co_runs = Json::array();
    for (const auto& [other, slowdown] : slowdowns) {
      if (other == model) continue;
      for (const int batch : {1, 2}) {
        co_runs.push_back(
            {{"other", other}, {"batch", batch}, {"other_batch", batch}, {"slowdown", slowdown}});
      }
    }
    profiles.push_back({{"model", model},
                        {"gpu", "v100"},
                        {"latency", {{"fixed_ms", 5}, {"per_item_ms", 1}, {"max_batch", 32}}},
                        {"co_runs", co_runs}});
  }
  return profiles;
}

TEST_F(Commands, CalibrateJudgesEveryModelAndWritesTheFactor) {
  folder_.write("p.json", with_co_runs().dump());
  const Outcome outcome = folder_.tangram(
      {"calibrate", "p.json", "--out", "c.h5", "--report", "c.txt", "--measure-next", "2"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(folder_.read("c.txt"), outcome.out);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("Co-runs on v100: 12 slowdowns of 6 co-runs, 3 pairs"),
                                 HasSubstr("interference_factor  1.2000"), HasSubstr("\nnone "),
                                 HasSubstr("\nconstant "), HasSubstr("\npair_table +1 *"),
                                 HasSubstr("not judged  gpulet needs L2 and DRAM use"),
                                 HasSubstr("no co-run of this pair yet")));
  expect_within(outcome.out, 100);
  // A second calibration reads what the first wrote.
  const Outcome again =
      folder_.tangram({"calibrate", "c.h5", "--out", "d.h5", "--measure-next", "2"});
  EXPECT_EQ(again.out, outcome.out);
  // And a simulation uses it: no note that a factor is missing.
  Json scenario = two_workloads();
  scenario["profiles"] = {"c.h5"};
  scenario["cluster"] = {{"gpus", {{{"type", "v100"}}}}};
  scenario["workloads"][0]["model"] = "a";
  scenario["workloads"][1]["model"] = "b";
  scenario["device"] = {{"sharing", "mps"}, {"interference", {{"name", "pair_table"}}}};
  folder_.write("scenario.json", scenario.dump());
  const Outcome run = folder_.tangram({"run", "scenario.json"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("interference pair_table"));
}

TEST_F(Commands, VersionNamesTheCommit) {
  const Outcome outcome = folder_.tangram({"version"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, AllOf(StartsWith("tangram 0."), HasSubstr("(git ")));
}

TEST_F(Commands, HelpIsNotAnError) {
  const Outcome outcome = folder_.tangram({"run", "--help"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--replications"), Not(HasSubstr("error"))));
}

TEST_F(Commands, EveryQuickstartScenarioRuns) {
  const std::filesystem::path folder = std::string(TANGRAM_SOURCE_DIR) + "/scenarios/quickstart";
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    const Outcome outcome = folder_.tangram({"run", entry.path().string(), "--strict"});
    EXPECT_EQ(outcome.exit_code, 0) << entry.path() << '\n' << outcome.out << outcome.err;
    expect_within(outcome.out, 100);
    ++count;
  }
  EXPECT_GE(count, 3U);
}

}  // namespace
}  // namespace tangram::cli_test
