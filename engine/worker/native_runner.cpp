#include "engine/worker/native_runner.h"

#include <algorithm>

#include "engine/worker/bytes.h"
#include "engine/worker/cpu_device.h"

namespace tangram {
namespace {

constexpr double kLargestCount = 1e9;

// A model in memory.
class NativeModel {
 public:
  virtual ~NativeModel() = default;
  virtual void run(std::uint32_t batch) = 0;
  virtual double bytes() const = 0;
};

class Mlp final : public NativeModel {
 public:
  Mlp(std::size_t width, std::size_t layers) : width_(width), layers_(layers) {
    check_fits("the weights of " + std::to_string(layers) + " layers of " + std::to_string(width),
               weight_count() * sizeof(float));
    // Any values do, as long as activations neither vanish nor grow without bound.
    weights_.assign(layers * width * width, 1.0F / static_cast<float>(width));
  }

  void run(std::uint32_t batch) override {
    const double count = static_cast<double>(batch) * static_cast<double>(width_);
    check_fits("a batch of " + std::to_string(batch), 2 * count * sizeof(float));
    in_.assign(std::size_t{batch} * width_, 1.0F);
    out_.resize(in_.size());
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      multiply(weights_.data() + layer * width_ * width_, batch);
      in_.swap(out_);
    }
  }
  double bytes() const override { return weight_count() * sizeof(float); }

 private:
  double weight_count() const {
    const auto width = static_cast<double>(width_);
    return static_cast<double>(layers_) * width * width;
  }
  // out = max(0, in * weights): each row of weights is read once for kRows items.
  void multiply(const float* weights, std::size_t batch) {
    constexpr std::size_t kRows = 8;
    std::fill(out_.begin(), out_.end(), 0.0F);
    for (std::size_t first = 0; first < batch; first += kRows) {
      const std::size_t last = std::min(first + kRows, batch);
      for (std::size_t k = 0; k < width_; ++k) {
        const float* row = weights + k * width_;
        for (std::size_t item = first; item < last; ++item) {
          const float factor = in_[item * width_ + k];
          float* out = out_.data() + item * width_;
          for (std::size_t j = 0; j < width_; ++j) out[j] += factor * row[j];
        }
      }
    }
    for (float& value : out_) value = std::max(value, 0.0F);
  }

  std::size_t width_, layers_;
  std::vector<float> weights_;  // by layer, input, output
  std::vector<float> in_, out_;
};

class Stream final : public NativeModel {
 public:
  explicit Stream(double mib) {
    check_fits("a buffer", mib * kMib);
    buffer_.assign(static_cast<std::size_t>(mib * kMib / sizeof(float)), 1.0F);
  }
  void run(std::uint32_t batch) override {
    const std::size_t half = buffer_.size() / 2;
    for (std::uint32_t pass = 0; pass < batch; ++pass) {
      for (std::size_t i = 0; i < half; ++i) buffer_[i] = 0.5F * (buffer_[i] + buffer_[half + i]);
    }
  }
  double bytes() const override { return static_cast<double>(buffer_.size() * sizeof(float)); }

 private:
  std::vector<float> buffer_;
};

class Scratch final : public NativeModel {
 public:
  explicit Scratch(double mib) : mib_(mib) {}
  void run(std::uint32_t batch) override {
    const double bytes = mib_ * batch * kMib;
    check_fits("a batch of " + std::to_string(batch), bytes);
    const std::vector<float> buffer(static_cast<std::size_t>(bytes / sizeof(float)), 1.0F);
    last_ = buffer.back();
  }
  double bytes() const override { return 0; }

 private:
  double mib_;
  volatile float last_ = 0;  // what makes the filling count
};

std::unique_ptr<NativeModel> make_model(const std::string& name) {
  const auto in_range = [](double n) { return n >= 1 && n <= kLargestCount; };
  const auto mlp = numbers_of(name, "mlp");
  if (mlp && mlp->size() == 2 && std::all_of(mlp->begin(), mlp->end(), in_range)) {
    return std::make_unique<Mlp>(static_cast<std::size_t>((*mlp)[0]),
                                 static_cast<std::size_t>((*mlp)[1]));
  }
  const auto stream = numbers_of(name, "stream");
  if (stream && stream->size() == 1 && in_range(stream->front())) {
    return std::make_unique<Stream>(stream->front());
  }
  const auto scratch = numbers_of(name, "scratch");
  if (scratch && scratch->size() == 1 && in_range(scratch->front())) {
    return std::make_unique<Scratch>(scratch->front());
  }
  throw RunnerError(RunnerFault::kLoadFailed,
                    name +
                        ": the runner \"native\" has the models mlp-WIDTH-LAYERS, stream-MIB and "
                        "scratch-MIB");
}

class NativeLane final : public Lane {
 public:
  NativeLane(const WorkerSpec& spec, const LaneSpec& lane)
      : spec_(spec), share_(lane.share), models_(spec.models.size()) {}

  LaneGrant grant() const override { return {share_, ""}; }
  void load(std::uint32_t model) override { models_[model] = make_model(spec_.models[model].name); }
  void unload(std::uint32_t model) override { models_[model].reset(); }
  void run(std::uint32_t model, std::uint32_t batch) override { models_[model]->run(batch); }
  double weights_mib(std::uint32_t model) const override { return models_[model]->bytes() / kMib; }

 private:
  const WorkerSpec& spec_;
  Share share_;
  std::vector<std::unique_ptr<NativeModel>> models_;  // those that are loaded
};

class NativeDevice final : public WorkerDevice {
 public:
  explicit NativeDevice(const WorkerSpec& spec) : spec_(spec) {}
  WorkerGrant describe() const override { return describe_cpu("native"); }
  std::unique_ptr<Lane> open(const LaneSpec& lane, std::size_t) override {
    return std::make_unique<NativeLane>(spec_, lane);
  }

 private:
  const WorkerSpec& spec_;
};

}  // namespace

std::unique_ptr<WorkerDevice> make_native_device(const WorkerSpec& spec) {
  return std::make_unique<NativeDevice>(spec);
}

}  // namespace tangram
