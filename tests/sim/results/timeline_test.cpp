#include "sim/results/timeline.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "sample_run.h"
#include "sim/core/atomic_file.h"
#include "sim/core/json_reader.h"

namespace tangram {
namespace {

TEST(Timeline, KeepsEveryNanosecondAndEscapesNames) {
  RunResult run = sample_run();
  run.workloads[0].name = "a \"quoted\" name";
  run.timeline.push_back({ExecutorId(0), WorkloadId(0), 3, kStart + Duration(900),
                          kStart + Duration(1001), kStart + Duration(3002), Duration(2000),
                          Duration(1500)});
  const std::string path =
      (std::filesystem::temp_directory_path() / "tangram_timeline_test.json").string();
  write_timeline(path, run);
  const Json trace = Json::parse(read_file(path));
  std::filesystem::remove(path);
  const Json& events = trace["traceEvents"];
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0]["args"]["name"], "GPU 0 (ideal)");
  EXPECT_EQ(events[1]["args"]["name"], "gpu 0 / whole #0 / process 0");
  const Json& batch = events[2];
  EXPECT_EQ(batch["name"], "a \"quoted\" name");
  EXPECT_EQ(batch["ts"], 1.001);
  EXPECT_EQ(batch["dur"], 2.001);
  EXPECT_EQ(batch["tid"], events[1]["tid"]);
  EXPECT_EQ(batch["args"]["size"], 3);
  EXPECT_EQ(batch["args"]["decided_us"], 0.9);
  EXPECT_EQ(batch["args"]["predicted_ms"], 0.002);
  EXPECT_EQ(batch["args"]["actual_ms"], 0.002001);
  EXPECT_EQ(batch["args"]["alone_ms"], 0.0015);
}

TEST(Timeline, LeavesNothingBehindWhereItCannotWrite) {
  EXPECT_THROW(write_timeline("/nonexistent/folder/trace.json", sample_run()), SystemError);
}

}  // namespace
}  // namespace tangram
