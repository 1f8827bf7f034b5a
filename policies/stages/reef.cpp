// REEF: real-time requests take the GPU at once; best-effort kernels are killed and run again, or
// pad what a real-time kernel leaves free.
#include <algorithm>
#include <optional>

#include "policies/stage_dispatcher.h"
#include "sim/core/ring.h"

namespace tangram {
namespace {

class Reef final : public StageDispatcher {
 public:
  explicit Reef(const Params& params)
      : real_time_(static_cast<std::uint32_t>(params.integer("real_time"))),
        depth_(static_cast<std::uint32_t>(params.integer("depth"))),
        pads_(params.choice("mode") == "reef"),
        resets_(params.choice("mode") != "wait") {}

  StageSetup setup(const StageView& view) override {
    clients_.resize(view.models().size());
    real_time_ = std::min(real_time_, static_cast<std::uint32_t>(clients_.size() - 1));
    StageSetup setup;
    setup.finished = true;
    return setup;
  }

  void decide(const StageView& view, const StageMessage& message, StageDecisions& out) override {
    using Kind = StageMessage::Kind;
    Client& client = clients_[view.job(message.job).workload.index()];
    if (message.kind == Kind::kArrived) {
      client.waiting.push_back(message.job);
    } else {
      --client.under_way;
      if (message.kind == Kind::kKilled) client.next = std::min(client.next, message.stage);
      if (client.under_way == 0) client.killed = false;
      if (view.over(message.job)) client.current.reset();
    }
    begin(view, out);
  }

 private:
  // A queue of requests, served one at a time in a stream of its own.
  struct Client {
    Ring<JobId> waiting;
    std::optional<JobId> current;
    std::uint32_t next = 0;       // stage to launch
    std::uint32_t under_way = 0;  // launched, and neither finished nor killed
    bool killed = false;          // until the last message of the stages that were killed
  };

  void begin(const StageView& view, StageDecisions& out) {
    for (std::uint32_t w = 0; w < clients_.size(); ++w) {
      Client& client = clients_[w];
      if (client.current || client.waiting.empty()) continue;
      client.current = client.waiting.front();
      client.waiting.pop_front();
      client.next = 0;
      if (w == real_time_ && resets_) reset(out);
    }
    Client& urgent = clients_[real_time_];
    if (urgent.current) {
      run_urgent(view, out);
    } else {
      for (std::uint32_t w = 0; w < clients_.size(); ++w) fill(view, w, out);
    }
  }

  void reset(StageDecisions& out) {
    for (std::uint32_t w = 0; w < clients_.size(); ++w) {
      Client& client = clients_[w];
      if (w == real_time_ || client.under_way == 0 || client.killed) continue;
      client.killed = true;
      out.reset(*client.current);
    }
  }

  // Best effort: a few kernels at a time, so that little is lost.
  void fill(const StageView& view, std::uint32_t w, StageDecisions& out) {
    Client& client = clients_[w];
    if (w == real_time_ || !client.current || client.killed) return;
    const std::size_t stages = view.model(WorkloadId(w)).stages.size();
    while (client.under_way < depth_ && client.next < stages) launch(w, 3, ~0U, out);
  }

  // Without padding all stages at once; with it one by one, each with what fits beside it.
  void run_urgent(const StageView& view, StageDecisions& out) {
    Client& urgent = clients_[real_time_];
    const std::vector<StageInfo>& stages = view.model(WorkloadId(real_time_)).stages;
    if (!pads_) {
      while (urgent.next < stages.size()) launch(real_time_, 0, ~0U, out);
      return;
    }
    if (urgent.under_way > 0 || urgent.next == stages.size()) return;
    const StageInfo& stage = stages[urgent.next];
    launch(real_time_, 0, ~0U, out);
    if (stage.blocks > 0) pad(view, stage, out);
  }

  // The first client whose next kernel, on the SMs that the urgent kernel does not need, takes no
  // longer than that one does.
  void pad(const StageView& view, const StageInfo& urgent, StageDecisions& out) {
    const std::uint32_t sms = view.target().sms;
    const std::uint32_t rounds = (urgent.blocks + sms - 1) / sms;
    const std::uint32_t used = (urgent.blocks + rounds - 1) / rounds;
    if (used >= sms) return;
    const std::uint32_t rest = sms - used;
    for (std::uint32_t w = 0; w < clients_.size(); ++w) {
      Client& client = clients_[w];
      const std::vector<StageInfo>& stages = view.model(WorkloadId(w)).stages;
      if (w == real_time_ || !client.current || client.killed || client.under_way > 0) continue;
      if (client.next == stages.size()) continue;
      const StageInfo& stage = stages[client.next];
      if (stage.blocks > 0) {
        const auto waves = [&](std::uint32_t on) {
          const std::uint32_t at_once = stage.per_sm * on;
          return (stage.blocks + at_once - 1) / at_once;
        };
        if (stage.alone * waves(rest) > urgent.alone * waves(sms)) continue;
      }
      launch(w, 3, rest, out);
      return;
    }
  }

  void launch(std::uint32_t w, std::uint8_t priority, std::uint32_t sms_cap, StageDecisions& out) {
    Client& client = clients_[w];
    StageLaunch launch{*client.current, w, priority};
    launch.sms_cap = sms_cap;
    out.launch(launch);
    ++client.next;
    ++client.under_way;
  }

  std::uint32_t real_time_, depth_;
  bool pads_, resets_;
  std::vector<Client> clients_;  // by workload
};

}  // namespace

StageDispatcherEntry reef_stage_dispatcher() {
  return describe_stage_dispatcher<Reef>(
      {"reef",
       "one workload is real-time: its requests kill the kernels of the others, which run again "
       "later, or run beside its kernels where these leave SMs free and they end in time",
       "REEF (Han et al., OSDI 2022): reset preemption and dynamic kernel padding; a padding "
       "kernel "
       "runs whole here, where the original takes as many of its blocks as fit",
       {integer_param("real_time", 0, 0, 1 << 20, "index of the real-time workload"),
        choice_param("mode", "reef", {"reef", "reset", "wait"},
                     "reset and pad, only reset, or wait for what runs"),
        integer_param("depth", 2, 1, 1024, "best-effort kernels of a client on the device")}});
}

}  // namespace tangram
