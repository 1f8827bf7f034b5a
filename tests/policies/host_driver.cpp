#include "tests/policies/host_driver.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/core/random.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram::testing {
namespace {

constexpr std::uint32_t kMostRounds = 1000;

// The device, the arrivals and the outages around one Host.
class Driver {
 public:
  Driver(const Deployment& deployment,
         Dispatcher& dispatcher,
         const std::vector<TestArrival>& arrivals,
         const DriverOptions& options)
      : options_(options),
        arrivals_(arrivals),
        host_(deployment, dispatcher, options.depth),
        executors_(deployment.executors.size()),
        events_(first_load() + (deployment.weights.managed() ? executors_ : 0)),
        devices_(executors_),
        counts_(deployment.workloads.size()),
        draws_(StreamKey(options.seed).with("device")),
        routing_(StreamKey(options.seed).with("routing")) {
    host_.record(&result_.log);
    if (!deployment.weights.managed()) return;
    transfers_.emplace(deployment);
    loads_.resize(executors_);
  }

  DriverResult run() {
    carry_out(host_.start(kStart, events_, first_timer()));
    schedule_arrival();
    schedule_outage();
    std::uint32_t rounds = 0;
    while (!events_.empty() && events_.next_time() <= options_.end) {
      const TimePoint t = events_.next_time();
      rounds = t == now_ ? rounds + 1 : 0;
      TANGRAM_CHECK(rounds < kMostRounds, "livelock at ", t.time_since_epoch().count());
      now_ = t;
      host_.begin(t);
      do {
        fire(events_.top().value());
      } while (events_.next_time() == t);
      carry_out(host_.decide());
    }
    result_.queued = host_.in_queues();
    result_.in_flight = host_.in_flight();
    result_.counters = host_.counters();
    host_.for_each_unanswered([&](const Request& r) { result_.unanswered.push_back(r.id); });
    return std::move(result_);
  }

 private:
  struct Pending {
    BatchId id;
    TimePoint start;
    bool refused = false;
  };

  struct Load {
    ModelId model;
    WeightTransfers::Span span;
  };
  // Slots: arrivals, outages, executors, timers, loads.
  std::uint32_t first_executor() const { return 2; }
  std::uint32_t first_timer() const {
    return first_executor() + static_cast<std::uint32_t>(executors_);
  }

  std::uint32_t first_load() const { return first_timer() + host_.timers(); }

  void fire(std::uint32_t slot) {
    if (slot == 0) {
      arrive();
    } else if (slot == 1) {
      toggle(options_.outages[next_outage_++]);
      schedule_outage();
    } else if (slot < first_timer()) {
      report(ExecutorId(slot - first_executor()));
    } else if (slot < first_load()) {
      events_.cancel(SlotId(slot));
      host_.timer(TimerId(slot - first_timer()));
    } else {
      const ExecutorId e(slot - first_load());
      const Load load = loads_[e.index()].front();
      loads_[e.index()].pop_front();
      result_.loads.push_back({e, load.model, true, load.span.start, load.span.end});
      host_.loaded(e, load.model, true, load.span.start, load.span.end);
      schedule_load(e);
    }
  }
  void schedule_load(ExecutorId e) {
    const std::deque<Load>& loads = loads_[e.index()];
    events_.schedule(SlotId(first_load() + e.value()),
                     loads.empty() ? kNever : loads.front().span.end, Phase::kFinish);
  }

  void arrive() {
    const TestArrival& arrival = arrivals_[next_arrival_++];
    const WorkloadId workload(arrival.workload);
    const Request request{now_, RequestId::of(workload, counts_[arrival.workload]++)};
    result_.offered.push_back(request.id);
    if (!host_.arrived(workload, request, routing_.bits())) {
      result_.drops.push_back({now_, request.id, DropReason::kUnserved});
    }
    schedule_arrival();
  }
  void schedule_arrival() {
    const bool more = next_arrival_ < arrivals_.size();
    events_.schedule(SlotId(0), more ? arrivals_[next_arrival_].time : kNever, Phase::kArrive);
  }

  void toggle(const Outage& outage) {
    host_.executor(outage.executor, outage.up);
    if (outage.up) return;
    std::deque<Pending>& batches = devices_[outage.executor.index()];
    for (const Pending& batch : batches) host_.refused(batch.id, Refusal::kLost);
    batches.clear();
    if (transfers_) {
      loads_[outage.executor.index()].clear();
      schedule_load(outage.executor);
    }
    events_.cancel(SlotId(first_executor() + outage.executor.value()));
  }
  void schedule_outage() {
    const bool more = next_outage_ < options_.outages.size();
    events_.schedule(SlotId(1), more ? options_.outages[next_outage_].time : kNever,
                     Phase::kFinish);
  }

  // The device gets to its oldest batch.
  void begin(ExecutorId e) {
    std::deque<Pending>& batches = devices_[e.index()];
    if (batches.empty()) {
      events_.cancel(SlotId(first_executor() + e.value()));
      return;
    }
    Pending& pending = batches.front();
    const Batch& batch = host_.batch(pending.id);
    pending.start = std::max(now_, batch.window.earliest);
    if (options_.start_delay > Duration::zero()) {
      pending.start += scaled(options_.start_delay, draws_.exponential());
    }
    const bool late =
        pending.start > batch.window.latest || pending.start - batch.decided > options_.latest;
    const double draw = draws_.uniform();
    pending.refused = late || draw < options_.refuse;
    Duration duration = batch.predicted;
    if (options_.exponential) duration = scaled(duration, draws_.exponential());
    events_.schedule(SlotId(first_executor() + e.value()),
                     pending.refused ? pending.start : pending.start + duration, Phase::kFinish);
  }
  static Duration scaled(Duration d, double factor) {
    return from_ns(static_cast<double>(d.count()) * factor);
  }

  // The oldest batch of a device finishes or is refused.
  void report(ExecutorId e) {
    const Pending done = devices_[e.index()].front();
    devices_[e.index()].pop_front();
    if (done.refused) {
      host_.refused(done.id, Refusal::kTooLate);
    } else {
      const Batch& batch = host_.batch(done.id);
      BatchRecord record{batch.decided, done.start, now_, e, batch.queue, {}};
      for (const Request& request : batch.requests) record.ids.push_back(request.id);
      result_.batches.push_back(std::move(record));
      host_.finished(done.id, done.start, now_);
    }
    begin(e);
  }

  void carry_out(std::span<const Command> commands) {
    for (const Command& command : commands) {
      if (command.kind == CommandKind::kDrop) {
        for (const Request& request : host_.dropped(command)) {
          result_.drops.push_back({now_, request.id, command.reason});
        }
        continue;
      }
      if (command.kind == CommandKind::kLoad) {
        loads_[command.executor.index()].push_back(
            {command.model(), transfers_->load(command.executor, command.model(), now_)});
        schedule_load(command.executor);
      }
      if (command.kind != CommandKind::kRun) continue;
      std::deque<Pending>& batches = devices_[command.executor.index()];
      batches.push_back({command.batch, kStart});
      if (batches.size() == 1) begin(command.executor);
    }
  }

  const DriverOptions& options_;
  const std::vector<TestArrival>& arrivals_;
  Host host_;
  std::size_t executors_;
  EventQueue events_;
  std::vector<std::deque<Pending>> devices_;
  std::vector<std::uint64_t> counts_;  // by workload: requests so far
  RandomStream draws_, routing_;
  std::optional<WeightTransfers> transfers_;
  std::vector<std::deque<Load>> loads_;
  DriverResult result_;
  TimePoint now_ = kStart;
  std::size_t next_arrival_ = 0, next_outage_ = 0;
};

std::string ms_text(TimePoint t) {
  return fmt::format("{:.6g}", to_ms(t - kStart));
}

}  // namespace

Deployment deployment_of(const std::vector<TestWorkload>& workloads,
                         const std::vector<TestGpu>& gpus,
                         Routing routing) {
  std::vector<Workload> list;
  ProfileSet profiles;
  const auto model_of = [](const TestWorkload& w) { return w.model.empty() ? w.name : w.model; };
  for (const TestWorkload& w : workloads) {
    list.push_back(workload_of(w.name, model_of(w), w.slo_ms));
    if (profiles.find(model_of(w), "fast") != nullptr) continue;
    profiles.add(linear_profile(model_of(w), "fast", w.fixed_ms, w.per_item_ms, w.max_batch));
    profiles.add(
        linear_profile(model_of(w), "slow", 2 * w.fixed_ms, 2 * w.per_item_ms, w.max_batch));
  }
  Plan plan;
  for (const TestGpu& gpu : gpus) {
    PlanPartition partition;
    for (const TestReplica& replica : gpu.replicas) {
      std::string model = "*";
      for (const TestWorkload& w : workloads) {
        if (w.name == replica.workload) model = model_of(w);
      }
      PlanReplica planned = replica_of(replica.workload, model);
      if (replica.batch > 0) planned.batch = replica.batch;
      if (replica.duty_ms > 0) planned.duty_ms = replica.duty_ms;
      if (replica.rate_rps > 0) planned.rate_rps = replica.rate_rps;
      partition.replicas.push_back(std::move(planned));
    }
    plan.gpus.push_back({static_cast<std::uint32_t>(plan.gpus.size()),
                         gpu.type,
                         GpuMode::kWhole,
                         {std::move(partition)}});
  }
  return deploy(plan, list, profiles, routing);
}

Deployment with_weights(Deployment deployment,
                        const std::vector<double>& mib,
                        double cache_mib,
                        double mib_per_ms) {
  ProfileSet profiles;
  for (std::size_t m = 0; m < deployment.models.size(); ++m) {
    Profile profile = linear_profile(deployment.models[m], deployment.gpu_types.front(), 0, 1, 1);
    profile.weights_mib = mib[m % mib.size()];
    profiles.add(profile);
  }
  Cluster cluster;
  cluster.nodes.link_gb_per_s = mib_per_ms * 1024 * 1024 * 1e3 / 1e9;
  WeightsSpec spec;
  spec.managed = true;
  spec.cache_gib = cache_mib / 1024;
  manage_weights(deployment, cluster, profiles, spec);
  return deployment;
}

Deployment one_executor() {
  return deployment_of({{.name = "a"}}, {{}});
}

std::unique_ptr<Dispatcher> make_dispatcher(const std::string& name, const std::string& params) {
  const DispatcherEntry* entry = find_dispatcher(name);
  TANGRAM_CHECK(entry != nullptr, "no dispatcher ", name);
  Faults faults;
  const std::optional<Json> json = parse_json(params, "params", faults);
  faults.throw_if_any();
  const Params read = read_params(entry->info, JsonNode(*json, "params", faults), faults);
  faults.throw_if_any();
  return entry->make(read);
}

std::vector<TestArrival> arrivals_at_ms(const std::vector<double>& times, std::uint32_t workload) {
  std::vector<TestArrival> arrivals;
  for (const double t : times) arrivals.push_back({at_ms(t), workload});
  return arrivals;
}

std::vector<TestArrival> poisson_arrivals(std::uint32_t workloads,
                                          double rate_rps,
                                          std::size_t each,
                                          std::uint64_t seed) {
  std::vector<TestArrival> arrivals;
  for (std::uint32_t w = 0; w < workloads; ++w) {
    RandomStream stream(StreamKey(seed).with("arrivals").with(w));
    TimePoint t = kStart;
    for (std::size_t i = 0; i < each; ++i) {
      t += from_seconds(stream.exponential() / rate_rps);
      arrivals.push_back({t, w});
    }
  }
  std::stable_sort(arrivals.begin(), arrivals.end(),
                   [](const TestArrival& a, const TestArrival& b) { return a.time < b.time; });
  return arrivals;
}

std::string DriverResult::trace() const {
  std::vector<BatchRecord> sorted = batches;
  std::stable_sort(sorted.begin(), sorted.end(), [](const BatchRecord& a, const BatchRecord& b) {
    return std::pair(a.start, a.executor) < std::pair(b.start, b.executor);
  });
  std::vector<std::string> lines;
  for (const BatchRecord& batch : sorted) {
    std::vector<std::uint64_t> numbers;
    for (const RequestId id : batch.ids) numbers.push_back(id.number());
    lines.push_back(fmt::format("{}: {}/{}: {}", ms_text(batch.start), batch.executor.value(),
                                batch.queue.value(), fmt::join(numbers, " ")));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

std::string DriverResult::drop_trace() const {
  std::vector<std::string> lines;
  for (const DropRecord& drop : drops) {
    lines.push_back(fmt::format("{}: {}: {}", ms_text(drop.time),
                                drop_reason_names()[static_cast<std::size_t>(drop.reason)],
                                drop.id.number()));
  }
  return fmt::format("{}", fmt::join(lines, "; "));
}

DriverResult drive(const Deployment& deployment,
                   Dispatcher& dispatcher,
                   const std::vector<TestArrival>& arrivals,
                   const DriverOptions& options) {
  return Driver(deployment, dispatcher, arrivals, options).run();
}

}  // namespace tangram::testing
