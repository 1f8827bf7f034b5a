#include "sim/scenario/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kText = R"({
  "schema": 1, "duration_s": 2,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 32}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "workloads": [{"model": "unit", "slo_ms": 50,
                 "arrivals": {"process": "poisson", "rate_rps": 20}}]})";

Scenario parse(const std::vector<Override>& overrides = {}) {
  return parse_scenario(kText, "folder/short name.json", "folder", overrides);
}

std::vector<std::string> places(const std::vector<Override>& overrides) {
  std::vector<std::string> result;
  try {
    parse(overrides);
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) result.push_back(fault.where);
  }
  return result;
}

TEST(Scenario, EverythingThatIsNotRequiredHasItsDefault) {
  const Scenario scenario = parse();
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
      parse({{"/seed", "18446744073709551615"},
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
    EXPECT_THAT(parse({{"/device/interference", text}}).device.interference.coefficients,
                ElementsAre(1, 2, 3, 4, 5));
  }
  EXPECT_THAT(
      parse({{"/device/interference", R"({"name": "kernel_length", "coefficients": [1.05, 0.1]})"}})
          .device.interference.coefficients,
      ElementsAre(1.05, 0.1));
  EXPECT_THAT(places({{"/device/interference",
                       R"({"name": "constant", "factor": 2, "params": {"factor": 2}})"}}),
              ElementsAre("folder/short name.json#/device/interference"));
}

TEST(Scenario, AGpuTypeOfItsOwnIsKnownToClusterAndProfiles) {
  const Scenario scenario =
      parse({{"/cluster/types", R"([{"name": "own", "sms": 20, "memory_gib": 8, "mig": [
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
  const Scenario scenario = parse({{"/seed", "9"}, {"/dispatcher/name", "edf"}});
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
    parse({{"/workloads/0/slo_ms", "soon"}, {"/dispatcher/params/x", "1"}});
    FAIL();
  } catch (const ConfigError& error) {
    ASSERT_EQ(error.faults().size(), 2U);
    EXPECT_THAT(error.faults()[0].what, HasSubstr("(from --set /workloads/0/slo_ms)"));
    EXPECT_THAT(error.faults()[1].what, HasSubstr("(from --set /dispatcher/params/x)"));
  }
}

TEST(Scenario, DurationEndsWhere64BitNanosecondsDo) {
  EXPECT_EQ(parse({{"/duration_s", "4.6e9"}}).duration_s, 4.6e9);
  EXPECT_THAT(places({{"/duration_s", "4.600001e9"}}),
              ElementsAre("folder/short name.json#/duration_s"));
}

TEST(Scenario, GpusOnWhichNothingCanRunAreNoted) {
  const Scenario scenario = parse({{"/cluster/gpus/-", R"({"type": "t4"})"}});
  EXPECT_THAT(scenario.notes, ElementsAre(HasSubstr("no workload has a profile on t4")));
}

}  // namespace
}  // namespace tangram
