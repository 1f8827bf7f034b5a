// "applications", workloads of them, "network", "load", and pointers with *.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/scenario/scenario.h"

namespace tangram {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kTwoApplications = R"({
  "schema": 1, "duration_s": 2,
  "profiles": [
    {"model": "one", "gpu": "ideal", "latency": {"fixed_ms": 10, "per_item_ms": 0, "max_batch": 8}},
    {"model": "two", "gpu": "ideal", "latency": {"fixed_ms": 30, "per_item_ms": 0, "max_batch": 8}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "applications": [{"name": "chain", "stages": [
    {"name": "first", "model": "one"},
    {"name": "second", "model": "two", "after": ["first"], "fan_out": 3}]}],
  "workloads": [
    {"model": "one", "slo_ms": 50, "arrivals": {"process": "poisson", "rate_rps": 20}},
    {"application": "chain", "slo_ms": 200, "arrivals": {"process": "constant", "rate_rps": 5}}]})";

Scenario parse_applications(const std::vector<Override>& overrides = {}) {
  return parse_scenario(kTwoApplications, "s.json", ".", overrides);
}

std::vector<std::string> faults(const std::vector<Override>& overrides) {
  std::vector<std::string> result;
  try {
    parse_applications(overrides);
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) result.push_back(fault.where + ": " + fault.what);
  }
  return result;
}

const std::string kStages = "/applications/0/stages";

TEST(ApplicationsReader, MakesAWorkloadOfEachStage) {
  const Scenario scenario = parse_applications();
  ASSERT_THAT(scenario.workloads, SizeIs(3));
  EXPECT_EQ(scenario.workloads[0].name, "one");
  EXPECT_EQ(scenario.workloads[1].name, "chain.first");
  EXPECT_EQ(scenario.workloads[2].name, "chain.second");
  EXPECT_EQ(scenario.workloads[2].model, "two");
  EXPECT_EQ(scenario.workloads[2].kind, Workload::Kind::kStage);
  // proportional: 10 and 30 ms of a path of 40.
  EXPECT_NEAR(to_ms(scenario.workloads[1].slo), 50, 1e-5);
  EXPECT_NEAR(to_ms(scenario.workloads[2].slo), 150, 1e-5);
  // What planners count on: rate times fan-out.
  EXPECT_EQ(mean_rate(scenario.workloads[1].arrivals), 5);
  EXPECT_EQ(mean_rate(scenario.workloads[2].arrivals), 15);
  ASSERT_THAT(scenario.applications, SizeIs(1));
  EXPECT_EQ(scenario.applications[0].load.name, "chain");
  EXPECT_THAT(scenario.applications[0].stages, ElementsAre(WorkloadId(1), WorkloadId(2)));
  const std::vector<Workload> counted = counted_workloads(scenario);
  EXPECT_EQ(counted.back().name, "chain");
  EXPECT_EQ(counted.back().kind, Workload::Kind::kApplication);
}

TEST(ApplicationsReader, SplitsAsItIsTold) {
  const auto slos = [](const std::string& split) {
    const Scenario scenario = parse_applications({{"/workloads/1/slo_split", split}});
    return std::pair(to_ms(scenario.workloads[1].slo), to_ms(scenario.workloads[2].slo));
  };
  EXPECT_EQ(slos(R"({"name": "equal"})"), std::pair(100.0, 100.0));
  EXPECT_EQ(slos(R"({"stages_ms": {"first": 40, "second": 60}})"), std::pair(40.0, 60.0));
  const auto nexus = slos(R"({"name": "nexus", "params": {"steps": 10}})");
  EXPECT_DOUBLE_EQ(nexus.first + nexus.second, 200);
  const Scenario long_path = parse_applications(
      {{"/workloads/1/slo_split", R"({"stages_ms": {"first": 150, "second": 60}})"}});
  EXPECT_THAT(long_path.notes, Contains(HasSubstr("first + second add up to 210 ms")));
}

TEST(ApplicationsReader, KnowsGameAndTraffic) {
  const std::string profile =
      R"({"model": "NAME", "gpu": "ideal", "latency": {"fixed_ms": 1, "per_item_ms": 0, "max_batch": 8}})";
  std::vector<Override> overrides{{"/workloads/1/application", "traffic"}};
  for (const std::string name : {"ssd-mobilenetv1", "googlenet", "vgg16"}) {
    std::string text = profile;
    overrides.emplace_back("/profiles/-", text.replace(text.find("NAME"), 4, name));
  }
  const Scenario scenario = parse_applications(overrides);
  ASSERT_THAT(scenario.workloads, SizeIs(4));
  EXPECT_EQ(scenario.workloads[1].name, "traffic.detect");
  EXPECT_THAT(faults({{"/workloads/1/application", "game"}}),
              Contains(AllOf(HasSubstr("/workloads/1/application"), HasSubstr("resnet50"))));
  EXPECT_THAT(faults({{"/workloads/1/application", "trafic"}}),
              Contains(HasSubstr("unknown application \"trafic\"; did you mean \"traffic\"")));
}

TEST(ApplicationsReader, ReadsFanOutAsADistribution) {
  const auto rate = [](const std::string& fan_out) {
    return mean_rate(parse_applications({{kStages + "/1/fan_out", fan_out}}).workloads[2].arrivals)
        .value_or(0);
  };
  EXPECT_DOUBLE_EQ(rate(R"({"kind": "poisson", "mean": 2.5})"), 12.5);
  EXPECT_DOUBLE_EQ(rate(R"({"kind": "weights", "weights": [1, 0, 1]})"), 5);
  EXPECT_EQ(rate("0"), 0);
}

TEST(ApplicationsReader, TellsEveryFaultWithItsPlace) {
  EXPECT_THAT(
      faults({{kStages + "/0/model", "tow"},
              {kStages + "/1/after", R"(["frist"])"},
              {kStages + "/1/fan_out", "2.5"},
              {kStages + "/1/wiat", "all"},
              {"/workloads/1/slo_split", R"({"name": "nexsus"})"}}),
      ElementsAre(HasSubstr("#/applications/0/stages/0/model: unknown model \"tow\""),
                  HasSubstr("#/applications/0/stages/1/fan_out: "),
                  HasSubstr("#/applications/0/stages/1/wiat: "),
                  HasSubstr("#/applications/0/stages/1/after/0: unknown stage \"frist\"; did "
                            "you mean \"first\"")));
  EXPECT_THAT(faults({{"/workloads/1/slo_split", R"({"name": "nexsus", "parms": {}})"}}),
              ElementsAre(HasSubstr("/slo_split/name: unknown slo_split \"nexsus\""),
                          HasSubstr("/slo_split/parms: ")));
  EXPECT_THAT(
      faults({{"/workloads/1/slo_split/stages_ms", R"({"first": 1, "secnd": 2})"}}),
      ElementsAre(HasSubstr("the key \"second\" is missing"), HasSubstr("stages_ms/secnd")));
}

TEST(ApplicationsReader, RefusesWhatIsNoGraphOfStages) {
  EXPECT_THAT(faults({{kStages + "/0/after", R"(["second"])"}}),
              ElementsAre(HasSubstr("in a circle: first, second")));
  EXPECT_THAT(faults({{kStages + "/0/fan_out", R"({"kind": "poisson", "mean": 3})"}}),
              ElementsAre(AllOf(HasSubstr("stages/0"), HasSubstr("at least one request"))));
  EXPECT_THAT(faults({{kStages + "/0/fan_out", "1000"}, {kStages + "/1/fan_out", "100"}}),
              ElementsAre(HasSubstr("may get 100000 requests")));
  EXPECT_THAT(faults({{kStages + "/1/name", "first"}}),
              Contains(HasSubstr("the stage name \"first\" is taken")));
  EXPECT_THAT(faults({{kStages + "/-", R"({"model": "two", "after": ["first", "second"],
                                           "wait": "each"})"}}),
              ElementsAre(HasSubstr("stages/2/wait: a stage after several others")));
  EXPECT_THAT(faults({{kStages, "[]"}}), ElementsAre(HasSubstr("has 0 stages")));
}

TEST(ApplicationsReader, AWorkloadHasAModelOrAnApplication) {
  EXPECT_THAT(faults({{"/workloads/1/model", "one"}, {"/workloads/1/name", "x"}}),
              ElementsAre(HasSubstr("\"model\" and \"application\": give one of them")));
  EXPECT_THAT(faults({{"/workloads/0/model", "null"}, {"/workloads/0/name", "x"}}),
              ElementsAre(HasSubstr("the key \"model\" is missing, or \"application\"")));
  EXPECT_THAT(faults({{"/workloads/0/slo_split", "{}"}}),
              ElementsAre(HasSubstr("belongs to a workload of an application")));
  EXPECT_THAT(faults({{"/workloads/0/name", "chain.first"}}),
              ElementsAre(HasSubstr("the workload name \"chain.first\" is taken")));
}

TEST(ApplicationsReader, NexusSaysThatItSplitsTreesOnly) {
  EXPECT_THAT(
      faults({{kStages + "/-", R"({"name": "j", "model": "two", "after": ["first", "second"]})"},
              {"/workloads/1/slo_split", R"({"name": "nexus"})"}}),
      ElementsAre(AllOf(HasSubstr("#/workloads/1/slo_split: "), HasSubstr("splits trees"))));
}

TEST(NetworkReader, ReadsADistributionAndRefusesNonsense) {
  EXPECT_TRUE(parse_applications().network.none());
  const Scenario scenario = parse_applications(
      {{"/network", R"({"delay_ms": 4, "kind": "lognormal", "cv": 0.5, "at_least_ms": 1})"}});
  EXPECT_EQ(scenario.network.kind, NetworkDelay::Kind::kLognormal);
  EXPECT_EQ(scenario.network.mean, from_ms(4));
  EXPECT_EQ(scenario.network.at_least, from_ms(1));
  EXPECT_EQ(scenario.network.cv, 0.5);
  EXPECT_THAT(faults({{"/network", R"({"delay_ms": 1, "at_least_ms": 2})"}}),
              ElementsAre(HasSubstr("must not be above")));
  EXPECT_THAT(faults({{"/network", R"({"delay_ms": 1, "cv": 2})"}}),
              ElementsAre(HasSubstr("\"cv\" belongs to")));
  EXPECT_THAT(faults({{"/network", R"({"kind": "gama"})"}}),
              ElementsAre(HasSubstr("/network"), HasSubstr("did you mean \"gamma\"")));
}

TEST(Load, ScalesEveryRate) {
  const Scenario scenario = parse_applications({{"/load", "2"}});
  EXPECT_EQ(scenario.workloads[0].arrivals.rate_rps, 40);
  EXPECT_EQ(scenario.applications[0].load.arrivals.rate_rps, 10);
  EXPECT_EQ(mean_rate(scenario.workloads[2].arrivals), 30);
  const Scenario shared =
      parse_applications({{"/load", "0.5"},
                          {"/workloads/0/arrivals", R"({"process": "poisson"})"},
                          {"/popularity", R"({"rate_rps": 30, "kind": "zipf"})"}});
  EXPECT_EQ(shared.workloads[0].arrivals.rate_rps, 15);
  EXPECT_THAT(faults({{"/load", "0"}}), SizeIs(1));
  EXPECT_THAT(faults({{"/load", "1e6"}, {"/workloads/0/arrivals/rate_rps", "1e9"}}),
              ElementsAre(HasSubstr("/workloads/0: /load 1e+06 makes 1e+15")));
}

TEST(Overrides, AStarStandsForEveryItem) {
  const Scenario scenario =
      parse_applications({{"/workloads/*/slo_ms", "77"},
                          {"/workloads/*/arrivals", R"({"process": "constant", "rate_rps": 3})"},
                          {"/applications/*/stages/*/fan_out", "2"}});
  EXPECT_EQ(scenario.workloads[0].slo, from_ms(77));
  EXPECT_EQ(scenario.applications[0].load.slo, from_ms(77));
  EXPECT_EQ(scenario.applications[0].load.arrivals.rate_rps, 3);
  EXPECT_EQ(mean_rate(scenario.workloads[2].arrivals), 12);
  EXPECT_THAT(
      faults({{"/workloads/*/slo_ms", "-1"}}),
      ElementsAre(AllOf(HasSubstr("/workloads/0/slo_ms"), HasSubstr("--set /workloads/*/slo_ms")),
                  AllOf(HasSubstr("/workloads/1/slo_ms"), HasSubstr("--set /workloads/*/slo_ms"))));
  EXPECT_THAT(faults({{"/cluster/types", "[]"}, {"/cluster/types/*/sms", "1"}}),
              Contains(HasSubstr("has no item for * to stand for")));
}

}  // namespace
}  // namespace tangram
