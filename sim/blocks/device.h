// One GPU, or one MIG instance, at the level of thread blocks: streams, hardware queues, the block
// dispatcher, SMs, copy engines, time slices. Rules and sources: docs/model/blocks.md. It knows
// nothing of requests or policies: it is handed launches and reports what became of them.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/blocks/sm_array.h"
#include "sim/core/random.h"
#include "sim/core/ring.h"
#include "sim/core/slot_tree.h"
#include "sim/core/time.h"
#include "sim/scenario/block_spec.h"

namespace tangram {

// What a launch asks of the device. Lives as long as the device.
struct DeviceKernel {
  enum class Kind : std::uint8_t { kKernel, kCopyIn, kCopyOut };
  Kind kind = Kind::kKernel;
  std::uint32_t blocks = 0;
  std::uint32_t per_sm = 1;  // blocks that an empty SM holds
  BlockShape shape;
  Duration block_time{};    // of one block, as it ran when the kernel was alone; copies: in all
  double alone_warps = 0;   // resident on each SM that it used then
  double dram = 0, l2 = 0;  // fraction of the device's bandwidth that it drew then
  double factor = 1;        // slowdown beside any other job (Contention::kFactor)
};

// A process with hardware queues of its own. Requires: sms_cap >= 1.
struct ClientSpec {
  std::uint32_t context = 0;                  // contexts take turns; clients of one run together
  std::uint32_t sms_cap = ~std::uint32_t{0};  // the most SMs that its blocks are on at once
  std::uint32_t first_sm = 0, sms = 0;        // its own range of SMs; 0 SMs: all
};

struct LaunchRequest {
  const DeviceKernel* kernel = nullptr;
  std::uint32_t client = 0;
  std::uint32_t stream = 0;   // of the client
  std::uint8_t priority = 0;  // 0 is the most urgent; below BlockDevice::kPriorities
  TimePoint visible;          // when the device sees it; never decreasing within a client's queue
  double stretch = 1;         // of the block's time
  std::uint32_t tag = 0;      // comes back in reports
  std::uint32_t job = 0;      // blocks of one job do not count as each other's neighbours
  std::uint32_t sms_cap = ~std::uint32_t{0};  // the most SMs that its blocks use at once
};

struct DeviceReport {
  enum class Kind : std::uint8_t {
    kPlaced,    // all blocks of the launch have begun
    kEnded,     // `blocks` more blocks have ended, others are still to end
    kFinished,  // the last `blocks` blocks have ended; a copy is done
    kKilled,    // by kill(): `blocks` have ended in all
  } kind;
  std::uint32_t tag;
  std::uint32_t blocks;
};

class BlockDevice {
 public:
  static constexpr std::uint32_t kPriorities = 4;

  struct Counters {
    std::uint64_t events = 0, kernels = 0, blocks = 0, cohorts = 0, merged = 0, switches = 0;
  };

  // `sms` SMs of these limits. `key`: of the random choices, where the knobs ask for them.
  BlockDevice(const BlockSpec& spec,
              const SmLimits& limits,
              std::uint32_t sms,
              const std::vector<ClientSpec>& clients,
              StreamKey key);

  // Hands a launch to its stream. Copies and kernels of a stream run in the order of submission.
  void submit(const LaunchRequest& request, TimePoint now);
  // Takes an unfinished launch off the device: what waits never runs, what runs is lost. It is
  // reported as killed. A copy that has reached its engine stays and finishes. Of one stream, kill
  // the newest first. Requires: the tag is on the device.
  void kill(std::uint32_t tag, TimePoint now);
  // When the device changes next by itself; kNever: not.
  TimePoint next() const {
    if (tree_.empty()) return kNever;
    return TimePoint(Duration(static_cast<std::int64_t>(tree_.top_primary())));
  }
  // Brings the device to `now`. Requires: now <= next(), calls in the order of time.
  void advance(TimePoint now);
  // What happened since the last clear, in order.
  const std::vector<DeviceReport>& reports() const { return reports_; }
  void clear_reports() { reports_.clear(); }

  const Counters& counters() const { return counters_; }
  // SM time with at least one block resident anywhere, for the busy fraction.
  bool busy() const { return running_blocks_ > 0; }
  std::uint32_t sms() const { return sms_; }
  // Blocks of the launch on each SM; for tests. Requires: on the device.
  std::vector<std::uint32_t> blocks_on_sms(std::uint32_t tag) const;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  struct Launch {
    const DeviceKernel* kernel = nullptr;
    std::uint32_t client = 0, stream = 0, queue = 0, tag = 0, job = 0, sms_cap = kNone;
    std::uint32_t sequence = 0;  // within its stream
    std::uint32_t left = 0;      // blocks to place
    std::uint32_t running = 0;   // blocks placed and not ended
    std::uint32_t ended = 0;
    std::uint32_t cohorts = kNone, live = 0;  // list of its cohorts, their number
    std::uint32_t next_in_queue = kNone;
    std::uint8_t priority = 0;
    bool entered = false;   // left the stage "head of a queue" for the block dispatcher
    bool in_queue = true;   // still holds its hardware queue
    bool in_gap = false;    // next in its stream, but for the gap
    bool resident = false;  // counts as a resident grid
    TimePoint visible;
    double time_ns = 0;  // of one of its blocks
  };
  struct Stream {
    std::uint32_t submitted = 0, left_queue = 0, finished = 0;
    std::uint32_t queue = kNone;
    TimePoint ready;  // for the next one, after the gap
  };
  struct Queue {
    std::uint32_t head = kNone, tail = kNone;
  };
  struct Client {
    ClientSpec spec;
    std::uint32_t first_queue = 0, next_queue = 0;
    std::vector<Stream> streams;
    std::vector<float> open;       // by SM: 1 where its blocks may go
    std::vector<float> blocks_on;  // by SM; only when capped
    bool confined = false, capped = false, closed = false;
  };
  // Blocks of one launch that were placed at one instant and end together.
  struct Cohort {
    std::uint32_t launch = kNone, blocks = 0, next = kNone;
    std::uint32_t sm = kNone;  // one-by-one mode: the SM of the one block
    TimePoint end;
    // Contention only: time left at speed 1 when `settled`, and the speed since then.
    double left_ns = 0, rate = 1;
    TimePoint settled;
  };
  struct Context {
    SmArray sms;
    std::vector<Ring<std::uint32_t>> levels;  // the block dispatcher's queue, by priority
    std::vector<std::uint32_t> cohorts;       // live, in no order; position in place_
    std::uint32_t queued = 0;
    std::uint32_t in_gap = 0;  // launches
    bool blocked = false;      // the head waits for space, and none was freed since it was tried
  };
  struct CopyEngine {
    Ring<std::uint32_t> waiting;
    std::uint32_t running = kNone;
  };

  Stream& stream_of(const Launch& launch) { return clients_[launch.client].streams[launch.stream]; }
  std::uint32_t context_of(const Launch& launch) const {
    return clients_[launch.client].spec.context;
  }
  std::uint32_t new_launch();
  std::uint32_t new_cohort();
  void set_timer(std::uint32_t slot, TimePoint t) { tree_.set(slot, t, sequence_++); }

  // Streams and queues.
  void look_at(std::uint32_t queue, TimePoint now);
  void choose_head(std::uint32_t queue);
  void leave_queue(std::uint32_t l, TimePoint now);
  void enter(std::uint32_t l, TimePoint now);
  void enter_dispatcher(std::uint32_t l, TimePoint now);
  void finish(std::uint32_t l, TimePoint now, DeviceReport::Kind kind);
  // Copies.
  void begin_copy(std::uint32_t engine, TimePoint now);
  void end_copy(std::uint32_t engine, TimePoint now);
  // The block dispatcher.
  void dispatch(TimePoint now);
  void dispatch_confined(Context& context, TimePoint now);
  bool place(Context& context, std::uint32_t l, TimePoint now);
  void place_one_by_one(Context& context, std::uint32_t l, TimePoint now);
  const float* confinement(const Context& context, const Launch& launch);
  void placed(std::uint32_t l, TimePoint now);
  void add_cohort(
      Context& context, std::uint32_t l, std::uint32_t n, std::uint32_t sm, TimePoint t);
  bool merge_cohort(std::uint32_t c);
  void end_cohort(std::uint32_t c, TimePoint now);
  void drop_cohort(std::uint32_t c);
  // Contention.
  void settle(Cohort& cohort, TimePoint now) const;
  void retime(Context& context, TimePoint now);
  double bandwidth_level(const Context& context, double DeviceKernel::*member);
  // Time slices.
  bool has_work(std::uint32_t context) const {
    const Context& c = contexts_[context];
    return c.queued > 0 || !c.cohorts.empty() || c.in_gap > 0;
  }
  void set_gap(Launch& launch, bool in_gap);
  void consider_switch(TimePoint now);
  void freeze(TimePoint now);
  void thaw(TimePoint now);

  BlockSpec spec_;
  std::uint32_t sms_;
  std::uint32_t stride_;
  std::vector<Client> clients_;
  std::vector<Context> contexts_;
  std::vector<Queue> queues_;
  std::vector<CopyEngine> engines_;
  std::vector<Launch> launches_;
  std::vector<std::uint32_t> free_launches_;
  std::vector<std::uint32_t> of_tag_;  // launch by tag
  std::vector<Cohort> cohorts_;
  std::vector<float> counts_;         // by cohort, by SM
  std::vector<std::uint32_t> place_;  // by cohort: position in its context's list
  std::vector<std::uint32_t> free_cohorts_;
  Ring<std::uint32_t> waiting_grids_;  // for one of the resident grids
  std::uint32_t resident_ = 0;
  std::uint64_t running_blocks_ = 0;
  RandomStream random_;
  // Slots: queues, copy engines, the time slice, cohorts.
  SlotTree tree_;
  std::uint64_t sequence_ = 0;
  std::uint32_t first_engine_ = 0, slice_slot_ = 0, first_cohort_ = 0;
  // Time slicing.
  std::uint32_t active_ = 0, coming_ = kNone;
  bool any_confined_ = false;
  bool changed_ = false;  // the resident set, since the last retime
  std::vector<float> scratch_, allowed_;
  std::vector<DeviceReport> reports_;
  Counters counters_;
};

}  // namespace tangram
