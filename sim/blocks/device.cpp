// Streams, hardware queues, copies, time slices. Placement, cohorts and contention: placement.cpp.
#include "sim/blocks/device.h"

#include <algorithm>
#include <bit>

#include "sim/core/check.h"

namespace tangram {
namespace {

constexpr std::size_t kFirstCohorts = 64;

}  // namespace

BlockDevice::BlockDevice(const BlockSpec& spec,
                         const SmLimits& limits,
                         std::uint32_t sms,
                         const std::vector<ClientSpec>& clients,
                         StreamKey key)
    : spec_(spec), sms_(sms), engines_(std::max(1U, spec.copy_engines)), random_(key) {
  TANGRAM_CHECK(sms > 0 && !clients.empty(), "SMs ", sms, ", clients ", clients.size());
  const SmArray empty(limits, sms);
  stride_ = empty.stride();
  scratch_.resize(stride_);
  allowed_.resize(stride_);
  std::uint32_t contexts = 1;
  for (const ClientSpec& given : clients) {
    contexts = std::max(contexts, given.context + 1);
    Client client;
    client.spec = given;
    client.first_queue = static_cast<std::uint32_t>(queues_.size());
    queues_.resize(queues_.size() + spec.queues);
    const bool is_part = given.sms > 0 && given.sms < sms;
    client.open.assign(stride_, is_part ? 0.0F : 1.0F);
    if (is_part) std::fill_n(client.open.begin() + given.first_sm, given.sms, 1.0F);
    client.capped = given.sms_cap < sms;
    client.confined = is_part || client.capped;
    if (client.capped) client.blocks_on.resize(stride_);
    any_confined_ |= client.confined;
    clients_.push_back(std::move(client));
  }
  contexts_.resize(contexts);
  for (Context& context : contexts_) {
    context.sms = empty;
    context.levels.resize(kPriorities);
  }
  first_engine_ = static_cast<std::uint32_t>(queues_.size());
  slice_slot_ = first_engine_ + static_cast<std::uint32_t>(engines_.size());
  first_cohort_ = slice_slot_ + 1;
  tree_ = SlotTree(first_cohort_ + kFirstCohorts);
}

std::uint32_t BlockDevice::new_launch() {
  if (free_launches_.empty()) {
    launches_.emplace_back();
    return static_cast<std::uint32_t>(launches_.size() - 1);
  }
  const std::uint32_t l = free_launches_.back();
  free_launches_.pop_back();
  launches_[l] = Launch{};
  return l;
}

void BlockDevice::submit(const LaunchRequest& request, TimePoint now) {
  const std::uint32_t l = new_launch();
  Client& client = clients_[request.client];
  if (request.stream >= client.streams.size()) client.streams.resize(request.stream + 1);
  Stream& stream = client.streams[request.stream];
  if (stream.queue == kNone) {
    const auto pick = spec_.random_mapping ? static_cast<std::uint32_t>(random_.below(spec_.queues))
                                           : request.stream % spec_.queues;
    stream.queue = client.first_queue + pick;
  }
  Launch& launch = launches_[l];
  launch.kernel = request.kernel;
  launch.client = request.client;
  launch.stream = request.stream;
  launch.queue = stream.queue;
  launch.tag = request.tag;
  launch.job = request.job;
  launch.sms_cap = request.sms_cap;
  launch.priority = request.priority;
  launch.visible = request.visible;
  launch.left = request.kernel->blocks;
  launch.time_ns = static_cast<double>(request.kernel->block_time.count()) * request.stretch;
  launch.sequence = stream.submitted++;
  if (request.tag >= of_tag_.size()) of_tag_.resize(request.tag + 1, kNone);
  of_tag_[request.tag] = l;

  Queue& queue = queues_[launch.queue];
  if (queue.head == kNone) {
    queue.head = queue.tail = l;
    look_at(launch.queue, now);
    dispatch(now);
  } else {
    launches_[queue.tail].next_in_queue = l;
    queue.tail = l;
  }
}

// Lets the head of a hardware queue go on when it is visible and its stream is ready for it.
void BlockDevice::look_at(std::uint32_t q, TimePoint now) {
  const std::uint32_t l = queues_[q].head;
  if (l == kNone || launches_[l].entered) return;
  Launch& launch = launches_[l];
  const Stream& stream = stream_of(launch);
  if (stream.finished != launch.sequence) return;  // waits for its predecessor
  const TimePoint t = std::max(launch.visible, stream.ready);
  if (t > now) {
    set_timer(q, t);
    set_gap(launch, launch.visible <= stream.ready);
  } else {
    enter(l, now);
  }
}

void BlockDevice::enter(std::uint32_t l, TimePoint now) {
  Launch& launch = launches_[l];
  launch.entered = true;
  set_gap(launch, false);
  if (tree_.holds(launch.queue)) tree_.clear(launch.queue);
  if (launch.kernel->kind == DeviceKernel::Kind::kKernel) {
    if (resident_ < spec_.resident_grids) {
      enter_dispatcher(l, now);
    } else {
      waiting_grids_.push_back(l);
    }
    return;
  }
  const bool is_second = launch.kernel->kind == DeviceKernel::Kind::kCopyOut && engines_.size() > 1;
  const std::uint32_t e = is_second ? 1 : 0;
  engines_[e].waiting.push_back(l);
  if (!spec_.release_at_completion) leave_queue(l, now);
  if (engines_[e].running == kNone) begin_copy(e, now);
}

void BlockDevice::enter_dispatcher(std::uint32_t l, TimePoint now) {
  Launch& launch = launches_[l];
  Context& context = contexts_[context_of(launch)];
  launch.resident = true;
  ++resident_;
  ++counters_.kernels;
  // Tried at once where it does not stand behind one that waits for space.
  if (context.levels[launch.priority].empty() || any_confined_) context.blocked = false;
  context.levels[launch.priority].push_back(l);
  ++context.queued;
  if (contexts_.size() > 1) consider_switch(now);
}

void BlockDevice::choose_head(std::uint32_t q) {
  Queue& queue = queues_[q];
  if (!spec_.random_waiters || queue.head == kNone) return;
  // Any stream's first launch may be next.
  std::uint32_t candidates = 0;
  for (std::uint32_t l = queue.head; l != kNone; l = launches_[l].next_in_queue) {
    candidates += stream_of(launches_[l]).left_queue == launches_[l].sequence ? 1 : 0;
  }
  auto wanted = static_cast<std::uint32_t>(random_.below(candidates));
  std::uint32_t before = kNone;
  for (std::uint32_t l = queue.head; l != kNone; before = l, l = launches_[l].next_in_queue) {
    if (stream_of(launches_[l]).left_queue != launches_[l].sequence || wanted-- > 0) continue;
    if (before == kNone) return;
    launches_[before].next_in_queue = launches_[l].next_in_queue;
    if (queue.tail == l) queue.tail = before;
    launches_[l].next_in_queue = queue.head;
    queue.head = l;
    return;
  }
}

// Requires: l is the head of its queue.
void BlockDevice::leave_queue(std::uint32_t l, TimePoint now) {
  Launch& launch = launches_[l];
  const std::uint32_t q = launch.queue;
  Queue& queue = queues_[q];
  TANGRAM_CHECK(queue.head == l, "not the head of its queue; queue ", q);
  queue.head = launch.next_in_queue;
  if (queue.head == kNone) queue.tail = kNone;
  launch.in_queue = false;
  ++stream_of(launch).left_queue;
  choose_head(q);
  look_at(q, now);
}

void BlockDevice::finish(std::uint32_t l, TimePoint now, DeviceReport::Kind kind) {
  Launch& launch = launches_[l];
  Stream& stream = stream_of(launch);
  ++stream.finished;
  stream.ready = now + spec_.gap;
  of_tag_[launch.tag] = kNone;
  const std::uint32_t q = launch.queue;
  if (kind == DeviceReport::Kind::kKilled) {
    reports_.push_back({kind, launch.tag, launch.ended});
  }
  if (launch.in_queue) {
    leave_queue(l, now);
  } else {
    look_at(q, now);
  }
  if (launches_[l].resident) {
    --resident_;
    if (!waiting_grids_.empty() && resident_ < spec_.resident_grids) {
      const std::uint32_t next = waiting_grids_.front();
      waiting_grids_.pop_front();
      enter_dispatcher(next, now);
    }
  }
  free_launches_.push_back(l);
}

void BlockDevice::begin_copy(std::uint32_t e, TimePoint now) {
  CopyEngine& engine = engines_[e];
  engine.running = engine.waiting.front();
  engine.waiting.pop_front();
  set_timer(first_engine_ + e, now + from_ns(launches_[engine.running].time_ns));
}

void BlockDevice::end_copy(std::uint32_t e, TimePoint now) {
  CopyEngine& engine = engines_[e];
  const std::uint32_t l = engine.running;
  engine.running = kNone;
  tree_.clear(first_engine_ + e);
  reports_.push_back({DeviceReport::Kind::kFinished, launches_[l].tag, 0});
  finish(l, now, DeviceReport::Kind::kFinished);
  if (engine.running == kNone && !engine.waiting.empty()) begin_copy(e, now);
}

void BlockDevice::kill(std::uint32_t tag, TimePoint now) {
  const std::uint32_t l = of_tag_[tag];
  TANGRAM_CHECK(l != kNone, "not on the device; tag ", tag);
  Launch& launch = launches_[l];
  if (launch.kernel->kind != DeviceKernel::Kind::kKernel && launch.entered) return;
  Context& context = contexts_[context_of(launch)];
  while (launch.cohorts != kNone) {
    const std::uint32_t c = launch.cohorts;
    running_blocks_ -= cohorts_[c].blocks;
    launch.running -= cohorts_[c].blocks;
    drop_cohort(c);
  }
  if (launch.resident && launch.left > 0) {
    Ring<std::uint32_t>& level = context.levels[launch.priority];
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (level[i] != l) continue;
      level.erase(i);
      --context.queued;
      break;
    }
  } else if (launch.entered && !launch.resident) {
    for (std::size_t i = 0; i < waiting_grids_.size(); ++i) {
      if (waiting_grids_[i] != l) continue;
      waiting_grids_.erase(i);
      break;
    }
  }
  context.blocked = false;
  set_gap(launch, false);
  // What is not at the head of its queue is taken out of the middle.
  Queue& queue = queues_[launch.queue];
  if (launch.in_queue && queue.head != l) {
    std::uint32_t before = queue.head;
    while (launches_[before].next_in_queue != l) before = launches_[before].next_in_queue;
    launches_[before].next_in_queue = launch.next_in_queue;
    if (queue.tail == l) queue.tail = before;
    launch.in_queue = false;
    ++stream_of(launch).left_queue;
  } else if (launch.in_queue && tree_.holds(launch.queue)) {
    tree_.clear(launch.queue);
  }
  finish(l, now, DeviceReport::Kind::kKilled);
  if (contexts_.size() > 1) consider_switch(now);
  dispatch(now);
}

void BlockDevice::advance(TimePoint now) {
  while (!tree_.empty() && next() <= now) {
    do {
      const std::uint32_t slot = tree_.top();
      ++counters_.events;
      if (slot >= first_cohort_) {
        end_cohort(slot - first_cohort_, now);
      } else if (slot < first_engine_) {
        tree_.clear(slot);
        look_at(slot, now);
      } else if (slot < slice_slot_) {
        end_copy(slot - first_engine_, now);
      } else {
        tree_.clear(slice_slot_);
        if (coming_ != kNone) {
          active_ = coming_;
          coming_ = kNone;
          thaw(now);
        } else {
          freeze(now);
        }
        consider_switch(now);
      }
    } while (!tree_.empty() && next() <= now);
    dispatch(now);
  }
}

// A context is not idle between two kernels of one stream: its queue holds the next one.
void BlockDevice::set_gap(Launch& launch, bool in_gap) {
  if (launch.in_gap == in_gap || launch.kernel->kind != DeviceKernel::Kind::kKernel) return;
  launch.in_gap = in_gap;
  std::uint32_t& count = contexts_[context_of(launch)].in_gap;
  count = in_gap ? count + 1 : count - 1;
}

// Takes the next context with work in turn; the active one keeps the device while it alone has any.
void BlockDevice::consider_switch(TimePoint now) {
  if (coming_ != kNone) return;
  const auto count = static_cast<std::uint32_t>(contexts_.size());
  std::uint32_t next = kNone;
  for (std::uint32_t i = 1; i < count && next == kNone; ++i) {
    const std::uint32_t candidate = (active_ + i) % count;
    if (has_work(candidate)) next = candidate;
  }
  if (next == kNone) return;
  if (has_work(active_)) {
    if (!tree_.holds(slice_slot_)) set_timer(slice_slot_, now + spec_.quantum);
    return;
  }
  coming_ = next;
  ++counters_.switches;
  set_timer(slice_slot_, now + spec_.switching);
}

// The active context's slice is over: its blocks stop where they are if another context waits.
void BlockDevice::freeze(TimePoint now) {
  const auto count = static_cast<std::uint32_t>(contexts_.size());
  std::uint32_t next = kNone;
  for (std::uint32_t i = 1; i < count && next == kNone; ++i) {
    const std::uint32_t candidate = (active_ + i) % count;
    if (has_work(candidate)) next = candidate;
  }
  if (next == kNone) return;
  for (const std::uint32_t c : contexts_[active_].cohorts) {
    Cohort& cohort = cohorts_[c];
    settle(cohort, now);
    cohort.end = TimePoint(cohort.end - now);  // what is left, until it goes on
    tree_.clear(first_cohort_ + c);
  }
  coming_ = next;
  ++counters_.switches;
  set_timer(slice_slot_, now + spec_.switching);
}

void BlockDevice::thaw(TimePoint now) {
  for (const std::uint32_t c : contexts_[active_].cohorts) {
    Cohort& cohort = cohorts_[c];
    cohort.settled = now;
    cohort.end = now + cohort.end.time_since_epoch();
    set_timer(first_cohort_ + c, cohort.end);
  }
  contexts_[active_].blocked = false;
  changed_ = true;
}

std::vector<std::uint32_t> BlockDevice::blocks_on_sms(std::uint32_t tag) const {
  std::vector<std::uint32_t> blocks(sms_);
  const Launch& launch = launches_[of_tag_[tag]];
  for (std::uint32_t c = launch.cohorts; c != kNone; c = cohorts_[c].next) {
    for (std::uint32_t s = 0; s < sms_; ++s) {
      if (cohorts_[c].sm == kNone) {
        blocks[s] += static_cast<std::uint32_t>(counts_[std::size_t{c} * stride_ + s]);
      } else {
        blocks[s] += cohorts_[c].sm == s ? 1 : 0;
      }
    }
  }
  return blocks;
}

}  // namespace tangram
