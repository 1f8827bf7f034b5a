// The block device against hand-worked cases: docs/model/blocks.md says where each rule comes from.
#include "sim/blocks/device.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/sim/blocks/fixture.h"

namespace tangram {
namespace {

constexpr SmLimits kT4{1024, 16, 65536, 65536};

std::vector<float> placed(std::vector<float> room, float n) {
  room.resize((room.size() + 7) / 8 * 8);
  place_most_room(room.data(), static_cast<std::uint32_t>(room.size()), n);
  return room;
}

using Counts = std::vector<std::uint32_t>;

TEST(BlockPlacement, EachBlockGoesWhereTheMostFurtherOnesWouldFit) {
  // Rooms 3 1 2 3, four blocks: SM 0 (3 left 2), SM 3 (3 left 2), then 2 1 2 2: SM 0, SM 2.
  EXPECT_EQ(placed({3, 1, 2, 3}, 4), (std::vector<float>{2, 0, 1, 1, 0, 0, 0, 0}));
  // All of it: every SM is filled.
  EXPECT_EQ(placed({3, 1, 2, 3}, 9), (std::vector<float>{3, 1, 2, 3, 0, 0, 0, 0}));
  // Equal rooms: one each from the first on, then the second round.
  EXPECT_EQ(placed({4, 4, 4, 4}, 6), (std::vector<float>{2, 2, 1, 1, 0, 0, 0, 0}));
  // A full SM gets nothing.
  EXPECT_EQ(placed({0, 5, 5, 0}, 3), (std::vector<float>{0, 2, 1, 0, 0, 0, 0, 0}));
}

TEST(BlockPlacement, RoomIsLimitedByTheTightestResource) {
  Kernel kernel = kernel_of(1, 128, 1);
  EXPECT_EQ(blocks_per_sm(block_need(kernel), kT4), 8U);  // 1024 / 128 threads
  kernel.registers = 100;  // 100 x 32 = 3200, rounded up to 13 x 256; 4 warps: 52 of 256 units
  EXPECT_EQ(blocks_per_sm(block_need(kernel), kT4), 4U);
  kernel.shared_memory = 20'000;  // 79 units of 256 B; 256 / 79 = 3.2
  EXPECT_EQ(blocks_per_sm(block_need(kernel), kT4), 3U);
  kernel.threads = 2048;
  EXPECT_EQ(blocks_per_sm(block_need(kernel), kT4), 0U);
}

// Every SmArray::room agrees with whole-number division, for all needs that there are.
TEST(BlockPlacement, FloatArithmeticIsExact) {
  const SmLimits limits{2048, 32, 65536, 228 * 1024};
  for (std::uint32_t shared = 256; shared <= 228 * 1024; shared += 256) {
    Kernel kernel = kernel_of(1, 32, 1);
    kernel.shared_memory = shared;
    const SmArray array(limits, 1);
    std::vector<float> room(array.stride());
    EXPECT_EQ(array.room(BlockShape(block_need(kernel)), room.data()),
              static_cast<float>(std::min(32U, 228U * 1024 / shared)));
  }
}

TEST(BlockDevice, SecondKernelFillsTheRoomThatTheFirstLeaves) {
  // 2 SMs of 1024 threads. A: 3 blocks of 512 threads: SM 0 gets 2, SM 1 gets 1. B: 2 blocks of 256
  // threads fit beside it on SM 1.
  Bench bench(bare_spec(), kT4, 2);
  const DeviceKernel a = device_kernel(kernel_of(3, 512, 100), kT4, 2);
  const DeviceKernel b = device_kernel(kernel_of(2, 256, 10), kT4, 2);
  const std::uint32_t first = bench.launch(a, 0, kStart);
  EXPECT_EQ(bench.device.blocks_on_sms(first), (Counts{2, 1}));
  const std::uint32_t second = bench.launch(b, 1, kStart);
  EXPECT_EQ(bench.device.blocks_on_sms(second), (Counts{0, 2}));
  bench.run();
  EXPECT_EQ(bench.finished[first], at_us(100));
  EXPECT_EQ(bench.finished[second], at_us(10));
}

TEST(BlockDevice, ALaunchThatIsNotFullyPlacedHoldsUpThoseBehindIt) {
  // 1 SM: A takes 768 threads for 100 us; B needs 512 and waits; C would fit but stands behind B.
  Bench bench(bare_spec(), kT4, 1);
  const DeviceKernel a = device_kernel(kernel_of(1, 768, 100), kT4, 1);
  const DeviceKernel b = device_kernel(kernel_of(1, 512, 10), kT4, 1);
  const DeviceKernel c = device_kernel(kernel_of(1, 128, 10), kT4, 1);
  bench.launch(a, 0, kStart);
  const std::uint32_t tag_b = bench.launch(b, 1, kStart);
  const std::uint32_t tag_c = bench.launch(c, 2, kStart);
  bench.run();
  EXPECT_EQ(bench.started[tag_b], at_us(100));
  EXPECT_EQ(bench.started[tag_c], at_us(100));
}

TEST(BlockDevice, WavesTakeTheirNumberTimesTheBlockTime) {
  // 40 SMs x 8 blocks = 320 at once: 1000 blocks in ceil(1000 / 320) = 4 waves of 25 us.
  Bench bench(bare_spec(), kT4, 40);
  const DeviceKernel kernel = device_kernel(kernel_of(1000, 128, 25), kT4, 40);
  const std::uint32_t tag = bench.launch(kernel, 0, kStart);
  bench.run();
  EXPECT_EQ(bench.finished[tag], at_us(100));
  EXPECT_EQ(bench.device.counters().cohorts, 4U);
}

TEST(BlockDevice, TenThousandBlocksCostTensOfEvents) {
  // ceil(10000 / 320) = 32 waves, an event each.
  Bench bench(bare_spec(), kT4, 40);
  const DeviceKernel kernel = device_kernel(kernel_of(10'000, 128, 25), kT4, 40);
  bench.launch(kernel, 0, kStart);
  bench.run();
  EXPECT_EQ(bench.device.counters().events, 32U);
}

TEST(BlockDevice, CloseCohortsOfAKernelAreJoined) {
  // 200 blocks of another stream, of slightly different lengths, leave the big kernel as many
  // instants at which space appears; joined, its waves stay few.
  BlockSpec spec = bare_spec(128);
  spec.merge_above = 4;
  spec.merge_within = 0.05;
  Bench bench(spec, kT4, 40);
  std::vector<DeviceKernel> small;
  for (int i = 0; i < 100; ++i) {
    small.push_back(device_kernel(kernel_of(2, 128, 20 + 0.01 * i), kT4, 40));
  }
  for (std::uint32_t i = 0; i < 100; ++i) bench.launch(small[i], i, kStart);
  const DeviceKernel big = device_kernel(kernel_of(10'000, 128, 25), kT4, 40);
  const std::uint32_t tag = bench.launch(big, 100, kStart);
  bench.run();
  // 32 waves and a fraction; every join may add 5 % of a block.
  EXPECT_GT(bench.device.counters().merged, 50U);
  EXPECT_NEAR(to_ms(bench.finished[tag] - kStart), 0.825, 0.06);
}

TEST(BlockDevice, AMoreUrgentKernelWaitsForTheResidualBlockTime) {
  // Low priority: 4 waves of 100 us over the whole device. The urgent one comes at 130 us: the
  // second wave ends at 200 us, so it waits 70 us, and runs before the third wave.
  Bench bench(bare_spec(), kT4, 2);
  const DeviceKernel low = device_kernel(kernel_of(8, 1024, 100), kT4, 2);
  const DeviceKernel high = device_kernel(kernel_of(2, 1024, 10), kT4, 2);
  const std::uint32_t a = bench.launch(low, 0, kStart, 0, 2);
  bench.run_until(at_us(130));
  const std::uint32_t b = bench.launch(high, 1, at_us(130), 0, 0);
  bench.run();
  EXPECT_EQ(bench.started[b], at_us(200));
  EXPECT_EQ(bench.finished[b], at_us(210));
  EXPECT_EQ(bench.finished[a], at_us(410));
}

TEST(BlockDevice, TimeSlicesShareTheDeviceLessTheSwitches) {
  // Two contexts, each a kernel of 20 ms. Slices of 2 ms, switches of 0.17 ms. The first begins at
  // once and is done after its 10th slice: 10 x 2 + 9 x 2 + 18 switches = 41.06 ms; the second one
  // switch and one slice later.
  BlockSpec spec = bare_spec();
  Bench bench(spec, kT4, 2, {ClientSpec{0}, ClientSpec{1}});
  const DeviceKernel kernel = device_kernel(kernel_of(2, 1024, 20'000), kT4, 2);
  const std::uint32_t a = bench.launch(kernel, 0, kStart, 0);
  const std::uint32_t b = bench.launch(kernel, 0, kStart, 1);
  bench.run();
  EXPECT_EQ(bench.finished[a], at_us(41'060));
  EXPECT_EQ(bench.finished[b], at_us(41'060 + 170 + 2'000));
}

TEST(BlockDevice, AContextKeepsItsSliceBetweenTheKernelsOfAStream) {
  // Two contexts, each four kernels of 1 ms in one stream, 0.1 ms apart. Slices of 2 ms, switches
  // of 0.2 ms. A slice holds 1 + 0.1 + 0.9 ms. A: 0 to 2, then 4.4 (0.1 of the second kernel, the
  // third from 4.6, the fourth from 5.7) to 6.4, then 8.8 to 9.1, where it is done and gives way at
  // once. B: 2.2 to 4.2, 6.6 to 8.6, and the last 0.3 ms from 9.3.
  BlockSpec spec = bare_spec();
  spec.gap = std::chrono::microseconds(100);
  spec.switching = std::chrono::microseconds(200);
  Bench bench(spec, kT4, 2, {ClientSpec{0}, ClientSpec{1}});
  const DeviceKernel kernel = device_kernel(kernel_of(2, 1024, 1000), kT4, 2);
  std::uint32_t a = 0, b = 0;
  for (int i = 0; i < 4; ++i) {
    a = bench.launch(kernel, 0, kStart, 0);
    b = bench.launch(kernel, 0, kStart, 1);
  }
  bench.run();
  EXPECT_EQ(bench.finished[a], at_us(9'100));
  EXPECT_EQ(bench.finished[b], at_us(9'600));
  EXPECT_EQ(bench.device.counters().switches, 5U);
}

TEST(BlockDevice, ACapLimitsTheSmsInUseAndHoldsUpNobodyElse) {
  // MPS: client 0 may be on 2 of 4 SMs, so its 8 whole-SM blocks take 4 waves; client 1 gets the
  // rest at once.
  ClientSpec capped;
  capped.sms_cap = 2;
  Bench bench(bare_spec(), kT4, 4, {capped, ClientSpec{}});
  const DeviceKernel kernel = device_kernel(kernel_of(8, 1024, 10), kT4, 4);
  const DeviceKernel other = device_kernel(kernel_of(2, 1024, 10), kT4, 4);
  const std::uint32_t a = bench.launch(kernel, 0, kStart, 0);
  const std::uint32_t b = bench.launch(other, 0, kStart, 1);
  EXPECT_EQ(bench.device.blocks_on_sms(a), (Counts{1, 1, 0, 0}));
  EXPECT_EQ(bench.device.blocks_on_sms(b), (Counts{0, 0, 1, 1}));
  bench.run();
  EXPECT_EQ(bench.finished[a], at_us(40));
  EXPECT_EQ(bench.finished[b], at_us(10));
}

TEST(BlockDevice, AMaskKeepsBlocksOnItsSms) {
  ClientSpec left, right;
  left.first_sm = 0;
  left.sms = 3;
  right.first_sm = 3;
  right.sms = 1;
  Bench bench(bare_spec(), kT4, 4, {left, right});
  const DeviceKernel kernel = device_kernel(kernel_of(6, 1024, 10), kT4, 4);
  const std::uint32_t a = bench.launch(kernel, 0, kStart, 0);
  const std::uint32_t b = bench.launch(kernel, 0, kStart, 1);
  EXPECT_EQ(bench.device.blocks_on_sms(a), (Counts{1, 1, 1, 0}));
  EXPECT_EQ(bench.device.blocks_on_sms(b), (Counts{0, 0, 0, 1}));
  bench.run();
  EXPECT_EQ(bench.finished[a], at_us(20));  // 2 waves on 3 SMs
  EXPECT_EQ(bench.finished[b], at_us(60));  // 6 waves on 1 SM
}

TEST(BlockDevice, NoMoreGridsAreResidentThanTheLimit) {
  BlockSpec spec = bare_spec(64);
  spec.resident_grids = 16;
  Bench bench(spec, kT4, 40);
  const DeviceKernel kernel = device_kernel(kernel_of(1, 32, 10), kT4, 40);
  std::vector<std::uint32_t> tags;
  for (std::uint32_t i = 0; i < 40; ++i) tags.push_back(bench.launch(kernel, i, kStart));
  bench.run();
  // 16 at a time: 16, 16, 8.
  EXPECT_EQ(bench.finished[tags[15]], at_us(10));
  EXPECT_EQ(bench.finished[tags[16]], at_us(20));
  EXPECT_EQ(bench.finished[tags[39]], at_us(30));
}

TEST(BlockDevice, AQueueIsFreedAtDispatchOrAtCompletion) {
  // One queue, two streams of two kernels each. Freed at dispatch: A1, then A2 waits for A1 and
  // holds up B1; A2 and B1 start at 10. Freed at completion: strictly one after the other.
  for (const bool at_completion : {false, true}) {
    BlockSpec spec = bare_spec(1);
    spec.release_at_completion = at_completion;
    Bench bench(spec, kT4, 4);
    const DeviceKernel kernel = device_kernel(kernel_of(1, 128, 10), kT4, 4);
    bench.launch(kernel, 0, kStart);
    bench.launch(kernel, 0, kStart);
    const std::uint32_t b1 = bench.launch(kernel, 1, kStart);
    const std::uint32_t b2 = bench.launch(kernel, 1, kStart);
    bench.run();
    EXPECT_EQ(bench.finished[b1], at_completion ? at_us(30) : at_us(20));
    EXPECT_EQ(bench.finished[b2], at_completion ? at_us(40) : at_us(30));
  }
}

TEST(BlockDevice, RooflineSharesTheIssueSlotsOfAnSm) {
  // 16 warps saturate an SM. A alone has 16 warps on its SM: speed 1. With B's 16 more, each runs
  // at 16 / 32: both end after twice their time.
  BlockSpec spec = bare_spec();
  spec.contention = Contention::kRoofline;
  Bench bench(spec, kT4, 1);
  const DeviceKernel kernel = device_kernel(kernel_of(1, 512, 10), kT4, 1);
  const std::uint32_t a = bench.launch(kernel, 0, kStart);
  const std::uint32_t b = bench.launch(kernel, 1, kStart);
  bench.run();
  EXPECT_EQ(bench.finished[a], at_us(20));
  EXPECT_EQ(bench.finished[b], at_us(20));
}

TEST(BlockDevice, RooflineSharesTheDramBandwidth) {
  // A alone draws 0.8 of the bandwidth, B 0.6; of equally many blocks, so each block may draw what
  // 0.5 of the bandwidth gives: A at 0.5 / 0.8, B at 0.5 / 0.6. B ends first, at 12 us: A has
  // done 7.5 us of its 10 by then, and the rest takes 2.5 more: 14.5 us.
  BlockSpec spec = bare_spec();
  spec.contention = Contention::kRoofline;
  Bench bench(spec, kT4, 4);
  DeviceKernel a = device_kernel(kernel_of(4, 32, 10), kT4, 4);
  DeviceKernel b = a;
  a.dram = 0.8;
  b.dram = 0.6;
  const std::uint32_t tag_a = bench.launch(a, 0, kStart);
  const std::uint32_t tag_b = bench.launch(b, 1, kStart);
  bench.run();
  EXPECT_NEAR(to_ms(bench.finished[tag_b] - kStart) * 1e3, 12, 0.01);
  EXPECT_NEAR(to_ms(bench.finished[tag_a] - kStart) * 1e3, 14.5, 0.01);
}

TEST(BlockDevice, KilledKernelsGiveTheirSpaceBack) {
  Bench bench(bare_spec(), kT4, 2);
  const DeviceKernel kernel = device_kernel(kernel_of(8, 1024, 100), kT4, 2);
  const std::uint32_t a = bench.launch(kernel, 0, kStart);
  const std::uint32_t b = bench.launch(kernel, 1, kStart);
  bench.run_until(at_us(50));
  bench.device.kill(a, at_us(50));
  ASSERT_EQ(bench.device.reports().back().kind, DeviceReport::Kind::kKilled);
  bench.collect(at_us(50));
  bench.run();
  EXPECT_EQ(bench.finished[b], at_us(450));  // 4 waves from 50 us on
  EXPECT_FALSE(bench.device.busy());
}

// A random mix, once by cohorts and once block by block.
struct Mix {
  double mean_us = 0;
  std::uint64_t events = 0;
};
Mix run_mix(bool aggregate, Contention contention) {
  BlockSpec spec = bare_spec(32);
  spec.aggregate = aggregate;
  spec.contention = contention;
  Bench bench(spec, kT4, 40);
  RandomStream random(StreamKey(7));
  std::vector<DeviceKernel> kernels;
  for (int i = 0; i < 20; ++i) {
    const auto grid = static_cast<std::uint32_t>(20 + random.below(300));
    const auto threads = static_cast<std::uint32_t>(64 << random.below(3));
    const double us = 10 + 40 * random.uniform();
    kernels.push_back(device_kernel(kernel_of(grid, threads, us), kT4, 40));
  }
  double t = 0;
  std::vector<double> begun;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    t += 40 * random.exponential();
    bench.run_until(at_us(t));
    begun.push_back(t);
    bench.launch(kernels[random.below(20)], i % 64, at_us(t));
  }
  bench.run();
  Mix mix;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    mix.mean_us += (to_ms(bench.finished[i] - kStart) * 1e3 - begun[i]) / 2000;
  }
  mix.events = bench.device.counters().events;
  return mix;
}

TEST(BlockDevice, CohortsAgreeWithSingleBlocksAndCostAFifthOrLess) {
  for (const Contention contention : {Contention::kNone, Contention::kRoofline}) {
    const Mix cohorts = run_mix(true, contention);
    const Mix blocks = run_mix(false, contention);
    EXPECT_NEAR(cohorts.mean_us, blocks.mean_us, 0.05 * blocks.mean_us);
    EXPECT_GT(blocks.events, 5 * cohorts.events);
    RecordProperty("cohorts_us", std::to_string(cohorts.mean_us));
    RecordProperty("blocks_us", std::to_string(blocks.mean_us));
  }
}

}  // namespace
}  // namespace tangram
