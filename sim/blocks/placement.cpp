// The block dispatcher of the device: placement, cohorts, and how cohorts slow each other.
#include <algorithm>
#include <bit>
#include <cmath>

#include "sim/blocks/device.h"
#include "sim/core/check.h"

namespace tangram {

std::uint32_t BlockDevice::new_cohort() {
  if (!free_cohorts_.empty()) {
    const std::uint32_t c = free_cohorts_.back();
    free_cohorts_.pop_back();
    return c;
  }
  const auto c = static_cast<std::uint32_t>(cohorts_.size());
  cohorts_.emplace_back();
  place_.push_back(0);
  if (spec_.aggregate) counts_.resize(std::size_t{c + 1} * stride_);
  if (first_cohort_ + c >= tree_.capacity()) {
    SlotTree larger(2 * tree_.capacity());
    for (std::uint32_t slot = 0; slot < tree_.capacity(); ++slot) {
      if (tree_.holds(slot)) larger.set(slot, tree_.primary(slot), sequence_++);
    }
    tree_ = std::move(larger);
  }
  return c;
}

// Leftover: the head of the most urgent level that is not empty gets space; what is behind it waits
// until all its blocks are placed.
void BlockDevice::dispatch(TimePoint now) {
  if (coming_ != kNone) return;
  Context& context = contexts_[active_];
  if (any_confined_) {
    dispatch_confined(context, now);
  } else {
    while (context.queued > 0 && !context.blocked) {
      std::uint32_t p = 0;
      while (context.levels[p].empty()) ++p;
      const std::uint32_t l = context.levels[p].front();
      if (!place(context, l, now)) {
        context.blocked = true;
        break;
      }
      context.levels[p].pop_front();
      --context.queued;
      placed(l, now);
    }
  }
  if (!changed_) return;
  changed_ = false;
  if (spec_.contention != Contention::kNone) retime(context, now);
}

// A launch that is held up by its own confinement closes only what it waits for: its client's cap,
// or the SMs of its client's range. Others may pass it.
void BlockDevice::dispatch_confined(Context& context, TimePoint now) {
  while (context.queued > 0 && !context.blocked) {
    context.blocked = true;  // until something else enters, or space is freed
    bool is_open = true;
    for (Client& client : clients_) client.closed = false;
    for (std::uint32_t p = 0; p < kPriorities && is_open; ++p) {
      Ring<std::uint32_t>& level = context.levels[p];
      for (std::size_t i = 0; i < level.size() && is_open;) {
        const std::uint32_t l = level[i];
        Client& client = clients_[launches_[l].client];
        if (!client.closed && place(context, l, now)) {
          level.erase(i);
          --context.queued;
          placed(l, now);
          continue;
        }
        is_open = client.confined;
        client.closed = true;
        ++i;
      }
    }
  }
}

// All its blocks have begun: it leaves the dispatcher, and its hardware queue.
void BlockDevice::placed(std::uint32_t l, TimePoint now) {
  reports_.push_back({DeviceReport::Kind::kPlaced, launches_[l].tag, launches_[l].kernel->blocks});
  if (!spec_.release_at_completion) leave_queue(l, now);
}

// Which SMs the launch may use, times 1; nullptr: all.
const float* BlockDevice::confinement(const Context& context, const Launch& launch) {
  const Client& client = clients_[launch.client];
  const bool is_capped = launch.sms_cap < sms_;
  if (!client.confined && !is_capped) return nullptr;
  std::copy(client.open.begin(), client.open.end(), allowed_.begin());
  if (!client.capped && !is_capped) return allowed_.data();
  // SMs in use stay; further ones up to the cap, those with the most room first.
  std::vector<float> used(stride_);
  if (client.capped) {
    used = client.blocks_on;
  } else {
    for (std::uint32_t c = launch.cohorts; c != kNone; c = cohorts_[c].next) {
      if (cohorts_[c].sm != kNone) used[cohorts_[c].sm] += 1;
      if (cohorts_[c].sm != kNone) continue;
      for (std::uint32_t s = 0; s < stride_; ++s) used[s] += counts_[std::size_t{c} * stride_ + s];
    }
  }
  std::vector<float> room(stride_);
  context.sms.room(launch.kernel->shape, room.data());
  std::uint32_t cap = std::min(client.spec.sms_cap, launch.sms_cap);
  std::vector<std::uint32_t> fresh;
  for (std::uint32_t s = 0; s < sms_; ++s) {
    if (used[s] > 0) {
      cap -= std::min(cap, 1U);
    } else if (allowed_[s] > 0 && room[s] > 0) {
      fresh.push_back(s);
    }
  }
  std::stable_sort(fresh.begin(), fresh.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return room[a] > room[b]; });
  for (std::uint32_t s = 0; s < stride_; ++s) {
    if (used[s] <= 0) allowed_[s] = 0;
  }
  for (std::uint32_t i = 0; i < std::min<std::size_t>(cap, fresh.size()); ++i)
    allowed_[fresh[i]] = 1;
  return allowed_.data();
}

// Places as many blocks as there is room for; whether all are placed now.
bool BlockDevice::place(Context& context, std::uint32_t l, TimePoint now) {
  Launch& launch = launches_[l];
  const BlockShape& shape = launch.kernel->shape;
  const float* allowed =
      any_confined_ || launch.sms_cap < sms_ ? confinement(context, launch) : nullptr;
  float total = context.sms.room(shape, scratch_.data());
  if (allowed != nullptr) {
    std::int32_t sum = 0;
    for (std::uint32_t s = 0; s < stride_; ++s) {
      scratch_[s] *= allowed[s];
      sum += static_cast<std::int32_t>(scratch_[s]);
    }
    total = static_cast<float>(sum);
  }
  const std::uint32_t n = std::min(launch.left, static_cast<std::uint32_t>(total));
  if (n == 0) return false;
  launch.left -= n;
  launch.running += n;
  running_blocks_ += n;
  counters_.blocks += n;
  changed_ = true;
  if (!spec_.aggregate) {
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto top = std::max_element(scratch_.begin(), scratch_.end());
      const auto s = static_cast<std::uint32_t>(top - scratch_.begin());
      *top -= 1;
      context.sms.take_one(shape, s);
      add_cohort(context, l, 1, s, now);
    }
    return launches_[l].left == 0;
  }
  if (static_cast<float>(n) < total) {
    place_most_room(scratch_.data(), stride_, static_cast<float>(n));
  }
  context.sms.take(shape, scratch_.data());
  add_cohort(context, l, n, kNone, now);
  return launches_[l].left == 0;
}

void BlockDevice::add_cohort(
    Context& context, std::uint32_t l, std::uint32_t n, std::uint32_t sm, TimePoint now) {
  const std::uint32_t c = new_cohort();
  Launch& launch = launches_[l];
  Cohort& cohort = cohorts_[c];
  cohort.launch = l;
  cohort.blocks = n;
  cohort.sm = sm;
  cohort.left_ns = launch.time_ns;
  cohort.rate = 1;
  cohort.settled = now;
  cohort.end = now + from_ns(launch.time_ns);
  cohort.next = launch.cohorts;
  launch.cohorts = c;
  ++launch.live;
  ++counters_.cohorts;
  Client& client = clients_[launch.client];
  if (sm == kNone) {
    std::copy(scratch_.begin(), scratch_.end(),
              counts_.begin() + static_cast<std::ptrdiff_t>(std::size_t{c} * stride_));
    if (client.capped) {
      for (std::uint32_t s = 0; s < stride_; ++s) client.blocks_on[s] += scratch_[s];
    }
  } else if (client.capped) {
    client.blocks_on[sm] += 1;
  }
  place_[c] = static_cast<std::uint32_t>(context.cohorts.size());
  context.cohorts.push_back(c);
  if (sm == kNone && launch.live > spec_.merge_above && merge_cohort(c)) return;
  set_timer(first_cohort_ + c, cohort.end);
}

// Joins a new cohort with an older one of its launch that ends nearly when it does, at the later
// end.
bool BlockDevice::merge_cohort(std::uint32_t c) {
  Cohort& fresh = cohorts_[c];
  const double within = spec_.merge_within * launches_[fresh.launch].time_ns;
  std::uint32_t best = kNone;
  double least = within;
  for (std::uint32_t o = fresh.next; o != kNone; o = cohorts_[o].next) {
    const double apart = std::fabs(static_cast<double>((fresh.end - cohorts_[o].end).count()));
    if (apart <= least) {
      least = apart;
      best = o;
    }
  }
  if (best == kNone) return false;
  Cohort& old = cohorts_[best];
  settle(old, fresh.settled);
  old.left_ns = std::max(old.left_ns, fresh.left_ns);
  old.blocks += fresh.blocks;
  old.end = std::max(old.end, fresh.settled + from_ns(std::ceil(old.left_ns / old.rate)));
  for (std::uint32_t s = 0; s < stride_; ++s) {
    counts_[std::size_t{best} * stride_ + s] += counts_[std::size_t{c} * stride_ + s];
  }
  set_timer(first_cohort_ + best, old.end);
  // The new one is the first of its launch's list and the last of its context's.
  Launch& launch = launches_[fresh.launch];
  launch.cohorts = fresh.next;
  --launch.live;
  contexts_[context_of(launch)].cohorts.pop_back();
  free_cohorts_.push_back(c);
  ++counters_.merged;
  return true;
}

// Takes a cohort off its SMs and out of all lists.
void BlockDevice::drop_cohort(std::uint32_t c) {
  const Cohort& cohort = cohorts_[c];
  Launch& launch = launches_[cohort.launch];
  Context& context = contexts_[context_of(launch)];
  Client& client = clients_[launch.client];
  if (tree_.holds(first_cohort_ + c)) tree_.clear(first_cohort_ + c);
  if (cohort.sm == kNone) {
    const float* counts = counts_.data() + std::size_t{c} * stride_;
    context.sms.give(launch.kernel->shape, counts);
    if (client.capped) {
      for (std::uint32_t s = 0; s < stride_; ++s) client.blocks_on[s] -= counts[s];
    }
  } else {
    context.sms.give_one(launch.kernel->shape, cohort.sm);
    if (client.capped) client.blocks_on[cohort.sm] -= 1;
  }
  std::uint32_t* link = &launch.cohorts;
  while (*link != c) link = &cohorts_[*link].next;
  *link = cohort.next;
  --launch.live;
  const std::uint32_t last = context.cohorts.back();
  context.cohorts[place_[c]] = last;
  place_[last] = place_[c];
  context.cohorts.pop_back();
  context.blocked = false;
  changed_ = true;
  free_cohorts_.push_back(c);
}

void BlockDevice::end_cohort(std::uint32_t c, TimePoint now) {
  const std::uint32_t l = cohorts_[c].launch;
  const std::uint32_t n = cohorts_[c].blocks;
  drop_cohort(c);
  Launch& launch = launches_[l];
  launch.running -= n;
  launch.ended += n;
  running_blocks_ -= n;
  const bool is_over = launch.left == 0 && launch.running == 0;
  const auto kind = is_over ? DeviceReport::Kind::kFinished : DeviceReport::Kind::kEnded;
  reports_.push_back({kind, launch.tag, n});
  if (is_over) finish(l, now, kind);
  if (contexts_.size() > 1) consider_switch(now);
}

void BlockDevice::settle(Cohort& cohort, TimePoint now) const {
  cohort.left_ns -= cohort.rate * static_cast<double>((now - cohort.settled).count());
  cohort.settled = now;
}

// Blocks share a bandwidth equally: each draws at most `level`, so that all together draw 1.
// Returns infinity where there is enough for all. `member`: what a kernel alone draws.
double BlockDevice::bandwidth_level(const Context& context, double DeviceKernel::*member) {
  const auto share = [&](std::uint32_t c) {  // of one block
    const DeviceKernel& kernel = *launches_[cohorts_[c].launch].kernel;
    return kernel.*member / std::min(kernel.blocks, kernel.per_sm * sms_);
  };
  double demand = 0;
  for (const std::uint32_t c : context.cohorts) demand += cohorts_[c].blocks * share(c);
  if (demand <= 1) return HUGE_VAL;
  double level = 0;
  for (double before = -1; level > before;) {
    before = level;
    double small = 0;
    double blocks = 0;
    for (const std::uint32_t c : context.cohorts) {
      if (share(c) <= level) {
        small += cohorts_[c].blocks * share(c);
      } else {
        blocks += cohorts_[c].blocks;
      }
    }
    if (blocks > 0) level = (1 - small) / blocks;
  }
  return level;
}

// Sets the speed of every cohort by what is resident now, and moves the ends of those that change.
void BlockDevice::retime(Context& context, TimePoint now) {
  const bool is_roofline = spec_.contention == Contention::kRoofline;
  const double dram = is_roofline ? bandwidth_level(context, &DeviceKernel::dram) : 0;
  const double l2 = is_roofline ? bandwidth_level(context, &DeviceKernel::l2) : 0;
  const auto saturating = static_cast<float>(spec_.saturating_warps);
  if (is_roofline) context.sms.crowding(saturating, scratch_.data());
  bool has_others = false;
  for (const std::uint32_t c : context.cohorts) {
    has_others |= launches_[cohorts_[c].launch].job !=
                  launches_[cohorts_[context.cohorts.front()].launch].job;
  }
  for (const std::uint32_t c : context.cohorts) {
    Cohort& cohort = cohorts_[c];
    const DeviceKernel& kernel = *launches_[cohort.launch].kernel;
    double rate = 1;
    if (is_roofline) {
      const double crowding =
          cohort.sm == kNone
              ? context.sms.mean_crowding(counts_.data() + std::size_t{c} * stride_,
                                          scratch_.data(), static_cast<float>(cohort.blocks))
              : static_cast<double>(scratch_[cohort.sm]);
      const double alone = std::max(1.0, kernel.alone_warps / spec_.saturating_warps);
      const double alone_blocks = std::min(kernel.blocks, kernel.per_sm * sms_);
      rate = std::min(1.0, alone / crowding);
      if (kernel.dram > 0) rate = std::min(rate, dram / (kernel.dram / alone_blocks));
      if (kernel.l2 > 0) rate = std::min(rate, l2 / (kernel.l2 / alone_blocks));
    }
    if (has_others) rate /= kernel.factor;
    if (rate == cohort.rate) continue;
    settle(cohort, now);
    cohort.rate = rate;
    cohort.end = now + from_ns(std::ceil(std::max(cohort.left_ns, 0.0) / rate));
    set_timer(first_cohort_ + c, cohort.end);
    ++counters_.events;
  }
}

}  // namespace tangram
