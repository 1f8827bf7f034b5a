// The runner of synthetic kernels, on a driver that runs nothing.
#include "engine/cuda/kernel_runner.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/cuda/fake_driver.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

WorkerSpec spec_of(const std::string& sharing,
                   const std::vector<Share>& shares,
                   const std::string& model = "spin:grid=264,block=256,us=200,count=8") {
  WorkerSpec spec;
  spec.runner = "kernels";
  spec.device = "cuda:0";
  spec.sharing = sharing;
  spec.models.resize(1);
  spec.models[0].name = model;
  for (const Share& share : shares) {
    spec.lanes.push_back({share, static_cast<std::uint32_t>(spec.lanes.size()), {0}});
  }
  return spec;
}

RunnerFault fault_when(const std::function<void()>& action) {
  try {
    action();
  } catch (const RunnerError& error) {
    return error.fault();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(KernelRunner, LanesOfDifferentPartitionsUseDisjointMultiprocessors) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-green", {{ShareKind::kSms, 48}, {ShareKind::kPercent, 60}});
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  const auto a = device->open(spec.lanes[0], 0);
  const auto b = device->open(spec.lanes[1], 1);
  EXPECT_EQ(a->grant().share, (Share{ShareKind::kSms, 48}));
  EXPECT_EQ(a->grant().note, "");
  EXPECT_EQ(b->grant().share, (Share{ShareKind::kSms, 80}));
  EXPECT_EQ(b->grant().note, "the device has 132");
  a->load(0);
  b->load(0);
  a->run(0, 1);
  const std::size_t first_of_b = fake.launches().size();
  b->run(0, 1);
  const std::vector<fake::Launch> launches = fake.launches();
  ASSERT_EQ(launches.size(), first_of_b + 8);
  const std::set<unsigned>& of_a = launches[first_of_b - 1].sms;
  const std::set<unsigned>& of_b = launches.back().sms;
  EXPECT_EQ(of_a.size(), 48U);
  EXPECT_EQ(of_b.size(), 80U);
  for (const unsigned sm : of_a) EXPECT_FALSE(of_b.contains(sm)) << sm;
}

// Nothing runs on the fake driver, so that there is nothing to list, with CUPTI or without: the
// lane says so and goes on.
TEST(KernelRunner, ALaneWithoutKernelListsSaysSoAndGoesOn) {
  for (const bool wanted : {false, true}) {
    const fake::Driver fake({});
    WorkerSpec spec = spec_of("cuda-streams", {Share{}});
    spec.lists_kernels = wanted;
    const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
    const auto lane = device->open(spec.lanes[0], 0);
    lane->load(0);
    EXPECT_EQ(fault_when([&] { lane->kernels(0, 1); }), RunnerFault::kUnsupported);
    const std::size_t before = fake.launches().size();
    lane->run(0, 1);
    EXPECT_EQ(fake.launches().size(), before + 8);
  }
}

TEST(KernelRunner, LanesOfOnePartitionShareItsMultiprocessors) {
  const fake::Driver fake({});
  WorkerSpec spec = spec_of("cuda-green", {{ShareKind::kSms, 64}, {ShareKind::kSms, 64}});
  spec.lanes[1].partition = spec.lanes[0].partition;
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  device->open(spec.lanes[0], 0);
  const auto second = device->open(spec.lanes[1], 1);
  EXPECT_EQ(second->grant().note, "");
  const std::vector<fake::Launch> probes = fake.launches();
  ASSERT_EQ(probes.size(), 2U);
  EXPECT_EQ(probes[0].sms, probes[1].sms);
}

TEST(KernelRunner, SaysWhenKernelsLeaveTheirPartition) {
  fake::Settings settings;
  settings.leaking_sms = 2;
  const fake::Driver fake(settings);
  const WorkerSpec spec = spec_of("cuda-green", {{ShareKind::kSms, 64}, {ShareKind::kSms, 64}});
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  EXPECT_EQ(device->open(spec.lanes[0], 0)->grant().note, "its kernels ran on 66 SMs");
  EXPECT_EQ(device->open(spec.lanes[1], 1)->grant().note,
            "its kernels ran on 66 SMs; 2 of its SMs also ran another partition's kernels");
}

TEST(KernelRunner, ABatchIsACapturedGraphThatIsReplayed) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-streams", {{}},
                                  "spin:grid=10,grid_per_item=5,us=20,count=3,in_kib=1,out_kib=1");
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  const auto lane = device->open(spec.lanes[0], 0);
  lane->load(0);
  lane->run(0, 1);
  lane->run(0, 3);
  lane->run(0, 1);
  const std::vector<fake::Launch> launches = fake.launches();
  ASSERT_EQ(launches.size(), 9U);
  for (const fake::Launch& launch : launches) {
    EXPECT_EQ(launch.kernel, "tangram_spin");
    EXPECT_TRUE(launch.from_graph);
  }
  EXPECT_EQ(launches[0].grid, 10U);
  EXPECT_EQ(launches[3].grid, 20U);  // 10 + (3 - 1) * 5
  EXPECT_EQ(launches[6].grid, 10U);
}

TEST(KernelRunner, LaunchesOneByOneWhenAskedTo) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-streams", {{}}, "empty:count=5,graph=0");
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  const auto lane = device->open(spec.lanes[0], 0);
  lane->load(0);
  lane->run(0, 2);
  const std::vector<fake::Launch> launches = fake.launches();
  ASSERT_EQ(launches.size(), 5U);
  EXPECT_FALSE(launches[0].from_graph);
}

TEST(KernelRunner, LoadingTakesMemoryAndUnloadingGivesItBack) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-streams", {{}}, "dram:mib=32,weights_mib=40");
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  const auto lane = device->open(spec.lanes[0], 0);
  lane->load(0);
  EXPECT_EQ(lane->weights_mib(0), 72);
  EXPECT_GE(fake.memory_in_use(), std::size_t{72} << 20);
  lane->run(0, 1);
  lane->unload(0);
  EXPECT_EQ(fake.memory_in_use(), 0U);
}

TEST(KernelRunner, OutOfMemoryLeavesTheLaneUsable) {
  const fake::Driver fake({});
  WorkerSpec spec = spec_of("cuda-streams", {{}}, "l2:mib=2000");
  spec.models.resize(2);
  spec.models[1].path = "l2:mib=1";
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  const auto lane = device->open(spec.lanes[0], 0);
  EXPECT_EQ(fault_when([&] { lane->load(0); }), RunnerFault::kOutOfMemory);
  lane->load(1);
  lane->run(1, 1);
  lane->unload(1);
  EXPECT_EQ(fake.memory_in_use(), 0U);
}

TEST(KernelRunner, ALostDeviceIsSaidAndLeavesNothingBehind) {
  fake::Settings settings;
  settings.lost_at_launch = 5;
  const fake::Driver fake(settings);
  const WorkerSpec spec = spec_of("cuda-streams", {{}});
  {
    const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
    const auto lane = device->open(spec.lanes[0], 0);
    lane->load(0);
    EXPECT_EQ(fault_when([&] { lane->run(0, 1); }), RunnerFault::kDeviceLost);
    EXPECT_EQ(fault_when([&] { lane->run(0, 1); }), RunnerFault::kDeviceLost);
  }
  EXPECT_EQ(fake.live_objects(), 0U);
}

TEST(KernelRunner, AModelThatIsNotOneIsAFailedLoad) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-streams", {{}}, "resnet50");
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  const auto lane = device->open(spec.lanes[0], 0);
  EXPECT_EQ(fault_when([&] { lane->load(0); }), RunnerFault::kLoadFailed);
}

TEST(KernelRunner, SaysThatStreamsDoNotLimitShares) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-streams", {{ShareKind::kPercent, 40}, {}});
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  EXPECT_EQ(device->open(spec.lanes[0], 0)->grant().note, "cuda-streams does not limit shares");
  EXPECT_EQ(device->open(spec.lanes[1], 1)->grant().note, "");
}

TEST(KernelRunner, MpsReportsTheMultiprocessorsOfItsPercentage) {
  fake::Settings settings;
  settings.mps_percentage = 50;
  const fake::Driver fake(settings);
  const WorkerSpec spec = spec_of("cuda-mps", {{ShareKind::kPercent, 50}});
  const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
  EXPECT_EQ(device->open(spec.lanes[0], 0)->grant().share, (Share{ShareKind::kSms, 66}));
}

TEST(KernelRunner, MpsGivesAContextForACountOfMultiprocessors) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-mps", {{ShareKind::kSms, 33}});
  {
    const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
    const LaneGrant grant = device->open(spec.lanes[0], 0)->grant();
    EXPECT_EQ(grant.share, (Share{ShareKind::kSms, 34}));
    EXPECT_EQ(grant.note, "a cap: others may use the same SMs");
  }
  EXPECT_EQ(fake.live_objects(), 0U);
}

TEST(KernelRunner, AMigShareNeedsItsBackend) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-green", {{ShareKind::kMig, 3}});
  EXPECT_THAT([&] { make_kernels_device(spec, fake.table(), fake::kImage); },
              ThrowsMessage<RunnerError>(HasSubstr("needs the backend cuda-mig, not mig 3")));
}

TEST(KernelRunner, WithoutKernelsItIsUnsupported) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-streams", {{}});
  const auto device = make_kernels_device(spec, fake.table(), {});
  EXPECT_EQ(fault_when([&] { device->open(spec.lanes[0], 0); }), RunnerFault::kUnsupported);
}

TEST(KernelRunner, LanesRunInThreadsOfTheirOwn) {
  const fake::Driver fake({});
  const WorkerSpec spec = spec_of("cuda-green", std::vector<Share>(4, {ShareKind::kSms, 32}));
  {
    const auto device = make_kernels_device(spec, fake.table(), fake::kImage);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < spec.lanes.size(); ++i) {
      threads.emplace_back([&, i] {
        const auto lane = device->open(spec.lanes[i], i);
        lane->load(0);
        for (int batch = 0; batch < 50; ++batch) lane->run(0, 1);
      });
    }
  }
  EXPECT_EQ(fake.launches().size(), 4U * (1 + 50 * 8));
  EXPECT_EQ(fake.live_objects(), 0U);
}

}  // namespace
}  // namespace tangram
