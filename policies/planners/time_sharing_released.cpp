// The time-sharing baseline of gpulet's released scheduler (USENIX ATC'22), defects included.
#include "policies/planners/detail/glet_released.h"

namespace tangram {
namespace {

class TimeSharingReleased final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    detail::GletRelease release{"time_sharing_released"};
    release.cuts_gpus = false;
    return detail::glet_released_plan(problem, release);
  }
};

}  // namespace

PlannerEntry time_sharing_released_planner() {
  return {
      {"time_sharing_released",
       "whole GPUs, one model each while there are any, then shared by time",
       "\"timesharing_only\" (squishy bin packing) of gpulet (USENIX ATC 2022), as its released "
       "code does it, which is weaker than what the paper measured: an option that skips an SLO "
       "check is ignored; no schedule is no answer",
       detail::glet_released_params()},
      []() -> std::unique_ptr<Planner> { return std::make_unique<TimeSharingReleased>(); }};
}

}  // namespace tangram
