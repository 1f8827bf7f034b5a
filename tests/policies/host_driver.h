// Runs a dispatcher through the Host against a fake device on an event queue: no simulator, every
// batch and drop recorded, faults injected on demand. Deterministic by its seed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policies/host.h"
#include "policies/registry.h"

namespace tangram::testing {

// A workload of a model of its own, unless `model` names one: latency(b) = fixed + per_item * b ms,
// b <= max_batch, on GPU type "fast"; twice that on "slow".
struct TestWorkload {
  std::string name;
  double slo_ms = 100;
  double fixed_ms = 0;
  double per_item_ms = 1;
  std::uint32_t max_batch = 8;
  std::string model = {};
};

struct TestReplica {
  std::string workload = "*";
  std::uint32_t batch = 0;  // planned; 0: none
  double duty_ms = 0;       // 0: none
  double rate_rps = 0;      // 0: none
};
// A whole GPU with one executor that serves the replicas.
struct TestGpu {
  std::vector<TestReplica> replicas{TestReplica{}};
  std::string type = "fast";
};

Deployment deployment_of(const std::vector<TestWorkload>& workloads,
                         const std::vector<TestGpu>& gpus,
                         Routing routing = Routing::kCentral);

// Workload "a" alone on one executor: latency(b) = b ms, b <= 8.
Deployment one_executor();

// The deployment with managed weights: sizes by model, in their order; the executors' memory; a
// link that moves mib_per_ms.
Deployment with_weights(Deployment deployment,
                        const std::vector<double>& mib,
                        double cache_mib,
                        double mib_per_ms);

// A registered policy; `params` is a JSON object. Throws when there is no such policy or parameter.
std::unique_ptr<Dispatcher> make_dispatcher(const std::string& name,
                                            const std::string& params = "{}");

constexpr TimePoint at_ms(double ms) {
  return kStart + from_ms(ms);
}

struct TestArrival {
  TimePoint time;
  std::uint32_t workload = 0;
};
// One workload, at these times in ms (ascending).
std::vector<TestArrival> arrivals_at_ms(const std::vector<double>& times,
                                        std::uint32_t workload = 0);
// Poisson arrivals of every workload at this rate each, merged in time.
std::vector<TestArrival> poisson_arrivals(std::uint32_t workloads,
                                          double rate_rps,
                                          std::size_t each,
                                          std::uint64_t seed);

struct Outage {
  TimePoint time;
  ExecutorId executor;
  bool up = false;
};

struct DriverOptions {
  std::uint32_t depth = 2;
  bool exponential = false;  // actual duration: belief times an exponential of mean 1
  double refuse = 0;         // share of batches that the device refuses when it gets to them
  Duration start_delay{};    // mean of an exponential delay between decision and start
  Duration latest = Duration::max();  // batches that start later than this after their decision are
                                      // refused
  std::vector<Outage> outages = {};   // ascending in time
  TimePoint end = kNever;             // nothing that is later happens
  std::uint64_t seed = 1;
};

struct BatchRecord {
  TimePoint decided, start, finish;
  ExecutorId executor;
  QueueId queue;
  std::vector<RequestId> ids;
};
struct DropRecord {
  TimePoint time;
  RequestId id;
  DropReason reason;
};

struct DriverResult {
  std::vector<BatchRecord> batches;  // that finished, in the order of their finishes
  std::vector<DropRecord> drops;
  std::vector<Loaded> loads;  // of weights, in the order of their ends
  std::vector<RequestId> offered;
  std::vector<RequestId> unanswered;  // in queues or in flight
  std::uint64_t queued = 0, in_flight = 0;
  HostCounters counters;
  MessageLog log;

  // Of every finished batch "start ms: executor/queue: the numbers of its requests", in the order
  // of their starts: "3: 0/0: 0 1; 13.5: 0/0: 2".
  std::string trace() const;
  // Of every drop "time ms: reason: number", in order: "3: queue_full: 7".
  std::string drop_trace() const;
};

DriverResult drive(const Deployment& deployment,
                   Dispatcher& dispatcher,
                   const std::vector<TestArrival>& arrivals,
                   const DriverOptions& options = {});

}  // namespace tangram::testing
