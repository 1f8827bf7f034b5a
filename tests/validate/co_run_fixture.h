// Co-runs made up for tests: four models, every pair at a few places, slowdowns by a formula.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "validate/co_runs.h"

namespace tangram::testing {

using SlowdownOf = std::function<double(const CoRunSide& victim, const CoRunSide& aggressor)>;

// The same slowdown everywhere.
inline double flat(const CoRunSide&, const CoRunSide&) {
  return 1.1;
}

// A model's use and kernels at a place, all different and none a multiple of another.
inline CoRunSide side_of(std::size_t model, std::uint32_t batch, double share_pct) {
  static const std::vector<std::string> names{"a", "b", "c", "d"};
  const auto m = static_cast<double>(model);
  CoRunSide side{names.at(model), batch, share_pct, {}, {}, {}, {}, {}, {}};
  side.solo_ms = (1 + m) * (1 + 0.5 * batch) * 100 / share_pct;
  side.kernels = 10 + 7 * m * m;
  IgniterModel igniter;
  igniter.gpu = {1000, 300, 0, 2.5, 1e6, -1, 0, 0};
  igniter.k = {0, 100 * (1 + m), 0, 0, 0};
  igniter.cache_per_l2_pct = 0.001 * (1 + m);
  igniter.l2_base_pct = 10;
  side.igniter = igniter;
  side.l2 = 0.02 * (1 + m) + 0.001 * batch + 0.002 * share_pct;
  side.dram = 0.05 + 0.03 * m * m + 0.0005 * batch * share_pct / 50;
  return side;
}

// Both directions of every pair of the first `models` models at batches {2, 8, 32}^2 and shares
// {20, 50, 80}: 27 co-runs, 54 rows a pair.
inline std::vector<CoRunRecord> co_runs(std::size_t models, const SlowdownOf& slowdown_of) {
  std::vector<CoRunRecord> records;
  std::uint32_t run = 0;
  for (std::size_t a = 0; a < models; ++a) {
    for (std::size_t b = a + 1; b < models; ++b) {
      for (const std::uint32_t batch_a : {2U, 8U, 32U}) {
        for (const std::uint32_t batch_b : {2U, 8U, 32U}) {
          for (const double share : {20.0, 50.0, 80.0}) {
            const CoRunSide one = side_of(a, batch_a, share);
            const CoRunSide two = side_of(b, batch_b, 100 - share);
            records.push_back({"gpu", one, two, slowdown_of(one, two), run});
            records.push_back({"gpu", two, one, slowdown_of(two, one), run});
            ++run;
          }
        }
      }
    }
  }
  return records;
}

}  // namespace tangram::testing
