// Analytic profiles from public figures: a roofline over a model's layer groups (FLOPs, bytes, peak
// rates, launch overhead), for every share of a GPU. Marked "analytic"; a stand-in where nothing
// was measured, with its error against measured tables stated in docs/model/profiles.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "profiles/gpu_type.h"
#include "profiles/profile.h"

namespace tangram {

// Public figures of one network at its usual input size, run layer by layer with fp32 tensors, as
// frameworks do by default.
struct ModelFigures {
  std::string name;
  std::string description;
  double gflops_per_item;  // multiply-adds count 2
  double winograd_share;   // of the operations, in 3 x 3 convolutions of stride 1 over all channels
  double parameters_m;     // millions
  double
      matrix_outputs_m;  // elements that convolutions and matrix products write per item, millions
  double other_traffic_m;  // elements that all other kernels (normalisation, activation, addition,
                           // concatenation, pooling) read and write per item, millions
  int matrix_kernels;      // convolutions and matrix products of one forward pass
  int kernels;             // all launches of one forward pass
  std::string source;
};
const std::vector<ModelFigures>& known_models();

// The computed mean latency in ms of one batch of each of `processes` processes that run side by
// side on a part of the GPU: `sms` SMs with `bandwidth` (0, 1] of its memory bandwidth. Requires: a
// GPU type with figures, all arguments > 0.
double synthetic_latency_ms(const ModelFigures& model,
                            const GpuType& gpu,
                            double sms,
                            double bandwidth,
                            std::uint32_t processes,
                            std::uint32_t batch);

// The profile for the whole GPU and 10 % to 100 % of its SMs (1 process), and for each MIG size (1
// to 3 processes), batches 1 to 128 in powers of two, as far as they fit the memory. A
// kernel list for batch 1, marked synthetic (profiles/kernel_synth.h). Throws
// ConfigError for an unknown model (naming the nearest) or a GPU type without figures.
Profile synthesize_profile(const std::string& model, const GpuType& gpu);

}  // namespace tangram
