#include "engine/emulated.h"

#include <latch>
#include <system_error>
#include <thread>

#include "engine/worker/job_queue.h"
#include "sim/core/error.h"

namespace tangram {

// One executor: a thread and the batches sent to it.
class EmulatedBackend::Worker {
 public:
  struct Job {
    RunCommand command;
    Duration duration{};
  };

  // dies_in: the number of the batch that kills it; 0: none.
  Worker(ExecutorId self,
         const RealClock& clock,
         Inbox& inbox,
         std::uint32_t dies_in,
         std::latch& ready)
      : self_(self), clock_(clock), inbox_(inbox), dies_in_(dies_in), thread_([this, &ready] {
          const PreciseTimers precise;
          ready.count_down();
          work();
        }) {}
  ~Worker() { close(); }

  void submit(const Job& job) { jobs_.push(job); }
  void close() {
    jobs_.close();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void work();
  // Runs or refuses a batch. Returns false when the worker is to end.
  bool serve(const Job& job);
  // Returns false when the worker is to close before that time.
  bool wait_until(TimePoint t) { return jobs_.wait_until(clock_.moment(t)); }

  const ExecutorId self_;
  const RealClock& clock_;
  Inbox& inbox_;
  const std::uint32_t dies_in_;
  std::uint32_t begun_ = 0;
  JobQueue<Job> jobs_;  // not yet begun
  std::thread thread_;  // last: it uses all of the above
};

void EmulatedBackend::Worker::work() {
  while (const auto job = jobs_.take()) {
    if (!serve(*job)) return;
  }
}

bool EmulatedBackend::Worker::serve(const Job& job) {
  const Window& window = job.command.window;
  const bool possible = window.earliest <= window.latest && clock_.now() <= window.latest;
  if (possible && !wait_until(window.earliest)) return false;
  const TimePoint start = clock_.now();
  if (!possible || start > window.latest) {
    inbox_.post(RefusedPost{job.command.batch, Refusal::kTooLate});
    return true;
  }
  inbox_.post_quietly(StartedPost{job.command.batch, self_, start});
  const bool dies = ++begun_ == dies_in_;
  if (!wait_until(start + (dies ? job.duration / 2 : job.duration))) return false;
  if (dies) {
    inbox_.post(ExecutorPost{self_, false});
    return false;
  }
  inbox_.post(FinishedPost{job.command.batch, start, clock_.now(), job.duration});
  return true;
}

// The link of one GPU: a thread that says so when a load is over.
class EmulatedBackend::Link {
 public:
  struct Job {
    ExecutorId executor;
    ModelId model;
    WeightTransfers::Span span;
  };
  Link(const RealClock& clock, Inbox& inbox)
      : clock_(clock), inbox_(inbox), thread_([this] {
          const PreciseTimers precise;
          while (const auto job = jobs_.take()) {
            if (!jobs_.wait_until(clock_.moment(job->span.end))) return;
            inbox_.post(
                WeightsPost{job->executor, job->model, true, job->span.start, clock_.now()});
          }
        }) {}
  ~Link() { close(); }
  void submit(const Job& job) { jobs_.push(job); }
  void close() {
    jobs_.close();
    if (thread_.joinable()) thread_.join();
  }

 private:
  const RealClock& clock_;
  Inbox& inbox_;
  JobQueue<Job> jobs_;
  std::thread thread_;  // last: it uses all of the above
};

EmulatedBackend::EmulatedBackend(const Scenario& scenario,
                                 StreamKey key,
                                 std::vector<InjectedLoss> losses)
    : scenario_(&scenario), key_(key), losses_(std::move(losses)) {}

EmulatedBackend::~EmulatedBackend() {
  close();
}

void EmulatedBackend::open(const Deployment& deployment, const RealClock& clock, Inbox& inbox) {
  const std::size_t n = deployment.executors.size();
  if (n > kMostExecutors) {
    throw ConfigError("--backend emulated",
                      "the plan has " + std::to_string(n) +
                          " executors and this backend starts a thread for each, at most " +
                          std::to_string(kMostExecutors) +
                          "; take fewer GPUs or processes, or simulate with `tangram run`");
  }
  if (scenario_->beliefs) {
    throw ConfigError("--backend emulated",
                      "waits for as long as the policy believes: leave out /beliefs, or simulate "
                      "with `tangram run`");
  }
  deployment_ = &deployment;
  clock_ = &clock;
  if (deployment.weights.managed()) {
    transfers_.emplace(deployment);
    for (std::size_t g = 0; g < deployment.gpus.size(); ++g) {
      links_.push_back(std::make_unique<Link>(clock, inbox));
    }
  }
  times_.emplace(deployment, scenario_->profiles, key_);
  std::latch ready(static_cast<std::ptrdiff_t>(n));
  for (std::size_t e = 0; e < n; ++e) {
    std::uint32_t dies_in = 0;
    for (const InjectedLoss& loss : losses_) {
      if (loss.executor.index() == e) dies_in = loss.in_batch;
    }
    try {
      workers_.push_back(std::make_unique<Worker>(ExecutorId(e), clock, inbox, dies_in, ready));
    } catch (const std::system_error& error) {
      // The latch must outlive the threads that were told of it.
      const std::size_t started = workers_.size();
      workers_.clear();
      throw SystemError("cannot start worker thread " + std::to_string(started + 1) + " of " +
                        std::to_string(n) + ": " + error.what());
    }
  }
  ready.wait();
}

Duration EmulatedBackend::draw(const RunCommand& command) {
  const ClassId cls = deployment_->executors[command.executor.index()].cls;
  const ExecutorClass& info = deployment_->classes[cls.index()];
  const auto service = info.find(command.queue) - info.services.data();
  return times_->draw(times_->services(cls)[service], command.size) +
         from_ms(scenario_->device.overhead_ms);
}

void EmulatedBackend::submit(const RunCommand& command) {
  // Drawn here, by the one thread that submits: the streams need no lock, and the order of the
  // draws is that of the decisions.
  workers_[command.executor.index()]->submit({command, draw(command)});
}

// The time that a load takes is found here, in the order of the decisions.
void EmulatedBackend::load(ExecutorId executor, ModelId model) {
  const GpuId gpu = deployment_->executors[executor.index()].gpu;
  links_[gpu.index()]->submit({executor, model, transfers_->load(executor, model, clock_->now())});
}

void EmulatedBackend::close() {
  for (const std::unique_ptr<Link>& link : links_) link->close();
  for (const std::unique_ptr<Worker>& worker : workers_) worker->close();
}

std::vector<std::string> EmulatedBackend::granted() const {
  std::vector<std::string> notes{
      "emulated: " + std::to_string(workers_.size()) +
      " executors, a thread each, wait for the profiled time of a batch"};
  std::vector<std::uint32_t> on_gpu(deployment_->gpus.size());
  bool shared = false;
  for (const ExecutorInfo& executor : deployment_->executors) {
    shared |= ++on_gpu[executor.gpu.index()] > 1;
  }
  if (shared) {
    notes.push_back(
        "emulated: executors on one GPU run at their full speed at the same time; sharing and "
        "interference are not emulated");
  }
  return notes;
}

}  // namespace tangram
