// The published profiles and the inputs that the released ParvaGPU scheduler was run on, for tests
// that compare with its outputs. The data are no part of the project.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "policies/plan_io.h"
#include "policies/registry.h"
#include "profiles/profile_io.h"
#include "sim/core/json_reader.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {

// (size, batch, processes) with the model, of one GPU, sorted.
using SegmentRow = std::tuple<std::string, int, std::uint32_t, std::uint32_t>;
using GpuRows = std::vector<SegmentRow>;

inline const std::vector<std::string>& parvagpu_models() {
  static const std::vector<std::string> models{
      "bert",      "densenet121", "densenet169", "densenet201", "inceptionv3", "mobilenetv2",
      "resnet101", "resnet152",   "resnet50",    "vgg16",       "vgg19"};
  return models;
}

// A planning problem that owns what it refers to.
struct MigWorld {
  std::vector<Workload> workloads;
  ProfileSet profiles;
  Cluster cluster{{{"a100-80gb", 100'000}}, {}, {}};

  // Checks the plan as a run would. Throws what the planner throws.
  Plan plan(const std::string& name,
            const std::string& params = "{}",
            Evaluator* evaluator = nullptr) const {
    Faults faults;
    const PlannerEntry* entry = find_planner(name);
    const std::optional<Json> json = parse_json(params, "params", faults);
    const Params read = read_params(entry->info, JsonNode(*json, "params", faults), faults);
    faults.throw_if_any();
    const Plan result = entry->make()->plan({workloads, profiles, cluster, read, evaluator});
    check_plan(result, workloads, profiles, cluster, name + '#', faults);
    faults.throw_if_any();
    return result;
  }
};

// The folder of the reference data, or nullptr.
inline const char* reference_data() {
  return std::getenv("TANGRAM_REFERENCE_DATA");
}

inline ProfileSet parvagpu_profiles() {
  ProfileSet set;
  const std::string folder = std::string(reference_data()) + "/parvagpu/profiles";
  for (Profile& profile : import_profiles("parvagpu", {folder}, {}).profiles) {
    set.add(std::move(profile));
  }
  return set;
}

inline std::vector<Json> parvagpu_reference_cases() {
  std::ifstream file(std::string(reference_data()) + "/parvagpu/reference_cases.jsonl");
  std::vector<Json> cases;
  for (std::string line; std::getline(file, line);) cases.push_back(Json::parse(line));
  return cases;
}

// The workloads of a case: one for each model whose cells are not "N/A", each named as its model.
inline std::vector<Workload> parvagpu_workloads(const Json& one) {
  std::vector<Workload> workloads;
  for (std::size_t m = 0; m < parvagpu_models().size(); ++m) {
    const std::string rate = one["req_rate"][m].get<std::string>();
    const std::string slo = one["slo_ms"][m].get<std::string>();
    if (rate == "N/A" || slo == "N/A") continue;
    const std::string& model = parvagpu_models()[m];
    workloads.push_back(workload_of(model, model, std::stod(slo), std::stod(rate)));
  }
  return workloads;
}

inline std::map<std::uint32_t, GpuRows> rows_of(const Plan& plan) {
  std::map<std::uint32_t, GpuRows> rows;
  for (const PlanGpu& gpu : plan.gpus) {
    GpuRows& here = rows[gpu.index];
    for (const PlanPartition& p : gpu.partitions) {
      const PlanReplica& r = p.replicas.at(0);
      here.emplace_back(r.model, *p.size, *r.batch, r.processes);
    }
    std::sort(here.begin(), here.end());
  }
  return rows;
}

}  // namespace tangram
