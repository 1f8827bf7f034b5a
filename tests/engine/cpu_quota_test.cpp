#include "engine/cpu_quota.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "sim/core/error.h"
#include "tests/engine/workers.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(FindCgroup, FindsTheControllerOfVersionOne) {
  EXPECT_EQ(
      find_cgroup("30 25 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
                  "31 25 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
                  "32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
                  "4:memory:/mine\n2:cpu,cpuacct:/jobs/a\n0::/\n"),
      (CgroupPlace{1, "/sys/fs/cgroup/cpu/jobs/a"}));
}

TEST(FindCgroup, FindsTheOnlyGroupOfVersionTwo) {
  EXPECT_EQ(find_cgroup("30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n",
                        "0::/user.slice/session-1.scope\n"),
            (CgroupPlace{2, "/sys/fs/cgroup/user.slice/session-1.scope"}));
}

TEST(FindCgroup, KnowsThatAContainersMountIsItselfAGroup) {
  EXPECT_EQ(find_cgroup("30 25 0:26 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
                        "2:cpu:/docker/abc\n"),
            (CgroupPlace{1, "/sys/fs/cgroup/cpu"}));
}

TEST(FindCgroup, FindsNothingWhereThereIsNone) {
  EXPECT_EQ(find_cgroup("22 1 0:20 / /proc rw - proc proc rw\n", "2:cpu:/\n0::/\n"), std::nullopt);
  EXPECT_EQ(find_cgroup("", ""), std::nullopt);
  EXPECT_EQ(find_cgroup("nonsense", "nonsense"), std::nullopt);
}

TEST(QuotaTimes, HaveAPeriodOfTenMillisecondsOrALongerOne) {
  EXPECT_EQ(quota_times(1), (QuotaTimes{10'000, 10'000}));
  EXPECT_EQ(quota_times(0.4), (QuotaTimes{4'000, 10'000}));
  EXPECT_EQ(quota_times(0.1), (QuotaTimes{1'000, 10'000}));
  // The quota cannot be below 1 ms: 1 ms of 20 ms is 5 %.
  EXPECT_EQ(quota_times(0.05), (QuotaTimes{1'000, 20'000}));
  EXPECT_EQ(quota_times(0.001), (QuotaTimes{1'000, 1'000'000}));
}

class Quota : public ::testing::Test {
 protected:
  Quota()
      : folder_(fs::path(::testing::TempDir()) /
                (std::string("tangram_quota_") +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Quota() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(Quota, WhereTheSystemHasNoSuchFilesIsAnErrorThatLeavesNothing) {
  for (const int version : {1, 2}) {
    EXPECT_THROW(CpuQuota({version, folder_.string()}, "a", 0.5), SystemError);
    EXPECT_TRUE(fs::is_empty(folder_));
  }
}

TEST_F(Quota, ThatIsNotPermittedGrantsTheWholeCoreAndSaysSo) {
  PoolOptions options = beside_the_engine();
  options.cgroup = CgroupPlace{1, folder_.string()};
  WorkerSpec spec = worker_of("sleep", {"sleep-1"});
  spec.cpu_quota = 0.5;
  spec.lanes[0].share = {ShareKind::kPercent, 50};
  WorkerCalls calls(options);
  const WorkerGrant grant = calls.open({spec}).front();
  EXPECT_EQ(grant.lanes[0].share, Share{});
  EXPECT_THAT(grant.lanes[0].note, HasSubstr("not limited"));
  EXPECT_NO_THROW(calls.run({0, 0}, 0, 1));
}

TEST_F(Quota, LimitsTheProcessAndIsRemovedWithIt) {
  const auto place = find_cgroup();
  if (!place) GTEST_SKIP() << "this system has no control groups of the processor";
  try {
    const CpuQuota probe(*place, "probe", 0.5);
  } catch (const SystemError& error) {
    GTEST_SKIP() << "not permitted here: " << error.what();
  }
  const fs::path group = place->folder + "/tangram-" + std::to_string(::getpid()) + "-half";
  {
    WorkerSpec spec = worker_of("sleep", {"sleep-1"});
    spec.cpu_quota = 0.5;
    spec.quota_group = "half";
    spec.lanes[0].share = {ShareKind::kPercent, 50};
    WorkerCalls calls(beside_the_engine());
    const WorkerGrant grant = calls.open({spec}).front();
    EXPECT_EQ(grant.lanes[0].share, (Share{ShareKind::kPercent, 50}));
    EXPECT_EQ(grant.lanes[0].note, "");
    std::ifstream processes(group / "cgroup.procs");
    pid_t first = 0;
    processes >> first;
    EXPECT_EQ(first, calls.process(0));
  }
  EXPECT_FALSE(fs::exists(group));
}

}  // namespace
}  // namespace tangram
