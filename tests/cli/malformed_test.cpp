// Every malformed input of tests/cli/malformed/cases.json: exit code 2, each fault on a line of its
// own with its place and what would be right, no further faults, and no file left behind.
//
// A case changes the good scenario of that file by JSON pointers ("change", "remove") or replaces
// its text, adds "files" beside it, and runs "command". The folder "folder" is there for all of
// them.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "command.h"

namespace tangram::cli_test {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Json& table() {
  static const Json json = [] {
    std::ifstream file(std::string(TANGRAM_SOURCE_DIR) + "/tests/cli/malformed/cases.json");
    return Json::parse(file);
  }();
  return json;
}

// Tests are made while the program starts: without the table there must still be one, to fail.
Json cases() {
  try {
    return table()["cases"];
  } catch (const std::exception&) {
    return Json::array({{{"name", "the_table_of_cases_can_be_read"}}});
  }
}

std::string scenario_text(const Json& one) {
  if (one.contains("text")) return one["text"].get<std::string>();
  Json scenario = table()["scenario"];
  const Json changes = one.value("change", Json::object());
  for (const auto& [pointer, value] : changes.items()) {
    scenario[Json::json_pointer(pointer)] = value;
  }
  for (const Json& key : one.value("remove", Json::array())) {
    scenario.erase(key.get<std::string>().substr(1));
  }
  return scenario.dump();
}

class MalformedInput : public ::testing::TestWithParam<Json> {};

TEST_P(MalformedInput, IsRefusedWithEveryFaultAndItsPlace) {
  const Json& one = GetParam();
  ASSERT_TRUE(one.contains("faults"));
  const Folder folder;
  std::filesystem::create_directory(folder.path("folder"));
  folder.write("scenario.json", scenario_text(one));
  const Json files = one.value("files", Json::object());
  for (const auto& [name, content] : files.items()) {
    folder.write(name, content.get<std::string>());
  }
  const std::vector<std::string> before = folder.names();
  const std::vector<std::string> run{"run",    "scenario.json", "--out",
                                     "out.h5", "--summary",     "summary.json"};
  const auto command = one.value("command", run);

  const Outcome outcome = folder.tangram(command);

  EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(folder.names(), before);
  const std::vector<std::string> lines = outcome.err_lines();
  ASSERT_EQ(lines.size(), one["faults"].size()) << outcome.err;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto place = one["faults"][i][0].get<std::string>();
    const auto phrase = one["faults"][i][1].get<std::string>();
    // A place that ends in ':' goes on with a column.
    EXPECT_THAT(lines[i], StartsWith("error: " + place + (place.ends_with(':') ? "" : ": ")));
    EXPECT_FALSE(phrase.empty()) << "a case without a phrase cannot fail";
    EXPECT_THAT(lines[i], HasSubstr(phrase));
  }
}

INSTANTIATE_TEST_SUITE_P(Every,
                         MalformedInput,
                         ::testing::ValuesIn(cases().get<std::vector<Json>>()),
                         [](const ::testing::TestParamInfo<Json>& one) {
                           return one.param["name"].get<std::string>();
                         });

TEST(MalformedInputTable, HasAtLeastFortyCasesAndItsScenarioIsGood) {
  EXPECT_GE(table()["cases"].size(), 40U);
  const Folder folder;
  folder.write("scenario.json", table()["scenario"].dump());
  const Outcome outcome = folder.tangram({"run", "scenario.json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
}

}  // namespace
}  // namespace tangram::cli_test
