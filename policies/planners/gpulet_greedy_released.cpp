// The greedy best-fit baseline of gpulet's released scheduler (USENIX ATC'22), defects included.
#include "policies/planners/detail/glet_released.h"

namespace tangram {
namespace {

class GpuletGreedyReleased final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    detail::GletRelease release{"gpulet_greedy_released"};
    release.greedy = true;
    return detail::glet_released_plan(problem, release);
  }
};

}  // namespace

PlannerEntry gpulet_greedy_released_planner() {
  return {
      {"gpulet_greedy_released",
       "the smallest partition that carries what is left of a demand, best fit, no time sharing "
       "and no interference",
       "\"greedy_part\" of gpulet (USENIX ATC 2022), after GSLICE, as its released code does it: "
       "the duty cycle may exceed what the SLO leaves; no schedule is no answer",
       detail::glet_released_params()},
      []() -> std::unique_ptr<Planner> { return std::make_unique<GpuletGreedyReleased>(); }};
}

}  // namespace tangram
