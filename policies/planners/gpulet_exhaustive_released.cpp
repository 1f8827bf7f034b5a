// The "ideal" baseline of gpulet's released scheduler (USENIX ATC'22), defects included.
#include "policies/planners/detail/glet_released.h"

namespace tangram {
namespace {

class GpuletExhaustiveReleased final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    detail::GletRelease release{"gpulet_exhaustive_released"};
    release.interference = problem.params.boolean("interference");
    release.exhaustive = true;
    return detail::glet_released_plan(problem, release);
  }
};

}  // namespace

PlannerEntry gpulet_exhaustive_released_planner() {
  std::vector<ParamInfo> params{
      bool_param("interference", true, "predict and re-check interference")};
  for (ParamInfo& param : detail::glet_released_params()) params.push_back(std::move(param));
  return {
      {"gpulet_exhaustive_released",
       "the first of all layouts (50+50, 60+40, 80+20, 100 on each GPU) on which elastic "
       "partitioning finds a place for every demand",
       "\"full_search\" of gpulet (USENIX ATC 2022), the paper's \"ideal\", as its released code "
       "does it: exhaustive over layouts, greedy within one, so no upper bound; at most 10 GPUs",
       std::move(params)},
      []() -> std::unique_ptr<Planner> { return std::make_unique<GpuletExhaustiveReleased>(); }};
}

}  // namespace tangram
