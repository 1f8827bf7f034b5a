// Output files appear whole or not at all, and nothing is left beside them.
#include "sim/core/atomic_file.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/error.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  AtomicFileTest() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(::testing::TempDir()) /
              ("atomic_file_" + std::to_string(::getpid()) + "_" + test->name());
    fs::create_directories(folder_);
  }
  ~AtomicFileTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }

  fs::path folder_;
};

TEST_F(AtomicFileTest, WhatIsWrittenIsReadBackAndNothingElseStays) {
  const std::string content = std::string("line\n") + '\0' + "more";
  write_file(path("a.json"), content);
  EXPECT_EQ(read_file(path("a.json")), content);
  EXPECT_THAT(files(), ::testing::ElementsAre("a.json"));
}

TEST_F(AtomicFileTest, ReadsAnEmptyFile) {
  write_file(path("empty"), "");
  EXPECT_EQ(read_file(path("empty")), "");
}

TEST_F(AtomicFileTest, WithoutACommitTheOldContentStays) {
  write_file(path("a.json"), "old");
  {
    const AtomicFile file(path("a.json"));
    std::ofstream(file.temporary_path()) << "half";
    EXPECT_EQ(read_file(path("a.json")), "old");
    EXPECT_EQ(files().size(), 2U);
  }
  EXPECT_EQ(read_file(path("a.json")), "old");
  EXPECT_THAT(files(), ::testing::ElementsAre("a.json"));
}

TEST_F(AtomicFileTest, ACommitReplacesTheOldContent) {
  write_file(path("a.json"), "old and longer");
  AtomicFile file(path("a.json"));
  std::ofstream(file.temporary_path()) << "new";
  file.commit();
  EXPECT_EQ(read_file(path("a.json")), "new");
  EXPECT_THAT(files(), ::testing::ElementsAre("a.json"));
}

TEST_F(AtomicFileTest, TwoWritersOfOneFileDoNotShareATemporaryName) {
  const AtomicFile first(path("a"));
  const AtomicFile second(path("a"));
  EXPECT_NE(first.temporary_path(), second.temporary_path());
}

TEST_F(AtomicFileTest, ALinkIsFollowedAndStaysALink) {
  write_file(path("target"), "old");
  fs::create_symlink("target", folder_ / "link");
  write_file(path("link"), "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(path("target")), "new");
}

TEST_F(AtomicFileTest, ADeviceIsWrittenInPlace) {
  EXPECT_NO_THROW(write_file("/dev/null", "gone"));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(AtomicFileTest, AFullDiskIsASystemErrorAndLeavesNothing) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  EXPECT_THROW(write_file("/dev/full", "content"), SystemError);
}

TEST_F(AtomicFileTest, AMissingFolderOrAFolderAsTargetIsASystemError) {
  EXPECT_THROW(AtomicFile(path("missing/a.json")), SystemError);
  EXPECT_THROW(AtomicFile(folder_.string()), SystemError);
  EXPECT_TRUE(files().empty());
}

TEST_F(AtomicFileTest, ReadingWhatCannotBeReadIsTheUsersMistakeWithItsPath) {
  try {
    read_file(path("missing.json"));
    FAIL() << "no exception";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), ::testing::AllOf(::testing::StartsWith(path("missing.json") + ": "),
                                               ::testing::HasSubstr("No such file")));
  }
  EXPECT_THROW(read_file(folder_.string()), ConfigError);
}

}  // namespace
}  // namespace tangram
