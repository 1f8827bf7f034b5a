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

class Command : public ::testing::Test {
 protected:
  Command() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    // Cases of two suites have the same name, and run at the same time.
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("tangram_engine_") + info->test_suite_name() + '_' + info->name());
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

TEST_F(Command, SaysThatItDoesNotPlanAgain) {
  EXPECT_EQ(run("run s.json --backend emulated --out r.h5 --set '/replanning={\"name\": "
                "\"periodic\"}'"),
            2);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("s.json#/replanning: only tangram run"));
  EXPECT_FALSE(fs::exists(folder_ / "r.h5"));
}

TEST_F(Command, PrintsATableWithoutOut) {
  EXPECT_EQ(run("run s.json --backend emulated"), 0);
  EXPECT_THAT(text("printed"), ::testing::HasSubstr("bursty"));
}

TEST_F(Command, ExitsWithTwoForWrongInput) {
  EXPECT_EQ(run("run none.json --backend emulated"), 2);
  EXPECT_EQ(run("run s.json --backend emulatd"), 2);
  EXPECT_EQ(run("run s.json"), 2);
  EXPECT_EQ(run("run s.json --backend emulated --set /routng=wrr"), 2);
  EXPECT_EQ(run("run s.json --backend emulated --out none/r.h5"), 2);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("--out none/r.h5"));
}

TEST_F(Command, AnInterruptLeavesTheResultOfWhatRanAndExitsWithOne) {
  EXPECT_EQ(run("run s.json --backend emulated --out r.h5 --summary s.out.json "
                "--set /duration_s=3600",
                "timeout --preserve-status -s INT 1 "),
            1);
  EXPECT_TRUE(fs::exists(folder_ / "r.h5"));
  EXPECT_GT(json("s.out.json")["total"]["offered"], 0);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("interrupted after"));
}

// The command on worker processes: one core, three workloads, models that need no framework.
class CommandOnCpu : public Command {
 protected:
  // Runs on the backend cpu; the scenario's models are `small` and `large`.
  int run_cpu(const std::string& small,
              const std::string& large,
              const std::string& arguments,
              const std::string& before = "") const {
    std::string sets = " --set /cluster/gpus/0/type=cpu --set /cluster/gpus/0/count=1";
    for (const char* place : {"/profiles/0", "/workloads/0", "/workloads/1"}) {
      sets += " --set " + std::string(place) + "/model=" + small;
    }
    for (const char* place : {"/profiles/1", "/workloads/2"}) {
      sets += " --set " + std::string(place) + "/model=" + large;
    }
    sets += " --set /profiles/0/gpu=cpu --set /profiles/1/gpu=cpu";
    return run("run s.json --backend cpu " + arguments + sets, before);
  }
  void expect_all_accounted_for() const {
    const Json total = json("s.out.json")["total"];
    EXPECT_GT(total["offered"], 0);
    EXPECT_EQ(total["offered"].get<int>(), total["completed"].get<int>() +
                                               total["dropped"].get<int>() +
                                               total["unfinished"].get<int>());
  }
  // Everything in the folder but the scenario, what the command printed and the summary.
  std::vector<std::string> left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (name != "s.json" && name != "printed" && name != "errors") names.push_back(name);
    }
    return names;
  }
};

TEST_F(CommandOnCpu, WritesTheFilesThatItIsAskedFor) {
  EXPECT_EQ(run_cpu("mlp-16-2", "stream-1",
                    "--runner native --out r.h5 --summary s.out.json --timeline t.json"),
            0)
      << text("errors");
  expect_all_accounted_for();
  EXPECT_EQ(json("s.out.json")["total"]["unfinished"], 0);
  EXPECT_FALSE(json("t.json")["traceEvents"].empty());
}

TEST_F(CommandOnCpu, AModelThatIsNotThereIsWrongInput) {
  EXPECT_EQ(run_cpu("mlp-16-2", "resnet", "--runner native --out r.h5"), 2);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("resnet"));
  EXPECT_EQ(run_cpu("a", "b", "--out r.h5"), 2);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("--models: the runner torch needs"));
  EXPECT_EQ(run_cpu("a", "b", "--models none --out r.h5"), 2);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("none/models.json"));
  EXPECT_EQ(run_cpu("a", "b", "--runner nativ --out r.h5"), 2);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("did you mean \"native\"?"));
  EXPECT_EQ(run_cpu("a", "b", "--runner native --cores 99999 --out r.h5"), 2);
  EXPECT_THAT(left_behind(), ::testing::IsEmpty());
}

TEST_F(CommandOnCpu, AModelThatDoesNotFitIsAFailureOfTheSystem) {
  EXPECT_EQ(run_cpu("mlp-16-2", "mlp-1000000-1000", "--runner native --out r.h5"), 3);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("out of memory: the weights"));
  EXPECT_THAT(left_behind(), ::testing::IsEmpty());
}

TEST_F(CommandOnCpu, AMissingWorkerProgramIsNamed) {
  const fs::path alone = folder_ / "bin";
  fs::create_directories(alone);
  fs::copy(TANGRAM_ENGINE_COMMAND, alone / "tangram-engine");
  const std::string line = "cd '" + folder_.string() +
                           "' && bin/tangram-engine run s.json --backend cpu --runner sleep "
                           "--set /cluster/gpus/0/count=1 2> errors";
  EXPECT_EQ(WEXITSTATUS(std::system(line.c_str())), 3);
  EXPECT_THAT(text("errors"), ::testing::HasSubstr("the program tangram-worker is not in"));
}

TEST_F(CommandOnCpu, AnInterruptLeavesTheResultOfWhatRan) {
  EXPECT_EQ(run_cpu("sleep-1", "sleep-5",
                    "--runner sleep --summary s.out.json --out r.h5 --set /duration_s=3600",
                    "timeout --preserve-status -s INT 1 "),
            1);
  expect_all_accounted_for();
  EXPECT_TRUE(fs::exists(folder_ / "r.h5"));
}

TEST_F(CommandOnCpu, AFullDiskIsAFailureOfTheSystemAndLeavesNoFile) {
  EXPECT_EQ(run_cpu("sleep-1", "sleep-5", "--runner sleep --summary /dev/full --out none.h5"), 3);
  fs::remove(folder_ / "none.h5");
  // No file above 512 bytes; the signal that comes with it is ignored.
  for (const std::string output : {"--out r.h5", "--timeline t.json", "--summary s.out.json"}) {
    EXPECT_EQ(
        run_cpu("sleep-1", "sleep-5", "--runner sleep " + output, "ulimit -f 1; trap '' XFSZ; "), 3)
        << output;
    EXPECT_THAT(left_behind(), ::testing::IsEmpty()) << output;
  }
}

TEST_F(CommandOnCpu, WorkersDoNotOutliveAnEngineThatIsKilled) {
  // Children of any thread; the engine's only ones are its workers.
  std::ofstream(folder_ / "kill.sh") << R"(
"$@" &
engine=$!
worker=
while [ -z "$worker" ]; do
  kill -0 $engine || exit 4
  worker=$(cat /proc/$engine/task/*/children 2> /dev/null)
done
kill -9 $engine
tries=0
while kill -0 $worker 2> /dev/null; do
  tries=$((tries + 1))
  [ $tries -gt 2000 ] && exit 5
  sleep 0.01
done
exit 0
)";
  EXPECT_EQ(
      run_cpu("sleep-1", "sleep-100000", "--runner sleep --set /duration_s=3600", "sh kill.sh "), 0)
      << text("errors");
}

}  // namespace
}  // namespace tangram
