// Dense indices with a type each, so that a queue cannot be passed where an executor is meant.
#pragma once

#include <compare>
#include <cstdint>

namespace tangram {

// An index into one kind of table, 0 .. n-1. Ordered by value; the value is its only meaning.
template <typename Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(std::uint32_t value) : value_(value) {}
  constexpr explicit Id(std::size_t value) : value_(static_cast<std::uint32_t>(value)) {}
  constexpr explicit Id(int value) : value_(static_cast<std::uint32_t>(value)) {}
  constexpr std::uint32_t value() const { return value_; }
  constexpr std::size_t index() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  std::uint32_t value_ = 0;
};

// An id or none, in the four bytes of the id: std::optional of an id is returned through memory in
// two parts, and the reload waits for both (10 ns in the arrival path).
template <typename T>
class MaybeId {
 public:
  constexpr MaybeId() = default;
  constexpr MaybeId(T id) : value_(id.value()) {}  // NOLINT(google-explicit-constructor)
  constexpr explicit operator bool() const { return value_ != kNone; }
  constexpr bool has_value() const { return value_ != kNone; }
  // Requires: has_value().
  constexpr T operator*() const { return T(value_); }
  friend constexpr bool operator==(MaybeId, MaybeId) = default;

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::uint32_t value_ = kNone;
};

using ModelId = Id<struct ModelTag>;        // a model that some workload uses
using WorkloadId = Id<struct WorkloadTag>;  // an entry of the scenario's workloads
using QueueId = Id<struct QueueTag>;        // a queue of requests: per workload, or per replica
using ExecutorId = Id<struct ExecutorTag>;  // one process of one replica group on one partition
using GpuId = Id<struct GpuTag>;            // a GPU of the plan
using TimerId = Id<struct TimerTag>;        // a timer of the policy
using SlotId = Id<struct SlotTag>;          // a leaf of an event queue

// Names a request for the whole run: the workload's index in the high 24 bits, the request's
// number within its workload in the low 40. Smaller means earlier within one workload.
struct RequestId {
  std::uint64_t value = 0;
  static constexpr RequestId of(WorkloadId workload, std::uint64_t number) {
    return {(std::uint64_t{workload.value()} << 40) | number};
  }
  constexpr WorkloadId workload() const {
    return WorkloadId(static_cast<std::uint32_t>(value >> 40));
  }
  constexpr std::uint64_t number() const { return value & ((std::uint64_t{1} << 40) - 1); }
  friend constexpr auto operator<=>(RequestId, RequestId) = default;
};

// Names a batch: a reused slot and the count of its uses, so that a late message about an earlier
// batch in the same slot is recognised.
struct BatchId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend constexpr auto operator<=>(BatchId, BatchId) = default;
};

}  // namespace tangram
