// The knobs of the block device model (docs/model/blocks.md), as a scenario sets them under
// /device/blocks. The defaults are those of keys.cpp.
#pragma once

#include <cstdint>
#include <optional>

#include "profiles/sm_limits.h"
#include "sim/core/time.h"

namespace tangram {

// How blocks of different kernels that are resident together slow each other.
enum class Contention : std::uint8_t {
  kNone,
  kFactor,    // by the profile's constant factor, while another job's blocks are resident
  kRoofline,  // SM issue slots, DRAM and L2 bandwidth
};

struct BlockSpec {
  std::uint32_t queues = 8;            // hardware queues of a client
  bool release_at_completion = false;  // else a queue frees once its kernel is fully dispatched
  bool random_mapping = false;         // stream to queue; else round robin
  bool random_waiters = false;         // which stream gets a freed queue; else first in, first out
  std::uint32_t resident_grids = 128;
  std::uint32_t copy_engines = 2;
  double copy_gb_per_s = 12;
  Duration copy_fixed{5300};
  std::uint64_t input_bytes = 0;   // of a request, copied to the device before its kernels
  std::uint64_t output_bytes = 0;  // copied back after them
  Duration visible{4000};          // from the host's launch to the first instruction
  Duration gap{2000};              // between kernels of one stream
  Duration notify{5500};           // from a block's end to the server's memory
  Duration poll{50};               // server: read one notification record
  Duration decision{500};          // server: choose one stage
  Duration launch{2750};           // server or host thread: issue one launch
  Duration quantum{2'000'000};     // time slicing between contexts
  Duration switching{170'000};
  Contention contention = Contention::kNone;
  double saturating_warps = 16;    // of an SM: with more, they share its issue slots
  bool aggregate = true;           // blocks placed at one instant are one cohort; else one by one
  std::uint32_t merge_above = 16;  // live cohorts of one kernel
  double merge_within = 0.01;      // of a block's time
  std::optional<SmLimits> sm;      // in place of the GPU types' own
};

}  // namespace tangram
