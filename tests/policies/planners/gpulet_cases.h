// The published inputs and outputs of gpulet's released scheduler, for tests that compare with
// them. The data are no part of the project.
#pragma once

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "policies/plan_io.h"
#include "policies/registry.h"
#include "profiles/profile_io.h"
#include "sim/core/json_reader.h"
#include "tests/policies/plan_fixtures.h"

namespace tangram {

// A planning problem that owns what it refers to.
struct GletWorld {
  std::vector<Workload> workloads;
  ProfileSet profiles;
  Cluster cluster{{{"2080ti", 4}}, {}, {}};

  // Checks the plan as a run would. Throws what the planner throws.
  Plan plan(const std::string& name, const std::string& params = "{}") const {
    Faults faults;
    const PlannerEntry* entry = find_planner(name);
    const std::optional<Json> json = parse_json(params, "params", faults);
    const Params read = read_params(entry->info, JsonNode(*json, "params", faults), faults);
    faults.throw_if_any();
    const Plan result = entry->make()->plan({workloads, profiles, cluster, read, nullptr});
    check_plan(result, workloads, profiles, cluster, name + '#', faults);
    faults.throw_if_any();
    return result;
  }
};

// The workload of a model, under its name.
inline Workload demand(const std::string& model, double rate_rps, double slo_ms) {
  return workload_of(model, model, slo_ms, rate_rps);
}

// The folder of gpulet's reference data, or "".
inline std::string glet_data() {
  const char* folder = std::getenv("TANGRAM_REFERENCE_DATA");
  return folder == nullptr ? "" : std::string(folder) + "/gpulet";
}

inline ProfileSet glet_profiles() {
  ProfileSet set;
  for (Profile& profile : import_profiles("gpulet", {glet_data()}, {}).profiles) {
    set.add(std::move(profile));
  }
  return set;
}

// The SLOs that the paper gives the four models with known latencies, ms.
inline const std::map<std::string, double>& glet_slos() {
  static const std::map<std::string, double> slos{
      {"googlenet", 66}, {"resnet50", 108}, {"ssd-mobilenetv1", 202}, {"vgg16", 142}};
  return slos;
}

// The rows of a reference table after its header, by column name.
inline std::vector<std::map<std::string, std::string>> glet_rows(const std::string& file) {
  std::ifstream in(glet_data() + '/' + file);
  const auto cells = [](const std::string& line) {
    std::vector<std::string> result;
    std::istringstream text(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    for (std::string cell; std::getline(text, cell, ',');) result.push_back(cell);
    return result;
  };
  std::string line;
  std::getline(in, line);
  const std::vector<std::string> names = cells(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(in, line)) {
    const std::vector<std::string> values = cells(line);
    std::map<std::string, std::string> row;
    for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) row[names[i]] = values[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

// "G0[40 vgg16:b8@64.00 | 60 -] G1[50 .. | 50' ..]", as the reference tables print a schedule.
inline std::string glet_text(const Plan& plan) {
  std::string text;
  for (const PlanGpu& gpu : plan.gpus) {
    std::string parts;
    for (std::size_t p = 0; p < gpu.partitions.size(); ++p) {
      const PlanPartition& partition = gpu.partitions[p];
      std::string tasks;
      for (const PlanReplica& replica : partition.replicas) {
        tasks += fmt::format("{}{}:b{}@{:.2f}", tasks.empty() ? "" : " + ", replica.model,
                             *replica.batch, *replica.duty_ms);
      }
      const bool is_twin = p > 0 && *partition.share_pct == 50;
      parts += fmt::format("{}{}{} {}", p == 0 ? "" : " | ", *partition.share_pct,
                           is_twin ? "'" : "", tasks.empty() ? "-" : tasks);
    }
    text += fmt::format("{}G{}[{}]", text.empty() ? "" : " ", gpu.index, parts);
  }
  return text;
}

}  // namespace tangram
