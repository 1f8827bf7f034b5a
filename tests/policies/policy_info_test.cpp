// Parameters: defaults, and the faults of the strict reader.
#include "policies/policy_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/plan_fixtures.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

PolicyInfo sample() {
  return {
      "sample",
      "a policy for tests",
      "",
      {bool_param("drop", true, ""), integer_param("max_batch", 32, 1, 64, ""),
       number_param("timeout_ms", 2, 0, 1000, ""),
       number_param("margin_ms", std::nullopt, 0, 10, ""),
       choice_param("order", "edf", {"edf", "fifo"}, ""), integers_param("batches", 1, 128, "")}};
}

struct ReadParams {
  Params params;
  std::vector<std::string> faults;
};

ReadParams read_sample(const std::string& text) {
  Faults faults;
  const std::optional<Json> json = parse_json(text, "s.json", faults);
  ReadParams result;
  result.params = read_params(sample(), JsonNode(*json, "s.json", "/params", faults), faults);
  result.faults = sentences(faults);
  return result;
}

TEST(PolicyInfo, AbsentParametersHaveTheirDefaults) {
  Faults faults;
  const Params params = read_params(sample(), std::nullopt, faults);
  EXPECT_TRUE(params.boolean("drop"));
  EXPECT_EQ(params.integer("max_batch"), 32);
  EXPECT_EQ(params.ms("timeout_ms"), from_ms(2));
  EXPECT_EQ(params.choice("order"), "edf");
  EXPECT_FALSE(params.has("margin_ms"));
  EXPECT_FALSE(params.has("batches"));
  EXPECT_TRUE(faults.empty());
}

TEST(PolicyInfo, GivenParametersReplaceTheDefaults) {
  const ReadParams result = read_sample(
      R"({"drop": false, "max_batch": 3.0, "timeout_ms": 0.5, "margin_ms": 1, "order": "fifo",
          "batches": [1, 2, 128]})");
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_FALSE(result.params.boolean("drop"));
  EXPECT_EQ(result.params.integer("max_batch"), 3);  // 3.0 is an integer
  EXPECT_EQ(result.params.number("timeout_ms"), 0.5);
  EXPECT_EQ(result.params.number("margin_ms"), 1);
  EXPECT_EQ(result.params.choice("order"), "fifo");
  EXPECT_THAT(result.params.integers("batches"), ElementsAre(1, 2, 128));
}

TEST(PolicyInfo, NullLeavesAParameterAtItsDefault) {
  const ReadParams result = read_sample(R"({"margin_ms": null, "max_batch": null})");
  EXPECT_THAT(result.faults, IsEmpty());
  EXPECT_FALSE(result.params.has("margin_ms"));
  EXPECT_EQ(result.params.integer("max_batch"), 32);
}

TEST(PolicyInfo, EveryFaultIsReportedWithItsPointer) {
  const ReadParams result = read_sample(
      R"({"drop": 1, "max_batch": 3.5, "timeout_ms": -1, "order": "edff", "batches": [0, 5, 200],
          "slack": 1})");
  EXPECT_THAT(
      result.faults,
      ElementsAre(
          "s.json#/params/drop: must be true or false, not 1",
          "s.json#/params/max_batch: must be an integer from 1 to 64, not 3.5",
          "s.json#/params/timeout_ms: must be a number from 0 to 1000, not -1",
          "s.json#/params/order: unknown choice of order \"edff\"; did you mean \"edf\"? known: "
          "edf, fifo",
          "s.json#/params/batches/0: must be an integer from 1 to 128, not 0",
          "s.json#/params/batches/2: must be an integer from 1 to 128, not 200",
          "s.json#/params/slack: unknown parameter of sample \"slack\"; known: drop, max_batch, "
          "timeout_ms, margin_ms, order, batches"));
}

TEST(PolicyInfo, AMisspeltParameterIsToldTheNearestName) {
  const ReadParams result = read_sample(R"({"max_bach": 3})");
  EXPECT_THAT(
      result.faults,
      ElementsAre("s.json#/params/max_bach: unknown parameter of sample \"max_bach\"; did you "
                  "mean \"max_batch\"? known: drop, max_batch, timeout_ms, margin_ms, order, "
                  "batches"));
}

TEST(PolicyInfo, ParametersThatAreNoObjectAreAFault) {
  EXPECT_THAT(read_sample("[1]").faults,
              ElementsAre("s.json#/params: must be an object, not an array"));
}

TEST(PolicyInfo, AskingForAnUndeclaredParameterIsAnInternalError) {
  const Params params = default_params(sample());
  EXPECT_THROW(params.integer("no_such"), InternalError);
  EXPECT_THROW(params.integer("timeout_ms"), InternalError);  // declared as a number
}

}  // namespace
}  // namespace tangram
