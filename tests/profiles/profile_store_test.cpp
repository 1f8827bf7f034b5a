// The HDF5 store and the finding of profile files.
#include <chrono>
#include <cmath>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/profile_io.h"
#include "sim/core/hdf5_file.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

using testing::content_of;
using ::testing::HasSubstr;
using testing::ScratchFolder;

std::string text_of(const Faults& faults) {
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::vector<Profile> examples() {
  Profile points;
  points.model = "family/net";
  points.gpu = "a100-80gb";
  for (const std::uint32_t batch : {1U, 2U, 4U}) {
    LatencyPoint p;
    p.share = {ShareKind::kMig, 3};
    p.batch = batch;
    p.latency_ms = 0.1 + batch;
    if (batch == 2) p.samples_ms = {1.5, 2.5};
    if (batch == 2) p.suspicion = "odd";
    if (batch == 4) p.reported_latency_ms = 4;
    points.points.push_back(p);
  }
  points.interpolation = Interpolation::kRoundUp;
  points.variability = {Variability::Kind::kLognormal, 0.25};
  points.memory_mib = 512;
  points.launches = 73;
  points.interference_factor = 1.1;
  points.co_runs = {{"other", 1, 2, 20, 80, 1.3}};
  points.batching_ms = {0.25, 0.5};
  points.kernels = {{1, "conv", 264, 256, 64, 49152, 12.5}, {4, "gemm", 1056, 128, 255, 0, 50.25}};
  points.provenance = {"measured", "d", "r", "f", "2024-01-01", "c", "s", 7};
  Profile linear;
  linear.model = "line";
  linear.gpu = "a100-80gb";
  linear.linear = Profile::Linear{0, 2.5, 64};
  return {points, linear};
}

TEST(ProfileStore, WhatIsWrittenIsReadBack) {
  const ScratchFolder folder;
  write_profile_store(folder.file("p.h5"), examples());
  Faults faults;
  const std::vector<Profile> read = read_profile_file(folder.file("p.h5"), faults);
  EXPECT_EQ(text_of(faults), "");
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(to_json(read[0]).dump(), to_json(examples()[0]).dump());
  EXPECT_EQ(to_json(read[1]).dump(), to_json(examples()[1]).dump());
}

TEST(ProfileStore, EqualProfilesGiveEqualBytes) {
  const ScratchFolder folder;
  write_profile_store(folder.file("a.h5"), examples());
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // stamps would differ
  write_profile_store(folder.file("b.h5"), examples());
  EXPECT_EQ(content_of(folder.file("a.h5")), content_of(folder.file("b.h5")));
}

TEST(ProfileStore, HoldsOneGpuType) {
  const ScratchFolder folder;
  std::vector<Profile> mixed = examples();
  mixed[1].gpu = "t4";
  EXPECT_THROW(write_profile_store(folder.file("p.h5"), mixed), ConfigError);
  EXPECT_FALSE(std::filesystem::exists(folder.file("p.h5")));
}

TEST(ProfileStore, TruncatedFilesAreFaults) {
  const ScratchFolder folder;
  write_profile_store(folder.file("p.h5"), examples());
  const std::string whole = content_of(folder.file("p.h5"));
  for (std::size_t size = 0; size < whole.size(); size += 211) {
    Faults faults;
    read_profile_file(folder.write("cut.h5", whole.substr(0, size)), faults);
    EXPECT_FALSE(faults.empty()) << size;
  }
}

TEST(ProfileStore, DamagedBytesNeverCrashAndNeverGiveIllegalValues) {
  const ScratchFolder folder;
  write_profile_store(folder.file("p.h5"), examples());
  const std::string whole = content_of(folder.file("p.h5"));
  int found = 0;
  for (std::size_t i = 0; i < whole.size(); i += 53) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(~damaged[i]);
    Faults faults;
    for (const Profile& p : read_profile_file(folder.write("bad.h5", damaged), faults)) {
      for (const LatencyPoint& point : p.points) EXPECT_GT(point.latency_ms, 0);
    }
    found += faults.empty() ? 0 : 1;
  }
  EXPECT_GT(found, 20);
}

// Writes a store with one column wrong and expects the fault.
void expect_fault(const std::string& column,
                  const std::vector<double>& values,
                  const std::string& fault) {
  const ScratchFolder folder;
  Hdf5Writer file(folder.file("p.h5"));
  file.attribute("/", "format", "tangram profiles");
  file.attribute("/", "schema", 1.0);
  file.attribute("/", "gpu", "t4");
  const std::string model = "/models/m";
  file.group(model);
  file.attribute(model, "model", "m");
  file.attribute(model, "interpolation", "none");
  file.attribute(model, "variability", "none");
  file.attribute(model, "cv", 0.0);
  file.attribute(model, "provenance_repetitions", 0.0);
  file.write(model + "/points/share_kind", std::vector<std::string>{"whole", "whole"});
  const auto put = [&](const std::string& name, const std::vector<double>& usual) {
    file.write(model + "/points/" + name, std::span<const double>(name == column ? values : usual));
  };
  put("share_amount", {1, 1});
  put("processes", {1, 1});
  put("batch", {1, 2});
  put("latency_ms", {1, 2});
  file.commit();
  Faults faults;
  read_profile_file(folder.file("p.h5"), faults);
  if (fault.empty()) {
    EXPECT_EQ(text_of(faults), "");
  } else {
    EXPECT_THAT(text_of(faults), HasSubstr(fault));
  }
}

TEST(ProfileStore, WrongColumnsAreFaultsWithTheirPlace) {
  expect_fault("", {}, "");
  expect_fault("latency_ms", {1, -2}, "p.h5#/models/m/points/latency_ms[1]: must be from");
  expect_fault("latency_ms", {1, 2, 3}, "p.h5#/models/m/points/latency_ms: must have 2 values");
  expect_fault("batch", {1, 1}, "p.h5#/models/m/points[1]: points must ascend");
  expect_fault("processes", {1, 0}, "p.h5#/models/m/points/processes[1]");
  expect_fault("share_amount", {1, std::nan("")}, "p.h5#/models/m/points/share_amount[1]");
}

TEST(ProfileFiles, OtherEndingsAndOtherHdf5FilesAreFaults) {
  const ScratchFolder folder;
  Faults faults;
  read_profile_file(folder.write("p.txt", "x"), faults);
  EXPECT_THAT(text_of(faults), HasSubstr("ends in .json, .h5 or .hdf5"));
  Hdf5Writer file(folder.file("other.h5"));
  file.commit();
  Faults more;
  read_profile_file(folder.file("other.h5"), more);
  EXPECT_THAT(text_of(more), HasSubstr("not a profile store"));
}

TEST(ProfileFiles, JsonFilesHoldOneProfileOrMany) {
  const ScratchFolder folder;
  const std::string one = to_json(examples()[1]).dump();
  Faults faults;
  EXPECT_EQ(read_profile_file(folder.write("one.json", one), faults).size(), 1U);
  EXPECT_EQ(read_profile_file(folder.write("two.json", "[" + one + "," + one + "]"), faults).size(),
            2U);
  EXPECT_EQ(text_of(faults), "");
  read_profile_file(folder.write("bad.json", R"([{"model": "m"}])"), faults);
  EXPECT_THAT(text_of(faults), HasSubstr("bad.json#/0"));
}

TEST(ProfileFiles, AreFoundBesideTheScenarioThenAmongTheShipped) {
  const ScratchFolder folder;
  const std::string mine = folder.write("t4.analytic.h5", "");
  const std::filesystem::path base = std::filesystem::path(mine).parent_path();
  Faults faults;
  EXPECT_EQ(find_profile_file("t4.analytic.h5", base, "/profiles/0", faults), mine);
  EXPECT_EQ(find_profile_file(mine, "/elsewhere", "/profiles/0", faults), mine);
  EXPECT_EQ(find_profile_file("t4.analytic.h5", "/elsewhere", "/profiles/0", faults),
            (shipped_profiles() / "t4.analytic.h5").string());
  EXPECT_TRUE(faults.empty());
  EXPECT_FALSE(find_profile_file("t4.analytics.h5", base, "/profiles/0", faults).has_value());
  EXPECT_THAT(text_of(faults), HasSubstr("/profiles/0: unknown profile file"));
  EXPECT_THAT(text_of(faults), HasSubstr("did you mean \"t4.analytic.h5\"?"));
}

}  // namespace
}  // namespace tangram
