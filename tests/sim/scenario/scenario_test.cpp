#include "sim/scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kOneModel = R"({
  "schema": 1, "duration_s": 2,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "workloads": [{"model": "unit", "slo_ms": 50,
                 "arrivals": {"process": "poisson", "rate_rps": 20}}]})";

Scenario parse_one_model(const std::vector<Override>& overrides = {}) {
  return parse_scenario(kOneModel, "folder/short name.json", "folder", overrides);
}

std::vector<std::string> places(const std::vector<Override>& overrides) {
  std::vector<std::string> result;
  try {
    parse_one_model(overrides);
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) result.push_back(fault.where);
  }
  return result;
}

TEST(Scenario, EverythingThatIsNotRequiredHasItsDefault) {
  const Scenario scenario = parse_one_model();
  EXPECT_EQ(scenario.name, "short name");
  EXPECT_EQ(scenario.seed, 1U);
  EXPECT_EQ(scenario.warmup_s, 0);
  EXPECT_TRUE(scenario.drain);
  EXPECT_EQ(scenario.planner.name, "exclusive");
  EXPECT_EQ(scenario.dispatcher.name, "fifo");
  EXPECT_EQ(scenario.routing, Routing::kCentral);
  EXPECT_EQ(scenario.device.sharing, Sharing::kFromPlan);
  EXPECT_EQ(scenario.device.interference.name, "default");
  EXPECT_EQ(scenario.device.depth, 2U);
  EXPECT_EQ(scenario.cluster.gpus[0].count, 1U);
  EXPECT_EQ(scenario.workloads[0].name, "unit");
  EXPECT_EQ(scenario.workloads[0].slo, from_ms(50));
  EXPECT_FALSE(scenario.plan);
  EXPECT_FALSE(scenario.log_requests || scenario.log_timeline);
}

TEST(Scenario, EveryKeyArrives) {
  const Scenario scenario =
      parse_one_model({{"/seed", "18446744073709551615"},
                       {"/warmup_s", "0.5"},
                       {"/drain", "false"},
                       {"/cluster/gpus/0/count", "3"},
                       {"/workloads/0/name", "one"},
                       {"/planner/name", "dedicated"},
                       {"/routing", "shortest_finish"},
                       {"/dispatcher", R"({"name": "tf_serving", "params": {"timeout_ms": 3}})"},
                       {"/device/sharing", "mig_mps"},
                       {"/device/interference", R"({"name": "constant", "factor": 1.25})"},
                       {"/device/quantum_ms", "4"},
                       {"/device/switch_ms", "0.1"},
                       {"/device/processes", "busy"},
                       {"/device/overhead_ms", "0.2"},
                       {"/device/depth", "1"},
                       {"/outputs", R"({"requests": true, "timeline": true})"}});
  EXPECT_EQ(scenario.seed, 18446744073709551615U);
  EXPECT_EQ(scenario.warmup_s, 0.5);
  EXPECT_FALSE(scenario.drain);
  EXPECT_EQ(scenario.cluster.size(), 3U);
  EXPECT_EQ(scenario.workloads[0].name, "one");
  EXPECT_EQ(scenario.planner.name, "dedicated");
  EXPECT_EQ(scenario.routing, Routing::kShortestFinish);
  EXPECT_EQ(scenario.dispatcher.name, "tf_serving");
  EXPECT_EQ(scenario.dispatcher.params.ms("timeout_ms"), from_ms(3));
  EXPECT_EQ(scenario.device.sharing, Sharing::kMigMps);
  EXPECT_EQ(scenario.device.interference.name, "constant");
  EXPECT_EQ(scenario.device.interference.factor, 1.25);
  EXPECT_EQ(scenario.device.quantum_ms, 4);
  EXPECT_EQ(scenario.device.switch_ms, 0.1);
  EXPECT_TRUE(scenario.device.busy_processes);
  EXPECT_EQ(scenario.device.overhead_ms, 0.2);
  EXPECT_EQ(scenario.device.depth, 1U);
  EXPECT_TRUE(scenario.log_requests && scenario.log_timeline);
}

TEST(Scenario, TheParametersOfInterferenceMayStandDirectlyOrInParams) {
  for (const char* text : {R"({"name": "gpulet", "coefficients": [1, 2, 3, 4, 5]})",
                           R"({"name": "gpulet", "params": {"coefficients": [1, 2, 3, 4, 5]}})"}) {
    EXPECT_THAT(parse_one_model({{"/device/interference", text}}).device.interference.coefficients,
                ElementsAre(1, 2, 3, 4, 5));
  }
  EXPECT_THAT(parse_one_model({{"/device/interference",
                                R"({"name": "kernel_length", "coefficients": [1.05, 0.1]})"}})
                  .device.interference.coefficients,
              ElementsAre(1.05, 0.1));
  EXPECT_THAT(places({{"/device/interference",
                       R"({"name": "constant", "factor": 2, "params": {"factor": 2}})"}}),
              ElementsAre("folder/short name.json#/device/interference"));
}

TEST(Scenario, AGpuTypeOfItsOwnIsKnownToClusterAndProfiles) {
  const Scenario scenario =
      parse_one_model({{"/cluster/types", R"([{"name": "own", "sms": 20, "memory_gib": 8, "mig": [
          {"slices": 1, "memory_slices": 4, "memory_gib": 4, "sms": 10, "starts": [0, 4]}]}])"},
                       {"/cluster/gpus/0/type", "own"},
                       {"/profiles/0/gpu", "own"}});
  const GpuType& own = scenario.cluster.own_types.at(0);
  EXPECT_EQ(own.sms, 20);
  EXPECT_EQ(own.memory_gib, 8);
  EXPECT_EQ(own.mig_slices, 1);
  EXPECT_THAT(own.mig_sizes.at(0).starts, ElementsAre(0, 4));
  EXPECT_NE(scenario.profiles.find("unit", "own"), nullptr);
}

TEST(Scenario, ItsTextIsTheJsonThatWasRun) {
  const Scenario scenario = parse_one_model({{"/seed", "9"}, {"/dispatcher/name", "edf"}});
  const Scenario again = parse_scenario(scenario.text, "again.json", "folder");
  EXPECT_EQ(again.seed, 9U);
  EXPECT_EQ(again.dispatcher.name, "edf");
  EXPECT_EQ(again.text, scenario.text);
}

TEST(Scenario, TellsAllFaultsInTheOrderOfTheSections) {
  EXPECT_THAT(
      places({{"/seed", "-1"},
              {"/cluster/gpus/0/count", "0"},
              {"/workloads/0/slo_ms", "0"},
              {"/planner/name", "x"},
              {"/device/depth", "0"},
              {"/extra", "1"}}),
      ElementsAre("folder/short name.json#/seed", "folder/short name.json#/cluster/gpus/0/count",
                  "folder/short name.json#/workloads/0/slo_ms",
                  "folder/short name.json#/planner/name", "folder/short name.json#/device/depth",
                  "folder/short name.json#/extra"));
}

TEST(Scenario, OneMistakeMakesOneFault) {
  // The model of a profile with a fault is known; so is that of a file that cannot be read:
  // perhaps.
  EXPECT_EQ(places({{"/profiles/0/latency/max_batch", "0"}}).size(), 1U);
  EXPECT_EQ(places({{"/profiles/0", "absent.h5"}}).size(), 1U);
  EXPECT_EQ(places({{"/cluster/gpus/0/type", "idael"}}).size(), 1U);
  // The parameters of a misspelt policy are not compared with those of another.
  EXPECT_EQ(places({{"/dispatcher", R"({"name": "edff", "params": {"x": 1}})"}}).size(), 1U);
  EXPECT_EQ(places({{"/duration_s", "null"}}).size(), 1U);
}

TEST(Scenario, AFaultInAnOverrideSaysWhichOneItWas) {
  try {
    parse_one_model({{"/workloads/0/slo_ms", "soon"}, {"/dispatcher/params/x", "1"}});
    FAIL();
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.faults().size(), 2U);
    EXPECT_THAT(error.faults()[0].what, HasSubstr("(from --set /workloads/0/slo_ms)"));
    EXPECT_THAT(error.faults()[1].what, HasSubstr("(from --set /dispatcher/params/x)"));
  }
}

TEST(Scenario, DurationEndsWhere64BitNanosecondsDo) {
  EXPECT_EQ(parse_one_model({{"/duration_s", "4.6e9"}}).duration_s, 4.6e9);
  EXPECT_THAT(places({{"/duration_s", "4.600001e9"}}),
              ElementsAre("folder/short name.json#/duration_s"));
}

// Four workloads, of which "own" has a rate and the others share one.
Scenario shared(const std::string& popularity) {
  Json document = Json::parse(kOneModel);
  document["workloads"] = Json::parse(R"([
    {"name": "a", "model": "unit", "slo_ms": 50, "arrivals": {"process": "poisson"}},
    {"name": "own", "model": "unit", "slo_ms": 50, "arrivals": {"process": "poisson", "rate_rps": 7}},
    {"name": "b", "model": "unit", "slo_ms": 50, "arrivals": {"process": "gamma", "cv": 2}},
    {"model": "unit", "slo_ms": 50, "arrivals": {"process": "constant"}}])");
  document["popularity"] = Json::parse(popularity);
  return parse_scenario(document.dump(), "s.json", "");
}

std::vector<double> rates(const std::string& popularity) {
  std::vector<double> out;
  for (const Workload& workload : shared(popularity).workloads) {
    out.push_back(workload.arrivals.rate_rps);
  }
  return out;
}

std::vector<std::string> faults_of(const std::string& popularity) {
  std::vector<std::string> out;
  try {
    shared(popularity);
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) out.push_back(fault.where + ": " + fault.what);
  }
  return out;
}

TEST(Popularity, SplitsARateByZipfInTheOrderOfTheScenario) {
  // Weights 1, 1/2, 1/3 of 11/6.
  const auto by_zipf = rates(R"({"rate_rps": 110, "kind": "zipf"})");
  EXPECT_NEAR(by_zipf[0], 60, 1e-12);
  EXPECT_EQ(by_zipf[1], 7);
  EXPECT_NEAR(by_zipf[2], 30, 1e-12);
  EXPECT_NEAR(by_zipf[3], 20, 1e-12);
  // s = 2: 1, 1/4, 1/9 of 49/36; s = 0: equal.
  EXPECT_NEAR(rates(R"({"rate_rps": 49, "kind": "zipf", "s": 2})")[3], 4, 1e-12);
  EXPECT_THAT(rates(R"({"rate_rps": 9, "kind": "zipf", "s": 0})"), ElementsAre(3, 7, 3, 3));
}

TEST(Popularity, SplitsARateByTheWeightsOfTheNames) {
  EXPECT_THAT(
      rates(R"({"rate_rps": 80, "kind": "weights", "weights": {"unit": 5, "b": 2, "a": 1}})"),
      ElementsAre(10, 7, 20, 50));
}

TEST(Popularity, MistakesAreToldOnce) {
  EXPECT_THAT(faults_of(R"({"rate_rps": 80, "kind": "weights", "weights": {"unit": 5, "a": 1}})"),
              ElementsAre(HasSubstr("s.json#/popularity/weights: the key \"b\" is missing")));
  EXPECT_THAT(faults_of(R"({"rate_rps": 80, "kind": "weights",
                            "weights": {"unit": 5, "a": 1, "b": 1, "own": 1}})"),
              ElementsAre(HasSubstr("s.json#/popularity/weights/own: unknown key")));
  EXPECT_THAT(faults_of(R"({"rate_rps": 80, "kind": "weights"})"),
              ElementsAre(HasSubstr("needs \"weights\"")));
  EXPECT_THAT(faults_of(R"({"rate_rps": 80, "kind": "zipf", "weights": {"a": 1}})"),
              ElementsAre(HasSubstr("belongs to the kind \"weights\"")));
  EXPECT_THAT(faults_of(R"({"rate_rps": 0, "kind": "zipff"})"),
              ElementsAre(HasSubstr("/popularity/rate_rps"), HasSubstr("/popularity/kind")));
  EXPECT_THAT(places({{"/popularity", R"({"rate_rps": 1, "kind": "zipf"})"}}),
              ElementsAre("folder/short name.json#/popularity"));
}

TEST(Popularity, IsWhereARateMayComeFromOnlyWhenThereIsOne) {
  EXPECT_THAT(faults_of("null"), ::testing::Each(HasSubstr("\"rate_rps\" is missing")));
  EXPECT_EQ(faults_of("null").size(), 3U);
}

TEST(Scenario, GpusOnWhichNothingCanRunAreNoted) {
  const Scenario scenario = parse_one_model({{"/cluster/gpus/-", R"({"type": "t4"})"}});
  EXPECT_THAT(scenario.notes, ElementsAre(HasSubstr("no workload has a profile on t4")));
}

}  // namespace
}  // namespace tangram
