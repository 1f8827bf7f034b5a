// The interference models: none, a constant, measured pairs, gpulet's linear form, kernel lengths,
// iGniter's analytic form.
#include "profiles/interference.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "profiles/pair_table.h"
#include "profiles/profile_limits.h"
#include "sim/core/error.h"
#include "sim/core/random.h"

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

// Measured co-runs, smoothed between them (profiles/pair_table.h), per GPU type. A run meets the
// same few situations over and over, and each takes a sum over all co-runs of the pair: it is kept.
class MeasuredPairs final : public InterferenceModel {
 public:
  MeasuredPairs(const ProfileSet& profiles, double factor);
  double slowdown(const Resident& victim, std::span<const Resident> others) const override {
    double slowdown = 1;
    for (const Resident& other : others) slowdown += beside(victim, other) - 1;
    return slowdown;
  }

 private:
  struct Situation {
    const Profile* victim;
    const Profile* other;
    std::uint32_t batch, other_batch;
    double share, other_share;
    bool operator==(const Situation&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Situation& s) const {
      StreamKey key(std::bit_cast<std::uintptr_t>(s.victim));
      key = key.with(std::bit_cast<std::uintptr_t>(s.other));
      key = key.with(std::uint64_t{s.batch} << 32 | s.other_batch);
      key = key.with(std::bit_cast<std::uint64_t>(s.share));
      return key.with(std::bit_cast<std::uint64_t>(s.other_share)).value();
    }
  };
  double beside(const Resident& victim, const Resident& other) const;

  std::map<std::string, PairTable, std::less<>> tables_;  // by GPU type
  mutable std::unordered_map<Situation, double, Hash> known_;
};

double MeasuredPairs::beside(const Resident& victim, const Resident& other) const {
  const Situation situation{victim.profile, other.profile,         victim.batch,
                            other.batch,    victim.share_fraction, other.share_fraction};
  const auto [known, is_new] = known_.try_emplace(situation, 1);
  if (is_new) {
    known->second = tables_.at(victim.profile->gpu)
                        .slowdown(victim.profile->model, other.profile->model,
                                  place_of(victim.batch, other.batch, 100 * victim.share_fraction,
                                           100 * other.share_fraction));
  }
  return known->second;
}

// The constant of each model on one GPU type: the factor given, else the profile's, else the mean
// of the type's co-runs.
std::function<double(const std::string&)> constants_of(const ProfileSet& profiles,
                                                       const std::string& gpu,
                                                       double factor) {
  std::map<std::string, double> own;
  double sum = 0;
  double count = 0;
  for (const Profile& profile : profiles.all()) {
    if (profile.gpu != gpu) continue;
    if (profile.interference_factor) own[profile.model] = *profile.interference_factor;
    for (const CoRun& run : profile.co_runs) sum += run.slowdown;
    count += static_cast<double>(profile.co_runs.size());
  }
  const double mean = count > 0 ? sum / count : 1;
  return [=](const std::string& model) {
    if (factor > 0) return factor;
    const auto found = own.find(model);
    return found == own.end() ? mean : found->second;
  };
}

MeasuredPairs::MeasuredPairs(const ProfileSet& profiles, double factor) {
  std::map<std::string, std::vector<CoRunSample>> samples;
  for (const Profile& profile : profiles.all()) {
    std::vector<CoRunSample>& of_type = samples[profile.gpu];
    for (const CoRun& run : profile.co_runs) {
      of_type.push_back({profile.model, run.other,
                         place_of(run.batch, run.other_batch, run.share_pct, run.other_share_pct),
                         run.slowdown});
    }
  }
  for (const auto& [gpu, of_type] : samples) {
    tables_.try_emplace(gpu, of_type, constants_of(profiles, gpu, factor));
  }
}

// A batch of short kernels waits for long neighbours: c + k u with u = t_o / (t_o + t_v), t the
// mean kernel length alone on the same share. The largest over the neighbours.
class KernelLength final : public InterferenceModel {
 public:
  explicit KernelLength(std::array<double, 2> coefficients) : c_(coefficients) {}
  double slowdown(const Resident& victim, std::span<const Resident> others) const override {
    const double own = kernel_ms(victim);
    double worst = 1;
    for (const Resident& other : others) {
      const double length = kernel_ms(other);
      const double slowdown = own > 0 && length > 0
                                  ? c_[0] + c_[1] * kernel_length_share(own, length)
                                  : victim.profile->interference_factor.value_or(1);
      worst = std::max(worst, slowdown);
    }
    return worst;
  }

 private:
  // 0 where the profile does not know it.
  static double kernel_ms(const Resident& r) {
    if (!r.profile->launches) return 0;
    return r.profile->latency_ms(r.share, r.processes, r.batch).value_or(0) / *r.profile->launches;
  }
  std::array<double, 2> c_;
};

// iGniter's analytic model (igniter_model.h): scheduler, L2 cache, clock.
class Igniter final : public InterferenceModel {
 public:
  double slowdown(const Resident& victim, std::span<const Resident> others) const override {
    if (others.empty()) return 1;
    loads_.clear();
    if (!add(victim)) return victim.profile->interference_factor.value_or(1);
    for (const Resident& other : others) {
      if (!add(other)) return victim.profile->interference_factor.value_or(1);
    }
    return igniter_slowdown(loads_);
  }

 private:
  bool add(const Resident& r) const {
    if (!r.profile->igniter) return false;
    loads_.push_back({&*r.profile->igniter, static_cast<double>(r.batch), 100 * r.share_fraction});
    return true;
  }
  mutable std::vector<IgniterLoad> loads_;  // kept for its memory
};

void warn_about_igniter(const ProfileSet& profiles, std::vector<std::string>& warnings) {
  std::map<std::string, const Profile*> first;  // by GPU type
  for (const Profile& p : profiles.all()) {
    if (!p.igniter) {
      warnings.push_back(fmt::format(
          "interference: the profile of {} on {} has no iGniter coefficients; for it and beside it "
          "the victim's interference_factor is used, or 1",
          p.model, p.gpu));
    } else if (const Profile* other = first.try_emplace(p.gpu, &p).first->second;
               other->igniter->gpu != p.igniter->gpu) {
      warnings.push_back(
          fmt::format("interference: the profiles of {} and {} state other coefficients of the {}; "
                      "those of the slowed model are used",
                      other->model, p.model, p.gpu));
    }
  }
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

void warn_about_kernels(const ProfileSet& profiles, std::vector<std::string>& warnings) {
  for (const Profile& p : profiles.all()) {
    if (p.launches) continue;
    warnings.push_back(fmt::format(
        "interference: the profile of {} on {} has no kernel count; for it and beside it the "
        "victim's interference_factor is used, or 1",
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

// V100 under MPS, fitted to 1500 measured slowdowns (docs/model/interference.md).
constexpr std::array<double, 2> kKernelLengthOfV100{1.061, 0.072};

// The specification's coefficients, else the published ones. `meanings` explains a wrong count.
template <std::size_t N>
std::array<double, N> coefficients_or(const std::array<double, N>& published,
                                      const InterferenceSpec& spec,
                                      const char* meanings) {
  std::array<double, N> coefficients = published;
  if (spec.coefficients.empty()) return coefficients;
  if (spec.coefficients.size() != N) {
    throw ConfigError("interference/coefficients", fmt::format("must be {} numbers ({}), not {}", N,
                                                               meanings, spec.coefficients.size()));
  }
  std::copy(spec.coefficients.begin(), spec.coefficients.end(), coefficients.begin());
  return coefficients;
}

std::unique_ptr<InterferenceModel> make_kernel_length(const InterferenceSpec& spec,
                                                      const ProfileSet& profiles,
                                                      std::vector<std::string>& warnings) {
  warn_about_kernels(profiles, warnings);
  if (spec.coefficients.empty()) {
    warnings.push_back(
        "interference: kernel_length is experimental, and without \"coefficients\" it is that of a "
        "V100 under MPS; tangram calibrate fits them to co-runs");
  }
  return std::make_unique<KernelLength>(coefficients_or(kKernelLengthOfV100, spec, "c, k"));
}

}  // namespace

const std::vector<std::string>& interference_names() {
  static const std::vector<std::string> names{"none",   "constant",      "pair_table",
                                              "gpulet", "kernel_length", "igniter"};
  return names;
}

double kernel_length_share(double victim_ms, double aggressor_ms) {
  return aggressor_ms / (aggressor_ms + victim_ms);
}

double igniter_slowdown(std::span<const IgniterLoad> loads) {
  const double beside_ms = predict_igniter(loads).front().latency_ms;
  const double alone_ms = predict_igniter(loads.first(1)).front().latency_ms;
  const double slowdown = beside_ms / alone_ms;
  // More power than the line from power to clock was made for: no clock is left.
  if (!(beside_ms > 0 && alone_ms > 0 && slowdown < kLargestSlowdown)) return kLargestSlowdown;
  return std::max(1.0, slowdown);
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
    return std::make_unique<MeasuredPairs>(profiles, spec.factor);
  }
  if (spec.name == "gpulet") {
    warn_about_utilisation(profiles, warnings);
    return std::make_unique<Gpulet>(coefficients_or(
        kPublishedGpulet, spec, "l2 self, l2 other, dram self, dram other, constant"));
  }
  if (spec.name == "kernel_length") return make_kernel_length(spec, profiles, warnings);
  if (spec.name == "igniter") {
    warn_about_igniter(profiles, warnings);
    return std::make_unique<Igniter>();
  }
  throw ConfigError("interference/name",
                    unknown_name("interference model", spec.name, interference_names()));
}

}  // namespace tangram
