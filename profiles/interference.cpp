// The interference models: none, a constant, measured pairs, and gpulet's linear form.
#include "profiles/interference.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "sim/core/error.h"
#include "sim/core/stable_math.h"

namespace tangram {
namespace {

class None final : public InterferenceModel {
 public:
  double slowdown(const Resident&, std::span<const Resident>) const override { return 1; }
};

// One factor whenever anything runs beside the victim, however many and whatever they are.
class Constant final : public InterferenceModel {
 public:
  // `factor` 0: each profile's own, 1 where it has none.
  explicit Constant(double factor) : factor_(factor) {}
  double slowdown(const Resident& victim, std::span<const Resident> others) const override {
    if (others.empty()) return 1;
    return factor_ > 0 ? factor_ : victim.profile->interference_factor.value_or(1);
  }

 private:
  double factor_;
};

// gpulet (USENIX ATC 2022), interference of one task beside another, section 2 of the released
// code: max(1, c1 l2_v + c2 l2_o + c3 dram_v + c4 dram_o + c5), each utilisation being that of the
// model alone on the whole GPU times the fraction of the GPU that its partition is.
class Gpulet final : public InterferenceModel {
 public:
  explicit Gpulet(std::array<double, 5> coefficients) : c_(coefficients) {}
  double slowdown(const Resident& victim, std::span<const Resident> others) const override {
    if (others.empty()) return 1;
    const Profile::Utilisation v = utilisation(victim);
    double worst = 1;
    for (const Resident& other : others) {
      const Profile::Utilisation o = utilisation(other);
      worst =
          std::max(worst, c_[0] * v.l2 + c_[1] * o.l2 + c_[2] * v.dram + c_[3] * o.dram + c_[4]);
    }
    return worst;
  }

 private:
  static Profile::Utilisation utilisation(const Resident& r) {
    const auto whole = r.profile->utilisation(Share{}, 1, r.batch);
    if (whole) return {whole->l2 * r.share_fraction, whole->dram * r.share_fraction};
    // Measured on the partition itself: a fraction of the whole GPU's peak already.
    return r.profile->utilisation(r.share, r.processes, r.batch)
        .value_or(Profile::Utilisation{0, 0});
  }
  std::array<double, 5> c_;
};

// Measured co-runs, smoothed between them. Where none was measured: the constant.
class PairTable final : public InterferenceModel {
 public:
  PairTable(const ProfileSet& profiles, double factor);
  double slowdown(const Resident& victim, std::span<const Resident> others) const override {
    double excess = 0;
    for (const Resident& other : others) excess += beside(victim, other) - 1;
    return std::max(1.0, 1 + excess);
  }

 private:
  struct Place {
    double log_batch, log_other, share, other_share;
  };
  struct Sample {
    Place place;
    double residual;  // measured / prior - 1
  };
  struct Pair {
    double prior = 1;
    std::vector<Sample> samples;
  };
  using Key = std::tuple<std::string, std::string, std::string>;  // GPU type, model, neighbour

  static Place place_of(double batch, double other_batch, double share_pct, double other_pct) {
    constexpr double kLn2 = 0x1.62e42fefa39efp-1;
    return {stable::log(batch) / kLn2, stable::log(other_batch) / kLn2, share_pct / 100,
            other_pct / 100};
  }
  static double squared_distance(const Place& a, const Place& b);
  double beside(const Resident& victim, const Resident& other) const;
  double constant_for(const Profile& profile) const;

  double factor_;
  std::map<std::string, double> mean_;  // of all co-runs, per GPU type
  std::map<Key, Pair> pairs_;
};

PairTable::PairTable(const ProfileSet& profiles, double factor) : factor_(factor) {
  std::map<std::string, std::pair<double, double>> sums;
  for (const Profile& profile : profiles.all()) {
    for (const CoRun& run : profile.co_runs) {
      auto& [sum, count] = sums[profile.gpu];
      sum += run.slowdown;
      count += 1;
    }
  }
  for (const auto& [gpu, sum] : sums) mean_[gpu] = sum.first / sum.second;
  for (const Profile& profile : profiles.all()) {
    const double constant = constant_for(profile);
    for (const CoRun& run : profile.co_runs) {
      Pair& pair = pairs_[{profile.gpu, profile.model, run.other}];
      pair.samples.push_back(
          {place_of(run.batch, run.other_batch, run.share_pct, run.other_share_pct),
           run.slowdown / constant});
    }
  }
  // The pair's offset, drawn towards no offset by n / (n + 0.15): one sample already says most
  // about a pair (docs/model/interference.md).
  constexpr double kShrink = 0.15;
  for (auto& [key, pair] : pairs_) {
    const auto n = static_cast<double>(pair.samples.size());
    double offset = 0;
    for (const Sample& sample : pair.samples) offset += sample.residual / n;
    const double shrunk = 1 + (offset - 1) * n / (n + kShrink);
    const Profile& profile = *profiles.find(std::get<1>(key), std::get<0>(key));
    pair.prior = constant_for(profile) * shrunk;
    for (Sample& sample : pair.samples) sample.residual = sample.residual / shrunk - 1;
  }
}

double PairTable::constant_for(const Profile& profile) const {
  if (factor_ > 0) return factor_;
  if (profile.interference_factor) return *profile.interference_factor;
  const auto mean = mean_.find(profile.gpu);
  return mean == mean_.end() ? 1 : mean->second;
}

// One doubling of a batch counts as much as 20 % of share.
double PairTable::squared_distance(const Place& a, const Place& b) {
  constexpr double kShareScale = 5;
  const double batch = a.log_batch - b.log_batch;
  const double other = a.log_other - b.log_other;
  const double share = kShareScale * (a.share - b.share);
  const double other_share = kShareScale * (a.other_share - b.other_share);
  return batch * batch + other * other + share * share + other_share * other_share;
}

// Inverse distance weights (Shepard 1968) over the residuals, with a weight of its own for "no
// residual": exact at a measured place, the pair's prior far from all of them.
double PairTable::beside(const Resident& victim, const Resident& other) const {
  const auto found =
      pairs_.find({victim.profile->gpu, victim.profile->model, other.profile->model});
  if (found == pairs_.end()) return constant_for(*victim.profile);
  const Pair& pair = found->second;
  const Place here =
      place_of(victim.batch, other.batch, 100 * victim.share_fraction, 100 * other.share_fraction);
  constexpr double kPriorWeight = 0.1;  // that of a sample at a distance of about 3 doublings
  constexpr double kSamePlace = 1e-12;
  double weights = kPriorWeight;
  double sum = 0;
  for (const Sample& sample : pair.samples) {
    const double d2 = squared_distance(here, sample.place);
    if (d2 < kSamePlace) return std::max(1.0, pair.prior * (1 + sample.residual));
    weights += 1 / d2;
    sum += sample.residual / d2;
  }
  return std::max(1.0, pair.prior * (1 + sum / weights));
}

void warn_about_factors(const ProfileSet& profiles, std::vector<std::string>& warnings) {
  for (const Profile& p : profiles.all()) {
    if (p.interference_factor) continue;
    warnings.push_back(
        fmt::format("interference: the profile of {} on {} has no "
                    "interference_factor; 1 is used (no slowdown beside neighbours)",
                    p.model, p.gpu));
  }
}

void warn_about_utilisation(const ProfileSet& profiles, std::vector<std::string>& warnings) {
  for (const Profile& p : profiles.all()) {
    const bool known = std::any_of(p.points.begin(), p.points.end(), [](const LatencyPoint& point) {
      return point.l2_utilisation && point.dram_utilisation;
    });
    if (known) continue;
    warnings.push_back(
        fmt::format("interference: the profile of {} on {} has no L2 and DRAM "
                    "utilisation; 0 is used",
                    p.model, p.gpu));
  }
}

void warn_about_pairs(const ProfileSet& profiles, std::vector<std::string>& warnings) {
  for (const Profile& p : profiles.all()) {
    std::set<std::string> measured;
    for (const CoRun& run : p.co_runs) measured.insert(run.other);
    std::vector<std::string> missing;
    for (const Profile& other : profiles.all()) {
      if (other.gpu == p.gpu && !measured.contains(other.model)) missing.push_back(other.model);
    }
    if (missing.empty()) continue;
    warnings.push_back(
        fmt::format("interference: the profile of {} on {} has no co-runs beside "
                    "{}; the constant is used for these",
                    p.model, p.gpu, fmt::join(missing, ", ")));
  }
}

// RTX 2080 Ti, the constants that gpulet published with its code, to the four digits of the paper.
constexpr std::array<double, 5> kPublishedGpulet{0.1129, 0.7160, 0.3549, 0.0882, 0.8954};

std::array<double, 5> gpulet_coefficients(const InterferenceSpec& spec) {
  std::array<double, 5> coefficients = kPublishedGpulet;
  if (spec.coefficients.empty()) return coefficients;
  if (spec.coefficients.size() != coefficients.size()) {
    throw ConfigError("interference/coefficients",
                      fmt::format("must be five numbers (l2 self, l2 other, dram self, dram other, "
                                  "constant), not {}",
                                  spec.coefficients.size()));
  }
  std::copy(spec.coefficients.begin(), spec.coefficients.end(), coefficients.begin());
  return coefficients;
}

}  // namespace

const std::vector<std::string>& interference_names() {
  static const std::vector<std::string> names{"none", "constant", "pair_table", "gpulet"};
  return names;
}

std::unique_ptr<InterferenceModel> make_interference(const InterferenceSpec& spec,
                                                     const ProfileSet& profiles,
                                                     std::vector<std::string>& warnings) {
  if (spec.factor != 0 && !(spec.factor >= 1)) {
    throw ConfigError("interference/factor",
                      fmt::format("must be at least 1, not {}", spec.factor));
  }
  if (spec.name == "none") return std::make_unique<None>();
  if (spec.name == "constant" || spec.name == "default") {
    if (spec.factor == 0) warn_about_factors(profiles, warnings);
    return std::make_unique<Constant>(spec.factor);
  }
  if (spec.name == "pair_table") {
    warn_about_pairs(profiles, warnings);
    return std::make_unique<PairTable>(profiles, spec.factor);
  }
  if (spec.name == "gpulet") {
    warn_about_utilisation(profiles, warnings);
    return std::make_unique<Gpulet>(gpulet_coefficients(spec));
  }
  throw ConfigError("interference/name",
                    unknown_name("interference model", spec.name, interference_names()));
}

}  // namespace tangram
