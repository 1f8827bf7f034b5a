// Orion: one high-priority workload; the others' kernels run beside it where they are small enough
// and use another resource.
#include <algorithm>
#include <optional>

#include "policies/stage_dispatcher.h"
#include "sim/core/ring.h"

namespace tangram {
namespace {

class Orion final : public StageDispatcher {
 public:
  explicit Orion(const Params& params)
      : high_(static_cast<std::uint32_t>(params.integer("high_priority"))),
        share_(params.number("duration_pct") / 100),
        sm_pct_(params.number("sm_pct") / 100) {}

  StageSetup setup(const StageView& view) override {
    clients_.resize(view.models().size());
    high_ = std::min(high_, static_cast<std::uint32_t>(clients_.size() - 1));
    Duration whole{};
    for (const StageInfo& stage : view.models()[high_].stages) whole += stage.alone;
    longest_ = from_ns(static_cast<double>(whole.count()) * share_);
    StageSetup setup;
    setup.finished = true;
    return setup;
  }

  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    const std::uint32_t w = view.job(message.job).workload.value();
    Client& client = clients_[w];
    if (message.kind == StageMessage::Kind::kArrived) {
      client.waiting.push_back(message.job);
    } else {
      if (w != high_ && --best_effort_ == 0) submitted_ = Duration{};
      if (view.over(message.job)) client.current.reset();
    }
    if (!client.current && !client.waiting.empty()) {
      client.current = client.waiting.front();
      client.waiting.pop_front();
      client.launched = 0;
      if (w == high_) launch_whole(view, *client.current, out);
    }
    // Its thread polls without pause: passes until one changes nothing.
    while (pass(view, out)) {
    }
  }

 private:
  // A client process: one stream, one request at a time.
  struct Client {
    Ring<JobId> waiting;
    std::optional<JobId> current;
    std::uint32_t launched = 0;  // stages of the current request, those of this call included
  };

  void launch_whole(const StageView& view, JobId job, StageDecisions& out) {
    for (std::size_t i = 0; i < view.model_of(job).stages.size(); ++i) out.launch(job, high_, 0);
  }

  // At most one stage of every other client, in turn.
  bool pass(const StageView& view, StageDecisions& out) {
    bool has_launched = false;
    double sms = 0;  // of what this pass submits; it does not know what still runs
    const auto count = static_cast<std::uint32_t>(clients_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t w = (turn_ + i) % count;
      Client& client = clients_[w];
      if (w == high_ || !client.current) continue;
      const std::vector<StageInfo>& stages = view.model(WorkloadId(w)).stages;
      if (client.launched == stages.size()) continue;
      if (submitted_ > longest_ && best_effort_ > 0) continue;
      const StageInfo& stage = stages[client.launched];
      if (!may_run(view, stage, sms)) continue;
      sms += sms_of(stage);
      submitted_ += stage.alone;
      ++best_effort_;
      ++client.launched;
      out.launch(*client.current, w, 3);
      has_launched = true;
    }
    turn_ = (turn_ + 1) % count;
    return has_launched;
  }

  static double sms_of(const StageInfo& stage) {
    return static_cast<double>((stage.blocks + stage.per_sm - 1) / stage.per_sm);
  }

  bool may_run(const StageView& view, const StageInfo& stage, double sms) const {
    const std::optional<JobId> job = clients_[high_].current;
    if (!job || stage.blocks == 0) return true;
    if (sms + sms_of(stage) > sm_pct_ * view.target().sms) return false;
    const std::vector<StageInfo>& theirs = view.model_of(*job).stages;
    const std::uint32_t at =
        std::min(view.job(*job).finished, static_cast<std::uint32_t>(theirs.size() - 1));
    return theirs[at].blocks == 0 || theirs[at].memory_bound != stage.memory_bound;
  }

  std::uint32_t high_;
  double share_, sm_pct_;
  Duration longest_{};
  std::vector<Client> clients_;    // by workload
  Duration submitted_{};           // of best-effort kernels since all of them were last over
  std::uint32_t best_effort_ = 0;  // stages under way
  std::uint32_t turn_ = 0;
};

}  // namespace

StageDispatcherEntry orion_stage_dispatcher() {
  return describe_stage_dispatcher<Orion>(
      {"orion",
       "one workload has priority; a kernel of another is launched beside its requests when it "
       "needs "
       "few SMs and is bound by another resource, and not too much of them at once",
       "Orion (Strati et al., EuroSys 2024) as its artifact is built, for inference; the kernel of "
       "the urgent request that counts is the one known to be running, not the one submitted last",
       {integer_param("high_priority", 0, 0, 1 << 20, "index of the workload that has priority"),
        number_param("duration_pct", 2.5, 0, 1e4,
                     "of that workload's kernel time: others' work submitted at once"),
        number_param("sm_pct", 100, 0, 1e4, "of the SMs: what others may need in one pass")}});
}

}  // namespace tangram
