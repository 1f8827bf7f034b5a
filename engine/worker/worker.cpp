#include "engine/worker/worker.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <future>
#include <malloc.h>
#include <new>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>

#include "engine/clock.h"
#include "engine/worker/job_queue.h"

namespace tangram {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kFailedStatus = 3;
// A model's first runs choose algorithms and compile; the third is like all that follow.
constexpr int kWarmRuns = 3;

std::int64_t now_ns() {
  return Steady::now().time_since_epoch().count();
}
Steady::time_point moment(std::int64_t ns) {
  return Steady::time_point(Steady::duration(ns));
}

// What went wrong, whatever was thrown.
struct Failure {
  RunnerFault fault;
  std::string what;
};
Failure current_failure() {
  try {
    throw;
  } catch (const RunnerError& error) {
    return {error.fault(), error.what()};
  } catch (const std::bad_alloc&) {
    return {RunnerFault::kOutOfMemory, "out of memory"};
  } catch (const std::exception& error) {
    return {RunnerFault::kUnsupported, error.what()};
  }
}

class LaneThread {
 public:
  LaneThread(Channel& engine, WorkerDevice& device, const WorkerSpec& spec, std::size_t index)
      : engine_(engine), spec_(spec), index_(index), loaded_(spec.models.size()) {
    thread_ = std::thread([this, &device] { live(device); });
  }
  ~LaneThread() {
    jobs_.close();
    if (thread_.joinable()) thread_.join();
  }
  LaneThread(const LaneThread&) = delete;
  LaneThread& operator=(const LaneThread&) = delete;

  // Waits until the lane can run; throws RunnerError when it never will.
  LaneGrant ready() {
    if (!is_ready_.get_future().get()) {
      // The thread's share in the exception ends with it.
      thread_.join();
      std::rethrow_exception(failure_);
    }
    return grant_;
  }
  void push(const Packet& packet) { jobs_.push(packet); }
  void close() { jobs_.close(); }

 private:
  void live(WorkerDevice& device);
  void prepare();
  // Each returns false when the lane is to end.
  bool serve(const Packet& job);
  bool run(const Packet& job);
  bool run_now(const Packet& job);
  void load(const Packet& job);
  void unload(const Packet& job);
  void list_kernels(const Packet& job);
  // Reports a batch that failed.
  bool failed(const Packet& job, const Failure& failure);
  void check_loaded(std::uint32_t model, bool loaded) const;
  // A packet about a job, of another kind.
  static Packet about(const Packet& job, PacketKind kind) {
    Packet packet = job;
    packet.kind = kind;
    return packet;
  }

  Channel& engine_;
  const WorkerSpec& spec_;
  const std::size_t index_;
  std::unique_ptr<Lane> lane_;
  std::vector<bool> loaded_;  // by model
  std::uint32_t failures_ = 0;
  JobQueue<Packet> jobs_;
  LaneGrant grant_;  // these two: written before the promise is kept
  std::exception_ptr failure_;
  std::promise<bool> is_ready_;
  std::thread thread_;
};

void LaneThread::live(WorkerDevice& device) {
  const PreciseTimers precise;
  try {
    lane_ = device.open(spec_.lanes[index_], index_);
    prepare();
    grant_ = lane_->grant();
  } catch (...) {
    lane_.reset();
    failure_ = std::current_exception();
  }
  is_ready_.set_value(failure_ == nullptr);
  if (failure_) return;
  while (const auto job = jobs_.take()) {
    if (!serve(*job)) break;
  }
  // By the thread that made it.
  lane_.reset();
}

void LaneThread::prepare() {
  for (const std::uint32_t m : spec_.lanes[index_].models) {
    lane_->load(m);
    loaded_[m] = true;
    for (const std::uint32_t batch : spec_.models[m].warm_batches) {
      for (int i = 0; i < kWarmRuns; ++i) lane_->run(m, batch);
    }
  }
}

bool LaneThread::serve(const Packet& job) {
  switch (job.kind) {
    case PacketKind::kRun:
      return run(job);
    case PacketKind::kLoad:
      load(job);
      return true;
    case PacketKind::kTrace:
      list_kernels(job);
      return true;
    default:
      unload(job);
      return true;
  }
}

bool LaneThread::run(const Packet& job) {
  const bool possible = job.begin <= job.end && now_ns() <= job.end;
  if (possible && !jobs_.wait_until(moment(job.begin))) return false;
  if (!possible || now_ns() > job.end) {
    Packet refused = about(job, PacketKind::kRefused);
    refused.refusal = Refusal::kTooLate;
    engine_.send(refused);
    return true;
  }
  try {
    return run_now(job);
  } catch (...) {
    return failed(job, current_failure());
  }
}

bool LaneThread::run_now(const Packet& job) {
  check_loaded(job.model, true);
  Packet report = about(job, PacketKind::kStarted);
  report.begin = now_ns();
  engine_.send(report);
  lane_->run(job.model, job.size);
  report.kind = PacketKind::kFinished;
  report.end = now_ns();
  engine_.send(report);
  failures_ = 0;
  return true;
}

bool LaneThread::failed(const Packet& job, const Failure& failure) {
  if (failure.fault == RunnerFault::kDeviceLost) {
    Packet report = about(job, PacketKind::kFailed);
    report.fault = static_cast<std::uint8_t>(failure.fault);
    engine_.send(report, failure.what);
    // The other lanes may hang in calls to the device that is gone.
    std::_Exit(kFailedStatus);
  }
  if (failure.fault == RunnerFault::kOutOfMemory && ++failures_ < kMostFailures) {
    Packet report = about(job, PacketKind::kRefused);
    report.refusal = Refusal::kLost;
    engine_.send(report, failure.what);
    return true;
  }
  std::string what = failure.what;
  if (failures_ >= kMostFailures) {
    what = std::to_string(failures_) + " batches in a row failed, the last: " + what;
  }
  engine_.send(about(job, PacketKind::kLaneLost), what);
  return false;
}

void LaneThread::check_loaded(std::uint32_t model, bool loaded) const {
  if (model >= loaded_.size()) {
    throw RunnerError(RunnerFault::kUnsupported,
                      "there is no model " + std::to_string(model) + " on this worker");
  }
  if (loaded_[model] != loaded) {
    throw RunnerError(
        RunnerFault::kUnsupported,
        spec_.models[model].name + (loaded ? " is not loaded on the lane" : " is loaded already"));
  }
}

void LaneThread::load(const Packet& job) {
  Packet report = about(job, PacketKind::kLoaded);
  report.begin = now_ns();
  try {
    check_loaded(job.model, false);
    lane_->load(job.model);
    report.end = now_ns();
    loaded_[job.model] = true;
    report.weights_mib = lane_->weights_mib(job.model);
    engine_.send(report);
  } catch (...) {
    const Failure failure = current_failure();
    report.kind = PacketKind::kLoadFailed;
    report.fault = static_cast<std::uint8_t>(failure.fault);
    engine_.send(report, failure.what);
  }
}

void LaneThread::unload(const Packet& job) {
  Packet report = about(job, PacketKind::kUnloaded);
  report.begin = now_ns();
  try {
    check_loaded(job.model, true);
    loaded_[job.model] = false;
    lane_->unload(job.model);
    report.end = now_ns();
    engine_.send(report);
  } catch (...) {
    const Failure failure = current_failure();
    report.kind = PacketKind::kLoadFailed;
    report.fault = static_cast<std::uint8_t>(failure.fault);
    engine_.send(report, failure.what);
  }
}

void LaneThread::list_kernels(const Packet& job) {
  try {
    check_loaded(job.model, true);
    engine_.send(about(job, PacketKind::kTraced),
                 kernels_to_json(lane_->kernels(job.model, job.size))
                     .dump(-1, ' ', true, Json::error_handler_t::replace));
  } catch (...) {
    const Failure failure = current_failure();
    Packet report = about(job, PacketKind::kLoadFailed);
    report.fault = static_cast<std::uint8_t>(failure.fault);
    engine_.send(report, failure.what);
  }
}

class Worker {
 public:
  Worker(Channel& engine, const std::vector<RunnerEntry>& runners)
      : engine_(engine), runners_(runners) {}

  int serve();

 private:
  void open(const std::string& text);
  // Hands packets to the lanes until the engine says close. Returns false when it is gone.
  bool hand_out();

  Channel& engine_;
  const std::vector<RunnerEntry>& runners_;
  WorkerSpec spec_;
  std::unique_ptr<WorkerDevice> device_;
  std::vector<std::unique_ptr<LaneThread>> lanes_;
};

int Worker::serve() {
  const auto first = engine_.receive();
  if (!first) return 0;
  try {
    if (first->packet.kind != PacketKind::kOpen) {
      throw RunnerError(RunnerFault::kUnsupported, "the first packet was not a specification");
    }
    open(first->text);
  } catch (...) {
    const Failure failure = current_failure();
    Packet report;
    report.kind = PacketKind::kFailed;
    report.fault = static_cast<std::uint8_t>(failure.fault);
    engine_.send(report, failure.what);
    return kFailedStatus;
  }
  // Nobody waits for what still runs, and a lane may be in the middle of an hour.
  if (!hand_out()) std::_Exit(0);
  for (const auto& lane : lanes_) lane->close();
  return 0;
}

void Worker::open(const std::string& text) {
  spec_ = worker_spec_from(Json::parse(text));
  const RunnerEntry* entry = nullptr;
  std::vector<std::string> names;
  for (const RunnerEntry& runner : runners_) {
    names.push_back(runner.name);
    if (runner.name == spec_.runner) entry = &runner;
  }
  if (entry == nullptr) {
    throw RunnerError(RunnerFault::kUnsupported, unknown_name("runner", spec_.runner, names));
  }
  device_ = entry->make(spec_);
  WorkerGrant grant = device_->describe();
  for (std::size_t i = 0; i < spec_.lanes.size(); ++i) {
    lanes_.push_back(std::make_unique<LaneThread>(engine_, *device_, spec_, i));
  }
  grant.lanes.clear();
  for (const auto& lane : lanes_) grant.lanes.push_back(lane->ready());
  Packet ready;
  ready.kind = PacketKind::kReady;
  engine_.send(ready, to_json(grant).dump());
}

bool Worker::hand_out() {
  while (const auto received = engine_.receive()) {
    const Packet& packet = received->packet;
    switch (packet.kind) {
      case PacketKind::kRun:
      case PacketKind::kLoad:
      case PacketKind::kUnload:
      case PacketKind::kTrace:
        if (packet.lane < lanes_.size()) lanes_[packet.lane]->push(packet);
        break;
      case PacketKind::kClose:
        return true;
      default:
        break;
    }
  }
  return false;
}

// Buffers of inference come and go with every batch: returned to the system each time, they cost a
// page fault per page, and the latency of a small model has two humps.
void keep_memory() {
  constexpr int kTrim = 1 << 30;
  constexpr int kPad = 64 << 20;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, kTrim);
  mallopt(M_TOP_PAD, kPad);
}

}  // namespace

std::string to_string(RunnerFault fault) {
  switch (fault) {
    case RunnerFault::kOutOfMemory:
      return "out of memory";
    case RunnerFault::kLoadFailed:
      return "load failed";
    case RunnerFault::kDeviceLost:
      return "device lost";
    case RunnerFault::kUnsupported:
      return "unsupported";
  }
  return "";
}

int serve(Channel& engine, const std::vector<RunnerEntry>& runners) {
  return Worker(engine, runners).serve();
}

int worker_main(int argc, char** argv, const std::vector<RunnerEntry>& runners) {
  const bool has_socket = ::fcntl(kWorkerSocket, F_GETFD) >= 0;
  char* end = nullptr;
  const long parent = argc == 2 ? std::strtol(argv[1], &end, 10) : 0;
  if (!has_socket || parent <= 0 || *end != '\0') {
    std::fputs("This program is started by tangram-engine; it does nothing by itself.\n", stderr);
    return 2;
  }
  // A closed socket says the same, but not to a worker that hangs in a driver.
  prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(SIGKILL), 0UL, 0UL, 0UL);
  if (::getppid() != static_cast<pid_t>(parent)) return 0;
  ::fcntl(kWorkerSocket, F_SETFD, FD_CLOEXEC);
  keep_memory();
  try {
    Channel engine(kWorkerSocket);
    return serve(engine, runners);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return kFailedStatus;
  }
}

}  // namespace tangram
