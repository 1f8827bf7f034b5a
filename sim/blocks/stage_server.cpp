#include "sim/blocks/stage_server.h"

#include <algorithm>
#include <utility>

#include "sim/core/check.h"

namespace tangram {
namespace {

// Blocks that one notification record stands for (Paella's compiler pass).
constexpr std::uint32_t kBlocksPerRecord = 16;

std::uint32_t records(std::uint32_t blocks) {
  return std::max(1U, (blocks + kBlocksPerRecord - 1) / kBlocksPerRecord);
}

}  // namespace

StageServer::StageServer(const BlockSpec& spec,
                         const StageTarget& target,
                         std::vector<StageProgram> programs,
                         std::vector<StageSlot> slots,
                         std::unique_ptr<StageDispatcher> policy,
                         StreamKey key)
    : spec_(spec),
      target_(target),
      programs_(std::move(programs)),
      slots_(std::move(slots)),
      policy_(std::move(policy)),
      view_(target_, models_),
      jobs_in_(slots_.size()) {
  for (const StageProgram& program : programs_) {
    models_.push_back(program.model);
    Duration alone{};
    for (const StageInfo& stage : program.model.stages) alone += stage.alone;
    alone_.push_back(alone);
  }
  view_.set(kStart, stage_jobs_);
  setup_ = policy_->setup(view_);
  const auto places = static_cast<std::uint32_t>(slots_.size());
  const auto processes =
      setup_.client_per_workload ? static_cast<std::uint32_t>(programs_.size()) : 1U;
  std::vector<ClientSpec> clients;
  for (std::uint32_t p = 0; p < processes; ++p) {
    for (std::uint32_t s = 0; s < places; ++s) {
      const StageSlot& slot = slots_[s];
      const std::uint32_t turns = slot.own_context ? places : 1;
      const std::uint32_t context =
          (setup_.time_sliced ? p * turns : 0) + (slot.own_context ? s : 0);
      clients.push_back({context, slot.sms_cap, slot.first_sm, slot.sms});
    }
  }
  free_at_.assign(clients.size(), kStart);
  device_ = std::make_unique<BlockDevice>(spec_, target_.sm, target_.sms, clients, key);
}

std::uint32_t StageServer::client_of(JobId id) const {
  const auto places = static_cast<std::uint32_t>(slots_.size());
  const std::uint32_t process =
      setup_.client_per_workload ? stage_jobs_[id.index()].workload.value() : 0;
  return process * places + jobs_[id.index()].slot;
}

void StageServer::submit(
    WorkloadId workload, std::uint32_t slot, double stretch, std::uint64_t user, TimePoint now) {
  JobId id(jobs_.size());
  if (free_jobs_.empty()) {
    jobs_.emplace_back();
    stage_jobs_.emplace_back();
  } else {
    id = free_jobs_.back();
    free_jobs_.pop_back();
  }
  Job& job = jobs_[id.index()];
  job.active = true;
  job.slot = slot;
  job.stretch = stretch;
  job.user = user;
  job.decided = job.start = kNever;
  job.tags.clear();
  stage_jobs_[id.index()] = {workload, accepted_++, now, 0, 0};
  ++active_;
  ++jobs_in_[slot];
  requests_.push_back({now, {StageMessage::Kind::kArrived, id}});
}

TimePoint StageServer::next_server() const {
  TimePoint t = kNever;
  if (!requests_.empty()) t = requests_.front().at;
  if (!notices_.empty()) t = std::min(t, notices_.front().at);
  if (t == kNever || !setup_.server) return t;
  return std::max(t, free_at_[0]);
}

void StageServer::advance_device(TimePoint now) {
  device_->advance(now);
  read_reports(now);
}

void StageServer::read_reports(TimePoint now) {
  if (device_->reports().empty()) return;
  for (const DeviceReport& r : device_->reports()) report(r, r.tag, now);
  device_->clear_reports();
}

// Turns a report into the messages that the policy asked for, one per job of a merged launch.
void StageServer::report(const DeviceReport& r, std::uint32_t t, TimePoint now) {
  using Kind = DeviceReport::Kind;
  const TimePoint at = now + spec_.notify;
  Tag& tag = tags_[t];
  const JobId job = tag.job;
  const StageModel& model = models_[stage_jobs_[job.index()].workload.index()];
  const auto tell = [&](StageMessage::Kind kind) {
    notices_.push_back(
        {at, {kind, job, tag.stage, std::min(r.blocks, model.stages[tag.stage].blocks)}});
  };
  const std::uint32_t with = tag.with;
  if (r.kind == Kind::kPlaced) {
    if (tag.watched) tell(StageMessage::Kind::kPlaced);
  } else if (r.kind == Kind::kEnded) {
    if (setup_.released) tell(StageMessage::Kind::kReleased);
  } else {
    const bool is_killed = r.kind == Kind::kKilled;
    const bool is_last = tag.stage + 1 == model.stages.size();
    if (is_killed || is_last || setup_.finished) {
      tell(is_killed ? StageMessage::Kind::kKilled : StageMessage::Kind::kFinished);
    } else {
      stage_jobs_[job.index()].finished = tag.stage + 1;
    }
    std::vector<std::uint32_t>& own = jobs_[job.index()].tags;
    own.erase(std::find(own.begin(), own.end(), t));
    tag.merged.reset();
    free_tags_.push_back(t);
  }
  if (with != kNone) report(r, with, now);
}

// What the server reads for a message: a record per 16 blocks that began or ended.
std::uint32_t StageServer::records_of(const StageMessage& message) const {
  if (message.kind == StageMessage::Kind::kArrived) return 1;
  std::uint32_t count = records(message.blocks);
  if (message.kind == StageMessage::Kind::kFinished) {
    const StageModel& model = models_[stage_jobs_[message.job.index()].workload.index()];
    count += records(model.stages[message.stage].blocks);  // those of the blocks' starts
  }
  return count;
}

void StageServer::advance_server(TimePoint now) {
  while (next_server() <= now) {
    const bool is_notice =
        !notices_.empty() && (requests_.empty() || notices_.front().at <= requests_.front().at);
    Ring<Notice>& box = is_notice ? notices_ : requests_;
    const StageMessage message = box.front().message;
    box.pop_front();
    if (setup_.server) free_at_[0] = now + spec_.poll * records_of(message);
    handle(message, now);
  }
  read_reports(now);
}

void StageServer::handle(const StageMessage& message, TimePoint now) {
  ++messages_;
  Job& job = jobs_[message.job.index()];
  StageJob& seen = stage_jobs_[message.job.index()];
  if (message.kind == StageMessage::Kind::kArrived) {
    job.decided = now;
    seen.arrived = now;
  } else if (message.kind == StageMessage::Kind::kFinished) {
    seen.finished = message.stage + 1;
  } else if (message.kind == StageMessage::Kind::kKilled) {
    seen.launched = std::min(seen.launched, message.stage);
  }
  view_.set(now, stage_jobs_);
  decisions_.clear();
  policy_->decide(view_, message, decisions_);
  if (!decisions_.launches().empty() || !decisions_.resets().empty()) carry_out(now);
  if (seen.finished != models_[seen.workload.index()].stages.size()) return;
  answers_.push_back({job.user, job.decided, job.start});
  --jobs_in_[job.slot];
  job.active = false;
  --active_;
  free_jobs_.push_back(message.job);
}

void StageServer::carry_out(TimePoint now) {
  for (const JobId id : decisions_.resets()) {
    const std::vector<std::uint32_t>& tags = jobs_[id.index()].tags;
    for (auto tag = tags.rbegin(); tag != tags.rend(); ++tag) device_->kill(*tag, now);
  }
  std::size_t merged = 0;
  for (const StageLaunch& launch : decisions_.launches()) issue(launch, merged, now);
}

std::uint32_t StageServer::new_tag(JobId id, std::uint32_t stage) {
  std::uint32_t t = static_cast<std::uint32_t>(tags_.size());
  if (free_tags_.empty()) {
    tags_.emplace_back();
  } else {
    t = free_tags_.back();
    free_tags_.pop_back();
  }
  tags_[t].job = id;
  tags_[t].stage = stage;
  tags_[t].with = kNone;
  tags_[t].watched = false;
  jobs_[id.index()].tags.push_back(t);
  return t;
}

void StageServer::issue(const StageLaunch& launch, std::size_t& merged, TimePoint now) {
  StageJob& seen = stage_jobs_[launch.job.index()];
  const StageProgram& program = programs_[seen.workload.index()];
  TANGRAM_CHECK(seen.launched < program.kernels.size(), "all stages are launched; job ",
                launch.job.value());
  const std::uint32_t client = client_of(launch.job);
  TimePoint& free_at = free_at_[setup_.server ? 0 : client];
  free_at = std::max(free_at, now) + spec_.launch;
  if (setup_.server) free_at += spec_.decision;

  const auto begin = [&](JobId id) {
    StageJob& other = stage_jobs_[id.index()];
    Job& job = jobs_[id.index()];
    if (job.start == kNever) job.start = free_at;
    return new_tag(id, other.launched++);
  };
  LaunchRequest request;
  request.kernel = &program.kernels[seen.launched];
  request.tag = begin(launch.job);
  tags_[request.tag].watched = launch.watched;
  request.stretch = jobs_[launch.job.index()].stretch;
  if (launch.merged > 0) {
    auto kernel = std::make_unique<DeviceKernel>(*request.kernel);
    std::uint32_t last = request.tag;
    for (std::uint32_t i = 0; i < launch.merged; ++i) {
      const JobId other = decisions_.merged()[merged++];
      const StageJob& theirs = stage_jobs_[other.index()];
      const DeviceKernel& part = programs_[theirs.workload.index()].kernels[theirs.launched];
      TANGRAM_CHECK(part.kind == kernel->kind, "a copy merged with a kernel; job ", other.value());
      kernel->blocks += part.blocks;
      request.stretch = std::max(request.stretch, jobs_[other.index()].stretch);
      const std::uint32_t tag = begin(other);
      tags_[last].with = tag;
      last = tag;
    }
    request.kernel = kernel.get();
    tags_[request.tag].merged = std::move(kernel);
  }
  request.client = client;
  request.stream = launch.stream;
  request.priority = launch.priority;
  request.sms_cap = launch.sms_cap;
  request.visible = free_at + spec_.visible;
  request.job = launch.job.value();
  device_->submit(request, now);
}

}  // namespace tangram
