// What the released gpulet scheduler believes a batch costs: profiled latency, the time to put a
// batch together, interference, memory and network, in the original's single precision and with
// its rules of interpolation. docs/model/planners/gpulet.md has the equations.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "policies/planner.h"

namespace tangram::detail {

// Largest batch that the original knows.
inline constexpr int kGletBatches = 32;

// A model as the original's configuration files describe it.
struct GletModel {
  std::string name;
  int id = 0;                 // its number there, which breaks ties; others come after, by name
  int memory_mb = 0;          // of one process, without what a partition costs
  int bytes_per_request = 0;  // of the input over the network; 0: not counted
};

// The coefficients of I = max(1, c0 l2 + c1 l2' + c2 dram + c3 dram' + c4) that gpulet published
// for a GPU type, ' marking the neighbour; those of the 2080 Ti where it published none.
const std::array<double, 5>& glet_coefficients(const std::string& gpu);

class GletCosts {
 public:
  // Reads the profiles of all the problem's models on all its GPU types. `sizes`: the partition
  // sizes in percent that may be asked for. Throws NoAnswer where a profile lacks what the original
  // needs: rows for batches 1 and 32 at each of those sizes, and at the ends of its table.
  GletCosts(const PlanningProblem& problem, const std::vector<int>& sizes, double latency_ratio);

  // GPU types in the original's order, by name; the models in the order of the workloads.
  const std::vector<std::string>& types() const { return types_; }
  const std::vector<GletModel>& models() const { return models_; }
  int gpu_memory_mb(std::size_t type) const { return memory_mb_[type]; }
  float latency_ratio() const { return ratio_; }

  // The profiled latency of a batch in ms, without anything added. Where (batch, size) was not
  // profiled: between the curves of the smallest and the largest profiled size, at the place that
  // this size has at batch 32. Requires: 1 <= batch <= 32.
  float profiled_ms(std::size_t type, std::size_t model, int batch, int size) const;
  // The time to put a batch together, ms; 0 where the profile does not say.
  float batching_ms(std::size_t type, std::size_t model, int batch) const;
  // (profiled + batching) * ratio: alone on the GPU.
  float alone_ms(std::size_t type, std::size_t model, int batch, int size) const {
    return (profiled_ms(type, model, batch, size) + batching_ms(type, model, batch)) * ratio_;
  }
  // The slowdown of one task beside another on the same GPU, >= 1. Throws NoAnswer where a profile
  // does not state L2 and DRAM use.
  struct Running {
    std::size_t model;
    int batch;
    int size;
  };
  float slowdown(std::size_t type, const Running& self, const Running& other) const;

 private:
  struct Curve {
    std::map<int, float> ms;  // by batch
  };
  struct Table {
    std::map<int, Curve> curves;  // by size in percent
    int smallest = 0, largest = 0;
    std::vector<float> batching;
    std::map<int, std::array<double, 2>> use;  // L2 and DRAM of the whole GPU, by batch
  };
  Table read_table(const Profile& profile, const std::vector<int>& sizes) const;
  static float on_curve(const Curve& curve, int batch);
  std::array<double, 2> use_of(std::size_t type, const Running& running) const;
  const Table& table(std::size_t type, std::size_t model) const {
    return tables_[type * models_.size() + model];
  }

  float ratio_;
  std::vector<std::string> types_;
  std::vector<int> memory_mb_;
  std::vector<GletModel> models_;
  std::vector<Table> tables_;
};

}  // namespace tangram::detail
