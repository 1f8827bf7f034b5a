// gpulet's released scheduler (USENIX ATC'22): elastic partitioning, defects included.
#include "policies/planners/detail/glet_released.h"

namespace tangram {
namespace {

class GpuletReleased final : public Planner {
 public:
  Plan plan(const PlanningProblem& problem) const override {
    detail::GletRelease release{"gpulet_released"};
    release.interference = problem.params.boolean("interference");
    return detail::glet_released_plan(problem, release);
  }
};

}  // namespace

PlannerEntry gpulet_released_planner() {
  std::vector<ParamInfo> params{
      bool_param("interference", true, "predict and re-check interference (gpulet-int, -noint)")};
  for (ParamInfo& param : detail::glet_released_params()) params.push_back(std::move(param));
  return {
      {"gpulet_released",
       "at most two partitions a GPU, sized by elastic partitioning as gpulet's released code "
       "does it, defects included",
       "gpulet (USENIX ATC 2022), casys-kaist/glet of December 2024; no schedule, a crash or an "
       "endless loop of the original is no answer",
       std::move(params)},
      []() -> std::unique_ptr<Planner> { return std::make_unique<GpuletReleased>(); }};
}

}  // namespace tangram
