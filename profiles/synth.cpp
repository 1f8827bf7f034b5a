// The roofline behind the analytic profiles; docs/model/profiles.md has the equations, where each
// constant comes from, and how far the result is from measured tables.
#include "profiles/synth.h"

#include <algorithm>

#include <fmt/format.h>

#include "profiles/kernel_synth.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

constexpr double kBytesPerElement = 4;  // fp32 tensors
// Achieved fraction of the nominal peak, in convolutions and matrix products.
constexpr double kTensorCoreFraction = 0.5;
constexpr double kFp32Fraction = 0.8;
// On fp32 cores 3 x 3 convolutions of stride 1 run as Winograd's F(2x2, 3x3), which needs 2.25
// times fewer multiplications, and transformations beside them.
constexpr double kWinogradGain = 1.8;
// Achieved fraction of the DRAM bandwidth by kernels that run one by one.
constexpr double kBandwidthFraction = 0.45;
// The time that an eager framework's host thread takes to issue one kernel; issue runs ahead of the
// device, so a pass takes the longer of the two.
constexpr double kHostMsPerKernel = 0.028;
// One thread block computes a tile of this many output elements (128 x 128).
constexpr double kTileElements = 128.0 * 128.0;
// A third of the SMs can draw all of the DRAM bandwidth.
constexpr double kBandwidthPerShare = 3;
// CUDA context and framework libraries of one process.
constexpr double kContextMib = 500;
constexpr double kMib = 1024.0 * 1024.0;

bool fits(const Profile& profile, std::uint32_t processes, std::uint32_t batch, double gib) {
  const double needed = processes * (*profile.memory_mib + batch * *profile.memory_per_item_mib);
  return needed <= gib * 1024;
}

// A part of the GPU as the roofline sees it.
struct Part {
  Share share;
  double sms, bandwidth, memory_gib;
  std::uint32_t most_processes;
};

std::vector<Part> parts_of(const GpuType& gpu) {
  constexpr double kNoLimit = 1e9;
  const double memory = gpu.memory_gib.value_or(kNoLimit);
  std::vector<Part> parts{{{ShareKind::kWhole, 1}, static_cast<double>(gpu.sms), 1, memory, 1}};
  for (const MigSize& size : gpu.mig_sizes) {
    parts.push_back({{ShareKind::kMig, static_cast<double>(size.slices)},
                     static_cast<double>(size.sms),
                     size.memory_slices / 8.0,
                     size.memory_gib,
                     3});
  }
  for (int percent = 10; percent <= 100; percent += 10) {
    const double fraction = percent / 100.0;
    parts.push_back({{ShareKind::kPercent, static_cast<double>(percent)},
                     fraction * gpu.sms,
                     std::min(1.0, kBandwidthPerShare * fraction),
                     memory,
                     1});
  }
  return parts;
}

void check_figures(const GpuType& gpu) {
  if (gpu.sms > 0 && gpu.dram_gb_per_s > 0 && gpu.fp32_tflops > 0) return;
  throw ConfigError("gpu",
                    fmt::format("GPU type \"{}\" has no figures to compute from: it needs SMs, "
                                "DRAM bandwidth and the fp32 rate",
                                gpu.name));
}

}  // namespace

double synthetic_latency_ms(const ModelFigures& model,
                            const GpuType& gpu,
                            double sms,
                            double bandwidth,
                            std::uint32_t processes,
                            std::uint32_t batch) {
  const double items = static_cast<double>(processes) * batch;
  // Blocks per SM in the mean matrix kernel; the last wave of blocks is on average partly empty, so
  // that x waves of work take x + 1 waves of time.
  const double blocks = items * model.matrix_outputs_m * 1e6 / model.matrix_kernels / kTileElements;
  const double waves = blocks / sms;
  const double filled = waves / (waves + 1);
  const bool has_tensor_cores = gpu.tf32_tflops > gpu.fp32_tflops;
  const double tflops =
      has_tensor_cores ? kTensorCoreFraction * gpu.tf32_tflops : kFp32Fraction * gpu.fp32_tflops;
  const double gflops = model.gflops_per_item *
                        (has_tensor_cores ? 1 : 1 - model.winograd_share * (1 - 1 / kWinogradGain));
  const double part_of_gpu = sms / gpu.sms;
  // GFLOP / TFLOPS and MB / (GB/s) are both milliseconds.
  const double compute_ms = items * gflops / (tflops * part_of_gpu * filled);
  const double gb_per_s = kBandwidthFraction * bandwidth * gpu.dram_gb_per_s;
  const double matrix_mb =
      kBytesPerElement * (2 * items * model.matrix_outputs_m + processes * model.parameters_m);
  const double other_mb = kBytesPerElement * items * model.other_traffic_m;
  const double device_ms = std::max(compute_ms, matrix_mb / gb_per_s) + other_mb / gb_per_s;
  return std::max(device_ms, model.kernels * kHostMsPerKernel);
}

Profile synthesize_profile(const std::string& model, const GpuType& gpu) {
  std::vector<std::string> names;
  for (const ModelFigures& known : known_models()) names.push_back(known.name);
  const auto position = std::find(names.begin(), names.end(), model);
  if (position == names.end()) throw ConfigError("model", unknown_name("model", model, names));
  check_figures(gpu);
  const ModelFigures& figures = known_models()[static_cast<std::size_t>(position - names.begin())];

  Profile profile;
  profile.model = model;
  profile.gpu = gpu.name;
  profile.interpolation = Interpolation::kLinear;
  profile.weights_mib = figures.parameters_m * 1e6 * kBytesPerElement / kMib;
  profile.memory_mib = *profile.weights_mib + kContextMib;
  // All matrix outputs at once: frameworks free most of them on the way.
  profile.memory_per_item_mib = figures.matrix_outputs_m * 1e6 * kBytesPerElement / kMib;
  profile.provenance.kind = "analytic";
  profile.provenance.device = gpu.description;
  profile.provenance.source = fmt::format("roofline of {} ({}) on {}: docs/model/profiles.md",
                                          figures.description, figures.source, gpu.source);
  for (const Part& part : parts_of(gpu)) {
    for (std::uint32_t processes = 1; processes <= part.most_processes; ++processes) {
      for (std::uint32_t batch = 1; batch <= 128; batch *= 2) {
        if (!fits(profile, processes, batch, part.memory_gib)) break;
        LatencyPoint point;
        point.share = part.share;
        point.processes = processes;
        point.batch = batch;
        point.latency_ms =
            synthetic_latency_ms(figures, gpu, part.sms, part.bandwidth, processes, batch);
        profile.points.push_back(point);
      }
    }
  }
  std::sort(profile.points.begin(), profile.points.end(), point_before);
  if (const LatencyPoint* alone = profile.point({}, 1, 1)) {
    profile.kernels = synthesize_kernels(figures, alone->latency_ms);
  }
  return profile;
}

}  // namespace tangram
