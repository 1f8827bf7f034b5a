// Which co-runs to measure next: those that should lower the error of pair_table most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "validate/co_runs.h"

namespace tangram {

struct NextCoRun {
  std::string model_a, model_b;
  std::uint32_t batch_a = 1, batch_b = 1;
  double share_a_pct = 50, share_b_pct = 50;
  // Expected mean error of pair_table on this pair, percent of the latency, with what was measured
  // and what stands above in the list, and with this co-run besides.
  double error_before_pct = 0, error_after_pct = 0;
  std::string reason;
};

// The `count` co-runs of these models that lower the expected error most, one after the other, each
// with those before it taken as measured; every model beside every other and beside itself. Batches
// are the lowest, middle and highest of the records (2, 8, 32 without any), shares 20/80, 50/50 and
// 80/20. Equal gains: in the order of names. `records` are of one GPU type.
//
// The expectation is that of the Gaussian process behind pair_table (profiles/pair_table.h): it
// depends on where co-runs lie, not on what they showed, and on `pair_sd` alone for its size.
std::vector<NextCoRun> next_co_runs(const std::vector<std::string>& models,
                                    const std::vector<CoRunRecord>& records,
                                    double pair_sd,
                                    std::size_t count);

// The standard deviation of the (victim, aggressor) means around the mean of all, as a fraction of
// it: how far a pair is off when nothing of it was measured. 0.03, that of a V100 under MPS, with
// fewer than three such means.
double spread_between_pairs(const std::vector<CoRunRecord>& records);

}  // namespace tangram
