// The rate device model: a running batch has remaining work and a speed. When the set of
// co-residents of a GPU changes, the work done so far is settled, new speeds are set, and the
// finish moves. Equations and assumptions: docs/model/rate-device.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "policies/host.h"
#include "policies/service_times.h"
#include "profiles/interference.h"
#include "sim/core/event_queue.h"
#include "sim/core/int128.h"
#include "sim/core/random.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// How the executors of one GPU (or one MIG instance) slow each other down.
enum class Coupling : std::uint8_t {
  kOneAtATime,  // exclusive: the others wait, first come first served
  kTimeSlice,   // k running batches get 1/k of the time each, less the cost of switching
  kCaps,        // MPS: each may use up to its cap; an oversubscribed GPU is shared max-min fairly
  kDisjoint,    // SM shares: speed 1 but for interference
  kProcesses,   // MIG+MPS: speed by how many of the instance's processes are busy
};

// What an executor's event means to the run.
struct DeviceMessage {
  enum class Kind : std::uint8_t { kNothing, kFinished, kRefused } kind = Kind::kNothing;
  BatchId batch;
  TimePoint start;
  Duration alone{};  // kFinished: what the batch would have taken at speed 1
};

class RateDevice {
 public:
  // Executor e's event lives in slot first_slot + e. References must outlive the device. `truth`
  // has the executors of the host's deployment, with the true mean latencies as predictions; `key`
  // is the root of the random streams, one per workload and GPU type, by name.
  RateDevice(const Deployment& truth,
             const ProfileSet& profiles,
             const std::vector<GpuType>& own_types,
             const DeviceSpec& spec,
             StreamKey key,
             EventQueue& events,
             std::uint32_t first_slot);

  // Hands a committed batch to its executor. Requires: a command to run.
  void submit(const Command& command, const Window& window, TimePoint now) {
    const std::uint32_t e = command.executor.value();
    Executor& executor = executors_[e];
    const Held batch{command.batch, window, command.service, command.count};
    if (executor.state == State::kIdle) [[likely]] {
      executor.current = batch;
      advance(e, batch, now);
    } else {
      executor.waiting.push_back(batch);
    }
  }

  // The executor's event is due. It then goes on with its next batch, if it has one.
  DeviceMessage fire(ExecutorId id, TimePoint now) {
    const std::uint32_t e = id.value();
    Executor& executor = executors_[e];
    DeviceMessage message;
    if (executor.state == State::kRunning) [[likely]] {
      message = {DeviceMessage::Kind::kFinished, executor.current.id, executor.start,
                 executor.alone};
      if (executor.domain != kNoDomain) leave(e, now);
    } else if (executor.state == State::kRefusing) {
      message = {DeviceMessage::Kind::kRefused, executor.current.id, now, {}};
    }
    executor.state = State::kIdle;
    events_->cancel(slot(e));
    if (message.kind != DeviceMessage::Kind::kNothing) {
      if (executor.waiting.empty()) [[likely]]
        return message;
      executor.current = executor.waiting.front();
      executor.waiting.pop_front();
    }
    advance(e, executor.current, now);
    return message;
  }

  // Executors that began a batch since the last clear, on GPUs with more than one executor only.
  const List<ExecutorId>& begun() const { return begun_; }
  void clear_begun() { begun_.clear(); }

  // Visits (executor, start) of every batch that is running.
  template <typename Visit>
  void for_each_running(Visit visit) const {
    for (std::uint32_t e = 0; e < executors_.size(); ++e) {
      if (executors_[e].state == State::kRunning) visit(ExecutorId(e), executors_[e].start);
    }
  }

  // What had to be assumed: interference factors, missing utilisation.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  enum class State : std::uint8_t {
    kIdle,
    kWaiting,   // for the window to open
    kQueued,    // for the device, behind another executor (kOneAtATime)
    kRefusing,  // the window has closed; the refusal is under way
    kRunning,
  };
  // A batch that an executor holds.
  struct Held {
    BatchId id;
    Window window;
    std::uint32_t service = 0;  // within the executor's class
    std::uint32_t size = 0;
  };
  // Latency over the share of the SMs for one batch: ascending shares.
  using ShareCurve = std::vector<std::pair<double, double>>;
  // One service of one class, as its neighbours matter to it.
  struct Coupled {
    const Profile* profile = nullptr;
    std::vector<ShareCurve> curves;  // by batch, filled when first needed
  };
  struct Executor {
    State state = State::kIdle;
    bool report_start = false;
    std::uint32_t domain = kNoDomain;
    const ServiceTimes::Service* services = nullptr;  // of its class
    Held current;                                     // unless kIdle
    TimePoint start;
    Duration alone{};
    Ring<Held> waiting;  // behind the current one
    // Only in a domain: work left at `settled`, in 2^-32 ns, and the speed since then, times 2^32.
    Int128 work = 0;
    std::uint64_t speed = 0;
    TimePoint settled;
  };
  // Executors whose speeds depend on each other.
  struct Domain {
    Coupling coupling = Coupling::kOneAtATime;
    std::vector<std::uint32_t> running;  // in the order in which they started
    Ring<std::uint32_t> queued;          // kOneAtATime
  };
  static constexpr std::uint32_t kNoDomain = ~std::uint32_t{0};
  static constexpr int kSpeedBits = 32;

  SlotId slot(std::uint32_t e) const { return SlotId(first_slot_ + e); }
  const ExecutorClass& class_of(std::uint32_t e) const {
    return deployment_->classes[deployment_->executors[e].cls.index()];
  }
  // Of the executor's current batch.
  Coupled& coupled(std::uint32_t e) {
    return coupled_[deployment_->executors[e].cls.index()][executors_[e].current.service];
  }
  Duration mean(std::uint32_t e) const {
    const Held& batch = executors_[e].current;
    return executors_[e].services[batch.service].mean[batch.size];
  }

  // Starts, holds, queues or refuses the current batch of an idle executor. Handed over apart from
  // the executor: what was just stored is known sooner than it can be loaded.
  void advance(std::uint32_t e, const Held& batch, TimePoint now) {
    if (batch.window.latest < now || batch.window.earliest > now) [[unlikely]] {
      hold_or_refuse(e, now);
    } else if (executors_[e].domain == kNoDomain) [[likely]] {
      // What does not matter to the next event comes after it.
      const ServiceTimes::Service& service = executors_[e].services[batch.service];
      const Duration alone = times_.next(service, batch.size) + overhead_;
      events_->schedule(slot(e), now + alone, Phase::kFinish);
      begin(e, alone, now);
      times_.advance(service, batch.size);
    } else {
      begin_in_domain(e, now);
    }
  }
  void hold_or_refuse(std::uint32_t e, TimePoint now);
  // Marks the batch as running.
  void begin(std::uint32_t e, Duration alone, TimePoint now) {
    Executor& executor = executors_[e];
    executor.alone = alone;
    executor.start = now;
    executor.state = State::kRunning;
    if (executor.report_start) [[unlikely]]
      begun_.push_back(ExecutorId(e));
  }
  void begin_in_domain(std::uint32_t e, TimePoint now);
  void leave(std::uint32_t e, TimePoint now);
  void retime(const Domain& domain, TimePoint now);
  double speed_of(const Domain& domain, std::uint32_t e, double fair_share);
  double fair_share(const Domain& domain);
  double slowdown(std::uint32_t e);
  double share_speed(std::uint32_t e, double share);
  Resident resident(std::uint32_t e);

  void build_coupled(const ProfileSet& profiles);
  void build_domains(const std::vector<GpuType>& own_types);
  Coupling coupling_of(GpuMode mode) const;

  const Deployment* deployment_;
  DeviceSpec spec_;
  Duration overhead_;
  EventQueue* events_;
  std::uint32_t first_slot_;
  std::vector<Executor> executors_;
  std::vector<Domain> domains_;
  ServiceTimes times_;
  std::vector<std::vector<Coupled>> coupled_;  // by class, by service
  std::vector<double> share_;                  // by class: cap as a fraction of the GPU's SMs
  std::unique_ptr<InterferenceModel> interference_;
  std::vector<Resident> neighbours_;  // scratch of retime
  std::vector<double> caps_;          // scratch of fair_share
  List<ExecutorId> begun_;
  std::vector<std::string> notes_;
};

}  // namespace tangram
