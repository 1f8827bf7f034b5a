#include "engine/worker_pool.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <future>
#include <map>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "engine/worker_process.h"
#include "sim/core/check.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

using Steady = std::chrono::steady_clock;

// Among the tags of watched descriptors; a worker w has 2 w (channel) and 2 w + 1 (output).
constexpr std::uint64_t kWake = ~std::uint64_t{0};
// A process that closed its channel is ending; writing a core file may take a while.
constexpr std::chrono::milliseconds kEndsWithin{1'000};

Steady::time_point moment(std::int64_t ns) {
  return Steady::time_point(Steady::duration(ns));
}

Packet packet_to(LaneAddress at, PacketKind kind) {
  Packet packet;
  packet.kind = kind;
  packet.lane = at.lane;
  return packet;
}

}  // namespace

// The thread of the pool: it starts the processes, so that they live as long as it does, and reads
// what they send.
class WorkerPool::Reader {
 public:
  Reader(const PoolOptions& options,
         const std::vector<WorkerSpec>& specs,
         WorkerListener& listener);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  void wait_until_open() {
    if (opened_.get_future().get()) return;
    // The thread's share in the exception ends with it.
    thread_.join();
    std::rethrow_exception(failure_);
  }
  void send(LaneAddress at, const Packet& packet) {
    TANGRAM_CHECK(at.worker < workers_.size(), "there is no worker ", at.worker);
    workers_[at.worker].process->channel().send(packet);
  }
  const std::vector<WorkerGrant>& grants() const { return grants_; }
  pid_t process(std::uint32_t worker) const { return workers_.at(worker).process->id(); }

 private:
  struct Worker {
    std::unique_ptr<WorkerProcess> process;
    std::string unlimited;   // why its quota is not in force
    std::vector<bool> lost;  // by lane: told
    bool is_ready = false, is_gone = false;
  };

  void live();
  void start_all();
  void start(std::uint32_t w);
  void limit(std::uint32_t w);
  void watch(int descriptor, std::uint64_t tag) const;
  // Handles what has arrived, waiting for it until the deadline. Returns false at the deadline.
  bool turn(Steady::time_point deadline);
  void hear(std::uint32_t w);
  void take(std::uint32_t w, const Channel::Received& received);
  void tell(LaneAddress at, const Channel::Received& received);
  void became_ready(std::uint32_t w, const std::string& text);
  // The worker is gone; `why` says what it did.
  void lose(std::uint32_t w, const std::string& why);
  void lose_lane(LaneAddress at, const std::string& why);
  std::string name_of(std::uint32_t w) const;
  void wait_until_ready();
  void end_all();

  const PoolOptions options_;
  const std::vector<WorkerSpec> specs_;
  WorkerListener& listener_;
  std::map<std::string, std::unique_ptr<CpuQuota>> quotas_;  // by group; outlive the processes
  std::vector<Worker> workers_;
  std::vector<WorkerGrant> grants_;
  std::size_t ready_ = 0, gone_ = 0;
  bool is_open_ = false;
  std::atomic<bool> closing_ = false;
  int epoll_ = -1, wake_ = -1;
  std::exception_ptr failure_;  // written before the promise is kept
  std::promise<bool> opened_;
  std::thread thread_;
};

WorkerPool::Reader::Reader(const PoolOptions& options,
                           const std::vector<WorkerSpec>& specs,
                           WorkerListener& listener)
    : options_(options), specs_(specs), listener_(listener), workers_(specs.size()) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  grants_.resize(specs.size());
  thread_ = std::thread([this] { live(); });
}

WorkerPool::Reader::~Reader() {
  closing_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  ::close(epoll_);
  ::close(wake_);
}

void WorkerPool::Reader::live() {
  try {
    start_all();
    wait_until_ready();
    is_open_ = true;
  } catch (...) {
    for (Worker& worker : workers_) worker.process.reset();
    failure_ = std::current_exception();
  }
  opened_.set_value(is_open_);
  if (!is_open_) return;
  while (!closing_) turn(Steady::time_point::max());
  end_all();
}

void WorkerPool::Reader::watch(int descriptor, std::uint64_t tag) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
    throw SystemError(std::string("cannot watch a process: ") + std::strerror(errno));
  }
}

void WorkerPool::Reader::start_all() {
  watch(wake_, kWake);
  for (std::uint32_t w = 0; w < specs_.size(); ++w) start(w);
}

void WorkerPool::Reader::start(std::uint32_t w) {
  Worker& worker = workers_[w];
  worker.lost.resize(specs_[w].lanes.size());
  worker.process = std::make_unique<WorkerProcess>(
      find_worker_program(specs_[w].runner, options_.folder), specs_[w]);
  limit(w);
  watch(worker.process->channel().descriptor(), std::uint64_t{w} * 2);
  watch(worker.process->errors(), std::uint64_t{w} * 2 + 1);
  Packet open;
  open.kind = PacketKind::kOpen;
  // A worker that is gone already shows in its channel.
  worker.process->channel().send(open, to_json(specs_[w]).dump());
}

void WorkerPool::Reader::limit(std::uint32_t w) {
  const WorkerSpec& spec = specs_[w];
  if (spec.cpu_quota <= 0) return;
  const std::string group =
      spec.quota_group.empty() ? "worker-" + std::to_string(w) : spec.quota_group;
  try {
    std::unique_ptr<CpuQuota>& quota = quotas_[group];
    if (!quota) {
      const auto place = options_.cgroup ? options_.cgroup : find_cgroup();
      if (!place) throw SystemError("this system has no control groups of the processor");
      quota = std::make_unique<CpuQuota>(*place, group, spec.cpu_quota);
    }
    quota->add(workers_[w].process->id());
  } catch (const SystemError& error) {
    workers_[w].unlimited = error.what();
  }
}

bool WorkerPool::Reader::turn(Steady::time_point deadline) {
  int wait_ms = -1;
  if (deadline != Steady::time_point::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    if (left.count() <= 0) return false;
    wait_ms = static_cast<int>(left.count());
  }
  std::array<epoll_event, 32> events{};
  const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms);
  for (int i = 0; i < n; ++i) {
    const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
    if (tag == kWake) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t size = ::read(wake_, &count, sizeof count);
      continue;
    }
    const auto w = static_cast<std::uint32_t>(tag / 2);
    if (workers_[w].is_gone) continue;
    if (tag % 2 == 0) {
      hear(w);
    } else if (!workers_[w].process->read_errors()) {
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, workers_[w].process->errors(), nullptr);
    }
  }
  return true;
}

void WorkerPool::Reader::hear(std::uint32_t w) {
  std::optional<Channel::Received> received;
  try {
    received = workers_[w].process->channel().receive();
  } catch (const SystemError&) {
    workers_[w].process->kill();
  }
  if (received) {
    take(w, *received);
  } else {
    lose(w, workers_[w].process->reap(kEndsWithin));
  }
}

std::string WorkerPool::Reader::name_of(std::uint32_t w) const {
  std::string name = "worker " + std::to_string(w);
  if (const auto& process = workers_[w].process) {
    name += " (process " + std::to_string(process->id()) + ')';
  }
  return name;
}

void WorkerPool::Reader::take(std::uint32_t w, const Channel::Received& received) {
  const Packet& packet = received.packet;
  if (packet.kind == PacketKind::kReady) {
    became_ready(w, received.text);
  } else if (packet.kind == PacketKind::kFailed) {
    const auto fault = static_cast<RunnerFault>(packet.fault);
    if (!is_open_ && fault == RunnerFault::kLoadFailed) throw ConfigError("", received.text);
    lose(w, to_string(fault) + ": " + received.text);
  } else if (is_open_ && !closing_ && packet.lane < workers_[w].lost.size()) {
    tell({w, packet.lane}, received);
  }
}

void WorkerPool::Reader::tell(LaneAddress at, const Channel::Received& received) {
  const Packet& packet = received.packet;
  switch (packet.kind) {
    case PacketKind::kStarted:
      return listener_.started(at, packet.batch, moment(packet.begin));
    case PacketKind::kFinished:
      return listener_.finished(at, packet.batch, moment(packet.begin), moment(packet.end));
    case PacketKind::kRefused:
      return listener_.refused(at, packet.batch, packet.refusal, received.text);
    case PacketKind::kLoaded:
      return listener_.loaded(
          at, packet.model,
          {std::chrono::nanoseconds(packet.end - packet.begin), packet.weights_mib});
    case PacketKind::kTraced:
      return listener_.traced(at, packet.model, received.text);
    case PacketKind::kUnloaded:
      return listener_.unloaded(at, packet.model);
    case PacketKind::kLoadFailed:
      return listener_.load_failed(
          at, packet.model, RunnerError(static_cast<RunnerFault>(packet.fault), received.text));
    case PacketKind::kLaneLost:
      return lose_lane(at, received.text);
    default:
      return;
  }
}

void WorkerPool::Reader::became_ready(std::uint32_t w, const std::string& text) {
  WorkerGrant& grant = grants_[w];
  grant = worker_grant_from(Json::parse(text));
  grant.lanes.resize(specs_[w].lanes.size());
  for (LaneGrant& lane : grant.lanes) {
    if (workers_[w].unlimited.empty()) continue;
    lane.share = {};
    lane.note = "its share of the core is not limited: " + workers_[w].unlimited;
  }
  workers_[w].is_ready = true;
  ++ready_;
}

void WorkerPool::Reader::lose(std::uint32_t w, const std::string& why) {
  Worker& worker = workers_[w];
  if (!worker.is_gone) {
    worker.is_gone = true;
    ++gone_;
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, worker.process->channel().descriptor(), nullptr);
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, worker.process->errors(), nullptr);
  }
  const std::string what = name_of(w) + ": " + why;
  if (!is_open_) throw SystemError(what);
  for (std::uint32_t lane = 0; lane < worker.lost.size(); ++lane) lose_lane({w, lane}, what);
}

void WorkerPool::Reader::lose_lane(LaneAddress at, const std::string& why) {
  if (closing_ || workers_[at.worker].lost[at.lane]) return;
  workers_[at.worker].lost[at.lane] = true;
  listener_.lost(at, why);
}

void WorkerPool::Reader::wait_until_ready() {
  const auto deadline = Steady::now() + options_.ready_within;
  while (ready_ < workers_.size()) {
    if (turn(deadline)) continue;
    for (std::uint32_t w = 0; w < workers_.size(); ++w) {
      if (workers_[w].is_ready) continue;
      workers_[w].process->kill();
      throw SystemError(name_of(w) + " was not ready within " +
                        std::to_string(options_.ready_within.count()) + " ms; it " +
                        workers_[w].process->reap(kEndsWithin));
    }
  }
}

void WorkerPool::Reader::end_all() {
  const auto deadline = Steady::now() + options_.close_within;
  Packet close;
  close.kind = PacketKind::kClose;
  for (Worker& worker : workers_) {
    if (!worker.is_gone) worker.process->channel().send(close);
  }
  while (gone_ < workers_.size() && turn(deadline)) {
  }
  for (Worker& worker : workers_) worker.process->kill();
  for (Worker& worker : workers_) worker.process->reap(kEndsWithin);
}

WorkerPool::WorkerPool(PoolOptions options) : options_(std::move(options)) {}

WorkerPool::~WorkerPool() = default;

const std::vector<WorkerGrant>& WorkerPool::open(const std::vector<WorkerSpec>& specs,
                                                 WorkerListener& listener) {
  TANGRAM_CHECK(!reader_, "the pool is open");
  auto reader = std::make_unique<Reader>(options_, specs, listener);
  reader->wait_until_open();
  reader_ = std::move(reader);
  return reader_->grants();
}

const std::vector<WorkerGrant>& WorkerPool::grants() const {
  TANGRAM_CHECK(reader_, "the pool is not open");
  return reader_->grants();
}

void WorkerPool::run(LaneAddress at,
                     BatchId batch,
                     std::uint32_t model,
                     std::uint32_t size,
                     Steady::time_point earliest,
                     Steady::time_point latest) {
  Packet packet = packet_to(at, PacketKind::kRun);
  packet.batch = batch;
  packet.model = model;
  packet.size = size;
  packet.begin = earliest.time_since_epoch().count();
  packet.end = latest.time_since_epoch().count();
  reader_->send(at, packet);
}

void WorkerPool::load(LaneAddress at, std::uint32_t model) {
  Packet packet = packet_to(at, PacketKind::kLoad);
  packet.model = model;
  reader_->send(at, packet);
}

void WorkerPool::unload(LaneAddress at, std::uint32_t model) {
  Packet packet = packet_to(at, PacketKind::kUnload);
  packet.model = model;
  reader_->send(at, packet);
}

void WorkerPool::trace(LaneAddress at, std::uint32_t model, std::uint32_t size) {
  Packet packet = packet_to(at, PacketKind::kTrace);
  packet.model = model;
  packet.size = size;
  reader_->send(at, packet);
}

pid_t WorkerPool::process(std::uint32_t worker) const {
  return reader_->process(worker);
}

void WorkerPool::close() {
  reader_.reset();
}

}  // namespace tangram
