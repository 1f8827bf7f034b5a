#include "engine/worker/sleep_runner.h"

#include <chrono>
#include <thread>

#include "engine/worker/cpu_device.h"

namespace tangram {
namespace {

class SleepLane final : public Lane {
 public:
  SleepLane(const WorkerSpec& spec, const LaneSpec& lane)
      : spec_(spec), share_(lane.share), times_(spec.models.size()) {}

  LaneGrant grant() const override { return {share_, ""}; }
  void load(std::uint32_t model) override {
    const std::string& name = spec_.models[model].name;
    const auto numbers = numbers_of(name, "sleep");
    if (!numbers || numbers->size() > 2) {
      throw RunnerError(RunnerFault::kLoadFailed,
                        name + ": the runner \"sleep\" has the models sleep-MS and sleep-MS-MS");
    }
    times_[model] = {(*numbers)[0], numbers->size() > 1 ? (*numbers)[1] : 0};
  }
  void unload(std::uint32_t) override {}
  void run(std::uint32_t model, std::uint32_t batch) override {
    const Times& times = times_[model];
    std::this_thread::sleep_for(
        std::chrono::duration<double, std::milli>(times.fixed_ms + times.item_ms * batch));
  }
  double weights_mib(std::uint32_t) const override { return 0; }
  std::vector<Kernel> kernels(std::uint32_t model, std::uint32_t batch) override {
    const Times& times = times_[model];
    return {{batch, "wait", batch, 1, 0, 0, 1e3 * (times.fixed_ms + times.item_ms * batch)}};
  }

 private:
  struct Times {
    double fixed_ms = 0, item_ms = 0;
  };
  const WorkerSpec& spec_;
  Share share_;
  std::vector<Times> times_;  // by model
};

class SleepDevice final : public WorkerDevice {
 public:
  explicit SleepDevice(const WorkerSpec& spec) : spec_(spec) {}
  WorkerGrant describe() const override { return describe_cpu("sleep"); }
  std::unique_ptr<Lane> open(const LaneSpec& lane, std::size_t) override {
    return std::make_unique<SleepLane>(spec_, lane);
  }

 private:
  const WorkerSpec& spec_;
};

}  // namespace

std::unique_ptr<WorkerDevice> make_sleep_device(const WorkerSpec& spec) {
  return std::make_unique<SleepDevice>(spec);
}

}  // namespace tangram
