// The tangram-engine command from outside: exit codes and files.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include "sim/core/json_reader.h"
#include "tests/engine/fixture.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

class Command : public testing::Test {
 protected:
  Command() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("tangram_engine_") + info->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "s.json") << kThreeWorkloads;
  }
  ~Command() override { fs::remove_all(folder_); }

  // Runs the command in the folder; returns its exit code, its error output in "errors".
  int run(const std::string& arguments, const std::string& before = "") const {
    const std::string line = "cd '" + folder_.string() + "' && " + before +
                             "'" TANGRAM_ENGINE_COMMAND "' " + arguments + " > printed 2> errors";
    return WEXITSTATUS(std::system(line.c_str()));
  }
  std::string text(const std::string& name) const {
    std::ifstream file(folder_ / name);
    std::ostringstream content;
    content << file.rdbuf();
    return content.str();
  }
  Json json(const std::string& name) const { return Json::parse(text(name)); }

  fs::path folder_;
};

TEST_F(Command, WritesTheFilesThatItIsAskedFor) {
  EXPECT_EQ(run("run s.json --backend emulated --out r.h5 --summary s.out.json --timeline t.json "
                "--seed 11 --set /workloads/2/slo_ms=90"),
            0);
  EXPECT_EQ(text("errors"), "");
  EXPECT_TRUE(fs::exists(folder_ / "r.h5"));
  EXPECT_EQ(json("s.out.json")["seed"], 11);
  EXPECT_GT(json("s.out.json")["total"]["completed"], 0);
  EXPECT_FALSE(json("t.json")["traceEvents"].empty());
}

TEST_F(Command, PrintsATableWithoutOut) {
  EXPECT_EQ(run("run s.json --backend emulated"), 0);
  EXPECT_THAT(text("printed"), testing::HasSubstr("bursty"));
}

TEST_F(Command, ExitsWithTwoForWrongInput) {
  EXPECT_EQ(run("run none.json --backend emulated"), 2);
  EXPECT_EQ(run("run s.json --backend emulatd"), 2);
  EXPECT_EQ(run("run s.json"), 2);
  EXPECT_EQ(run("run s.json --backend emulated --set /routng=wrr"), 2);
  EXPECT_EQ(run("run s.json --backend emulated --out none/r.h5"), 2);
  EXPECT_THAT(text("errors"), testing::HasSubstr("--out none/r.h5"));
}

TEST_F(Command, AnInterruptLeavesTheResultOfWhatRanAndExitsWithOne) {
  EXPECT_EQ(run("run s.json --backend emulated --out r.h5 --summary s.out.json "
                "--set /duration_s=3600",
                "timeout --preserve-status -s INT 1 "),
            1);
  EXPECT_TRUE(fs::exists(folder_ / "r.h5"));
  EXPECT_GT(json("s.out.json")["total"]["offered"], 0);
  EXPECT_THAT(text("errors"), testing::HasSubstr("interrupted after"));
}

}  // namespace
}  // namespace tangram
