// The table of keys is what the reader obeys and what docs/reference shows.
#include "sim/scenario/keys.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "workloads/workload.h"

namespace tangram {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(std::string(TANGRAM_SOURCE_DIR) + '/' + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The part of the schema that describes the value at a pointer of the table.
const Json* schema_of(const Json& schema, const std::string& pointer) {
  const Json* here = &schema;
  std::istringstream tokens(pointer.substr(1));
  for (std::string token; std::getline(tokens, token, '/');) {
    const char* into = token == "*" ? "items" : "properties";
    if (!here->contains(into)) return nullptr;
    here = &(*here)[into];
    if (token == "*") continue;
    if (!here->contains(token)) return nullptr;
    here = &(*here)[token];
  }
  return here;
}

TEST(ScenarioKeys, AreUniqueAndExplained) {
  std::set<std::string> pointers;
  for (const KeyInfo& key : scenario_keys()) {
    EXPECT_TRUE(pointers.insert(key.pointer).second) << key.pointer;
    EXPECT_FALSE(key.help.empty()) << key.pointer;
    EXPECT_EQ(key.kind == KeyKind::kName, !key.names.empty()) << key.pointer;
    EXPECT_FALSE(key.required && !key.initial.is_null()) << key.pointer;
  }
}

TEST(ScenarioKeys, StandInTheSchemaWithTheSameRangesNamesAndDefaults) {
  const Json schema = Json::parse(file_text("docs/reference/scenario.schema.json"));
  for (const KeyInfo& key : scenario_keys()) {
    const Json* found = schema_of(schema, key.pointer);
    ASSERT_NE(found, nullptr) << key.pointer;
    EXPECT_EQ(found->value("default", Json()), key.initial) << key.pointer;
    // A new policy is one file and one line: the schema does not list them.
    const bool is_policy = key.pointer == "/planner/name" || key.pointer == "/dispatcher/name" ||
                           key.pointer == "/stages/name" ||
                           key.pointer == "/workloads/*/slo_split/name" ||
                           key.pointer == "/replanning/name";
    if (key.kind == KeyKind::kName && !is_policy) {
      EXPECT_EQ((*found)["enum"].get<std::vector<std::string>>(), key.names) << key.pointer;
    }
    if (key.kind == KeyKind::kNumber || key.kind == KeyKind::kInteger) {
      EXPECT_EQ((*found)["minimum"], key.low) << key.pointer;
      EXPECT_EQ((*found)["maximum"], key.high) << key.pointer;
    }
    if (key.kind == KeyKind::kPositive) {
      EXPECT_EQ((*found)["exclusiveMinimum"], 0) << key.pointer;
      EXPECT_EQ((*found)["maximum"], key.high) << key.pointer;
    }
  }
}

// "arrivals" is read by workloads/: its ranges are written down twice and must agree.
TEST(ScenarioKeys, OfArrivalsHaveTheRangesThatTheirReaderHas) {
  const Json two_states = Json::parse(
      R"({"process": "mmpp", "states": [{"rate_rps": 1, "dwell_s": 1},
                                        {"rate_rps": 1e9, "dwell_s": 1}]})");
  const Json one_segment = Json::parse(
      R"({"process": "piecewise", "segments": [{"duration_s": 1, "process": "poisson",
                                                "rate_rps": 1}]})");
  const std::map<std::string, Json> carriers{
      {"rate_rps", {{"process", "poisson"}}},
      {"shape", {{"process", "gamma"}, {"rate_rps", 1}}},
      {"cv", {{"process", "gamma"}, {"rate_rps", 1}}},
      {"sigma", {{"process", "lognormal"}, {"rate_rps", 1}}},
      {"burst_ratio", {{"process", "mmpp"}, {"rate_rps", 1e8}, {"burst_s", 1}, {"calm_s", 1}}},
      {"burst_s", {{"process", "mmpp"}, {"rate_rps", 1e8}, {"burst_ratio", 2}, {"calm_s", 1}}},
      {"calm_s", {{"process", "mmpp"}, {"rate_rps", 1e8}, {"burst_ratio", 2}, {"burst_s", 1}}},
      {"clients", {{"process", "closed_loop"}}},
      {"think_ms", {{"process", "closed_loop"}, {"clients", 1}}},
      {"states/*/rate_rps", two_states},
      {"states/*/dwell_s", two_states},
      {"segments/*/duration_s", one_segment},
      {"segments/*/end_rps", one_segment}};
  const auto is_legal = [](Json arrivals, std::string name, double value) {
    if (const auto star = name.find('*'); star != std::string::npos) name[star] = '0';
    arrivals[Json::json_pointer('/' + name)] = value;
    Faults faults;
    read_arrivals(JsonNode(arrivals, "s.json", faults), "");
    return faults.empty();
  };
  std::size_t compared = 0;
  for (const KeyInfo& key : scenario_keys()) {
    const std::string arrivals = "/workloads/*/arrivals/";
    if (!key.pointer.starts_with(arrivals)) continue;
    const std::string name = key.pointer.substr(arrivals.size());
    if (!carriers.contains(name)) continue;
    ++compared;
    const Json& carrier = carriers.at(name);
    EXPECT_EQ(is_legal(carrier, name, key.low), key.kind != KeyKind::kPositive) << name;
    EXPECT_TRUE(is_legal(carrier, name, key.high)) << name;
    EXPECT_FALSE(is_legal(carrier, name, key.high * 1.5)) << name;
    EXPECT_FALSE(is_legal(carrier, name, key.low / 2 - 1e-6)) << name;
  }
  EXPECT_EQ(compared, carriers.size());
}

TEST(KeyReader, GivesDefaultsForAnAbsentObject) {
  KeyReader device(std::nullopt, "/device");
  EXPECT_EQ(device.number("quantum_ms"), 2);
  EXPECT_EQ(device.integer("depth"), 2);
  EXPECT_EQ(device.name("sharing"), 0U);
  KeyReader outputs(std::nullopt, "/outputs");
  EXPECT_FALSE(outputs.boolean("requests"));
}

TEST(KeyReader, NamesThePolicyKindInMessagesAndGivesNothingAfterAFault) {
  const Json json = Json::parse(R"({"name": "fiffo"})");
  Faults faults;
  KeyReader dispatcher(JsonNode(json, "s.json", "/dispatcher", faults), "/dispatcher");
  EXPECT_EQ(dispatcher.name("name"), std::nullopt);
  try {
    faults.throw_if_any();
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_EQ(error.faults()[0].where, "s.json#/dispatcher/name");
    EXPECT_EQ(error.faults()[0].what.substr(0, 40), "unknown dispatcher \"fiffo\"; did you mean");
  }
}

TEST(KeyReader, AsksOnlyForKeysOfTheTable) {
  KeyReader device(std::nullopt, "/device");
  EXPECT_THROW(device.number("quantum"), std::logic_error);
}

}  // namespace
}  // namespace tangram
