#include "sim/blocks/block_loop.h"

#include <algorithm>

#include <fmt/format.h>

#include "policies/registry.h"
#include "sim/blocks/programs.h"
#include "sim/progress.h"

namespace tangram {
namespace {

constexpr std::uint32_t kSmsPerTpc = 2;

std::uint32_t device_count(const Plan& plan) {
  std::uint32_t count = 0;
  for (const PlanGpu& gpu : plan.gpus) {
    count += gpu.mode == GpuMode::kMig ? static_cast<std::uint32_t>(gpu.partitions.size()) : 1;
  }
  return count;
}

// An active-thread percentage is granted in whole texture processing clusters.
std::uint32_t sms_of_percent(double percent, std::uint32_t sms) {
  const auto tpcs = static_cast<std::uint32_t>(percent / 100 * sms / kSmsPerTpc + 1e-9);
  return std::min(sms, std::max(1U, tpcs) * kSmsPerTpc);
}

}  // namespace

BlockLoop::BlockLoop(const Scenario& scenario,
                     const Plan& plan,
                     const Deployment& deployment,
                     const std::vector<ApplicationLoad>& applications,
                     StreamKey key,
                     const RecorderOptions& recording)
    : scenario_(&scenario),
      deployment_(&deployment),
      horizon_(kStart + from_seconds(scenario.duration_s)),
      workloads_(static_cast<std::uint32_t>(deployment.workloads.size())),
      sources_count_(workloads_ + static_cast<std::uint32_t>(applications.size())),
      first_device_slot_(scenario.network.none() ? sources_count_ : 2 * sources_count_),
      places_(workloads_),
      events_(first_device_slot_ + 2 * std::size_t{device_count(plan)}),
      metrics_(deployment, recording, applications),
      tracker_(applications, workloads_, key),
      parked_(workloads_),
      instances_(workloads_),
      running_(workloads_) {
  build_servers(plan, key);
  for (std::uint32_t w = 0; w < sources_count_; ++w) {
    const Workload& workload =
        w < workloads_ ? deployment.workloads[w] : applications[w - workloads_].load;
    sources_.emplace_back(workload.arrivals, key.with("arrivals").with(workload.name));
    if (scenario.network.none()) continue;
    transits_.emplace_back(scenario.network, RandomStream(key.with("network").with(workload.name)));
  }
  for (std::uint32_t w = 0; w < workloads_; ++w) {
    const Workload& workload = deployment.workloads[w];
    const auto limit = scenario.stages.instances.find(workload.name);
    if (limit != scenario.stages.instances.end()) instances_[w] = limit->second;
    // The scatter of the first GPU type that serves it; a job is slow or fast as a whole.
    const Profile* profile = nullptr;
    std::string type;
    if (!places_[w].empty()) {
      type = plan.gpus[servers_[places_[w].front().server].gpu].type;
      profile = scenario.profiles.find(workload.model, type);
    }
    LatencySampler sampler;
    if (profile != nullptr) {
      const LatencyPoint* point = profile->point({}, 1, 1);
      sampler = point != nullptr ? LatencySampler(profile->variability, point->samples_ms)
                                 : LatencySampler(profile->variability);
    }
    samplers_.push_back(sampler);
    stretches_.emplace_back(key.with("service").with(workload.name).with(type));
  }
}

void BlockLoop::build_servers(const Plan& plan, StreamKey key) {
  const BlockSpec& spec = scenario_->device.blocks;
  const StageDispatcherEntry* entry = find_stage_dispatcher(scenario_->stages.policy.name);
  TANGRAM_CHECK(entry != nullptr, "unknown stage dispatcher ", scenario_->stages.policy.name);
  for (std::uint32_t g = 0; g < plan.gpus.size(); ++g) {
    const PlanGpu& gpu = plan.gpus[g];
    const GpuType* type = find_gpu_type(gpu.type, scenario_->cluster.own_types);
    const std::optional<SmLimits> limits = spec.sm ? spec.sm : sm_limits(gpu.type);
    TANGRAM_CHECK(type != nullptr && limits && type->sms > 0, "not a GPU: ", gpu.type);
    const auto whole = static_cast<std::uint32_t>(type->sms);
    const bool is_mig = gpu.mode == GpuMode::kMig;
    const std::size_t devices = is_mig ? gpu.partitions.size() : 1;
    for (std::size_t d = 0; d < devices; ++d) {
      StageTarget target{whole, *limits};
      if (is_mig) {
        target.sms = static_cast<std::uint32_t>(find_mig_size(*type, *gpu.partitions[d].size)->sms);
      }
      std::vector<StageSlot> slots;
      std::uint32_t next_sm = 0;
      std::vector<std::uint32_t> first_of(gpu.partitions.size(), ~std::uint32_t{0});
      std::vector<bool> serves(workloads_);
      for (std::size_t e = 0; e < deployment_->executors.size(); ++e) {
        const ExecutorInfo& executor = deployment_->executors[e];
        if (executor.gpu.value() != g || (is_mig && executor.partition != d)) continue;
        const PlanPartition& partition = gpu.partitions[executor.partition];
        StageSlot slot{ExecutorId(e)};
        slot.own_context = gpu.mode == GpuMode::kTimeSliced;
        if (partition.sms) slot.sms = static_cast<std::uint32_t>(*partition.sms);
        if (partition.share_pct) {
          const std::uint32_t share = sms_of_percent(*partition.share_pct, whole);
          (scenario_->device.sharing == Sharing::kSm ? slot.sms : slot.sms_cap) = share;
        }
        if (slot.sms > 0) {
          std::uint32_t& first = first_of[executor.partition];
          if (first == ~std::uint32_t{0}) {
            first = next_sm;
            next_sm += slot.sms;
          }
          slot.first_sm = first;
        }
        const Place place{static_cast<std::uint32_t>(servers_.size()),
                          static_cast<std::uint32_t>(slots.size())};
        for (const Service& service : deployment_->classes[executor.cls.index()].services) {
          if (service.max_batch == 0) continue;
          const std::uint32_t w = deployment_->queues[service.queue.index()].workload.value();
          places_[w].push_back(place);
          serves[w] = true;
        }
        slots.push_back(slot);
      }
      if (slots.empty()) continue;
      if (next_sm > whole) {
        throw ConfigError(
            fmt::format("plan, GPU {}", gpu.index),
            fmt::format("its shares as ranges of whole pairs of SMs need {} SMs; \"{}\" "
                        "has {}",
                        next_sm, gpu.type, whole));
      }
      std::vector<StageProgram> programs(workloads_);
      for (std::uint32_t w = 0; w < workloads_; ++w) {
        const Workload& workload = deployment_->workloads[w];
        programs[w].model.workload = workload.name;
        if (!serves[w]) continue;
        const Profile* profile = scenario_->profiles.find(workload.model, gpu.type);
        TANGRAM_CHECK(profile != nullptr, "no profile of ", workload.model, " on ", gpu.type);
        programs[w] = make_program(*profile, workload.name, workload.slo, target, whole, spec);
      }
      servers_.push_back(
          {std::make_unique<StageServer>(
               spec, target, std::move(programs), std::move(slots),
               entry->make(scenario_->stages.policy.params),
               key.with("blocks").with(std::uint64_t{gpu.index}).with(std::uint64_t{d})),
           g, false});
    }
  }
}

void BlockLoop::schedule_arrival(std::uint32_t w) {
  const TimePoint t = sources_[w].next();
  if (t < horizon_) {
    events_.schedule(SlotId(w), t, Phase::kArrive);
    return;
  }
  events_.cancel(SlotId(w));
  if (!sources_[w].closed()) --open_sources_;
}

void BlockLoop::arrive(std::uint32_t w) {
  const Request request{now_, RequestId::of(WorkloadId(w), sources_[w].take())};
  schedule_arrival(w);
  ++in_system_;
  metrics_.arrived(WorkloadId(w), now_);
  if (transits_.empty()) {
    take_in(request);
  } else {
    transits_[w].send(now_, request.id.number());
    events_.schedule(SlotId(sources_count_ + w), transits_[w].next(), Phase::kArrive);
  }
}

void BlockLoop::leave_transit(std::uint32_t w) {
  const Transit::Item item = transits_[w].take();
  events_.schedule(SlotId(sources_count_ + w), transits_[w].next(), Phase::kArrive);
  take_in({item.sent, RequestId::of(WorkloadId(w), item.number)});
}

void BlockLoop::take_in(const Request& request) {
  if (tracker_.is_application(request.id.workload())) {
    tracker_.arrived(request);
  } else {
    enter(request);
  }
  follow_up();
}

void BlockLoop::enter(const Request& request) {
  if (places_[request.id.workload().index()].empty()) {
    drop(request, DropReason::kUnserved);
    return;
  }
  auto r = static_cast<std::uint32_t>(requests_.size());
  if (free_requests_.empty()) {
    requests_.emplace_back();
  } else {
    r = free_requests_.back();
    free_requests_.pop_back();
  }
  requests_[r] = {request.id, request.arrival, now_, 0, 0, 0, 1};
  outside_.push_back(r);
  admit();
}

void BlockLoop::drop(const Request& request, DropReason reason) {
  const WorkloadId w = request.id.workload();
  metrics_.dropped(request.id, request.arrival, reason);
  answered(w, reason == DropReason::kUnserved);
  if (tracker_.is_stage(w)) tracker_.dropped(request, reason);
}

void BlockLoop::answered(WorkloadId workload, bool unserved) {
  --in_system_;
  RequestSource& source = sources_[workload.index()];
  if (!source.closed()) return;
  // A client that never thinks and is never served would ask again for ever, at one instant.
  if (unserved && source.think() == Duration::zero()) return;
  source.answered(now_);
  schedule_arrival(workload.value());
}

void BlockLoop::follow_up() {
  if (tracker_.empty()) return;
  tracker_.deliver(
      [this](const Request& request) {
        ++in_system_;
        metrics_.arrived(request.id.workload(), request.arrival);
        enter(request);
      },
      [this](const ApplicationTracker::Ended& ended) {
        if (ended.dropped) {
          metrics_.dropped(ended.request.id, ended.request.arrival, *ended.dropped);
        } else {
          metrics_.completed(ended.request, ended.end, ended.path);
        }
        answered(ended.request.id.workload(), ended.dropped == DropReason::kUnserved);
      });
}

// The submitter lets requests in, in the order of their arrival, while fewer are outstanding than
// it may have; one whose workload has no free instance waits inside and counts as outstanding.
void BlockLoop::admit() {
  const std::uint32_t most = scenario_->stages.outstanding;
  while (!outside_.empty() && (most == 0 || outstanding_ < most)) {
    const std::uint32_t r = outside_.front();
    outside_.pop_front();
    ++outstanding_;
    requests_[r].admitted = now_;
    const std::uint32_t w = requests_[r].id.workload().value();
    if (instances_[w] > 0 && running_[w] >= instances_[w]) {
      parked_[w].push_back(r);
    } else {
      begin(r);
    }
  }
}

// To the device with the fewest jobs, there into the slot with the fewest; the first of equals.
void BlockLoop::begin(std::uint32_t r) {
  Pending& request = requests_[r];
  const std::uint32_t w = request.id.workload().value();
  ++running_[w];
  ++jobs_;
  const Place* best = nullptr;
  const auto load = [&](const Place& p) {
    const StageServer& server = *servers_[p.server].stage;
    return std::uint64_t{server.jobs()} << 32 | server.jobs_in(p.slot);
  };
  for (const Place& place : places_[w]) {
    if (best == nullptr || load(place) < load(*best)) best = &place;
  }
  if (!samplers_[w].constant()) {
    constexpr Duration kOne{1'000'000'000};
    request.stretch = to_seconds(samplers_[w].sample(kOne, stretches_[w]));
  }
  StageServer& server = *servers_[best->server].stage;
  request.server = best->server;
  request.lane = metrics_.take_lane(server.slots()[best->slot].executor);
  server.submit(WorkloadId(w), best->slot, request.stretch, r, now_);
  after(best->server);
}

void BlockLoop::answer(const StageServer::Answer& answer) {
  const auto r = static_cast<std::uint32_t>(answer.user);
  const Pending request = requests_[r];
  const std::uint32_t w = request.id.workload().value();
  JobRecord record{request.id, request.arrival, answer.decided, answer.start, now_,
                   {},         request.lane};
  if (scenario_->stages.from_submit) record.arrival = request.admitted;
  record.alone =
      from_ns(static_cast<double>(servers_[request.server].stage->alone(WorkloadId(w)).count()) *
              request.stretch);
  metrics_.finished(record);
  free_requests_.push_back(r);
  --outstanding_;
  --running_[w];
  if (!parked_[w].empty()) {
    const std::uint32_t next = parked_[w].front();
    parked_[w].pop_front();
    begin(next);
  }
  admit();
  answered(WorkloadId(w), false);
  if (!tracker_.is_stage(WorkloadId(w))) return;
  const Duration exec = now_ - answer.start;
  tracker_.finished({request.arrival, request.id}, now_,
                    {answer.decided - request.arrival, exec, exec - record.alone});
  follow_up();
}

// Brings the events of a device and its server up to date, and the GPU's busy time.
void BlockLoop::after(std::uint32_t s) {
  Server& server = servers_[s];
  events_.schedule(SlotId(device_slot(s)), server.stage->next_device(), Phase::kFinish);
  events_.schedule(SlotId(device_slot(s) + 1), server.stage->next_server(), Phase::kTimer);
  if (server.stage->busy() == server.busy) return;
  server.busy = !server.busy;
  metrics_.busy(server.gpu, server.busy, now_);
}

void BlockLoop::fire(std::uint32_t slot) {
  ++fired_;
  if (slot < sources_count_) {
    arrive(slot);
    return;
  }
  if (slot < first_device_slot_) {
    leave_transit(slot - sources_count_);
    return;
  }
  const std::uint32_t s = (slot - first_device_slot_) / 2;
  StageServer& server = *servers_[s].stage;
  if ((slot - first_device_slot_) % 2 == 0) {
    server.advance_device(now_);
  } else {
    server.advance_server(now_);
  }
  if (!server.answers().empty()) {
    // What an answer lets in may be for this very server.
    const std::vector<StageServer::Answer> answers = server.answers();
    server.clear_answers();
    for (const StageServer::Answer& a : answers) answer(a);
  }
  after(s);
}

bool BlockLoop::over(TimePoint next) const {
  if (next == kNever || !scenario_->drain) return true;
  return open_sources_ == 0 && in_system_ == 0;
}

void BlockLoop::run(const std::function<void(double)>& progress) {
  for (std::uint32_t w = 0; w < sources_count_; ++w) {
    if (!sources_[w].closed()) ++open_sources_;
    schedule_arrival(w);
  }
  std::uint64_t next_progress = kProgressEvery;
  for (TimePoint t = events_.next_time(); t != kNever && (t < horizon_ || !over(t));
       t = events_.next_time()) {
    now_ = t;
    fire(events_.top().value());
    if (fired_ >= next_progress) {
      next_progress += kProgressEvery;
      if (progress) progress(std::min(1.0, to_seconds(now_ - kStart) / scenario_->duration_s));
    }
  }
  const TimePoint end = std::max(now_, horizon_);
  for (const Server& server : servers_) {
    server.stage->for_each_job([&](std::uint64_t user, TimePoint, TimePoint start) {
      const Pending& request = requests_[user];
      if (start != kNever) metrics_.abandoned(request.lane, start, end);
      metrics_.unfinished(request.id, request.arrival);
    });
  }
  const auto leave = [&](const Ring<std::uint32_t>& waiting) {
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      metrics_.unfinished(requests_[waiting[i]].id, requests_[waiting[i]].arrival);
    }
  };
  leave(outside_);
  for (const Ring<std::uint32_t>& parked : parked_) leave(parked);
  tracker_.for_each_open(
      [&](const Request& request) { metrics_.unfinished(request.id, request.arrival); });
  for (std::uint32_t w = 0; w < transits_.size(); ++w) {
    for (const Transit::Item& item : transits_[w].items()) {
      metrics_.unfinished(RequestId::of(WorkloadId(w), item.number), item.sent);
    }
  }
}

std::uint64_t BlockLoop::messages() const {
  std::uint64_t sum = 0;
  for (const Server& server : servers_) sum += server.stage->messages();
  return sum;
}

std::uint64_t BlockLoop::events() const {
  std::uint64_t sum = fired_;
  for (const Server& server : servers_) sum += server.stage->device().counters().events;
  return sum;
}

BlockDevice::Counters BlockLoop::counters() const {
  BlockDevice::Counters sum;
  for (const Server& server : servers_) {
    const BlockDevice::Counters& counters = server.stage->device().counters();
    sum.kernels += counters.kernels;
    sum.blocks += counters.blocks;
    sum.cohorts += counters.cohorts;
  }
  return sum;
}

}  // namespace tangram
