// A device to measure whose times, use and counters follow a rule, and the fixture that measures
// it.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/profiles/scratch.h"
#include "validate/measure.h"

namespace tangram {

// A device on which model "m<k>" takes k * batch ms on the whole and twice that on half of it, and
// half as long again beside a neighbour.
class FakeDevice final : public MeasureDevice {
 public:
  std::vector<std::unique_ptr<MeasureLane>> open(const std::vector<Share>& shares) override;
  std::vector<std::unique_ptr<MeasureLane>> open_beside_hog(const Share& model,
                                                            const Share& hog) override {
    ++hogs_opened;
    return open({model, hog});
  }
  // "m<k>" has k kernels at batch 1 and one more at larger batches, each as long as its number.
  std::vector<Kernel> kernels(const std::string& model, std::uint32_t batch) override {
    std::vector<Kernel> list;
    if (!lists_kernels) return list;
    const int count = std::stoi(model.substr(1)) + (batch > 1 ? 1 : 0);
    for (int i = 1; i <= count; ++i) list.push_back({batch, "k", batch, 32, 0, 0, double(i)});
    return list;
  }
  void note(const std::string& text) override { notes.push_back(text); }
  Record record() const override { return {"fake device", "driver 1", "none"}; }

  // Every run by the thread that measures, in order: "m1 2 100".
  std::vector<std::string> runs;
  std::map<std::string, int> loads;
  std::size_t dies_at = ~std::size_t{0};  // run that fails
  double drift = 0;                       // of the duration, per run
  bool lists_kernels = true;
  int hogs_opened = 0;
  // Of every run: a quarter of its time is lost around it, half of it is spent on a processor, and
  // the device takes 200 W all along. 0: nothing counts.
  double processors = 0;
  double elapsed_s = 0, processor_s = 0;
  // Where the device counts its activity, what it tells ends so long before it is asked. "m<k>"
  // draws k fifths of the DRAM's bandwidth and half as much of the SMs.
  double counter_age_s = 0;
  std::size_t fails_at = ~std::size_t{0};  // reading that fails
  std::size_t readings = 0;
  double read_s = 0;                             // when the last was
  std::vector<std::pair<double, double>> drawn;  // of every run: its end, fraction of bandwidth
  std::vector<std::string> notes;
  // The second of two lanes side by side runs in a thread of its own.
  const std::thread::id measuring = std::this_thread::get_id();
  std::atomic<bool> has_neighbour{false};
};

class FakeLane final : public MeasureLane {
 public:
  FakeLane(FakeDevice& device, double percent) : device_(device), percent_(percent) {}
  Load load(const std::string& model) override {
    if (!loaded_.emplace(model, true).second) throw std::logic_error("loaded twice");
    ++device_.loads[model];
    return {double(device_.loads[model]), 100};
  }
  void unload(const std::string& model) override {
    if (loaded_.erase(model) == 0) throw std::logic_error("not loaded");
  }
  double run(const std::string& model, std::uint32_t batch) override {
    if (!loaded_.contains(model)) throw std::logic_error("not loaded");
    const double ms = run_for(model, batch);
    if (std::this_thread::get_id() == device_.measuring) {
      device_.elapsed_s += 1.25e-3 * ms;
      device_.processor_s += 0.5e-3 * ms;
      device_.drawn.emplace_back(device_.elapsed_s, std::stod(model.substr(1)) / 5);
    }
    return ms;
  }
  std::optional<Usage> usage() override {
    if (device_.processors == 0 && device_.counter_age_s == 0) return std::nullopt;
    Usage usage{device_.elapsed_s, {}, device_.processors, {}, {}};
    if (device_.processors > 0) {
      usage.processor_s = device_.processor_s;
      usage.energy_j = 200 * device_.elapsed_s;
    }
    if (device_.counter_age_s > 0) usage.activity = activity();
    return usage;
  }
  double activity_age_s() const override { return device_.counter_age_s; }

 private:
  // Of the time between the last two readings, each shifted by the counters' age.
  std::optional<Activity> activity() {
    const double from = std::exchange(device_.read_s, device_.elapsed_s) - device_.counter_age_s;
    const double to = device_.elapsed_s - device_.counter_age_s;
    if (device_.readings++ == device_.fails_at || to - from <= device_.counter_age_s) return {};
    double begin = 0, sum = 0;
    for (const auto& [end, fraction] : device_.drawn) {
      sum += fraction * std::max(0.0, std::min(end, to) - std::max(begin, from));
      begin = end;
    }
    return Activity{sum / (to - from), sum / (to - from) / 2};
  }
  double run_for(const std::string& model, std::uint32_t batch) {
    const double alone = std::stod(model.substr(1)) * batch * 100 / percent_;
    if (std::this_thread::get_id() != device_.measuring) {
      device_.has_neighbour = true;
      return alone * 1.5;
    }
    // The second lane alone again: its thread has ended.
    if (model != "m1") device_.has_neighbour = false;
    if (device_.runs.size() == device_.dies_at) throw SystemError("the device died");
    device_.runs.push_back(model + ' ' + std::to_string(batch) + ' ' +
                           std::to_string(int(percent_)));
    const double drifted = 1 + device_.drift * double(device_.runs.size());
    return alone * drifted * (device_.has_neighbour ? 1.5 : 1);
  }

  FakeDevice& device_;
  const double percent_;
  std::map<std::string, bool> loaded_;
};

inline std::vector<std::unique_ptr<MeasureLane>> FakeDevice::open(
    const std::vector<Share>& shares) {
  std::vector<std::unique_ptr<MeasureLane>> lanes;
  for (const Share& share : shares) {
    const double percent = share.kind == ShareKind::kWhole ? 100 : share.amount;
    lanes.push_back(std::make_unique<FakeLane>(*this, percent));
  }
  return lanes;
}

class MeasureTest : public ::testing::Test {
 protected:
  MeasureTest() {
    plan_.gpu = "cpu";
    plan_.models = {"m1", "m2"};
    plan_.batches = {1, 4};
    plan_.shares = {{ShareKind::kPercent, 50}, {}};
    plan_.repetitions = 10;  // 5 rounds of 2
    plan_.min_time_s = 0;
  }
  std::vector<Profile> run(FakeDevice& device) {
    MeasureJournal journal(path_, key_of(plan_));
    return measure(device, plan_, journal, [this](double share) { progress_.push_back(share); });
  }
  testing::ScratchFolder folder_;
  const std::string path_ = folder_.file("p.h5.journal");
  MeasurePlan plan_;
  std::vector<double> progress_;
};

}  // namespace tangram
