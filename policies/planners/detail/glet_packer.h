// gpulet's elastic partitioning (USENIX ATC'22, Algorithm 1) done right: every placement is checked
// against the interference that it suffers and that it causes. docs/model/planners/gpulet.md has
// the rule. Partitions here are "glets", GPUs have one or two.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policies/plan.h"
#include "policies/planner.h"

namespace tangram::detail {

// A workload's part on a glet. A saturated glet has one, and runs full batches back to back.
struct PackedTask {
  std::uint32_t workload = 0;
  double rate_rps = 0;  // assigned, at most what the glet carries
  std::uint32_t batch = 0;
};

struct PackedGlet {
  int size = 100;  // percent
  bool is_saturated = false;
  double duty_ms = 0;
  std::vector<PackedTask> tasks;
};

struct PackedGpu {
  std::string type;
  std::vector<PackedGlet> glets;
};

struct PackOptions {
  double latency_ratio = 1.1;
  bool interference = true;
  bool may_share = true;  // glets by time
  bool may_split = true;  // GPUs that are whole and empty
  std::uint32_t max_batch = 32;
  std::size_t tasks_per_glet = 3;
};

class GletPacker {
 public:
  // Requires: the problem outlives the packer; `gpus` in the plan's order.
  GletPacker(const PlanningProblem& problem, PackOptions options, std::vector<PackedGpu> gpus);

  // Places requests/s of workloads, the largest rate first, and then what placements took from
  // others. What finds no place is left, by workload.
  std::vector<double> place(std::vector<double> rates);
  // Takes a workload off all its glets.
  void remove(std::uint32_t workload);
  const std::vector<PackedGpu>& gpus() const { return gpus_; }
  // Workloads whose interference is unknown: no L2 and DRAM use in a profile.
  const std::set<std::uint32_t>& without_use() const { return without_use_; }

 private:
  // A glet in mind: what runs there, and beside what.
  struct Spot {
    std::size_t gpu;
    std::size_t glet;
    int size;           // it will have
    bool cuts = false;  // the rest of the GPU becomes a glet too
  };
  // What a workload wants next on a GPU type.
  struct Wish {
    std::string type;
    int size;
    bool is_saturated;
  };

  std::optional<double> alone_ms(std::uint32_t w,
                                 const std::string& type,
                                 int size,
                                 std::uint32_t batch) const;
  double slowdown(std::uint32_t w,
                  std::uint32_t batch,
                  int size,
                  const std::string& type,
                  const PackedGlet* beside) const;
  std::optional<double> latency_ms(std::uint32_t w,
                                   std::uint32_t batch,
                                   int size,
                                   const std::string& type,
                                   const PackedGlet* beside) const;
  // A full glet of one workload: the largest batch up to `most` with 2 L <= SLO; its rate is cut to
  // what that carries. False: none.
  bool saturate(PackedGlet& glet,
                const std::string& type,
                const PackedGlet* beside,
                std::uint32_t most) const;
  // Whether a glet carries its rates within the SLOs as it is.
  bool holds(PackedGlet glet, const std::string& type, const PackedGlet* beside) const;
  // Batches and duty cycle that carry the tasks' rates: sum of L <= duty, sum of L + duty <= each
  // SLO, the longest such duty cycle. False: none.
  bool fit(PackedGlet& glet, const std::string& type, const PackedGlet* beside) const;
  bool fits_at(PackedGlet& glet,
               const std::string& type,
               const PackedGlet* beside,
               double duty_ms) const;
  double saturated_rps(std::uint32_t w, const std::string& type, int size) const;
  int efficient_size(std::uint32_t w, const std::string& type) const;
  std::vector<Wish> wishes(std::uint32_t w, double rate) const;

  double place_some(std::uint32_t w, double rate);
  bool grow(std::uint32_t w, double rate);
  bool share(std::uint32_t w, double rate);
  std::vector<Spot> spots(const Wish& wish) const;
  std::optional<double> take(const Spot& spot, std::uint32_t w, double rate);
  bool change(std::size_t gpu, std::size_t glet, PackedGlet next);
  bool fits_memory(const PackedGpu& gpu) const;

  const PlanningProblem& problem_;
  PackOptions options_;
  std::vector<PackedGpu> gpus_;
  std::vector<double> owed_;  // by workload: requests/s that interference took from it
  mutable std::set<std::uint32_t> without_use_;
};

// A plan of what was packed: MPS shares, the tasks of a glet in one process. `left` by workload is
// listed as unserved.
Plan plan_of_glets(const PlanningProblem& problem,
                   const std::string& planner,
                   const GletPacker& packer,
                   const std::vector<double>& left);

}  // namespace tangram::detail
