// Keeps docs/guide/add-a-dispatcher.md true: its policy compiles, does what the page says, and is
// the same text.
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/policies/host_driver.h"

namespace tangram {
DispatcherEntry least_slack_dispatcher();
}

namespace tangram::testing {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(TANGRAM_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(GuideTest, ThePageShowsThePolicyThatIsCompiled) {
  const std::string code = text_of("tests/policies/guide_example.cpp");
  EXPECT_NE(text_of("docs/guide/add-a-dispatcher.md").find("```cpp\n" + code + "```\n"),
            std::string::npos);
}

// The trace of the page: latency(1) = 2 ms for a (SLO 100 ms) and 4 ms for b (SLO 10 ms). a's head
// runs 0-2; then b (latest start 0.2 + 10 - 4 = 6.2) goes before a (98.1), until 6. b's second
// request (latest start 0.3 + 6 = 6.3) makes it at 6; its third, arrived with it, would start at
// 10: dropped.
TEST(GuideTest, TheExampleDoesWhatThePageSays) {
  const DispatcherEntry entry = least_slack_dispatcher();
  const auto policy = entry.make(default_params(entry.info));
  const Deployment deployment =
      deployment_of({{.name = "a", .slo_ms = 100, .fixed_ms = 1, .per_item_ms = 1},
                     {.name = "b", .slo_ms = 10, .fixed_ms = 2, .per_item_ms = 2}},
                    {{}});
  const DriverResult result =
      drive(deployment, *policy,
            {{at_ms(0), 0}, {at_ms(0.1), 0}, {at_ms(0.2), 1}, {at_ms(0.3), 1}, {at_ms(0.3), 1}});
  EXPECT_EQ(result.trace(), "0: 0/0: 0; 2: 0/1: 0; 6: 0/1: 1; 10: 0/0: 1");
  EXPECT_EQ(result.drop_trace(), "10: deadline: 2");
}

}  // namespace
}  // namespace tangram::testing
