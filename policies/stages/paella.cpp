// Paella: shortest remaining time first with deficit counters, and just enough kernels on the
// device to fill it.
#include <algorithm>
#include <array>

#include "policies/stages/sm_mirror.h"
#include "policies/stages/stream_pool.h"

namespace tangram {
namespace {

// Resources of blocks: warps, registers, shared memory, block slots.
using Amounts = std::array<std::int64_t, 4>;
Amounts amounts_of(const StageInfo& stage) {
  const std::int64_t n = stage.blocks;
  return {n * stage.need.warps, n * stage.need.registers, n * stage.need.shared, n};
}

class Paella final : public StageDispatcher {
 public:
  explicit Paella(const Params& params)
      : threshold_(params.number("fairness")),
        extra_(static_cast<std::uint32_t>(params.integer("extra_kernels"))),
        extra_blocks_(static_cast<std::uint32_t>(params.integer("extra_blocks"))),
        per_sm_(params.choice("fit") == "per_sm"),
        learns_(params.choice("profile") == "ewma"),
        srpt_(params.choice("order") == "srpt"),
        pool_(static_cast<std::uint32_t>(params.integer("streams"))) {}

  StageSetup setup(const StageView& view) override {
    const StageTarget& target = view.target();
    const std::int64_t sms = target.sms;
    free_ = {sms * target.sm.threads / kThreadsPerWarp, sms * target.sm.registers / kRegisterUnit,
             sms * target.sm.shared_bytes / kSharedUnit, sms * target.sm.blocks};
    if (per_sm_) mirror_ = SmMirror(target);
    types_.resize(view.models().size());
    for (std::size_t t = 0; t < types_.size(); ++t) {
      for (const StageInfo& stage : view.models()[t].stages) types_[t].table.push_back(stage.alone);
    }
    StageSetup setup;
    setup.released = true;
    setup.finished = true;
    return setup;
  }

  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    using Kind = StageMessage::Kind;
    if (message.kind == Kind::kArrived) {
      arrived(view, message.job);
    } else if (message.kind == Kind::kPlaced) {
      started(message.job);
    } else if (message.kind == Kind::kReleased || message.kind == Kind::kFinished) {
      released(view, message);
    }
    if (message.kind == Kind::kFinished) finished(view, message);
    schedule(view, out);
  }

 private:
  struct Job {
    std::vector<Duration> profile;  // as it was when the job arrived
    Duration remaining{};           // of the stages that are not launched
    std::uint32_t stream = kNoStream;
    TimePoint launched;
    bool extra = false;          // its stage counts against the extra kernels
    std::uint32_t unplaced = 0;  // blocks of that stage that found no room (per_sm)
    SmMirror::Blocks blocks;     // of its running stage (per_sm)
  };
  struct Queued {
    Duration remaining;
    std::uint64_t inserted;
    JobId job;
    // For a heap with the least on top.
    friend bool operator<(const Queued& a, const Queued& b) {
      return a.remaining != b.remaining ? a.remaining > b.remaining : a.inserted > b.inserted;
    }
  };
  struct Type {
    std::vector<Duration> table;  // profiled time of every stage
    std::vector<Queued> queue;    // heap of its jobs with a stage to launch
    std::uint64_t inserted = 0;   // when its queue last gained one
    double deficit = 0;
  };
  static constexpr std::uint32_t kNoStream = ~std::uint32_t{0};

  void arrived(const StageView& view, JobId id) {
    if (id.index() >= jobs_.size()) jobs_.resize(id.index() + 1);
    Job& job = jobs_[id.index()];
    const Type& type = types_[view.job(id).workload.index()];
    job.profile = type.table;
    job.remaining = Duration{};
    for (const Duration d : job.profile) job.remaining += d;
    job.stream = kNoStream;
    insert(view, id);
  }

  void insert(const StageView& view, JobId id) {
    const std::uint32_t t = view.job(id).workload.value();
    Type& type = types_[t];
    if (type.queue.empty()) queued_.push_back(t);
    type.inserted = ++insertions_;
    const Duration rank = srpt_ ? jobs_[id.index()].remaining : Duration{};
    // First come, first served: by the job's arrival, which its stages keep.
    const std::uint64_t order = srpt_ ? type.inserted : view.job(id).number;
    type.queue.push_back({rank, order, id});
    std::push_heap(type.queue.begin(), type.queue.end());
  }

  void started(JobId id) {
    Job& job = jobs_[id.index()];
    if (!job.extra) return;
    job.extra = false;
    --extras_;
    unplaced_ -= job.unplaced;
    job.unplaced = 0;
  }

  void released(const StageView& view, const StageMessage& message) {
    const StageInfo& stage = view.model_of(message.job).stages[message.stage];
    if (stage.blocks == 0) return;
    if (per_sm_) mirror_.release(stage.need, message.blocks, jobs_[message.job.index()].blocks);
    StageInfo part = stage;
    part.blocks = message.blocks;
    const Amounts amounts = amounts_of(part);
    for (std::size_t i = 0; i < amounts.size(); ++i) free_[i] += amounts[i];
  }

  void finished(const StageView& view, const StageMessage& message) {
    Job& job = jobs_[message.job.index()];
    started(message.job);  // where the message that all blocks began was lost on the way
    if (learns_) {
      Duration& known = types_[view.job(message.job).workload.index()].table[message.stage];
      known = (known + (view.now() - job.launched)) / 2;
    }
    if (view.over(message.job)) {
      pool_.give(job.stream);
    } else {
      insert(view, message.job);
    }
  }

  // Launches by rank until the best one does not fit: nothing passes it.
  void schedule(const StageView& view, StageDecisions& out) {
    while (!queued_.empty()) {
      const std::uint32_t t = best_type();
      const JobId id = types_[t].queue.front().job;
      Job& job = jobs_[id.index()];
      const StageInfo& stage = view.next_stage(id);
      bool is_extra = false;
      if (stage.blocks > 0 && !fits(stage)) {
        if (!may_exceed()) return;
        is_extra = true;
      }
      if (job.stream == kNoStream) {
        const std::optional<std::uint32_t> stream = pool_.take();
        if (!stream) return;
        job.stream = *stream;
      }
      count_deficit(t);
      take(stage, job, is_extra);
      job.remaining -= job.profile[view.job(id).launched];
      job.launched = view.now();
      StageLaunch launch{id, job.stream};
      launch.watched = is_extra;
      out.launch(launch);
      Type& type = types_[t];
      std::pop_heap(type.queue.begin(), type.queue.end());
      type.queue.pop_back();
      if (type.queue.empty()) {
        type.deficit = 0;  // forgotten, debt and all
        queued_.erase(std::find(queued_.begin(), queued_.end(), t));
      }
    }
  }

  // The type whose deficit is due, else the one with the shortest job.
  std::uint32_t best_type() const {
    std::uint32_t owed = queued_.front();
    std::uint32_t best = queued_.front();
    for (const std::uint32_t t : queued_) {
      const Type& a = types_[t];
      const Type& o = types_[owed];
      if (a.deficit > o.deficit || (a.deficit == o.deficit && a.inserted < o.inserted)) owed = t;
      if (types_[best].queue.front() < a.queue.front()) best = t;
    }
    return types_[owed].deficit >= threshold_ ? owed : best;
  }

  // Every type with a stage to launch earns its share of this turn; the one that has it pays.
  void count_deficit(std::uint32_t dispatched) {
    const double share = 1 / static_cast<double>(queued_.size());
    for (const std::uint32_t t : queued_) types_[t].deficit += share;
    types_[dispatched].deficit -= 1;
  }

  bool fits(const StageInfo& stage) const {
    if (per_sm_) return mirror_.room(stage.need) >= stage.blocks;
    const Amounts amounts = amounts_of(stage);
    for (std::size_t i = 0; i < amounts.size(); ++i) {
      if (amounts[i] > free_[i]) return false;
    }
    return true;
  }
  bool may_exceed() const { return per_sm_ ? unplaced_ < extra_blocks_ : extras_ < extra_; }

  void take(const StageInfo& stage, Job& job, bool is_extra) {
    if (stage.blocks == 0) return;
    const Amounts amounts = amounts_of(stage);
    for (std::size_t i = 0; i < amounts.size(); ++i) free_[i] -= amounts[i];
    std::uint32_t found = 0;
    if (per_sm_) {
      job.blocks = mirror_.place(stage.need, stage.blocks);
      for (const std::uint32_t n : job.blocks) found += n;
    }
    if (!is_extra) return;
    job.extra = true;
    ++extras_;
    job.unplaced = stage.blocks - found;
    unplaced_ += job.unplaced;
  }

  double threshold_;
  std::uint32_t extra_, extra_blocks_;
  bool per_sm_, learns_, srpt_;
  StreamPool pool_;
  Amounts free_{};
  SmMirror mirror_;
  std::vector<Type> types_;            // by workload
  std::vector<std::uint32_t> queued_;  // types with a stage to launch
  std::vector<Job> jobs_;              // by JobId
  std::uint64_t insertions_ = 0;
  std::uint32_t extras_ = 0;    // launched without room, and not yet begun in full
  std::uint32_t unplaced_ = 0;  // blocks of theirs that found no room
};

}  // namespace

StageDispatcherEntry paella_stage_dispatcher() {
  return describe_stage_dispatcher<Paella>(
      {"paella",
       "the stage of the job with the shortest remaining time, unless a workload's deficit is due; "
       "launched while it fits what is believed free, and a few beyond that",
       "Paella (Ng et al., SOSP 2023) as its artifact is built (scheduler full3): one pool for the "
       "whole GPU, whole kernels, two extra kernels, times learnt per stage; fit per_sm is the "
       "paper's rule as reported: room by SM, and blocks instead of kernels beyond it",
       {number_param("fairness", 1e6, 0, 1e9, "deficit at which a workload is due, in stages"),
        choice_param("fit", "pool", {"pool", "per_sm"}, "what is believed free"),
        integer_param("extra_kernels", 2, 0, 1 << 20, "beyond what fits, with pool"),
        integer_param("extra_blocks", 160, 0, 1 << 30, "beyond what fits, with per_sm"),
        choice_param("profile", "ewma", {"ewma", "oracle"},
                     "remaining times: as learnt, or as the profile has them alone"),
        choice_param("order", "srpt", {"srpt", "fifo"}, "among the jobs of all workloads"),
        integer_param("streams", 500, 1, 1 << 20, "in the pool")}});
}

}  // namespace tangram
