// Strict JSON: each kind of fault, with its place and its sentence.
#include "sim/core/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// All faults, "WHERE: WHAT" each.
std::vector<std::string> lines(const Faults& faults) {
  std::vector<std::string> result;
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    for (const Fault& fault : error.faults()) result.push_back(fault.where + ": " + fault.what);
  }
  return result;
}

std::vector<std::string> faults_of_text(std::string_view text) {
  Faults faults;
  parse_json(text, "s.json", faults);
  return lines(faults);
}

// What `read` says about the one value `text`.
template <typename Read>
std::vector<std::string> faults_of_value(std::string_view text, Read read) {
  Faults faults;
  const std::optional<Json> json = parse_json(text, "s.json", faults);
  if (json) read(JsonNode(*json, "s.json", "/x", faults));
  return lines(faults);
}

TEST(ParseJson, KeepsValuesAndTheOrderOfKeys) {
  Faults faults;
  const std::string text = R"({"z": [1, -2, 2.5, "a\"b", true, null], "a": {"k": {}}})";
  const std::optional<Json> json = parse_json(text, "s.json", faults);
  ASSERT_TRUE(json);
  EXPECT_TRUE(faults.empty());
  EXPECT_EQ(json->dump(), R"({"z":[1,-2,2.5,"a\"b",true,null],"a":{"k":{}}})");
}

TEST(ParseJson, ASyntaxErrorSaysLineAndColumn) {
  EXPECT_THAT(
      faults_of_text("{\"a\": 1,\n \"b\" 2}"),
      ElementsAre(::testing::StartsWith("s.json:2:6: not JSON: unexpected number literal")));
  EXPECT_THAT(faults_of_text("[1, 2"), ElementsAre(HasSubstr("unexpected end of input")));
  EXPECT_THAT(faults_of_text("[\"abc"), ElementsAre(HasSubstr("missing closing quote")));
  EXPECT_THAT(faults_of_text("{} {}"),
              ElementsAre(::testing::StartsWith("s.json:1:4: not JSON: ")));
}

TEST(ParseJson, NoMessageShowsTheParsersCodes) {
  for (const char* text : {"", "{", "[1,]", "nul", "\"\x01\"", "[1 2]", "{1:2}", "1e999", "\xff"}) {
    const std::vector<std::string> faults = faults_of_text(text);
    ASSERT_EQ(faults.size(), 1U) << text;
    EXPECT_THAT(faults[0], ::testing::Not(HasSubstr("json.exception"))) << text;
    EXPECT_THAT(faults[0], ::testing::StartsWith("s.json:1:")) << text;
  }
}

TEST(ParseJson, CommonMistakesAreNamed) {
  EXPECT_THAT(faults_of_text("{\"a\": 1, }"),
              ElementsAre("s.json:1:10: not JSON: a comma before the closing bracket"));
  EXPECT_THAT(faults_of_text("[1,]"),
              ElementsAre("s.json:1:4: not JSON: a comma before the closing bracket"));
  for (const char* text : {"[NaN]", "[nan]", "[Infinity]", "[-Infinity]", "[inf]"}) {
    EXPECT_THAT(faults_of_text(text),
                ElementsAre(HasSubstr("NaN and Infinity are not numbers here")))
        << text;
  }
  EXPECT_THAT(faults_of_text("{ // why\n}"), ElementsAre(HasSubstr("comments are not allowed")));
  EXPECT_THAT(faults_of_text(" \n"), ElementsAre(HasSubstr("the text is empty")));
}

TEST(ParseJson, ANumberBeyondADoubleIsAFaultAtItsPlace) {
  EXPECT_THAT(faults_of_text("{\"a\":\n  1e999}"),
              ElementsAre("s.json:2:3: number 1e999 is too large; at most 1.8e308"));
}

TEST(ParseJson, EachDuplicateKeyIsAFaultWithItsPointer) {
  Faults faults;
  const std::string text = R"({"a": 1, "b": [{"c": 1}, {"c": 1, "c": {"d": 1, "d": 2}}], "a": 2})";
  const std::optional<Json> json = parse_json(text, "s.json", faults);
  ASSERT_TRUE(json);
  EXPECT_THAT(lines(faults), ElementsAre(::testing::StartsWith("s.json#/b/1/c: duplicate key"),
                                         ::testing::StartsWith("s.json#/b/1/c/d: duplicate key"),
                                         ::testing::StartsWith("s.json#/a: duplicate key")));
  EXPECT_EQ((*json)["a"], 1);
}

TEST(ParseJson, SixtyFourLevelsAreReadAndSixtyFiveAreNot) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  EXPECT_THAT(faults_of_text(nested(64)), IsEmpty());
  EXPECT_THAT(faults_of_text(nested(65)),
              ElementsAre("s.json:1:65: nested too deeply; at most 64 levels"));
  EXPECT_THAT(faults_of_text(nested(1'000'000)), ElementsAre(HasSubstr("nested too deeply")));
  EXPECT_THAT(faults_of_text('"' + std::string(100, '[') + "\\\"" + std::string(100, '[') + '"'),
              IsEmpty());
}

TEST(ReadJsonFile, AMissingFileIsAFaultWithItsPath) {
  Faults faults;
  EXPECT_FALSE(read_json_file("no/such/file.json", faults));
  EXPECT_THAT(lines(faults),
              ElementsAre(::testing::StartsWith("no/such/file.json: cannot be read")));
}

TEST(JsonNode, NumbersHaveARange) {
  const auto read = [](const JsonNode& node) { node.number(0, 1.5); };
  EXPECT_THAT(faults_of_value("0", read), IsEmpty());
  EXPECT_THAT(faults_of_value("1.5", read), IsEmpty());
  EXPECT_THAT(faults_of_value("1.6", read),
              ElementsAre("s.json#/x: must be a number from 0 to 1.5, not 1.6"));
  EXPECT_THAT(faults_of_value("\"1\"", read), ElementsAre(HasSubstr("not \"1\"")));
  EXPECT_THAT(faults_of_value("[1]", read), ElementsAre(HasSubstr("not an array")));
}

TEST(JsonNode, PositiveExcludesZero) {
  const auto read = [](const JsonNode& node) { node.positive(10); };
  EXPECT_THAT(faults_of_value("1e-9", read), IsEmpty());
  EXPECT_THAT(faults_of_value("0", read),
              ElementsAre("s.json#/x: must be a number above 0, at most 10, not 0"));
  EXPECT_THAT(faults_of_value("10.5", read), ElementsAre(HasSubstr("not 10.5")));
  EXPECT_THAT(faults_of_value("null", read), ElementsAre(HasSubstr("not null")));
}

TEST(JsonNode, IntegersMayBeWrittenAsWholeReals) {
  const auto value_of = [](std::string_view text) {
    Faults faults;
    const std::optional<Json> json = parse_json(text, "s.json", faults);
    return JsonNode(*json, "s.json", faults).integer(-5, std::numeric_limits<std::int64_t>::max());
  };
  EXPECT_EQ(value_of("3"), 3);
  EXPECT_EQ(value_of("3.0"), 3);
  EXPECT_EQ(value_of("1e3"), 1000);
  EXPECT_EQ(value_of("-5"), -5);
  EXPECT_EQ(value_of("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const char* bad :
       {"3.5", "-6", "9223372036854775808", "1e19", "18446744073709551616", "true", "\"3\""}) {
    EXPECT_EQ(value_of(bad), std::nullopt) << bad;
  }
}

TEST(JsonNode, BooleansAndStringsAreNotConverted) {
  const auto boolean = [](const JsonNode& node) { node.boolean(); };
  EXPECT_THAT(faults_of_value("false", boolean), IsEmpty());
  EXPECT_THAT(faults_of_value("0", boolean),
              ElementsAre("s.json#/x: must be true or false, not 0"));
  const auto string = [](const JsonNode& node) { node.string(); };
  EXPECT_THAT(faults_of_value("\"a\"", string), IsEmpty());
  EXPECT_THAT(faults_of_value("\"\"", string), ElementsAre(HasSubstr("not empty")));
  EXPECT_THAT(faults_of_value("{}", string), ElementsAre(HasSubstr("not an object")));
}

TEST(JsonNode, AnUnknownNameIsAnsweredWithTheNearest) {
  const auto read = [](const JsonNode& node) { node.name_of("dispatcher", {"fifo", "edf"}); };
  EXPECT_THAT(faults_of_value("\"fifo\"", read), IsEmpty());
  EXPECT_THAT(faults_of_value("\"fito\"", read),
              ElementsAre("s.json#/x: unknown dispatcher \"fito\"; did you mean \"fifo\"? known: "
                          "fifo, edf"));
}

TEST(JsonNode, ItemsKnowTheirPlace) {
  Faults faults;
  const std::optional<Json> json = parse_json("[5, 6]", "s.json", faults);
  const std::vector<JsonNode> items = JsonNode(*json, "s.json", "/a", faults).items();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[1].where(), "s.json#/a/1");
  EXPECT_EQ(items[1].number(0, 10), 6);
  EXPECT_THAT(faults_of_value("3", [](const JsonNode& node) { node.items(); }),
              ElementsAre("s.json#/x: must be an array, not 3"));
}

TEST(JsonNode, ALongValueIsCutInTheMessage) {
  const std::string text = '"' + std::string(10'000, 'a') + '"';
  const auto faults = faults_of_value(text, [](const JsonNode& node) { node.boolean(); });
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_LT(faults[0].size(), 150U);
}

TEST(JsonObject, FindsUnknownAndMissingKeysAllAtOnce) {
  const auto read = [](const JsonNode& node) {
    JsonObject object(node);
    object.require("model");
    if (auto slo = object.get("slo_ms")) slo->positive(1e9);
    object.ignore("comment");
    object.finish();
  };
  EXPECT_THAT(faults_of_value(R"({"model": "a", "slo_ms": 5, "comment": 1})", read), IsEmpty());
  EXPECT_THAT(faults_of_value(R"({"slo_sm": 5, "slo_ms": -1, "a/b~c": 2})", read),
              ElementsAre("s.json#/x: the key \"model\" is missing",
                          "s.json#/x/slo_ms: must be a number above 0, at most 1e+09, not -1",
                          "s.json#/x/slo_sm: unknown key \"slo_sm\"; did you mean \"slo_ms\"? "
                          "known: model, slo_ms, comment",
                          "s.json#/x/a~1b~0c: unknown key \"a/b~c\"; known: model, slo_ms, "
                          "comment"));
}

TEST(JsonObject, NullCountsAsAbsent) {
  Faults faults;
  const std::optional<Json> json = parse_json(R"({"a": null})", "s.json", faults);
  JsonObject object(JsonNode(*json, "s.json", faults));
  EXPECT_FALSE(object.has("a"));
  EXPECT_FALSE(object.get("a"));
  EXPECT_TRUE(faults.empty());
  EXPECT_FALSE(object.require("a"));
  EXPECT_EQ(faults.size(), 1U);
}

TEST(JsonObject, WhatIsNoObjectIsOneFaultOnly) {
  const auto read = [](const JsonNode& node) {
    JsonObject object(node);
    object.require("model");
    object.finish();
  };
  EXPECT_THAT(faults_of_value("[1]", read),
              ElementsAre("s.json#/x: must be an object, not an array"));
}

}  // namespace
}  // namespace tangram
