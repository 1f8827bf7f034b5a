// The CUDA side on a real GPU; skipped where there is none. Asserts what must hold on any GPU, and
// no times.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "engine/cuda/block_constants.h"
#include "engine/cuda/kernel_runner.h"
#include "engine/cuda/partition.h"
#include "engine/cuda/this_machine.h"
#ifdef TANGRAM_WITH_CUPTI
#include "engine/cuda/trace_batches.h"
#endif

namespace tangram {
namespace {

class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const Json probe = probe_this_machine();
    if (probe["gpus"].empty()) GTEST_SKIP() << "no GPU: " << probe["reason"].get<std::string>();
    if (probe["gpus"][0]["mig"] == true) GTEST_SKIP() << "the GPU is in MIG mode";
    if (builtin_kernels().size == 0) GTEST_SKIP() << "built without a CUDA compiler";
    driver_ = load_cuda_driver();
  }
  WorkerSpec spec_of(const std::string& sharing, const std::vector<Share>& shares) const {
    WorkerSpec spec;
    spec.runner = "kernels";
    spec.device = "cuda:0";
    spec.sharing = sharing;
    for (const Share& share : shares) {
      spec.lanes.push_back({share, static_cast<std::uint32_t>(spec.lanes.size()), {0}});
    }
    return spec;
  }
  CudaDriver driver_;
};

TEST_F(Gpu, RunsEveryKindOfKernel) {
  WorkerSpec spec = spec_of("cuda-streams", {{}});
  const std::vector<std::string> texts{"empty:count=3",
                                       "empty:count=3,graph=0",
                                       "spin:us=50,grid=300,block=256",
                                       "spin:us=50,regs=64",
                                       "spin:us=50,regs=128",
                                       "spin:us=50,regs=200",
                                       "spin:us=50,smem=100000",
                                       "fma:iterations=1000,grid=264",
                                       "dram:mib=256,grid=264,block=512",
                                       "dram:mib=64,grid=264,block=512,rate=0.5",
                                       "l2:mib=8,passes=10,grid=264,in_kib=64,out_kib=4",
                                       "empty:weights_mib=40"};
  spec.models.resize(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) spec.models[i].name = texts[i];
  const auto device = make_kernels_device(spec, driver_, builtin_kernels());
  const auto lane = device->open(spec.lanes[0], 0);
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    lane->load(i);
    for (const std::uint32_t batch : {1U, 4U, 1U}) EXPECT_NO_THROW(lane->run(i, batch)) << texts[i];
    lane->unload(i);
  }
}

TEST_F(Gpu, GreenPartitionsUseDisjointMultiprocessors) {
  if (!driver_.has_green_contexts()) GTEST_SKIP() << "the driver has no green contexts";
  const PrimaryContext primary(driver_, 0);
  check(driver_, driver_.CtxSetCurrent(primary.get()), "cuCtxSetCurrent");
  const unsigned sms = device_sms(driver_, 0);
  const auto partitions = make_green_partitions(driver_, 0, {sms * 0.25, sms * 0.5});
  const KernelModule module(driver_, builtin_kernels());
  std::set<unsigned> seen;
  for (const GreenPartition& partition : partitions) {
    CUstream stream = nullptr;
    check(driver_,
          driver_.GreenCtxStreamCreate(&stream, partition.context.get(), CU_STREAM_NON_BLOCKING, 0),
          "cuGreenCtxStreamCreate");
    const CudaStream owner(driver_, stream);
    const std::set<unsigned> used = used_sms(module, stream, sms);
    EXPECT_EQ(used.size(), partition.granted_sms);
    for (const unsigned sm : used) EXPECT_TRUE(seen.insert(sm).second) << "SM " << sm;
  }
}

TEST_F(Gpu, LanesConfirmTheirConfinement) {
  if (!driver_.has_green_contexts()) GTEST_SKIP() << "the driver has no green contexts";
  const WorkerSpec spec =
      spec_of("cuda-green", {{ShareKind::kPercent, 50}, {ShareKind::kPercent, 25}});
  const auto device = make_kernels_device(spec, driver_, builtin_kernels());
  for (std::size_t i = 0; i < spec.lanes.size(); ++i) {
    const std::string note = device->open(spec.lanes[i], i)->grant().note;
    EXPECT_EQ(note.find("kernels ran on"), std::string::npos) << note;
    EXPECT_EQ(note.find("another partition"), std::string::npos) << note;
  }
}

TEST_F(Gpu, MeasuresItsConstants) {
  BenchSizes sizes;
  sizes.repetitions = 3;
  const Json json = measure_block_constants(driver_, builtin_kernels(), 0, sizes);
  for (const char* key : {"launch_us", "back_to_back_us", "gap_us", "launch_to_flag_us",
                          "round_trip_us", "synchronize_us"}) {
    EXPECT_GT(json[key]["median"].get<double>(), 0) << key;
  }
  EXPECT_GE(json["wave_us"].get<double>(), 100 * 0.9);
  EXPECT_GE(json["grids"]["most_at_once"].get<int>(), 2);
  EXPECT_GE(json["queues"]["hardware_queues"].get<double>(), 1);
}

#ifdef TANGRAM_WITH_CUPTI
TEST_F(Gpu, ListsTheKernelsOfABatch) {
  std::unique_ptr<KernelTrace> trace;
  try {
    trace = std::make_unique<KernelTrace>();
  } catch (const RunnerError& error) {
    GTEST_SKIP() << error.what();
  }
  WorkerSpec spec = spec_of("cuda-streams", {{}});
  spec.models.resize(1);
  spec.models[0].name = "spin:us=50,grid=20,grid_per_item=10,block=64,smem=2048,count=3";
  const auto device = make_kernels_device(spec, driver_, builtin_kernels());
  const auto lane = device->open(spec.lanes[0], 0);
  lane->load(0);
  const std::vector<Kernel> kernels = trace_batches(*trace, *lane, 0, {1, 2}, 2, 5);
  ASSERT_EQ(kernels.size(), 6U);
  EXPECT_EQ(kernels[0].name, "tangram_spin");
  EXPECT_EQ(kernels[0].grid, 20U);
  EXPECT_EQ(kernels[5].grid, 30U);
  EXPECT_EQ(kernels[5].batch, 2U);
  EXPECT_EQ(kernels[0].threads, 64U);
  EXPECT_GE(kernels[0].shared_memory, 2048U);
  EXPECT_GT(kernels[0].registers, 0U);
}
#endif

}  // namespace
}  // namespace tangram
