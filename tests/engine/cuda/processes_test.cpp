// Whole programs on CUDA, with a library in the driver's place that runs nothing.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cuda/kernel_module.h"
#include "sim/core/atomic_file.h"
#include "sim/core/json_reader.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;

constexpr const char* kProcessesScenario = R"json({
  "schema": 1, "duration_s": 0.5,
  "profiles": [
    {"model": "spin:grid=8,us=50,count=2,in_kib=4", "gpu": "h200", "latency": {"points": [
      {"batch": 1, "latency_ms": 0.1, "sms": 48}, {"batch": 1, "latency_ms": 0.1, "sms": 84}]}}],
  "cluster": {"gpus": [{"type": "h200", "count": 1}]},
  "workloads": [{"name": "w", "model": "spin:grid=8,us=50,count=2,in_kib=4", "slo_ms": 1000,
                 "arrivals": {"process": "constant", "rate_rps": 100}}],
  "planner": {"plan": "plan.json"}})json";

constexpr const char* kPlan = R"json({"schema": 1, "planner": "by hand", "gpus": [
  {"index": 0, "type": "h200", "mode": "sm", "partitions": [
    {"sms": 48, "replicas": [{"workload": "w", "model": "spin:grid=8,us=50,count=2,in_kib=4"}]},
    {"sms": 84, "replicas": [{"workload": "w", "model": "spin:grid=8,us=50,count=2,in_kib=4"}]}]}],
  "unserved": []})json";

class Processes : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("tangram-cuda-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // Runs a command with the fake driver; what it prints is in output().
  int run(const std::string& command) {
    const std::string text =
        "LD_LIBRARY_PATH=" TANGRAM_FAKE_DRIVER_FOLDER " " + command + " >" + file("out") + " 2>&1";
    return WEXITSTATUS(std::system(text.c_str()));
  }
  std::string output() const { return read_file(file("out")); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

TEST_F(Processes, TheProbeFindsTheDriver) {
  ASSERT_EQ(run(TANGRAM_ENGINE_COMMAND " probe"), 0) << output();
  const Json json = Json::parse(output());
  ASSERT_EQ(json["gpus"].size(), 1U);
  EXPECT_EQ(json["gpus"][0]["name"], "Fake GPU");
}

TEST_F(Processes, TheProbeFindsNvmlAndItsCounters) {
  ASSERT_EQ(run(TANGRAM_ENGINE_COMMAND " probe"), 0) << output();
  const Json json = Json::parse(output());
  EXPECT_EQ(json["driver"], "580.1");
  ASSERT_EQ(json["gpus"].size(), 1U);
  EXPECT_EQ(json["gpus"][0]["now"]["busy_pct"], 73);
  EXPECT_EQ(json["gpus"][0]["counts_activity"], true);
}

TEST_F(Processes, AScenarioRunsOnGreenContexts) {
  if (builtin_kernels().size == 0) GTEST_SKIP() << "built without a CUDA compiler";
  write_file(file("scenario.json"), kProcessesScenario);
  write_file(file("plan.json"), kPlan);
  const std::string command = std::string(TANGRAM_ENGINE_COMMAND) + " run " +
                              file("scenario.json") + " --backend cuda-green --runner kernels";
  ASSERT_EQ(run(command + " --summary " + file("summary.json")), 0) << output();
  const Json summary = Json::parse(read_file(file("summary.json")));
  EXPECT_EQ(summary["total"]["completed"], summary["total"]["offered"]);
  EXPECT_GT(summary["total"]["completed"].get<int>(), 0);
  // One process with two lanes; 132 SMs are 48 and 80, and 4 that fit into the second's gap.
  EXPECT_THAT(output(), HasSubstr("cuda-green: 1 worker, runner kernels, on Fake GPU, 132 SMs"));
  EXPECT_THAT(output(), ::testing::Not(HasSubstr("asked for")));
}

TEST_F(Processes, TheConstantsAreMeasuredAndWritten) {
  if (builtin_kernels().size == 0) GTEST_SKIP() << "built without a CUDA compiler";
  ASSERT_EQ(run(TANGRAM_GPU_BENCH_COMMAND " constants --repetitions 2 --connections 8 --out " +
                file("constants.json")),
            0)
      << output();
  const Json json = Json::parse(read_file(file("constants.json")));
  EXPECT_EQ(json["connections"], 8);
  EXPECT_EQ(json["provenance"]["device"], "Fake GPU, 132 SMs");
  EXPECT_NEAR(json["constants"]["queues"]["hardware_queues"].get<double>(), 8, 0.2);
}

}  // namespace
}  // namespace tangram
