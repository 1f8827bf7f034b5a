// How much slower a batch runs while others run beside it on the same GPU. Pluggable; see
// docs/model/interference.md for what each predicts and how well.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "profiles/profile.h"

namespace tangram {

// A running batch as an interference model sees it.
struct Resident {
  const Profile* profile = nullptr;
  Share share;
  std::uint32_t processes = 1;
  std::uint32_t batch = 1;
  double share_fraction = 1;  // of the GPU's SMs, (0, 1]
};

// Not for several threads at once: a model may keep what it has worked out.
class InterferenceModel {
 public:
  virtual ~InterferenceModel() = default;
  // The victim's slowdown beside these residents, >= 1: its progress is 1/slowdown over the overlap
  // only. No residents: 1.
  virtual double slowdown(const Resident& victim, std::span<const Resident> others) const = 0;
};

struct InterferenceSpec {
  std::string name =
      "default";      // "default": `constant` where a GPU is shared, with the profile's factor
  double factor = 0;  // constant: overrides the profiles' factors; 0 = not given
  // gpulet: 1 at least, c_l2_self l2_v + c_l2_other l2_o + c_dram_self dram_v + c_dram_other dram_o
  // + constant, largest over the others (gpulet.md section 2).
  // kernel_length: c + k u, c and k in that order; empty = those of a V100.
  std::vector<double> coefficients;  // gpulet: five; empty = the published 2080 Ti values
};

// "none", "constant", "pair_table", "gpulet", "kernel_length", "igniter".
const std::vector<std::string>& interference_names();

// u of kernel_length: the aggressor's part of the two mean kernel lengths, (0, 1). Requires: both
// positive.
double kernel_length_share(double victim_ms, double aggressor_ms);

// iGniter's slowdown of the first load beside the others: predicted latency there over that alone
// on the same share, at least 1; kLargestSlowdown where the formula lets the clock fall to nothing.
// Requires: at least one load.
double igniter_slowdown(std::span<const IgniterLoad> loads);

// Builds the model. Appends to `warnings` what it had to assume: a factor of 1 where a profile has
// none, missing utilisation, missing pairs.
std::unique_ptr<InterferenceModel> make_interference(const InterferenceSpec& spec,
                                                     const ProfileSet& profiles,
                                                     std::vector<std::string>& warnings);

}  // namespace tangram
