// Which co-runs to measure next: those that should lower the error of pair_table most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "validate/co_runs.h"

namespace tangram {

// What is left of slowdowns beside constant times pressure, as standard deviations, fractions of
// it: of the means of (victim, aggressor) around all, and inside of them. The defaults are those of
// a V100 under MPS.
struct CoRunSpread {
  double between = 0.030, within = 0.020;
};
// The defaults with fewer than three different (victim, aggressor) of at least two co-runs each.
CoRunSpread spread_of(const std::vector<CoRunRecord>& records);

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
// The expectation takes residuals for a Gaussian process with the spread given and the lengths of
// pair_table: it depends on where co-runs lie, not on what they showed.
std::vector<NextCoRun> next_co_runs(const std::vector<std::string>& models,
                                    const std::vector<CoRunRecord>& records,
                                    const CoRunSpread& spread,
                                    std::size_t count);

}  // namespace tangram
