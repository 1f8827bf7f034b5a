// Test files: a scratch folder of the test's own, and the reference data where it is.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

namespace tangram::testing {

class ScratchFolder {
 public:
  ScratchFolder() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() /
            (std::string("tangram_") + test->name() + "_" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  // Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// The folder of the reference data, or "" when the variable is not set.
inline std::string reference_data() {
  const char* folder = std::getenv("TANGRAM_REFERENCE_DATA");
  return folder == nullptr ? "" : folder;
}

}  // namespace tangram::testing

#define TANGRAM_REQUIRE_REFERENCE_DATA()          \
  if (tangram::testing::reference_data().empty()) \
  GTEST_SKIP() << "TANGRAM_REFERENCE_DATA is not set: the reference tables are not here"
