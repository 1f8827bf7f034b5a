// A planning problem for the planners of MPS shares, with a model whose figures can be followed by
// hand, and the published V100 coefficients where they are.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "policies/plan_io.h"
#include "policies/registry.h"
#include "profiles/profile_io.h"
#include "sim/core/json_reader.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {

struct ShareWorld {
  std::vector<Workload> workloads;
  ProfileSet profiles;
  Cluster cluster{{{"v100", 100}}, {}, {}};

  // Checks the plan as a run would. Throws what the planner throws.
  Plan plan(const std::string& name,
            const std::string& params = "{}",
            const Plan* previous = nullptr) const {
    Faults faults;
    const PlannerEntry* entry = find_planner(name);
    const std::optional<Json> json = parse_json(params, "params", faults);
    const Params read = read_params(entry->info, JsonNode(*json, "params", faults), faults);
    faults.throw_if_any();
    const Plan result =
        entry->make()->plan({workloads, profiles, cluster, read, nullptr, previous});
    check_plan(result, workloads, profiles, cluster, name + '#', faults);
    faults.throw_if_any();
    return result;
  }
};

// A(b, r) = 100 b / r ms: b ms on the whole GPU. A neighbour's L2 demand is 10 %, and each percent
// makes others `cache` longer. No scheduling, no copies, no power.
inline IgniterModel simple_model(double cache = 0.01) {
  IgniterModel model;
  model.gpu = {1000, 300, 0, 2.5, 1e6, -1, 0, 0};
  model.k = {0, 100, 0, 0, 0};
  model.cache_per_l2_pct = cache;
  model.l2_base_pct = 10;
  return model;
}

inline Profile formula_profile(const std::string& name, const IgniterModel& model) {
  Profile profile;
  profile.model = name;
  profile.gpu = "v100";
  profile.igniter = model;
  profile.interpolation = Interpolation::kIgniter;
  return profile;
}

// "GPU: workload share/batch, ...; GPU: ..." of a plan.
inline std::string words_of(const Plan& plan) {
  std::string text;
  for (const PlanGpu& gpu : plan.gpus) {
    text += (text.empty() ? "" : "; ") + std::to_string(gpu.index) + ":";
    for (const PlanPartition& p : gpu.partitions) {
      for (const PlanReplica& r : p.replicas) {
        text += fmt::format(" {} {:.6g}/{}", r.workload, p.share_pct.value_or(100), *r.batch);
      }
    }
  }
  return text;
}

// The folder of the reference data, or nullptr.
inline const char* igniter_reference_data() {
  return std::getenv("TANGRAM_REFERENCE_DATA");
}

inline std::string igniter_folder() {
  return std::string(igniter_reference_data()) + "/igniter";
}

inline ProfileSet v100_profiles() {
  ProfileSet set;
  for (Profile& profile : import_profiles("igniter", {igniter_folder()}, {}).profiles) {
    set.add(std::move(profile));
  }
  return set;
}

// "model:slo:rate ..." as the released program takes it; the workloads are called w0, w1, ..
inline std::vector<Workload> workloads_of(const std::string& text) {
  std::vector<Workload> workloads;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const std::size_t first = word.find(':');
    const std::size_t second = word.find(':', first + 1);
    workloads.push_back(workload_of(
        numbered("w", static_cast<int>(workloads.size())), word.substr(0, first),
        std::stod(word.substr(first + 1, second - first - 1)), std::stod(word.substr(second + 1))));
    begin = end + 1;
  }
  return workloads;
}

// The twelve workloads of predict.py and of gpulet.py in iGniter's repository, SLOs in full.
inline constexpr const char* kTwelveOfPredict =
    "alexnet:10:1000 alexnet:15:500 alexnet:20:2000 resnet50:10:400 resnet50:20:600 "
    "resnet50:30:200 vgg19:20:300 vgg19:30:400 vgg19:40:200 ssd:30:200 ssd:40:100 ssd:50:300";
inline constexpr const char* kTwelveOfGpulet =
    "alexnet:10:1000 alexnet:20:500 alexnet:30:2000 resnet50:20:400 resnet50:40:600 "
    "resnet50:60:200 vgg19:30:300 vgg19:60:400 vgg19:90:200 ssd:40:200 ssd:80:100 ssd:120:300";

}  // namespace tangram
