// Published dispatchers against their own code: 8 exclusive GPUs, l(b) = 1.053 b + 5.072 ms
// (docs/model/dispatchers.md). A shorter form of scenarios/serving/goodput.json.
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

struct Point {
  std::string dispatcher;  // JSON
  std::string models = "1", slo_ms = "25", gamma_shape = "1", rate_rps = "5000";
  std::string routing = "central";
};

// In per cent of what was offered, the mean of three seeds.
double bad_pct(const Point& point) {
  std::string arrivals = R"({"process": "poisson"})";
  if (point.gamma_shape != "1") {
    arrivals = R"({"process": "gamma", "shape": )" + point.gamma_shape + "}";
  }
  std::string workloads;
  for (int m = 0; m < std::stoi(point.models); ++m) {
    workloads += (m > 0 ? ", " : "") + std::string(R"({"model": "resnet50", "name": "m)") +
                 std::to_string(m) + R"(", "slo_ms": )" + point.slo_ms + R"(, "arrivals": )" +
                 arrivals + "}";
  }
  const Scenario scenario = load_scenario(TANGRAM_SOURCE_DIR "/scenarios/serving/eight-gpus.json",
                                          {{"/dispatcher", point.dispatcher},
                                           {"/workloads", "[" + workloads + "]"},
                                           {"/popularity/rate_rps", point.rate_rps},
                                           {"/routing", '"' + point.routing + '"'},
                                           {"/duration_s", "35"}});
  std::vector<std::string> notes;
  const Plan plan = make_plan(scenario, notes);
  double bad = 0;
  for (std::uint32_t seed = 0; seed < 3; ++seed) {
    RunOptions options;
    options.replication = seed;
    const RunResult result = simulate(scenario, plan, options);
    double offered = 0, good = 0;
    for (const WorkloadMetrics& metrics : result.metrics) {
      offered += static_cast<double>(metrics.offered);
      good += static_cast<double>(metrics.completed - metrics.late);
    }
    bad += 100 * (1 - good / offered) / 3;
  }
  return bad;
}

std::string symphony(const std::string& more = "") {
  return R"({"name": "symphony", "params": {"response_ms": 0)" + more + "}}";
}
const std::string kEager = R"(, "window": "immediate")";
const std::string kLazy = R"(, "window": "immediate", "drop": "timeout")";

// Past saturation a window of requests that could make a full batch is kept, so a load of 120 %
// loses a fifth; dropping only the hopeless leaves batches of one, and nearly all is lost.
TEST(ServingCurves, LazyDropsCollapsePastSaturationAndWindowsDoNot) {
  EXPECT_LT(bad_pct({.dispatcher = symphony(kEager), .rate_rps = "6000"}), 20);
  EXPECT_GT(bad_pct({.dispatcher = symphony(kLazy), .rate_rps = "6000"}), 60);
}

// 8 executors that start in turn serve at most 8 * 16 / l(16) = 5839 requests/s within 25 ms:
// l(b) (1 + 1/8) <= 25 gives b = 16. Waiting comes within 10 % of it, eager batches do not.
TEST(ServingCurves, WaitingForABatchPaysWithOneModel) {
  EXPECT_LT(bad_pct({.dispatcher = symphony(), .rate_rps = "5255"}), 1);
  EXPECT_GT(bad_pct({.dispatcher = symphony(), .rate_rps = "5839"}), 1);
  EXPECT_GT(bad_pct({.dispatcher = symphony(kEager), .rate_rps = "5255"}), 1);
}

// The released code gets 1 % bad at 3689 requests/s from ten models. Timers of executors that were
// given work meanwhile discard candidates there; without them it would carry 3 % more.
TEST(ServingCurves, StaleTimersCostEagerBatchesOfManyModelsThreePercent) {
  const std::string mended = kEager + R"(, "stale_timers": false)";
  const auto ten_models = [](const std::string& dispatcher, const std::string& rate) {
    return bad_pct({.dispatcher = dispatcher, .models = "10", .rate_rps = rate});
  };
  EXPECT_NEAR(ten_models(symphony(kEager), "3689"), 1, 0.15);
  EXPECT_LT(ten_models(symphony(mended), "3689"), 0.7);
  EXPECT_NEAR(ten_models(symphony(mended), "3800"), 1, 0.15);
}

// Every published point below the knee, within 0.3 points.
void expect_curve(const std::string& file, const std::map<std::string, std::string>& dispatchers) {
  std::istringstream lines(testing::content_of(testing::reference_data() + "/serving/" + file));
  std::string line, cell;
  std::vector<std::string> names;
  std::getline(lines, line);
  for (std::istringstream cells(line); std::getline(cells, cell, ',');) names.push_back(cell);
  int compared = 0;
  while (std::getline(lines, line)) {
    std::map<std::string, std::string> row;
    std::size_t i = 0;
    for (std::istringstream cells(line); std::getline(cells, cell, ',');) row[names[i++]] = cell;
    const std::string key =
        row.count("policy") != 0 ? row["policy"] : "ahead " + row["schedule_ahead_ms"];
    const auto dispatcher = dispatchers.find(key);
    const double published = std::stod(row["bad_pct"]);
    if (dispatcher == dispatchers.end() || published > 1) continue;
    const std::string gap = row.count("gap") != 0 ? row["gap"] : "gamma:" + row["gamma_shape"];
    Point point{dispatcher->second, row["models"], row["slo_ms"], "1", row["total_rps"]};
    if (gap == "gamma:0.1") point.gamma_shape = "0.1";
    if (key == "nexus_static") {
      point.routing = "drr";
      const std::string batch = row["slo_ms"] == "25" ? "7" : "42";
      point.dispatcher = R"({"name": "nexus", "params": {"batch": )" + batch + "}}";
    }
    EXPECT_NEAR(bad_pct(point), published, 0.3) << line;
    ++compared;
  }
  EXPECT_GT(compared, 5);
}

TEST(ServingCurves, SymphonyEagerAndNexusAgreeWithTheirOwnCode) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  expect_curve("badrate_curves.csv", {{"symphony_frontrun", symphony()},
                                      {"eager_windowdrop", symphony(kEager)},
                                      {"eager_droptimeout", symphony(kLazy)},
                                      {"latest", symphony(R"(, "window": "latest")")},
                                      {"nexus_static", ""}});
}

TEST(ServingCurves, ClockworkAgreesWithItsOwnCode) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  std::map<std::string, std::string> dispatchers;
  for (const std::string ahead : {"10", "5", "2"}) {
    dispatchers["ahead " + ahead] =
        R"({"name": "clockwork", "params": {"schedule_ahead_ms": )" + ahead + "}}";
  }
  expect_curve("clockwork_curves.csv", dispatchers);
}

}  // namespace
}  // namespace tangram
