#include "sim/rate_device.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tangram {
namespace {

// The cap of a class as a fraction of the GPU's SMs.
double share_fraction(const ExecutorClass& cls, const GpuType& type) {
  switch (cls.share.kind) {
    case ShareKind::kWhole:
      return 1;
    case ShareKind::kMig:
      return type.mig_slices > 0 ? cls.share.amount / type.mig_slices : 1;
    case ShareKind::kPercent:
      return cls.share.amount / 100;
    case ShareKind::kSms:
      return type.sms > 0 ? cls.share.amount / type.sms : 1;
  }
  return 1;
}

// Linear between known shares; in proportion to 1 / share below the smallest, flat above the
// largest.
double latency_at(const std::vector<std::pair<double, double>>& curve, double share) {
  if (share <= curve.front().first) return curve.front().second * curve.front().first / share;
  if (share >= curve.back().first) return curve.back().second;
  const auto above = std::upper_bound(curve.begin(), curve.end(), std::pair(share, 0.0));
  const auto below = above - 1;
  const double weight = (share - below->first) / (above->first - below->first);
  return below->second + weight * (above->second - below->second);
}

// Whether batches run at the same time and may so disturb each other.
bool feel_each_other(Coupling coupling) {
  return coupling == Coupling::kCaps || coupling == Coupling::kDisjoint;
}

}  // namespace

RateDevice::RateDevice(const Deployment& truth,
                       const ProfileSet& profiles,
                       const std::vector<GpuType>& own_types,
                       const DeviceSpec& spec,
                       StreamKey key,
                       EventQueue& events,
                       std::uint32_t first_slot)
    : deployment_(&truth),
      spec_(spec),
      overhead_(from_ms(spec.overhead_ms)),
      events_(&events),
      first_slot_(first_slot),
      executors_(truth.executors.size()),
      times_(truth, profiles, key) {
  for (std::uint32_t e = 0; e < executors_.size(); ++e) {
    executors_[e].services = times_.services(truth.executors[e].cls);
  }
  build_coupled(profiles);
  build_domains(own_types);
}

void RateDevice::build_coupled(const ProfileSet& profiles) {
  for (const ExecutorClass& cls : deployment_->classes) {
    std::vector<Coupled>& list = coupled_.emplace_back();
    for (const Service& service : cls.services) {
      const ModelId model = deployment_->queues[service.queue.index()].model;
      list.push_back(
          {profiles.find(deployment_->models[model.index()], deployment_->gpu_types[cls.gpu_type]),
           {}});
    }
  }
}

Coupling RateDevice::coupling_of(GpuMode mode) const {
  switch (spec_.sharing) {
    case Sharing::kExclusive:
      return Coupling::kOneAtATime;
    case Sharing::kTimeSlicing:
      return Coupling::kTimeSlice;
    case Sharing::kMps:
      return Coupling::kCaps;
    case Sharing::kSm:
      return Coupling::kDisjoint;
    case Sharing::kMig:
    case Sharing::kMigMps:
      return Coupling::kProcesses;
    case Sharing::kFromPlan:
      break;
  }
  switch (mode) {
    case GpuMode::kWhole:
      return Coupling::kOneAtATime;
    case GpuMode::kMig:
      return Coupling::kProcesses;
    case GpuMode::kMps:
    case GpuMode::kStreams:
      return Coupling::kCaps;
    case GpuMode::kSm:
    case GpuMode::kCpu:
      return Coupling::kDisjoint;
    case GpuMode::kTimeSliced:
      return Coupling::kTimeSlice;
  }
  return Coupling::kOneAtATime;
}

void RateDevice::build_domains(const std::vector<GpuType>& own_types) {
  for (const ExecutorClass& cls : deployment_->classes) {
    const GpuType* type = find_gpu_type(deployment_->gpu_types[cls.gpu_type], own_types);
    TANGRAM_CHECK(type != nullptr, "unknown GPU type ", deployment_->gpu_types[cls.gpu_type]);
    share_.push_back(share_fraction(cls, *type));
  }
  // A domain is a GPU, or one partition of it where MIG isolates the partitions.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint32_t>> members;
  std::vector<std::uint32_t> on_gpu(deployment_->gpus.size());
  for (std::uint32_t e = 0; e < executors_.size(); ++e) {
    const ExecutorInfo& info = deployment_->executors[e];
    const Coupling coupling = coupling_of(deployment_->gpus[info.gpu.index()].mode);
    const std::uint32_t partition = coupling == Coupling::kProcesses ? info.partition + 1 : 0;
    members[{info.gpu.value(), partition}].push_back(e);
    ++on_gpu[info.gpu.index()];
  }
  bool neighbours = false;
  for (const auto& [place, list] : members) {
    const Coupling coupling = coupling_of(deployment_->gpus[place.first].mode);
    for (const std::uint32_t e : list) executors_[e].report_start = on_gpu[place.first] > 1;
    if (list.size() < 2) continue;
    // Profiles are measured with all processes of an instance busy: speed 1 unless asked otherwise.
    if (coupling == Coupling::kProcesses && !spec_.busy_processes) continue;
    for (const std::uint32_t e : list) {
      executors_[e].domain = static_cast<std::uint32_t>(domains_.size());
    }
    domains_.push_back({coupling, {}, {}});
    neighbours |= feel_each_other(coupling);
  }
  if (neighbours) {
    ProfileSet used;
    for (const std::vector<Coupled>& list : coupled_) {
      for (const Coupled& item : list) {
        if (used.find(item.profile->model, item.profile->gpu) == nullptr) used.add(*item.profile);
      }
    }
    interference_ = make_interference(spec_.interference, used, notes_);
  }
}

void RateDevice::hold_or_refuse(std::uint32_t e, TimePoint now) {
  Executor& executor = executors_[e];
  const Window& window = executor.current.window;
  const bool refused = window.latest < now || window.latest < window.earliest;
  executor.state = refused ? State::kRefusing : State::kWaiting;
  events_->schedule(slot(e), refused ? now : window.earliest, Phase::kFinish);
}

void RateDevice::begin_in_domain(std::uint32_t e, TimePoint now) {
  Executor& executor = executors_[e];
  Domain& domain = domains_[executor.domain];
  if (domain.coupling == Coupling::kOneAtATime && !domain.running.empty()) {
    executor.state = State::kQueued;
    domain.queued.push_back(e);
    return;
  }
  const Held& batch = executor.current;
  const Duration alone = times_.draw(executor.services[batch.service], batch.size) + overhead_;
  begin(e, alone, now);
  executor.work = Int128{alone.count()} << kSpeedBits;
  executor.speed = 0;
  executor.settled = now;
  domain.running.push_back(e);
  retime(domain, now);
}

void RateDevice::leave(std::uint32_t e, TimePoint now) {
  Domain& domain = domains_[executors_[e].domain];
  std::erase(domain.running, e);
  if (domain.coupling != Coupling::kOneAtATime) {
    retime(domain, now);
    return;
  }
  while (domain.running.empty() && !domain.queued.empty()) {
    const std::uint32_t next = domain.queued.front();
    domain.queued.pop_front();
    // Its window may have closed while it waited for the device; then it is refused, and the next
    // one has its turn.
    executors_[next].state = State::kIdle;
    advance(next, executors_[next].current, now);
  }
}

void RateDevice::retime(const Domain& domain, TimePoint now) {
  const double fair = domain.coupling == Coupling::kCaps ? fair_share(domain) : 0;
  // The others, as each sees them, in the order of `running`: who was last looked at takes the
  // place of the next.
  neighbours_.clear();
  if (interference_ && feel_each_other(domain.coupling)) {
    for (std::size_t i = 1; i < domain.running.size(); ++i) {
      neighbours_.push_back(resident(domain.running[i]));
    }
  }
  for (std::size_t i = 0; i < domain.running.size(); ++i) {
    const std::uint32_t e = domain.running[i];
    Executor& executor = executors_[e];
    const auto speed =
        static_cast<std::uint64_t>(std::max(1.0, speed_of(domain, e, fair) * 0x1p32 + 0.5));
    if (i < neighbours_.size()) neighbours_[i] = resident(e);
    if (speed == executor.speed) continue;
    executor.work -= Int128{executor.speed} * (now - executor.settled).count();
    executor.settled = now;
    executor.speed = speed;
    // The finish rounds up to the next nanosecond: the only rounding of the fluid model.
    const Int128 left = executor.work > 0 ? executor.work : 0;
    const auto ns = static_cast<std::int64_t>((left + speed - 1) / speed);
    events_->schedule(slot(e), now + Duration(ns), Phase::kFinish);
  }
}

double RateDevice::fair_share(const Domain& domain) {
  // Max-min fairness with caps: the share that is given to everybody whose cap is above it, so that
  // all shares add up to the whole GPU. Found by filling from the smallest cap.
  const auto cap = [&](std::uint32_t e) { return share_[deployment_->executors[e].cls.index()]; };
  double asked = 0;
  for (const std::uint32_t e : domain.running) asked += cap(e);
  // Shares of 30, 30 and 40 % do not add up to exactly 1 in binary.
  if (asked <= 1 + 1e-9) return 1;
  caps_.clear();
  for (const std::uint32_t e : domain.running) caps_.push_back(cap(e));
  std::sort(caps_.begin(), caps_.end());
  double left = 1;
  for (std::size_t i = 0; i < caps_.size(); ++i) {
    const double each = left / static_cast<double>(caps_.size() - i);
    if (caps_[i] > each) return each;
    left -= caps_[i];
  }
  return 1;
}

double RateDevice::speed_of(const Domain& domain, std::uint32_t e, double fair) {
  const auto k = static_cast<double>(domain.running.size());
  switch (domain.coupling) {
    case Coupling::kOneAtATime:
      return 1;
    case Coupling::kTimeSlice:
      return k < 2 ? 1 : spec_.quantum_ms / (spec_.quantum_ms + spec_.switch_ms) / k;
    case Coupling::kCaps: {
      const double cap = share_[deployment_->executors[e].cls.index()];
      return (fair < cap ? share_speed(e, fair) : 1) / slowdown(e);
    }
    case Coupling::kDisjoint:
      return 1 / slowdown(e);
    case Coupling::kProcesses: {
      const Held& batch = executors_[e].current;
      const ExecutorClass& cls = class_of(e);
      const auto busy = static_cast<std::uint32_t>(domain.running.size());
      const std::optional<double> ms = coupled(e).profile->latency_ms(cls.share, busy, batch.size);
      if (!ms) return 1;
      return to_ms(mean(e)) / *ms;
    }
  }
  return 1;
}

double RateDevice::share_speed(std::uint32_t e, double share) {
  const Held& batch = executors_[e].current;
  const double cap = share_[deployment_->executors[e].cls.index()];
  Coupled& shared = coupled(e);
  if (shared.curves.size() <= batch.size) shared.curves.resize(batch.size + 1);
  ShareCurve& curve = shared.curves[batch.size];
  if (curve.empty()) {
    for (const Profile::Setting& setting : shared.profile->settings()) {
      const bool whole = setting.share.kind == ShareKind::kWhole;
      if ((!whole && setting.share.kind != ShareKind::kPercent) || setting.processes != 1) continue;
      const auto ms = shared.profile->latency_ms(setting.share, 1, batch.size);
      const double fraction = whole ? 1 : setting.share.amount / 100;
      if (ms) curve.emplace_back(fraction, *ms);
    }
    if (curve.empty()) curve.emplace_back(cap, to_ms(mean(e)));
    std::sort(curve.begin(), curve.end());
    curve.erase(std::unique(curve.begin(), curve.end(),
                            [](const auto& a, const auto& b) { return a.first == b.first; }),
                curve.end());
  }
  return std::min(1.0, latency_at(curve, cap) / latency_at(curve, share));
}

Resident RateDevice::resident(std::uint32_t e) {
  const Held& batch = executors_[e].current;
  const ExecutorClass& cls = class_of(e);
  return {coupled(e).profile, cls.share, cls.profiled, batch.size,
          share_[deployment_->executors[e].cls.index()]};
}

// Beside neighbours_.
double RateDevice::slowdown(std::uint32_t e) {
  if (neighbours_.empty()) return 1;
  const double factor = interference_->slowdown(resident(e), neighbours_);
  TANGRAM_CHECK(factor >= 1, "an interference model speeds a batch up; factor ", factor);
  return factor;
}

}  // namespace tangram
