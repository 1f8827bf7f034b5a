#include "profiles/kernel_synth.h"

#include <algorithm>
#include <cmath>

namespace tangram {
namespace {

// Matrix kernels take this part of the time, split evenly, as networks are designed to have equally
// heavy stages.
constexpr double kMatrixPart = 0.75;
// A block of a matrix kernel computes a tile of 32 x 64 outputs; one of the others handles 1024
// elements.
constexpr double kTile = 32.0 * 64.0;
constexpr double kElements = 1024;
// Convolutional networks work in this many stages, each of which halves the outputs of a layer.
constexpr int kStages = 4;

Kernel kernel(bool is_matrix, double elements) {
  Kernel k;
  k.name = is_matrix ? "synthetic matrix" : "synthetic elementwise";
  k.grid = static_cast<std::uint32_t>(
      std::max(1.0, std::ceil(elements / (is_matrix ? kTile : kElements))));
  k.threads = is_matrix ? 128 : 256;
  k.registers = is_matrix ? 96 : 24;
  k.shared_memory = is_matrix ? 16384 : 0;
  return k;
}

}  // namespace

std::vector<Kernel> synthesize_kernels(const ModelFigures& model, double latency_ms) {
  const bool is_flat = model.description.find("tokens") != std::string::npos;
  const int total = std::max(model.kernels, model.matrix_kernels);
  const int others = total - model.matrix_kernels;
  // What layer i of n has, relative to the mean.
  const auto weight = [&](int i, int n) {
    if (is_flat) return 1.0;
    double sum = 0;
    for (int s = 0; s < kStages; ++s) sum += std::exp2(-s) / kStages;
    return std::exp2(-(i * kStages / n)) / sum;
  };
  const double matrix_us = latency_ms * 1e3 * (others > 0 ? kMatrixPart : 1) / model.matrix_kernels;
  const double matrix_outputs = model.matrix_outputs_m * 1e6 / model.matrix_kernels;
  double other_weight = 0;
  for (int i = 0; i < others; ++i) other_weight += weight(i, others);
  std::vector<Kernel> kernels;
  int other = 0;
  for (int i = 0; i < model.matrix_kernels; ++i) {
    Kernel matrix = kernel(true, matrix_outputs * weight(i, model.matrix_kernels));
    matrix.duration_us = matrix_us;
    kernels.push_back(matrix);
    // The others follow their matrix kernel.
    for (; other * model.matrix_kernels < (i + 1) * others; ++other) {
      const double part = weight(other, others) / other_weight;
      // Each element is read and written.
      Kernel small = kernel(false, model.other_traffic_m * 1e6 * part / 2);
      small.duration_us = latency_ms * 1e3 * (1 - kMatrixPart) * part;
      kernels.push_back(small);
    }
  }
  return kernels;
}

}  // namespace tangram
