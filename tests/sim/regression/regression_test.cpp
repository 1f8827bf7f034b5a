// The gate itself: what it finds, what it compares, and that the shipped folder covers every
// policy.
#include "sim/regression/regression.h"

#include <filesystem>
#include <set>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policies/deployment.h"
#include "policies/registry.h"
#include "profiles/interference.h"
#include "sim/core/atomic_file.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;

constexpr const char* kScenario = R"({"schema": 1, "duration_s": 2,
  "profiles": [{"model": "unit", "gpu": "ideal",
                "latency": {"fixed_ms": 5, "per_item_ms": 1, "max_batch": 8}}],
  "cluster": {"gpus": [{"type": "ideal"}]},
  "workloads": [{"model": "unit", "slo_ms": 50,
                 "arrivals": {"process": "constant", "rate_rps": 10}}]})";

class Regression : public ::testing::Test {
 protected:
  Regression() {
    folder_ = fs::temp_directory_path() / ("tangram_regression_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "inner");
  }
  ~Regression() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    write_file((folder_ / name).string(), text);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const RegressionCase& one : find_cases(folder_.string())) found.push_back(one.name);
    return found;
  }
  fs::path folder_;
};

TEST_F(Regression, FindsScenariosAndLeavesOtherFilesAlone) {
  write("b.json", kScenario);
  write("inner/a.json", kScenario);
  write("b.expected.json", "{}");
  write("a.plan.json", R"({"schema": 1, "gpus": []})");
  EXPECT_THAT(names(), ElementsAre("b", "inner/a"));
}

TEST_F(Regression, RefusesAFolderThatIsNotThereOrEmptyOrBroken) {
  EXPECT_THROW(find_cases((folder_ / "none").string()), ConfigError);
  EXPECT_THROW(names(), ConfigError);
  write("a.json", "{");
  EXPECT_THROW(names(), ConfigError);
}

TEST_F(Regression, PassesWhatWasApprovedAndShowsWhatChanged) {
  write("a.json", kScenario);
  const RegressionCase one = find_cases(folder_.string()).front();
  CaseOutcome first = run_case(one);
  EXPECT_FALSE(first.passed());
  EXPECT_TRUE(first.is_new);
  approve(first);
  EXPECT_TRUE(run_case(one).passed());

  Json changed = first.summary;
  changed["total"]["late"] = 10;
  changed["workloads"]["unit"].erase("batch_mean");
  write_file(one.expected, changed.dump());
  const CaseOutcome again = run_case(one);
  // 2 s at 10 requests/s, each 6 ms alone: none is late, and batches are of one.
  ASSERT_EQ(again.differences.size(), 2U);
  EXPECT_EQ(to_string(again.differences[0]), "/total/late: 0, approved 10 (-100 %)");
  EXPECT_EQ(to_string(again.differences[1]),
            "/workloads/unit/batch_mean: 1.0, not in the approved result");
}

TEST_F(Regression, ReportsAScenarioThatCannotRun) {
  std::string broken = kScenario;
  broken.replace(broken.find("slo_ms"), 6, "slo_m");
  write("a.json", broken);
  const CaseOutcome outcome = run_case(find_cases(folder_.string()).front());
  EXPECT_FALSE(outcome.passed());
  EXPECT_THAT(outcome.error, HasSubstr("did you mean \"slo_ms\""));
}

TEST_F(Regression, WritesJunitWithEscapedMessages) {
  CaseOutcome good;
  good.which.name = "good";
  CaseOutcome bad;
  bad.which.name = "a<b";
  bad.error = "x & \"y\"";
  EXPECT_EQ(
      junit_xml("folder", {good, bad}),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"folder\" tests=\"2\" failures=\"1\">\n"
      "  <testcase classname=\"tangram.check\" name=\"good\"/>\n"
      "  <testcase classname=\"tangram.check\" name=\"a&lt;b\">\n"
      "    <failure message=\"did not run to an approved end\">x &amp; &quot;y&quot;</failure>\n"
      "  </testcase>\n"
      "</testsuite>\n");
}

TEST(ShippedRegression, CoversEveryPolicyRoutingAndInterferenceModel) {
  std::set<std::string> planners;
  std::set<std::string> dispatchers;
  std::set<std::string> routings;
  std::set<std::string> models{"none"};  // where nothing is shared
  for (const RegressionCase& one : find_cases(TANGRAM_SOURCE_DIR "/scenarios/regression")) {
    const Json json = Json::parse(read_file(one.scenario));
    planners.insert(json.value("/planner/name"_json_pointer, "exclusive"));
    dispatchers.insert(json.value("/dispatcher/name"_json_pointer, "fifo"));
    routings.insert(json.value("routing", "central"));
    models.insert(json.value("/device/interference/name"_json_pointer, "none"));
  }
  EXPECT_THAT(planner_names(), IsSubsetOf(planners));
  EXPECT_THAT(dispatcher_names(), IsSubsetOf(dispatchers));
  EXPECT_THAT(routing_names(), IsSubsetOf(routings));
  EXPECT_THAT(interference_names(), IsSubsetOf(models));
}

}  // namespace
}  // namespace tangram
