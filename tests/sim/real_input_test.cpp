// Published measurements end to end: ParvaGPU's profiles are imported, its plans are read from the
// authors' deployment files, and the scenarios of scenarios/parvagpu are simulated. The reference
// data is not part of the project: without it these tests skip.
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/profile_io.h"
#include "sim/scenario/plan_of_scenario.h"
#include "sim/simulation.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

using tangram::testing::content_of;
using tangram::testing::reference_data;
using tangram::testing::ScratchFolder;
using ::testing::ElementsAre;

std::string map_name(int scenario) {
  return "SLO" + std::to_string(scenario) + "_ParvaGPU_deploy.csv";
}

std::string published_map(int scenario) {
  return content_of(reference_data() + "/parvagpu/deployments/" + map_name(scenario));
}

Json scenario_json(const std::string& name) {
  return Json::parse(content_of(TANGRAM_SOURCE_DIR "/scenarios/parvagpu/" + name));
}

// A folder with what the scenarios read, as scenarios/parvagpu/prepare.sh leaves it.
class RealInput : public ::testing::Test {
 protected:
  void SetUp() override {
    TANGRAM_REQUIRE_REFERENCE_DATA();
    const ImportResult imported =
        import_profiles("parvagpu", {reference_data() + "/parvagpu/profiles"}, {});
    ASSERT_EQ(imported.profiles.size(), 11U);
    write_profile_store(folder_.file("a100-80gb.parvagpu.h5"), imported.profiles);
  }

  Scenario read(const Json& json) const {
    return parse_scenario(json.dump(), "real-input", folder_.file(""));
  }
  static RunResult run(const Scenario& scenario, std::uint64_t replication = 0) {
    std::vector<std::string> notes;
    RunOptions options;
    options.replication = replication;
    return simulate(scenario, make_plan(scenario, notes), options);
  }
  // S2 on the published plan, as the file of the scenario says.
  RunResult run_s2(const std::string& file, const std::string& routing = "wrr") {
    folder_.write(map_name(2), published_map(2));
    Json json = scenario_json(file);
    json["routing"] = routing;
    return run(read(json));
  }

  ScratchFolder folder_;
};

std::vector<std::uint64_t> offered(const RunResult& result) {
  std::vector<std::uint64_t> counts;
  for (const WorkloadMetrics& metrics : result.metrics) counts.push_back(metrics.offered);
  return counts;
}

std::vector<std::uint64_t> not_good(const RunResult& result) {
  std::vector<std::uint64_t> counts;
  for (const WorkloadMetrics& m : result.metrics) counts.push_back(m.offered - m.good());
  return counts;
}

TEST_F(RealInput, PoissonS2MeetsEveryObjective) {
  const RunResult result = run_s2("s2.json");
  EXPECT_EQ(result.plan.gpus_used(), 3U);
  EXPECT_EQ(result.plan.slices_used(), 20U);
  // bert, densenet 121, 169, 201, inceptionv3, mobilenetv2, resnet 101, 152, 50, vgg 16, 19.
  EXPECT_THAT(offered(result), ElementsAre(2349, 42559, 36969, 32978, 55014, 80910, 47081, 33699,
                                           99207, 49560, 42984));
  EXPECT_THAT(not_good(result), ::testing::Each(0U));
}

TEST_F(RealInput, LognormalS2MissesWhereTheLoadIsHigh) {
  const RunResult result = run_s2("s2-lognormal.json");
  EXPECT_THAT(offered(result), ElementsAre(2262, 44190, 38492, 33213, 51637, 82705, 49336, 34970,
                                           98237, 50628, 43536));
  EXPECT_THAT(not_good(result), ElementsAre(0, 0, 8, 2874, 530, 24542, 5107, 6120, 0, 830, 4080));
}

TEST_F(RealInput, TheAzureTraceAtTheRatesOfS2) {
  const std::string trace = "AzureLLMInferenceTrace_conv.csv";
  folder_.write(trace, content_of(reference_data() + "/azure-llm/" + trace));
  const RunResult result = run_s2("s2-azure.json");
  // Independent of any seed. 1020 s are just over one round of 19366 rows at 19 requests/s.
  EXPECT_THAT(offered(result), ElementsAre(19367, 360736, 313658, 281862, 468692, 691467, 401752,
                                           287622, 846504, 418887, 362014));
  EXPECT_THAT(not_good(result),
              ElementsAre(0, 0, 0, 14, 78888, 304775, 87927, 45690, 0, 62016, 82045));
}

// Every service of S2 has one segment, whose processes share a queue: nothing is left to route.
TEST_F(RealInput, RoutingDecidesNothingInS2) {
  const std::vector<std::uint64_t> central = not_good(run_s2("s2-lognormal.json", "central"));
  for (const char* routing : {"weighted_random", "wrr", "shortest_finish"}) {
    EXPECT_EQ(not_good(run_s2("s2-lognormal.json", routing)), central) << routing;
  }
}

struct HeavyService {
  int scenario;
  std::string model;
  double sigma;      // lognormal gaps; 0: Poisson
  double percent;    // good, by an independent simulator
  double tolerance;  // points
};

class PublishedPlanUnderLoad : public RealInput,
                               public ::testing::WithParamInterface<HeavyService> {
 protected:
  // The header and the segments of one model. Segments are partitions of their own, so the other
  // services cannot change the outcome.
  static std::string segments_of(const std::string& model, const std::string& map) {
    std::istringstream lines(map);
    std::string kept;
    // The first line is the header.
    for (std::string line; std::getline(lines, line);) {
      if (kept.empty() || line.find("," + model + ",") != std::string::npos) kept += line + "\n";
    }
    return kept;
  }
};

// The expected values are those of a simulator written separately (C++, one service at a time: a
// FIFO queue per segment, P processes of batch / throughput(size, batch, P), eager batches up to
// the planned one). Poisson: its long-run means. Lognormal: its means of 20 runs of 60 s. Here: 20
// runs of 600 s after 10 s. TOLERANCE
TEST_P(PublishedPlanUnderLoad, AttainsWhatAnIndependentSimulatorFound) {
  const HeavyService& service = GetParam();
  folder_.write(map_name(service.scenario),
                segments_of(service.model, published_map(service.scenario)));
  Json json = scenario_json("s" + std::to_string(service.scenario) + ".json");
  Json kept = Json::array();
  for (Json workload : json["workloads"]) {
    if (workload["model"] != service.model) continue;
    if (service.sigma > 0) {
      workload["arrivals"]["process"] = "lognormal";
      workload["arrivals"]["sigma"] = service.sigma;
    }
    kept.push_back(workload);
  }
  json["workloads"] = kept;
  json["duration_s"] = 610;
  json["warmup_s"] = 10;
  const Scenario scenario = read(json);
  WorkloadMetrics total;
  for (std::uint64_t r = 0; r < 20; ++r) total.merge(run(scenario, r).metrics.front());
  EXPECT_NEAR(100.0 * static_cast<double>(total.good()) / static_cast<double>(total.offered),
              service.percent, service.tolerance);
}

INSTANTIATE_TEST_SUITE_P(RealInput,
                         PublishedPlanUnderLoad,
                         ::testing::Values(HeavyService{3, "mobilenetv2", 0, 99.4, 0.3},
                                           HeavyService{5, "resnet101", 0, 67, 3.8},
                                           HeavyService{6, "densenet201", 0, 94.3, 1.4},
                                           HeavyService{3, "resnet101", 1.5, 95.6, 1.8},
                                           HeavyService{3, "resnet152", 1.5, 92.1, 2.7},
                                           HeavyService{5, "densenet201", 1.5, 69, 2.7}),
                         [](const auto& instance) {
                           const HeavyService& service = instance.param;
                           return "S" + std::to_string(service.scenario) + "_" + service.model +
                                  (service.sigma > 0 ? "_lognormal" : "_poisson");
                         });

}  // namespace
}  // namespace tangram
