// Measured co-runs, smoothed: the slowdown of a victim beside an aggressor at a place that need not
// have been measured. Formulas, and how well they predict: docs/model/interference.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tangram {

// Where a co-run lies among those of its two models.
struct CoRunPlace {
  double log_batch = 0;      // log2 of the victim's batch
  double log_other = 0;      // log2 of the aggressor's
  double share = 0.5;        // of the GPU's SMs, (0, 1]: the victim's
  double other_share = 0.5;  // and the aggressor's
};
CoRunPlace place_of(std::uint32_t batch,
                    std::uint32_t other_batch,
                    double share_pct,
                    double other_share_pct);

// How much a co-run tells about another of the same two models: 1 at the same place, falling to 0
// with the distance.
double co_run_similarity(const CoRunPlace& a, const CoRunPlace& b);

struct CoRunSample {
  std::string victim, aggressor;
  CoRunPlace place;
  double slowdown = 1;  // > 0
};

// The co-runs of one GPU type.
class PairTable {
 public:
  // `constant_of(victim)` is the slowdown where nothing else is known, > 0. Throws ConfigError when
  // there are more than 1000 samples of one victim beside one aggressor.
  PairTable(const std::vector<CoRunSample>& samples,
            std::function<double(const std::string&)> constant_of);

  // At least 1.
  double slowdown(const std::string& victim,
                  const std::string& aggressor,
                  const CoRunPlace& place) const;
  // What it says without the co-runs of the two beside each other: the constant times the
  // aggressor's pressure, at least 1.
  double prior(const std::string& victim,
               const std::string& aggressor,
               const CoRunPlace& place) const;

 private:
  // More of the aggressor's batch presses harder, in proportion to its share.
  struct Pressure {
    double slope = 0;  // of the slowdown, per doubling of the batch on the whole GPU
    double log_low = 0, log_high = 0, log_mean = 0;  // of the measured batches
    double at(const CoRunPlace& place) const;
  };
  struct Measured {
    CoRunPlace place;
    double weight;
  };
  static Pressure pressure_of(const std::vector<const CoRunSample*>& samples,
                              const std::function<double(const std::string&)>& constant_of);
  std::vector<Measured> weights_of(const std::vector<const CoRunSample*>& samples) const;

  std::function<double(const std::string&)> constant_of_;
  std::map<std::string, Pressure> pressures_;                                  // by aggressor
  std::map<std::string, std::map<std::string, std::vector<Measured>>> cells_;  // victim, aggressor
};

}  // namespace tangram
