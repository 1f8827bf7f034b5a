#include "sim/scenario/overrides.h"

#include <gtest/gtest.h>

namespace tangram {
namespace {

Json changed(const std::string& text, const std::vector<Override>& overrides) {
  Json document = Json::parse(text);
  Faults faults;
  apply_overrides(document, overrides, faults);
  faults.throw_if_any();
  return document;
}

std::string fault_of(const std::string& text,
                     const std::string& pointer,
                     const std::string& value) {
  try {
    changed(text, {{pointer, value}});
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Overrides, ReplaceAValueAtAnyDepth) {
  EXPECT_EQ(changed(R"({"a": [{"b": 1}, {"b": 2}]})", {{"/a/1/b", "3.5"}}).dump(),
            R"({"a":[{"b":1},{"b":3.5}]})");
}

TEST(Overrides, TextThatIsNotJsonIsAString) {
  EXPECT_EQ(changed(R"({"a": 1})", {{"/a", "edf"}}).dump(), R"({"a":"edf"})");
  EXPECT_EQ(changed(R"({"a": 1})", {{"/a", "\"1\""}}).dump(), R"({"a":"1"})");
  EXPECT_EQ(changed(R"({"a": 1})", {{"/a", "true"}}).dump(), R"({"a":true})");
  EXPECT_EQ(changed(R"({"a": 1})", {{"/a", "NaN"}}).dump(), R"({"a":"NaN"})");
}

TEST(Overrides, MakeTheObjectsOnTheWayToANewKey) {
  EXPECT_EQ(changed("{}", {{"/dispatcher/params/batch", "4"}}).dump(),
            R"({"dispatcher":{"params":{"batch":4}}})");
}

TEST(Overrides, AppendToAnArrayByDashOrByItsSize) {
  EXPECT_EQ(changed(R"({"a": [1]})", {{"/a/-", "2"}, {"/a/2", "3"}}).dump(), R"({"a":[1,2,3]})");
}

TEST(Overrides, AreAppliedInOrder) {
  EXPECT_EQ(changed(R"({"a": 1})", {{"/a", "{\"b\": 1}"}, {"/a/b", "2"}}).dump(),
            R"({"a":{"b":2}})");
}

TEST(Overrides, KeysMayHoldSlashesAndTildesEscaped) {
  EXPECT_EQ(changed(R"({"a/b": {"~": 1}})", {{"/a~1b/~0", "2"}}).dump(), R"({"a/b":{"~":2}})");
  EXPECT_EQ(fault_of("{}", "/a~2", "1"),
            "--set /a~2: '~' stands only in ~0 (for ~) and ~1 (for /)");
}

TEST(Overrides, SayWhyAPointerLeadsNowhere) {
  EXPECT_EQ(fault_of("{}", "a", "1"),
            "--set a: a JSON pointer begins with '/', as in /workloads/0/slo_ms");
  EXPECT_EQ(fault_of(R"({"a": [1, 2]})", "/a/3", "1"),
            "--set /a/3: no item \"3\": the array /a has 0 to 1, and - appends");
  EXPECT_EQ(fault_of(R"({"a": []})", "/a/x", "1"),
            "--set /a/x: no item \"x\": the array /a is empty, and - appends");
  EXPECT_EQ(fault_of(R"({"a": "text"})", "/a/b/c", "1"),
            "--set /a/b/c: /a is a string: nothing is inside it");
}

TEST(Overrides, OneThatCannotBeAppliedLeavesNothingBehindAndTheOthersGoOn) {
  Json document = Json::parse(R"({"a": [1]})");
  Faults faults;
  const auto anchors = apply_overrides(
      document, {{"/b/c/~", "1"}, {"/a/0", "2"}, {"/d", "{\"x\""}, {"/new/deep", "3"}}, faults);
  EXPECT_EQ(document.dump(), R"({"a":[2],"new":{"deep":3}})");
  EXPECT_EQ(faults.size(), 2U);
  EXPECT_EQ(anchors, (std::vector<std::string>{"", "/a/0", "", "/new"}));
}

TEST(Overrides, AreSplitAtTheFirstEqualsSign) {
  EXPECT_EQ(parse_override("/a/b=c=d"), Override("/a/b", "c=d"));
  EXPECT_EQ(parse_override("/a="), Override("/a", ""));
  EXPECT_THROW(parse_override("/a"), ConfigError);
  EXPECT_THROW(parse_override("a=1"), ConfigError);
}

}  // namespace
}  // namespace tangram
