#include "engine/cuda/torch_stream.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cstdlib>
#include <string_view>

#include "engine/cuda/division.h"
#include "engine/cuda/lane_tracer.h"

namespace tangram {
namespace {

class CapturedBatch final : public RecordedBatch {
 public:
  // Throws what LibTorch throws where `forward` cannot be captured.
  explicit CapturedBatch(const std::function<torch::Tensor()>& forward) {
    // Thread-local: other lanes may allocate meanwhile.
    graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    try {
      output_ = forward();
    } catch (...) {
      try {
        graph_.capture_end();
      } catch (const c10::Error&) {  // the first error says more
      }
      throw;
    }
    graph_.capture_end();
  }
  const torch::Tensor& replay() override {
    graph_.replay();
    return output_;
  }

 private:
  at::cuda::CUDAGraph graph_;
  torch::Tensor output_;
};

// Lives in the lane's thread; the current stream is a property of the thread.
class CudaLanePlace final : public LanePlace {
 public:
  CudaLanePlace(const CudaDriver& driver,
                const DividedDevice& device,
                std::size_t lane,
                bool captures)
      : driver_(driver),
        stream_(device.stream(lane)),
        grant_(device.grant(lane)),
        captures_(captures),
        guard_(c10::cuda::getStreamFromExternal(stream_,
                                                static_cast<c10::DeviceIndex>(device.ordinal()))) {}

  LaneGrant grant() const override { return grant_; }
  void finish() override {
    check(driver_, driver_.StreamSynchronize(stream_), "cuStreamSynchronize");
  }
  std::unique_ptr<RecordedBatch> record(const std::function<torch::Tensor()>& forward) override {
    if (!captures_) return nullptr;
    finish();
    try {
      return std::make_unique<CapturedBatch>(forward);
    } catch (const c10::Error&) {
      return nullptr;  // a model that waits or allocates by itself: it runs as it did before
    }
  }

 private:
  const CudaDriver& driver_;
  CUstream stream_;
  LaneGrant grant_;
  bool captures_;
  c10::cuda::CUDAStreamGuard guard_;
};

class CudaPlace final : public TorchPlace {
 public:
  explicit CudaPlace(const WorkerSpec& spec)
      : tracer_(spec.lists_kernels), driver_(load_cuda_driver()), device_(driver_, spec) {
    const char* const graphs = std::getenv("TANGRAM_TORCH_GRAPHS");
    captures_ = graphs == nullptr || std::string_view(graphs) != "0";
  }

  torch::Device device() const override {
    return {torch::kCUDA, static_cast<c10::DeviceIndex>(device_.ordinal())};
  }
  WorkerGrant describe() const override {
    return {device_.device_text(), device_.driver_text(), "", {}};
  }
  std::unique_ptr<LanePlace> enter(const LaneSpec&, std::size_t index) override {
    return std::make_unique<CudaLanePlace>(driver_, device_, index, captures_);
  }
  std::vector<Kernel> kernels(Lane& lane, std::uint32_t model, std::uint32_t batch) override {
    return tracer_.kernels(lane, model, batch);
  }
  void release() override { c10::cuda::CUDACachingAllocator::emptyCache(); }

 private:
  LaneTracer tracer_;  // begins before there is a context
  CudaDriver driver_;
  DividedDevice device_;
  bool captures_ = true;
};

}  // namespace

std::unique_ptr<TorchPlace> make_cuda_place(const WorkerSpec& spec) {
  return std::make_unique<CudaPlace>(spec);
}

}  // namespace tangram
