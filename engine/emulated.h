// The backend without hardware: a thread per executor that really waits for the time that the
// profile gives the batch. It proves the runtime, not a device: batches do not slow each other
// down.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "policies/service_times.h"

namespace tangram {

// A drill: the executor dies in its n-th batch, counted from 1.
struct InjectedLoss {
  ExecutorId executor;
  std::uint32_t in_batch = 1;
};

class EmulatedBackend final : public Backend {
 public:
  // Threads that wait cost little, but each has a stack and a place in the scheduler's queue.
  static constexpr std::size_t kMostExecutors = 512;

  // Durations come from the same distributions and from streams with the same keys as the
  // simulator's, and `overhead_ms` of the scenario's device is added to them.
  EmulatedBackend(const Scenario& scenario, StreamKey key, std::vector<InjectedLoss> losses = {});
  ~EmulatedBackend() override;

  std::string name() const override { return "emulated"; }
  void open(const Deployment& deployment, const RealClock& clock, Inbox& inbox) override;
  void submit(const RunCommand& command) override;
  bool loads_weights() const override { return true; }
  void load(ExecutorId executor, ModelId model) override;
  void close() override;
  std::vector<std::string> granted() const override;

 private:
  class Worker;
  class Link;
  Duration draw(const RunCommand& command);

  const Scenario* scenario_;
  StreamKey key_;
  std::vector<InjectedLoss> losses_;
  const Deployment* deployment_ = nullptr;
  std::optional<ServiceTimes> times_;
  std::vector<std::unique_ptr<Worker>> workers_;
  const RealClock* clock_ = nullptr;
  std::optional<WeightTransfers> transfers_;  // where weights are managed
  std::vector<std::unique_ptr<Link>> links_;  // by GPU, the same
};

}  // namespace tangram
