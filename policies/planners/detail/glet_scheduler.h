// The released gpulet scheduler, bug for bug: elastic partitioning, its greedy and its time-sharing
// baseline. Integers where the original has integers (rates, SLOs), single precision where it has
// floats, its orders of ties (those of libstdc++'s std::sort). docs/model/planners/gpulet.md has
// the rule step by step, and what is wrong with it.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "policies/planners/detail/glet_costs.h"

namespace tangram::detail {

// The demand of a model, or its part on one partition.
struct GletTask {
  std::size_t model = 0;
  int rate = 0;   // requests/s still to be placed; on a partition: when it was placed
  int extra = 0;  // requests/s lost to interference, to be placed again
  int slo_ms = 0;
  int batch = 0;
  float rps = 0;  // what the partition carries
};

// A partition of a GPU.
struct Glet {
  std::size_t gpu = 0;
  std::size_t type = 0;
  int size = 100;  // percent
  int twin = 0;    // 1: the second half of a GPU cut in the middle
  float duty_ms = 0;
  float occupancy = 0;  // 1: saturated
  std::vector<GletTask> tasks;
};

struct GletGpu {
  std::size_t type = 0;
  int memory_mb = 0;
  int used_mb = 0;
  std::vector<std::pair<int, int>> loaded;  // (size, twin) of partitions that cost memory already
  std::vector<Glet*> glets;
};

struct GletOptions {
  std::vector<int> sizes;  // percent, descending
  bool interference = false;
  bool greedy = false;     // the smallest sufficient size at a time, no time sharing
  bool may_split = true;   // false: the layout stays as it is
  int tasks_per_glet = 3;  // where tasks share a partition by time
};

// What a partition carries at most, by model, type and size.
class GletSaturation {
 public:
  struct Entry {
    int batch = 0;
    float rps = 0;
  };
  GletSaturation(const GletCosts& costs,
                 const std::vector<GletTask>& demands,
                 const std::vector<int>& sizes);
  const Entry& at(std::size_t type, std::size_t model, int size) const;
  // The size up to which throughput grows fastest per percent; the original's "p_eff".
  int efficient_size(std::size_t type, std::size_t model) const;

 private:
  std::size_t models_;
  std::vector<int> sizes_;
  std::vector<Entry> entries_;
};

// One run over one layout. Where the original crashes, NoAnswer says where.
class GletScheduler {
 public:
  // Requires: the references outlive the scheduler. `layout[i]`: the sizes that GPU i starts with,
  // one or two; `gpu_types` ascending.
  GletScheduler(const GletCosts& costs,
                const GletSaturation& saturation,
                GletOptions options,
                const std::vector<std::size_t>& gpu_types,
                const std::vector<std::vector<int>>& layout);

  GletScheduler(const GletScheduler&) = delete;
  GletScheduler& operator=(const GletScheduler&) = delete;

  // Places all demands, or returns false, and then the GPUs are in no particular state.
  bool run(std::vector<GletTask> demands);
  const std::vector<GletGpu>& gpus() const { return gpus_; }

 private:
  bool place_all(std::vector<GletTask>& demands);
  bool place(GletTask task);
  bool place_again(GletTask task);

  // Estimates: what partitions a demand wants.
  std::vector<Glet> chunks_of(std::size_t type, const GletTask& task, int rate) const;
  std::vector<Glet> greedy_chunks(std::size_t type, const GletTask& task, int rate) const;
  Glet residue_chunk(std::size_t type, const GletTask& task, int rate, std::size_t index) const;
  std::size_t cheapest_type(const GletTask& task) const;

  // Placement on empty partitions.
  Glet* best_fit(const Glet& chunk, const std::vector<Glet*>& taken);
  bool neighbour_forbids(const Glet& glet) const;
  bool fits_dry(const std::vector<Glet>& chunks);
  bool allocate(std::vector<Glet>& chunks, GletTask& task);
  bool fit_chunk(Glet& chunk, int size) const;
  Glet* split(Glet& glet, int size);
  bool adjust_saturated(Glet& glet, GletTask& pays) const;
  bool adjust_residue(Glet& glet) const;

  // The second attempt, on whatever is empty.
  void readjust(GletTask& task, std::vector<Glet*> given);
  bool readjust_saturated(GletTask& task, std::vector<Glet*>& given, bool& leaves_residue);
  void readjust_residue(GletTask& task, std::vector<Glet*>& given);
  Glet* preferred(const GletTask& task, const std::vector<Glet*>& given) const;
  Glet split_for(const GletTask& task, Glet& glet, std::vector<Glet*>& given);
  bool must_revert(const Glet& placed, GletTask& task);
  static void clear(Glet& glet);

  bool merge_residues(GletTask& task);
  bool place_merged(GletTask& task, std::size_t type, int size, int rate);
  bool share_time(GletTask& task, const std::vector<Glet*>& only);
  bool join(Glet& glet, GletTask& task);

  // Costs as the state has them.
  float slowdown_on(const Glet& self, std::size_t model, int batch) const;
  float latency_ms(const Glet& self, std::size_t model, int batch) const;
  float latency_sum(const Glet& self) const;
  int saturated_batch(const Glet& glet, const GletTask& task) const;
  int residue_batch(const Glet& glet, const GletTask& task, int& rate) const;
  bool is_loaded(const GletGpu& gpu, const Glet& glet, std::size_t model) const;
  bool fits_memory(const GletGpu& gpu, const Glet& glet, std::size_t model) const;
  void charge_memory(GletGpu& gpu, const Glet& glet, std::size_t model) const;
  void return_memory(GletGpu& gpu, const Glet& glet, std::size_t model) const;
  double network_gbits(const GletGpu& gpu) const;
  bool limit_to_network(GletTask& task, const GletGpu& gpu) const;

  Glet* add_glet(GletGpu& gpu, Glet glet);
  std::vector<Glet*> empty_glets();

  const GletCosts& costs_;
  const GletSaturation& saturation_;
  GletOptions options_;
  std::deque<Glet> store_;  // of all partitions there ever were: addresses stay
  std::vector<GletGpu> gpus_;
};

// The largest batch by bisection over [1, 32]; the upper end is never tried, so at most 31. 0:
// none.
template <typename Fits>
int bisected_batch(Fits fits) {
  int low = 1;
  int high = kGletBatches;
  while (true) {
    const bool is_last = low == 1 && high == 1;
    const int middle = (low + high) / 2;
    if (fits(middle)) {
      low = middle;
    } else if (is_last) {
      return 0;
    } else {
      high = middle;
    }
    if (high - low <= 1) high = low;
    if (high == low && (low != 1 || is_last)) return low;
  }
}

}  // namespace tangram::detail
