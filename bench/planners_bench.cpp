// Planning time of the MIG planners against the number of segments. Items are segments.
#include <algorithm>
#include <cmath>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "policies/registry.h"

namespace tangram {
namespace {

struct Problem {
  std::vector<Workload> workloads;
  ProfileSet profiles;
  Cluster cluster{{{"a100-80gb", 1'000'000}}, {}, {}};
};

// Eleven models on all five sizes, one to three processes, whose rates make about so many segments.
Problem problem_of(double segments) {
  Problem problem;
  for (int m = 0; m < 11; ++m) {
    Profile profile;
    profile.model = fmt::format("m{:02}", m);
    profile.gpu = "a100-80gb";
    profile.interpolation = Interpolation::kLinear;
    for (const int size : {1, 2, 3, 4, 7}) {
      for (std::uint32_t processes = 1; processes <= 3; ++processes) {
        for (std::uint32_t batch = 1; batch <= 64; batch *= 2) {
          LatencyPoint point;
          point.share = {ShareKind::kMig, static_cast<double>(size)};
          point.processes = processes;
          point.batch = batch;
          const double work_ms = (2.0 + m) + (0.3 + 0.1 * m) * batch;
          // Sizes between 2 and 4 are the densest for most models.
          const double speed = std::pow(size, 1.05) / (1 + 0.03 * size * size) / 3;
          point.latency_ms = work_ms * std::pow(processes, 0.8) / speed;
          profile.points.push_back(point);
        }
      }
    }
    std::sort(profile.points.begin(), profile.points.end(), point_before);
    problem.profiles.add(std::move(profile));
    Workload workload;
    workload.name = workload.model = fmt::format("m{:02}", m);
    workload.slo = from_ms(400);
    workload.arrivals.rate_rps = 400 * segments / 11;
    problem.workloads.push_back(std::move(workload));
  }
  return problem;
}

void BM_Planner(benchmark::State& state, const char* name) {
  const Problem problem = problem_of(static_cast<double>(state.range(0)));
  const PlannerEntry& entry = *find_planner(name);
  Faults faults;
  const Json given =
      std::string(name) == "parvagpu_released" ? Json{{"gpu_limit", 1'000'000}} : Json::object();
  const Params params = read_params(entry.info, JsonNode(given, "bench", faults), faults);
  std::int64_t segments = 0;
  for (auto _ : state) {
    const Plan plan =
        entry.make()->plan({problem.workloads, problem.profiles, problem.cluster, params});
    for (const PlanGpu& gpu : plan.gpus) {
      segments += static_cast<std::int64_t>(gpu.partitions.size());
    }
    state.counters["gpus"] = static_cast<double>(plan.gpus_used());
  }
  state.SetItemsProcessed(segments);
  state.counters["segments"] =
      static_cast<double>(segments) / static_cast<double>(state.iterations());
}
BENCHMARK_CAPTURE(BM_Planner, parvagpu_released, "parvagpu_released")
    ->Arg(110)
    ->Arg(11'000)
    ->Arg(185'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Planner, parvagpu, "parvagpu")
    ->Arg(110)
    ->Arg(11'000)
    ->Arg(185'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tangram

BENCHMARK_MAIN();
