// The JSON form of plans: exact round trips, and the place of every fault of form.
#include "policies/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/plan_io.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ReadPlan read_json_plan(const std::string& text) {
  Faults faults;
  const std::optional<Json> json = parse_json(text, "p.json", faults);
  ReadPlan result;
  if (json) result.plan = read_plan(JsonNode(*json, "p.json", faults));
  result.faults = sentences(faults);
  return result;
}

// A plan with one GPU and one partition, each with text of its own.
std::string with_partition(const std::string& partition) {
  return R"({"schema": 1, "planner": "x", "gpus": [{"index": 0, "type": "a100-80gb", "mode": "mig",
             "partitions": [)" +
         partition + "]}]}";
}
std::string with_replica(const std::string& replica) {
  return with_partition(R"({"size": 1, "start": 0, "replicas": [)" + replica + "]}");
}

Plan full_plan() {
  Plan plan;
  plan.planner = "parvagpu";
  PlanReplica planned = replica_of("vision", "resnet50", 64, 2, 1);
  planned.rate_rps = 829.0 / 3;
  planned.duty_ms = 12.5;
  PlanPartition moved = mig_partition(2, 2, {replica_of("text", "bert", 8)});
  moved.released_start = 1;
  PlanPartition share;
  share.share_pct = 100.0 / 3;
  share.replicas = {replica_of("text", "bert")};
  PlanPartition green;
  green.sms = 32;
  plan.gpus = {{0, "a100-80gb", GpuMode::kMig, {mig_partition(3, 4, {planned}), moved}},
               {4, "2080ti", GpuMode::kMps, {share}},
               {5, "h200", GpuMode::kSm, {green}},
               {9, "t4", GpuMode::kTimeSliced, {}}};
  plan.unserved = {{"audio", 0.1 + 0.2, "no profile"}};
  plan.lost = {"segment of size 2 on GPU 3"};
  return plan;
}

TEST(PlanJson, AWrittenPlanIsReadBackExactly) {
  const Plan plan = full_plan();
  const ReadPlan result = read_json_plan(to_json(plan, {}).dump());
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_EQ(result.plan, plan);
}

TEST(PlanJson, TheSummaryCountsGpusAndSlicesInUseAndListsTheLost) {
  const Json summary = to_json(full_plan(), {})["summary"];
  // The partition of 32 SMs and the GPU without partitions hold no replica. 3 + 2 slices.
  EXPECT_EQ(summary.dump(), R"({"gpus":2,"slices":5,"lost":["segment of size 2 on GPU 3"]})");
}

TEST(PlanJson, AStarIsWrittenOutForEveryWorkload) {
  Plan plan;
  plan.planner = "exclusive";
  plan.gpus = {{0, "t4", GpuMode::kWhole, {whole_partition({replica_of("*", "*", 16)})}}};
  const std::vector<Workload> workloads{workload_of("a", "m"), workload_of("b", "m")};
  const Json replicas = to_json(plan, workloads)["gpus"][0]["partitions"][0]["replicas"];
  EXPECT_EQ(
      replicas.dump(),
      R"([{"workload":"a","model":"m","batch":16,"processes":1,"rate_rps":null,"duty_ms":null},)"
      R"({"workload":"b","model":"m","batch":16,"processes":1,"rate_rps":null,"duty_ms":null}])");
}

TEST(PlanJson, AnEmptyPlanIsLegal) {
  const ReadPlan result = read_json_plan(R"({"schema": 1, "planner": "x", "gpus": []})");
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_EQ(result.plan.gpus_used(), 0u);
}

struct Malformed {
  std::string name, text, fault;
};

class MalformedPlan : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedPlan, IsRefusedWithItsPlace) {
  EXPECT_THAT(read_json_plan(GetParam().text).faults, ElementsAre(GetParam().fault));
}

INSTANTIATE_TEST_SUITE_P(
    PlanJson,
    MalformedPlan,
    ::testing::Values(
        Malformed{"Array", "[]", "p.json#: must be an object, not an array"},
        Malformed{"NoSchema", R"({"planner": "x", "gpus": []})",
                  "p.json#: the key \"schema\" is missing"},
        Malformed{"OtherSchema", R"({"schema": 2, "planner": "x", "gpus": []})",
                  "p.json#/schema: must be an integer from 1 to 1, not 2"},
        Malformed{"NoGpus", R"({"schema": 1, "planner": "x"})",
                  "p.json#: the key \"gpus\" is missing"},
        Malformed{"GpusNoArray", R"({"schema": 1, "planner": "x", "gpus": {}})",
                  "p.json#/gpus: must be an array, not an object"},
        Malformed{"UnknownKey", R"({"schema": 1, "planner": "x", "gpus": [], "unservd": []})",
                  "p.json#/unservd: unknown key \"unservd\"; did you mean \"unserved\"? known: "
                  "schema, planner, gpus, unserved, summary"},
        Malformed{
            "UnknownMode",
            R"({"schema": 1, "planner": "x", "gpus": [{"index": 0, "type": "t4",
                      "mode": "wole", "partitions": []}]})",
            "p.json#/gpus/0/mode: unknown mode \"wole\"; did you mean \"whole\"? known: whole, "
            "mig, mps, sm, time_sliced, streams, cpu"},
        Malformed{"NegativeIndex",
                  R"({"schema": 1, "planner": "x", "gpus": [{"index": -1, "type": "t4",
                      "mode": "whole", "partitions": []}]})",
                  "p.json#/gpus/0/index: must be an integer from 0 to 2147483647, not -1"},
        Malformed{"SizeText", with_partition(R"({"size": "3g", "start": 0, "replicas": []})"),
                  "p.json#/gpus/0/partitions/0/size: must be an integer from 1 to 8, not \"3g\""},
        Malformed{"ShareAboveAll", with_partition(R"({"share_pct": 101, "replicas": []})"),
                  "p.json#/gpus/0/partitions/0/share_pct: must be a number above 0, at most 100, "
                  "not 101"},
        Malformed{"NoReplicas", with_partition(R"({"size": 1, "start": 0})"),
                  "p.json#/gpus/0/partitions/0: the key \"replicas\" is missing"},
        Malformed{"NoModel", with_replica(R"({"workload": "a"})"),
                  "p.json#/gpus/0/partitions/0/replicas/0: the key \"model\" is missing"},
        Malformed{"BatchZero", with_replica(R"({"workload": "a", "model": "m", "batch": 0})"),
                  "p.json#/gpus/0/partitions/0/replicas/0/batch: must be an integer from 1 to "
                  "1048576, not 0"},
        Malformed{"NegativeRate",
                  with_replica(R"({"workload": "a", "model": "m", "rate_rps": -5})"),
                  "p.json#/gpus/0/partitions/0/replicas/0/rate_rps: must be a number from 0 to "
                  "1e+12, not -5"},
        Malformed{"HalfProcess",
                  with_replica(R"({"workload": "a", "model": "m", "processes": 1.5})"),
                  "p.json#/gpus/0/partitions/0/replicas/0/processes: must be an integer from 1 to "
                  "1024, not 1.5"},
        Malformed{"UnservedNoReason",
                  R"({"schema": 1, "planner": "x", "gpus": [], "unserved": [{"workload": "a",
                      "rate_rps": 1}]})",
                  "p.json#/unserved/0: the key \"reason\" is missing"},
        Malformed{"SummaryLies",
                  R"({"schema": 1, "planner": "x", "gpus": [], "summary": {"gpus": 3}})",
                  "p.json#/summary/gpus: says 3, but the plan uses 0"},
        Malformed{"Duplicate", R"({"schema": 1, "planner": "x", "gpus": [], "gpus": []})",
                  "p.json#/gpus: duplicate key; a key may stand once in an object"},
        Malformed{"NotJson", "{\"schema\": 1,\n \"planner\": NaN}",
                  "p.json:2:13: not JSON: NaN and Infinity are not numbers here"}),
    [](const auto& case_info) { return case_info.param.name; });

TEST(PlanJson, AllFaultsAreReportedAtOnce) {
  const ReadPlan result = read_json_plan(R"({"schema": 1, "planner": "", "gpus": [
      {"index": 0, "type": "t4", "mode": "whole", "partitions": [], "extra": 1},
      {"index": 1, "mode": "whole", "partitions": 3}]})");
  EXPECT_THAT(result.faults,
              ElementsAre("p.json#/planner: must be a string that is not empty, not \"\"",
                          "p.json#/gpus/0/extra: unknown key \"extra\"; known: index, type, mode, "
                          "partitions",
                          "p.json#/gpus/1: the key \"type\" is missing",
                          "p.json#/gpus/1/partitions: must be an array, not 3"));
}

TEST(PlanShare, FollowsTheOneKindThatIsGiven) {
  EXPECT_EQ(to_string(whole_partition({}).share()), "whole");
  EXPECT_EQ(to_string(mig_partition(3, 4).share()), "mig 3");
  PlanPartition partition;
  partition.share_pct = 40;
  EXPECT_EQ(to_string(partition.share()), "40 %");
  partition.share_pct.reset();
  partition.sms = 32;
  EXPECT_EQ(to_string(partition.share()), "32 SMs");
}

}  // namespace
}  // namespace tangram
