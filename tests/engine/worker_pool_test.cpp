// Worker processes from outside: they load, run, refuse, die and end. No test asserts how long
// something takes, other than that a sleep is not shorter than asked.
#include "engine/worker_pool.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "sim/core/error.h"
#include "tests/engine/workers.h"

namespace tangram {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class Workers : public ::testing::Test {
 protected:
  WorkerCalls calls_{beside_the_engine()};
};

// The message of what `action` throws; "" when it throws nothing of that type.
template <typename Error, typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool is_running(pid_t process) {
  return ::kill(process, 0) == 0;
}

TEST_F(Workers, RunABatchForAsLongAsItTakes) {
  calls_.open({worker_of("sleep", {"sleep-5-2"})});
  const BatchTimes times = calls_.run({0, 0}, 0, 3);
  // 5 ms + 3 x 2 ms.
  EXPECT_GE(times.end - times.start, milliseconds(11));
}

TEST_F(Workers, ListTheKernelsOfABatchWhereTheirRunnerCan) {
  calls_.open({worker_of("sleep", {"sleep-5-2"}), worker_of("native", {"mlp-8-1"})});
  EXPECT_EQ(calls_.kernels({0, 0}, 0, 3), (std::vector<Kernel>{{3, "wait", 3, 1, 0, 0, 11000}}));
  EXPECT_THAT(message_of<RunnerError>([&] {
                calls_.kernels({1, 0}, 0, 1);
              }),
              HasSubstr("lists no kernels"));
  calls_.unload({0, 0}, 0);
  EXPECT_THAT(message_of<RunnerError>([&] {
                calls_.kernels({0, 0}, 0, 1);
              }),
              HasSubstr("is not loaded"));
  // The lane goes on.
  calls_.run({1, 0}, 0, 1);
}

TEST(KernelLists, PassAsTheyAreWithLongNamesCut) {
  const std::string longest(kLongestKernelName, 'x');
  const std::vector<Kernel> kernels{{1, "a", 2, 3, 4, 5, 6.5}, {8, longest + "y", 1, 1, 0, 0, 0.1}};
  const std::vector<Kernel> back = kernels_from(kernels_to_json(kernels));
  ASSERT_EQ(back.size(), 2U);
  EXPECT_EQ(back[0], kernels[0]);
  EXPECT_EQ(back[1].name, longest);
  EXPECT_THROW(kernels_from(Json::parse(R"([[1, "a", 2]])")), ConfigError);
  EXPECT_THROW(kernels_from(Json::parse(R"([[1, "a", -2, 3, 4, 5, 6.5]])")), ConfigError);
}

TEST_F(Workers, DoOneBatchOfALaneAfterTheOther) {
  calls_.open({worker_of("sleep", {"sleep-5"})});
  auto first = calls_.start({0, 0}, 0, 1);
  auto second = calls_.start({0, 0}, 0, 1);
  EXPECT_GE(second.get().start, first.get().end);
}

TEST_F(Workers, RunTheirLanesAndEachOtherSideBySide) {
  WorkerSpec two_lanes = worker_of("sleep", {"sleep-300", "sleep-300"});
  calls_.open({two_lanes, worker_of("sleep", {"sleep-300"})});
  const auto soon = WorkerCalls::Steady::now() + milliseconds(50);
  auto a = calls_.start({0, 0}, 0, 1, soon);
  auto b = calls_.start({0, 1}, 1, 1, soon);
  auto c = calls_.start({1, 0}, 0, 1, soon);
  const BatchTimes times[] = {a.get(), b.get(), c.get()};
  for (const BatchTimes& one : times) {
    EXPECT_GE(one.start, soon);
    for (const BatchTimes& other : times) EXPECT_LT(one.start, other.end);
  }
}

TEST_F(Workers, ComputeTheirOwnModelsAndSayWhatTheWeightsTake) {
  calls_.open({worker_of("native", {"mlp-64-4", "stream-2"}, false)});
  // 4 x 64 x 64 x 4 bytes.
  EXPECT_DOUBLE_EQ(calls_.load({0, 0}, 0).weights_mib, 65536.0 / (1 << 20));
  EXPECT_DOUBLE_EQ(calls_.load({0, 1}, 1).weights_mib, 2);
  const BatchTimes times = calls_.run({0, 0}, 0, 17);
  EXPECT_GT(times.end, times.start);
  calls_.run({0, 1}, 1, 2);
  calls_.unload({0, 0}, 0);
  EXPECT_THAT(message_of<RunnerError>([&] { calls_.unload({0, 0}, 0); }), HasSubstr("not loaded"));
  EXPECT_THAT(message_of<RunnerError>([&] {
                calls_.load({0, 1}, 1);
              }),
              HasSubstr("loaded already"));
}

TEST_F(Workers, RefuseABatchThatDoesNotFitAndGoOn) {
  calls_.open({worker_of("native", {"mlp-64-1"})});
  // 4e9 items x 64 x 2 activations x 4 bytes: 2 TB.
  EXPECT_THAT(message_of<RunnerError>([&] {
                calls_.run({0, 0}, 0, 4'000'000'000U);
              }),
              HasSubstr("a batch of 4000000000 needs"));
  EXPECT_NO_THROW(calls_.run({0, 0}, 0, 1));
}

TEST_F(Workers, GiveALaneUpWhoseEveryBatchDoesNotFit) {
  calls_.open({worker_of("native", {"mlp-64-1", "mlp-32-1"})});
  for (int i = 0; i < 7; ++i) {
    EXPECT_THROW(calls_.run({0, 0}, 0, 4'000'000'000U), RunnerError);
  }
  EXPECT_THAT(message_of<SystemError>([&] {
                calls_.run({0, 0}, 0, 4'000'000'000U);
              }),
              HasSubstr("8 batches in a row failed"));
  EXPECT_THROW(calls_.run({0, 0}, 0, 1), SystemError);
  // The other lane of the process is untouched.
  EXPECT_NO_THROW(calls_.run({0, 1}, 1, 1));
}

TEST_F(Workers, AreSeenToDieWithTheSignalThatKilledThem) {
  calls_.open(
      {worker_of("sleep", {"sleep-100000", "sleep-100000"}), worker_of("sleep", {"sleep-1"})});
  auto first = calls_.start({0, 0}, 0, 1);
  auto second = calls_.start({0, 1}, 1, 1);
  ::kill(calls_.process(0), SIGKILL);
  EXPECT_THAT(message_of<SystemError>([&] { first.get(); }), HasSubstr("killed by signal 9"));
  EXPECT_THAT(message_of<SystemError>([&] { second.get(); }), HasSubstr("killed by signal 9"));
  EXPECT_THROW(calls_.run({0, 0}, 0, 1), SystemError);
  EXPECT_NO_THROW(calls_.run({1, 0}, 0, 1));
}

TEST_F(Workers, SayWhatTheyWereGranted) {
  WorkerSpec spec = worker_of("native", {"mlp-8-1"});
  spec.cores = {0};
  const WorkerGrant grant = calls_.open({spec}).front();
  EXPECT_THAT(grant.device, ::testing::EndsWith("core 0"));
  EXPECT_EQ(grant.framework, "native");
  EXPECT_THAT(grant.driver, HasSubstr("Linux"));
  ASSERT_EQ(grant.lanes.size(), 1U);
  EXPECT_EQ(grant.lanes[0].share, Share{});
}

TEST_F(Workers, SeeTheEnvironmentThatIsAddedForThem) {
  // Without the loader's path of libraries a program that asks for a missing one does not start.
  WorkerSpec spec = worker_of("sleep", {"sleep-1"});
  spec.environment = {{"LD_BIND_NOW", "1"}, {"LD_PRELOAD", "/no/such/library.so"}};
  // The loader only warns, on standard error, where the pool finds it after a death.
  calls_.open({spec});
  ::kill(calls_.process(0), SIGKILL);
  EXPECT_THAT(message_of<SystemError>([&] {
                calls_.run({0, 0}, 0, 1);
              }),
              HasSubstr("/no/such/library.so"));
}

TEST_F(Workers, ThatCannotLoadAModelAreTheUsersMistake) {
  EXPECT_THAT(message_of<ConfigError>([&] { calls_.open({worker_of("native", {"resnet50"})}); }),
              HasSubstr("resnet50: the runner \"native\" has the models"));
}

TEST_F(Workers, WhoseModelIsLargerThanTheMachineDoNotStart) {
  EXPECT_THAT(
      message_of<SystemError>([&] { calls_.open({worker_of("native", {"mlp-1000000-1000"})}); }),
      HasSubstr("out of memory: the weights"));
}

TEST_F(Workers, AnUnknownRunnerIsAnsweredWithTheNearest) {
  EXPECT_THAT(message_of<SystemError>([&] { calls_.open({worker_of("nativ", {})}); }),
              HasSubstr("did you mean \"native\"?"));
}

TEST(WorkerPool, AProgramThatIsNotThereIsNamed) {
  PoolOptions options;
  options.folder = ::testing::TempDir();
  WorkerCalls calls(options);
  EXPECT_THAT(message_of<SystemError>([&] { calls.open({worker_of("sleep", {})}); }),
              HasSubstr("the program tangram-worker is not in"));
  EXPECT_THAT(message_of<SystemError>([&] { calls.open({worker_of("torch", {})}); }),
              HasSubstr("LibTorch"));
}

// A folder with a worker program of one's own: a shell script.
class FalseWorker : public ::testing::Test {
 protected:
  explicit FalseWorker() {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              (std::string("tangram_worker_") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~FalseWorker() override { std::filesystem::remove_all(folder_); }

  std::string error_of(const std::string& script, milliseconds ready_within) const {
    const std::filesystem::path program = folder_ / "tangram-worker";
    std::ofstream(program) << "#!/bin/sh\n" << script << '\n';
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    PoolOptions options;
    options.folder = folder_.string();
    options.ready_within = ready_within;
    WorkerCalls calls(options);
    return message_of<SystemError>([&] { calls.open({worker_of("sleep", {"sleep-1"})}); });
  }

  std::filesystem::path folder_;
};

TEST_F(FalseWorker, ThatNeverBecomesReadyIsGivenUp) {
  EXPECT_THAT(error_of("exec sleep 1000", milliseconds(200)),
              HasSubstr("was not ready within 200 ms"));
}

TEST_F(FalseWorker, ThatExitsIsReportedWithItsStatusAndItsLastWords) {
  EXPECT_THAT(error_of("echo no such thing >&2; exit 7", std::chrono::minutes(1)),
              HasSubstr("exited with status 7; it said: no such thing"));
}

TEST_F(FalseWorker, ThatTalksNonsenseIsEnded) {
  EXPECT_THAT(error_of("echo nonsense >&3; exec sleep 1000", std::chrono::minutes(1)),
              HasSubstr("killed by signal 9"));
}

TEST(WorkerPool, LeavesNoProcessBehind) {
  pid_t process = 0;
  {
    PoolOptions options = beside_the_engine();
    options.close_within = milliseconds(50);
    WorkerCalls calls(options);
    calls.open({worker_of("sleep", {"sleep-1000000"})});
    process = calls.process(0);
    auto never = calls.start({0, 0}, 0, 1);
    std::this_thread::sleep_for(milliseconds(100));  // most likely it sleeps by now
    EXPECT_TRUE(is_running(process));
  }
  EXPECT_FALSE(is_running(process));
}

}  // namespace
}  // namespace tangram
