// Settling, dealing out and rebuilding of the radix heap.
#include "sim/core/radix_heap.h"

#include <algorithm>
#include <functional>

namespace tangram {

void RadixHeap::push_front(UInt128 key) const {
  front_.push_back(key);
  std::push_heap(front_.begin(), front_.end(), std::greater<>());
}

void RadixHeap::pop_front() const {
  std::pop_heap(front_.begin(), front_.end(), std::greater<>());
  front_.pop_back();
  --entries_;
}

void RadixHeap::settle() const {
  for (;;) {
    while (!front_.empty() && !is_live(front_.front())) pop_front();
    if (!front_.empty()) break;
    deal_smallest_bucket();
  }
  settled_ = true;
}

void RadixHeap::deal_smallest_bucket() const {
  // Storage above this is given back: the largest bucket moves up as time grows, and each would
  // otherwise keep room for all entries.
  constexpr std::size_t kKeep = 4096;
  constexpr std::size_t kSoon = 64;
  std::size_t b = 0;
  while (buckets_[b].empty()) ++b;
  std::vector<UInt128>& bucket = buckets_[b];
  pivot_ = primary_of(*std::min_element(bucket.begin(), bucket.end()));
  entries_ -= bucket.size();
  // A small bucket comes up soon, and each of its entries will be looked up in a table too large
  // for the cache.
  if (bucket.size() <= kSoon) {
    for (const UInt128 key : bucket) __builtin_prefetch(&current_[slot_of(key)], 1);
  }
  for (const UInt128 key : bucket) insert(key);
  bucket.clear();
  if (bucket.capacity() > kKeep) bucket.shrink_to_fit();
}

void RadixHeap::rebuild() {
  front_.clear();
  for (std::vector<UInt128>& bucket : buckets_) {
    std::vector<UInt128>().swap(bucket);
  }
  entries_ = 0;
  settled_ = false;
  for (const UInt128 key : current_) {
    if (key != SlotTree::kEmpty) insert(key);
  }
}

}  // namespace tangram
