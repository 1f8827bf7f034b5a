// The workloads, profiles and cluster that fuzzed plans are read and checked against.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "policies/cluster.h"
#include "policies/plan_io.h"
#include "profiles/profile.h"
#include "workloads/workload.h"

namespace tangram::fuzz {

struct PlanFixture {
  std::vector<Workload> workloads;
  ProfileSet profiles;
  Cluster cluster;

  PlanFixture() {
    for (const std::string model : {"resnet50", "bert"}) {
      Workload workload;
      workload.name = model;
      workload.model = model;
      workload.slo = std::chrono::milliseconds(100);
      workload.arrivals.rate_rps = 50;
      workloads.push_back(workload);

      Profile profile;
      profile.model = model;
      profile.gpu = "a100-80gb";
      profile.linear = Profile::Linear{2, 0.5, 64};
      profile.memory_mib = 4000;
      profiles.add(profile);
    }
    cluster.gpus.push_back({"a100-80gb", 4});
  }

  // Checks the plan as it is checked before use, writes it, and reads back what was written.
  void use(const Plan& plan, Faults& faults) const {
    check_plan(plan, workloads, profiles, cluster, "fuzz", faults);
    faults.throw_if_any();
    const Json written = to_json(plan, workloads);
    read_plan(JsonNode(written, "written", faults));
    faults.throw_if_any();
  }
};

}  // namespace tangram::fuzz
