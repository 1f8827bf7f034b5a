// Points, items, journals and files of sweeps, on a scenario of one GPU.
#include "sim/sweep/sweep.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/atomic_file.h"
#include "sim/results/summary.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"
#include "sim/sweep/sweep_file.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kScenario = R"({
  "schema": 1, "duration_s": 4, "seed": 5,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 16}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "workloads": [
    {"name": "a", "model": "unit", "slo_ms": 50, "arrivals": {"process": "poisson", "rate_rps": 80}},
    {"name": "b", "model": "unit", "slo_ms": 90, "arrivals": {"process": "poisson", "rate_rps": 40}}],
  "dispatcher": {"name": "eager"}})";

// An empty folder with the scenario in it.
class Sweeps : public ::testing::Test {
 protected:
  Sweeps() {
    folder_ = fs::temp_directory_path() /
              ("tangram_sweep_" + std::to_string(::getpid()) + '_' +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    write_file(path("scenario.json"), kScenario);
  }
  ~Sweeps() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  SweepSpec spec(const std::string& rest) const {
    write_file(path("sweep.json"), R"({"scenario": "scenario.json", )" + rest + '}');
    return load_sweep(path("sweep.json"));
  }
  // Runs it whole and returns the bytes of its file.
  std::string bytes(const SweepSpec& spec, SweepOptions options) const {
    options.journal = path("journal");
    const auto result = run_sweep(spec, options);
    EXPECT_TRUE(result);
    write_sweep_file(path("out.h5"), sweep_file_of(*result));
    finish_sweep(options);
    return read_file(path("out.h5"));
  }

  fs::path folder_;
};

constexpr const char* kTwoAxes = R"("axes": [
  {"pointer": "/workloads/0/arrivals/rate_rps", "values": [40, 80, 120]},
  {"pointer": "/dispatcher/name", "values": ["fifo", "eager"]}], "replications": 2)";

TEST_F(Sweeps, AGridChangesItsLastAxisFastest) {
  const std::vector<SweepPoint> points = sweep_points(spec(kTwoAxes));
  ASSERT_EQ(points.size(), 6U);
  EXPECT_THAT(points[0].values, ElementsAre(40, "fifo"));
  EXPECT_THAT(points[1].values, ElementsAre(40, "eager"));
  EXPECT_THAT(points[5].values, ElementsAre(120, "eager"));
}

TEST_F(Sweeps, AZipTakesOneValueOfEachAxis) {
  const std::vector<SweepPoint> points = sweep_points(spec(R"("mode": "zip", "axes": [
    {"pointer": "/seed", "values": [1, 2, 3]}, {"pointer": "/duration_s", "values": [4, 5, 6]}])"));
  ASSERT_EQ(points.size(), 3U);
  EXPECT_THAT(points[1].values, ElementsAre(2, 5));
}

TEST_F(Sweeps, ALatinHypercubeHasOneDrawInEachStratumOfEachAxis) {
  const SweepSpec sweep = spec(R"("mode": "latin_hypercube", "samples": 10, "axes": [
    {"pointer": "/workloads/0/slo_ms", "low": 10, "high": 20},
    {"pointer": "/workloads/1/slo_ms", "low": 1, "high": 1024, "scale": "log"}])");
  std::set<int> strata;
  std::set<int> octaves;
  for (const SweepPoint& point : sweep_points(sweep)) {
    strata.insert(static_cast<int>(point.values[0].get<double>() - 10));
    // 10 strata of the logarithm of [1, 1024] are its 10 octaves.
    octaves.insert(static_cast<int>(std::log2(point.values[1].get<double>())));
  }
  EXPECT_EQ(strata.size(), 10U);
  EXPECT_EQ(octaves.size(), 10U);
}

TEST_F(Sweeps, ReportAllFaultsOfTheirFileAtOnce) {
  try {
    spec(R"("mod": "grid", "axes": [{"pointer": "seed", "values": []}], "replications": 0)");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.faults().size(), 4U) << error.what();
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"mode\""));
    EXPECT_THAT(error.what(), HasSubstr("/axes/0/pointer"));
    EXPECT_THAT(error.what(), HasSubstr("/axes/0/values"));
    EXPECT_THAT(error.what(), HasSubstr("/replications"));
  }
}

TEST_F(Sweeps, ACaseChangesSeveralPlacesUnderOneName) {
  const SweepSpec sweep = spec(R"("axes": [{"name": "arrivals", "cases": {
      "as they are": {},
      "bursts": {"/workloads/*/arrivals/process": "lognormal", "/workloads/*/arrivals/sigma": 2},
      "one fast": {"/workloads/0/arrivals/rate_rps": 200, "/dispatcher/name": "fifo"}}},
    {"pointer": "/load", "values": [0.5, 1]}])");
  const std::vector<SweepPoint> points = sweep_points(sweep);
  ASSERT_EQ(points.size(), 6U);
  EXPECT_THAT(points[2].values, ElementsAre("bursts", 0.5));
  EXPECT_THAT(overrides_of(sweep, points[0]), ElementsAre(Override{"/load", "0.5"}));
  EXPECT_THAT(overrides_of(sweep, points[5]),
              ElementsAre(Override{"/workloads/0/arrivals/rate_rps", "200"},
                          Override{"/dispatcher/name", "\"fifo\""}, Override{"/load", "1"}));
  const std::string ignored = bytes(sweep, {.jobs = 2});
  const SweepFile file = read_sweep_file(path("out.h5"));
  EXPECT_THAT(file.pointers, ElementsAre("arrivals", "/load"));
  ASSERT_EQ(file.rows.size(), 6U);
  for (const SweepRow& row : file.rows) EXPECT_EQ(row.error, "");
  EXPECT_THAT(file.rows[3].values, ElementsAre("bursts", 1));
}

TEST_F(Sweeps, ReportFaultsOfEveryCaseBeforeAnythingRuns) {
  try {
    spec(R"("axes": [{"name": "n", "cases": {
        "good": {}, "bad": {"/workloads/0/slo_ms": -1}, "worse": {"/dispatcher/name": "fiffo"}}}])");
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("(case \"bad\")"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"fifo\""));
    EXPECT_THAT(error.what(), HasSubstr("(case \"worse\")"));
  }
  EXPECT_THROW(spec(R"("axes": [{"cases": {"x": {}}}])"), ConfigError);
  EXPECT_THROW(spec(R"("axes": [{"name": "n", "cases": {}}])"), ConfigError);
  EXPECT_THROW(spec(R"("axes": [{"name": "n", "cases": {"x": {"load": 1}}}])"), ConfigError);
}

TEST_F(Sweeps, RefuseAPointerThatLeadsNowhere) {
  EXPECT_THROW(spec(R"("axes": [{"pointer": "/workloads/7/slo_ms", "values": [1]}])"), ConfigError);
}

TEST_F(Sweeps, HoldTheFiguresOfTheRunsThatTheirPointsAre) {
  const std::string ignored = bytes(spec(kTwoAxes), {.jobs = 2});
  const SweepFile file = read_sweep_file(path("out.h5"));
  ASSERT_EQ(file.rows.size(), 12U);
  const SweepRow& row = file.rows[7];  // point 3 = (80, eager), replication 1
  EXPECT_THAT(row.values, ElementsAre(80, "eager"));
  EXPECT_EQ(row.replication, 1U);

  Scenario scenario = load_scenario(path("scenario.json"));
  const Plan plan = make_plan(scenario, scenario.notes);
  RunOptions second;
  second.replication = 1;
  const RunResult run = simulate(scenario, plan, second);
  const Json summary = summarize(std::span(&run, 1));
  const auto figure = [](const NamedFigures& figures, const std::string& name) {
    for (const auto& [key, value] : figures) {
      if (key == name) return value;
    }
    return -1.0;
  };
  EXPECT_EQ(figure(row.figures, "total.latency_ms.p99"),
            summary["total"]["latency_ms"]["p99"].get<double>());
  EXPECT_EQ(figure(row.workloads[1].figures, "offered"),
            summary["workloads"]["b"]["offered"].get<double>());
  EXPECT_EQ(row.workloads[0].latency, run.metrics[0].latency.bins());
}

TEST_F(Sweeps, GiveTheSameBytesForAnyNumberOfJobsAndAfterAKill) {
  const SweepSpec sweep = spec(kTwoAxes);
  const std::string one = bytes(sweep, {.jobs = 1});
  EXPECT_EQ(bytes(sweep, {.jobs = 3}), one);

  // What a kill leaves: the journal of the whole run, cut in the middle of a line.
  SweepOptions options{.jobs = 1, .journal = path("journal")};
  ASSERT_TRUE(run_sweep(sweep, options));
  const std::string journal = read_file(options.journal);
  fs::resize_file(options.journal, journal.size() / 2);
  EXPECT_THROW(run_sweep(sweep, options), ConfigError) << "without resume nothing is overwritten";
  EXPECT_EQ(bytes(sweep, {.jobs = 2, .resume = true}), one);
}

TEST_F(Sweeps, ComputeOnlyWhatTheJournalLacks) {
  const SweepSpec sweep = spec(kTwoAxes);
  SweepOptions options{.jobs = 1, .journal = path("journal")};
  ASSERT_TRUE(run_sweep(sweep, options));
  std::uint64_t computed = 0;
  options.resume = true;
  options.progress = [&](std::uint64_t, std::uint64_t, std::uint64_t) { ++computed; };
  ASSERT_TRUE(run_sweep(sweep, options));
  EXPECT_EQ(computed, 0U);
}

TEST_F(Sweeps, RefuseTheJournalOfAnotherSweep) {
  SweepOptions options{.jobs = 1, .journal = path("journal")};
  ASSERT_TRUE(run_sweep(spec(kTwoAxes), options));
  options.resume = true;
  EXPECT_THROW(run_sweep(spec(R"("replications": 2)"), options), ConfigError);
}

TEST_F(Sweeps, StopWhenAskedAndKeepWhatIsFinished) {
  std::stop_source source;
  SweepOptions options{.jobs = 1, .journal = path("journal"), .stop = source.get_token()};
  options.progress = [&](std::uint64_t done, std::uint64_t, std::uint64_t) {
    if (done == 5) source.request_stop();
  };
  const SweepSpec sweep = spec(kTwoAxes);
  EXPECT_FALSE(run_sweep(sweep, options));
  const std::string journal = read_file(options.journal);
  EXPECT_EQ(std::count(journal.begin(), journal.end(), '\n'), 6);  // the head and five items
  const std::string resumed = bytes(sweep, {.jobs = 2, .resume = true});
  EXPECT_EQ(resumed, bytes(sweep, {.jobs = 1}));
}

TEST_F(Sweeps, RecordAPointThatFailsAndGoOn) {
  const SweepSpec sweep =
      spec(R"("axes": [{"pointer": "/workloads/0/slo_ms", "values": [50, -1, 70]}])");
  const std::string ignored = bytes(sweep, {.jobs = 1});
  const SweepFile file = read_sweep_file(path("out.h5"));
  ASSERT_EQ(file.rows.size(), 3U);
  EXPECT_EQ(file.rows[0].error, "");
  EXPECT_THAT(file.rows[1].error, HasSubstr("/workloads/0/slo_ms"));
  EXPECT_TRUE(file.rows[1].figures.empty());
  EXPECT_FALSE(file.rows[2].figures.empty());
}

TEST_F(Sweeps, MergeTheirShardsIntoTheBytesOfTheWhole) {
  const SweepSpec sweep = spec(kTwoAxes);
  const std::string whole = bytes(sweep, {.jobs = 1});
  std::vector<std::string> parts;
  for (std::uint32_t s = 0; s < 5; ++s) {
    bytes(sweep, {.jobs = 1, .shard = {s, 5}});
    parts.push_back(path("part" + std::to_string(s)));
    fs::rename(path("out.h5"), parts.back());
  }
  std::swap(parts[0], parts[3]);  // in any order
  write_sweep_file(path("merged.h5"), merge_sweep_files(parts));
  EXPECT_EQ(read_file(path("merged.h5")), whole);

  parts.pop_back();
  EXPECT_THROW(merge_sweep_files(parts), ConfigError);  // a shard is missing
  parts.push_back(parts.front());
  EXPECT_THROW(merge_sweep_files(parts), ConfigError);  // a shard is there twice
}

TEST_F(Sweeps, SearchTheCapacityOfEachPoint) {
  // One at a time takes 6 ms: at most 166 requests/s; b asks for 40, so a has at most 126.
  const std::string search =
      R"("axes": [{"pointer": "/dispatcher/name", "values": ["fifo", "eager"]}],
    "search": {"pointer": "/workloads/0/arrivals/rate_rps", "low": 10, "high": 1000,
               "target": {"metric": "/workloads/*/slo_attainment", "at_least": 0.99}},
    "replications": 2)";
  const SweepSpec sweep = spec(search);
  EXPECT_EQ(sweep_items(sweep), 2U);
  const std::string one = bytes(sweep, {.jobs = 1});
  const SweepFile file = read_sweep_file(path("out.h5"));
  ASSERT_EQ(file.searches.size(), 2U);
  EXPECT_LT(file.searches[0].capacity.highest_pass.value_or(1e9), 126);
  EXPECT_GT(file.searches[1].capacity.highest_pass.value_or(0), 126);  // batches
  EXPECT_EQ(file.rows.size(),
            2 * std::size_t{file.searches[0].evaluations + file.searches[1].evaluations});
  EXPECT_EQ(bytes(sweep, {.jobs = 2}), one);
}

}  // namespace
}  // namespace tangram
