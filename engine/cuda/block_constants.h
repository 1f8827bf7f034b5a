// Measures what the block-level device model takes as constants: what a launch costs, the gaps,
// waves and notifications, how many grids run at once, how many hardware queues there are.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cuda/kernel_module.h"
#include "sim/core/json_reader.h"

namespace tangram {

struct BenchSizes {
  unsigned repetitions = 20;
  unsigned launches = 200;  // per repetition
  // As in Paella's Fig. 2: jobs of eight kernels of one block, each job in a stream of its own.
  unsigned jobs = 64, kernels_of_job = 8;
  double job_kernel_us = 500;
  unsigned grids = 256;  // started at once
};

// Measures on a device that runs nothing else. Throws RunnerError. The object has, in microseconds
// with {"median", "p90", "least", "samples"}:
//   launch_us          of the host, per launch that does not wait
//   back_to_back_us    per empty kernel in a full stream
//   gap_us             from a kernel's last block to the next one's first, in a full stream
//   launch_to_flag_us  from a launch until the host sees what its kernel wrote
//   round_trip_us      host to running kernel to host; half of it is a notification
//   synchronize_us     launch of an empty kernel and wait for its stream
//   partition_us       making two green contexts of half the device, where there are any
// and "waves" [{"waves", "span_us"}] with "wave_us" (slope) of blocks of "block_us"; "grids": the
// most that ran at the same instant out of those started at once; "queues": spans of the jobs
// submitted job by job and kernel by kernel, and the hardware queues that the first means:
// jobs (kernels - 1) t / (span - t), because a queue is free when its last kernel is dispatched.
Json measure_block_constants(const CudaDriver& driver,
                             KernelImage image,
                             int ordinal,
                             const BenchSizes& sizes = {});

// The largest number of [first, last) intervals that hold one instant.
unsigned most_at_once(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& intervals);

}  // namespace tangram
