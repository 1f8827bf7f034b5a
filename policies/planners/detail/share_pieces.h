// What the planners for shares of a GPU under MPS have in common: parts of workloads, the share
// that one needs alone, and the way to a plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/plan.h"
#include "policies/planner.h"
#include "profiles/gpu_type.h"

namespace tangram::detail {

inline constexpr double kWholeGpuPct = 100;
// What rounding may take from, or add to, a sum of shares (percent) or a rate (its part).
inline constexpr double kShareRounding = 1e-9;

// A part of a workload on a share of one GPU.
struct SharePiece {
  std::size_t workload = 0;  // index in the problem
  const Profile* profile = nullptr;
  double rate_rps = 0;
  double budget_ms = 0;  // for one batch
  std::uint32_t batch = 1;
  double share_pct = 0;  // may be above 100 in an original program's plan
};
using ShareGpu = std::vector<SharePiece>;

// How parts are sized.
struct ShareSizing {
  double slo_share = 0.5;        // the part of the SLO that a batch may take
  std::uint32_t max_batch = 32;  // no batch is larger, whatever the profile knows
  double full_load = 0.9;        // of the throughput of a whole GPU, where a workload fills several
  // Whether copying a batch in overlaps the computing before it, as in iGniter's model. The
  // runtimes here do one after the other.
  bool overlap = true;
  bool clock = true;  // whether power may lower the clock of a workload alone
};

// The GPU type to plan for: that of the cluster for which workloads have profiles. Throws NoAnswer
// when there are several.
const GpuType& share_type_of(const PlanningProblem& problem);

// Each workload as one part, or, where a GPU is not enough, as several that fill whole GPUs and a
// rest; in the order of the workloads. With iGniter coefficients batch and share are iGniter's
// (lower bound, raised by steps where the clock falls or max_batch is met); otherwise the smallest
// profiled share, and on it the smallest batch, that keep the budget and carry the rate.
// `reasons[w]`: why a workload is not, or not all, among them.
std::vector<SharePiece> share_pieces(const PlanningProblem& problem,
                                     const GpuType& type,
                                     const ShareSizing& sizing,
                                     std::vector<std::string>& reasons);

double total_share(const ShareGpu& gpu);
// Whether the memory of the parts is known and more than the GPU's.
bool exceeds_memory(const ShareGpu& gpu, const GpuType& type);
// What iGniter's model says of the parts of one GPU. Requires: coefficients in every profile.
std::vector<IgniterPrediction> predict_share_gpu(const ShareGpu& gpu);

// Numbers of the cluster's GPUs of that type, ascending.
std::vector<std::uint32_t> indices_of(const Cluster& cluster, const std::string& type);

// Requests/s of full batches, one after the other or with copies in overlap.
double throughput_rps(const IgniterPrediction& prediction, double batch, bool overlap);

// Lists as unserved what `carried` requests/s, by workload, lack of the rates: with
// `reasons[workload]`, or because the cluster has no more GPUs.
void list_unserved(const PlanningProblem& problem,
                   const GpuType& type,
                   const std::vector<double>& carried,
                   const std::vector<std::string>& reasons,
                   Plan& plan);

// The i-th GPU becomes the cluster's i-th of that type, the parts its partitions in their order;
// empty ones are left out, those that the cluster does not have are cut off. What no part carries
// is listed as unserved, with `reasons[workload]` where that is not empty. Says in a note, where
// all have coefficients, how the batches fare beside each other by iGniter's model.
Plan plan_of_shares(const PlanningProblem& problem,
                    const GpuType& type,
                    const std::vector<ShareGpu>& gpus,
                    const std::vector<std::string>& reasons);

}  // namespace tangram::detail
