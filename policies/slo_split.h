// A policy that divides an application's SLO among its stages, once, when the scenario is read.
#pragma once

#include <memory>
#include <vector>

#include "policies/cluster.h"
#include "policies/policy_info.h"
#include "profiles/profile.h"
#include "sim/core/time.h"
#include "workloads/application.h"

namespace tangram {

// References outlive the call. Every model has a profile on some GPU type of the cluster.
struct SloSplitProblem {
  const std::vector<Stage>& stages;
  const StageGraph& graph;
  Duration slo;
  const ProfileSet& profiles;
  const Cluster& cluster;
  const Params& params;
};

class SloSplit {
 public:
  virtual ~SloSplit() = default;
  // A pure function of the problem: an SLO > 0 for each stage, whose sum along every path is at
  // most the application's (up to a nanosecond a stage). Throws NoAnswer where the rule does not
  // apply.
  virtual std::vector<Duration> split(const SloSplitProblem& problem) const = 0;
};

struct SloSplitEntry {
  PolicyInfo info;
  std::unique_ptr<SloSplit> (*make)();
};

// The profile of a model by which stages are compared: on the first GPU type of the cluster that
// has one. Requires: there is one.
const Profile& profile_for_split(const SloSplitProblem& problem, const std::string& model);
// The share that a stage's latency is looked up on: the whole GPU if the profile knows it, else the
// largest share that it knows; and the largest batch there.
struct SplitShare {
  Share share;
  std::uint32_t processes = 1;
  std::uint32_t max_batch = 0;
};
SplitShare share_for_split(const Profile& profile);

}  // namespace tangram
