// iGniter's model: the predictions of its public code, and term by term.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/interference.h"
#include "profiles/profile_io.h"
#include "sim/core/json_reader.h"
#include "tests/profiles/scratch.h"

namespace tangram {
namespace {

using ::testing::IsEmpty;
using testing::ScratchFolder;
using ::testing::SizeIs;

// A(b, r) = 100 b / r ms.
IgniterModel plain_model() {
  IgniterModel model;
  model.gpu = {1000, 300, 0, 2.5, 1e6, -1, 0, 0};
  model.k = {0, 100, 0, 0, 0};
  return model;
}

std::vector<IgniterPrediction> predict(const IgniterModel& model,
                                       std::size_t workloads,
                                       double batch = 2,
                                       double share_pct = 50) {
  return predict_igniter(std::vector<IgniterLoad>(workloads, {&model, batch, share_pct}));
}

TEST(IgniterModel, ComputesAlone) {
  // 100 x 2 / 50 = 4 ms, 2 / 4 ms = 500/s.
  const auto alone = predict(plain_model(), 1);
  EXPECT_DOUBLE_EQ(alone[0].latency_ms, 4);
  EXPECT_DOUBLE_EQ(alone[0].throughput_rps, 500);
  // (2 b^2 + 3 b + 4) / (r + 5) + 6 = 18 / 55 + 6.
  IgniterModel curved = plain_model();
  curved.k = {2, 3, 4, 5, 6};
  EXPECT_DOUBLE_EQ(predict(curved, 1)[0].latency_ms, 18.0 / 55 + 6);
  EXPECT_THAT(predict_igniter({}), IsEmpty());
}

TEST(IgniterModel, TheSchedulerTakesMoreOfEachKernelBesideOthers) {
  IgniterModel model = plain_model();
  model.kernels = 10;
  model.solo_sched_ms = 0.5;
  model.gpu.sched_ms_per_workload = 0.02;
  model.gpu.sched_base_ms = -0.01;
  EXPECT_DOUBLE_EQ(predict(model, 1)[0].latency_ms, 4.5);
  // 0.5 + 10 (0.02 x 3 - 0.01) = 1 ms.
  EXPECT_DOUBLE_EQ(predict(model, 3)[0].latency_ms, 5);
}

TEST(IgniterModel, TheOthersL2DemandProlongsComputing) {
  IgniterModel model = plain_model();
  model.cache_per_l2_pct = 0.01;
  model.l2_pct_per_rps = 0.02;
  model.l2_base_pct = 1;
  // 500/s of each: 11 %. Beside two: 4 (1 + 0.01 x 22).
  EXPECT_DOUBLE_EQ(predict(model, 3)[1].latency_ms, 4.88);
}

TEST(IgniterModel, PowerAboveTheCapLowersTheClock) {
  IgniterModel model = plain_model();
  model.gpu.idle_power_w = 100;
  model.power_w_per_rps = 0.1;
  model.power_base_w = 50;
  EXPECT_DOUBLE_EQ(predict(model, 2)[0].latency_ms, 4);  // 100 + 2 (0.1 x 500 + 50) = 300 W
  // 400 W: 1000 - 100 MHz.
  EXPECT_DOUBLE_EQ(predict(model, 3)[0].latency_ms, 4 / 0.9);
}

TEST(IgniterModel, CopiesAddToTheLatencyAndOnlyTheCopyOutToTheCycle) {
  IgniterModel model = plain_model();
  model.in_bytes = 1e6;
  model.out_bytes = 0.5e6;
  const auto alone = predict(model, 1);
  EXPECT_DOUBLE_EQ(alone[0].latency_ms, 4 + 3);
  EXPECT_DOUBLE_EQ(alone[0].throughput_rps, 2000.0 / (4 + 1));
  // b = ceil(20 x 0.2 x 1e6 / (1e6 + 1e6 x 0.2)) = ceil(3.33).
  EXPECT_EQ(igniter_batch(model, 20, 200), 4);
  // 400 / (20 - 4 x 1.5) = 28.6 %.
  EXPECT_DOUBLE_EQ(igniter_share_bound(model, 20, 4), 30);
}

TEST(IgniterModel, PredictsWhatThePublicCodePredicts) {
  TANGRAM_REQUIRE_REFERENCE_DATA();
  const std::string folder = testing::reference_data() + "/igniter";
  ProfileSet profiles;
  for (Profile& p : import_profiles("igniter", {folder}, {}).profiles) profiles.add(std::move(p));
  std::ifstream file(folder + "/golden_predictions.json");
  const Json cases = Json::parse(file);
  EXPECT_THAT(cases, SizeIs(8));
  for (const Json& one : cases) {
    std::vector<IgniterLoad> loads;
    for (std::size_t i = 0; i < one["models"].size(); ++i) {
      const Profile* profile = profiles.find(one["models"][i].get<std::string>(), "v100");
      loads.push_back(
          {&*profile->igniter, one["batch"][i].get<double>(), one["res"][i].get<double>()});
    }
    const auto predicted = predict_igniter(loads);
    for (std::size_t i = 0; i < loads.size(); ++i) {
      EXPECT_NEAR(predicted[i].latency_ms, one["latency_ms"][i].get<double>(), 1e-9);
      EXPECT_NEAR(predicted[i].throughput_rps, one["throughput"][i].get<double>(), 1e-9);
    }
  }
}

Profile igniter_profile(const IgniterModel& model) {
  Profile profile;
  profile.model = "net";
  profile.gpu = "v100";
  profile.igniter = model;
  profile.interpolation = Interpolation::kIgniter;
  return profile;
}

TEST(IgniterInterpolation, MeasuredWhereMeasuredTheFormulaElsewhere) {
  Profile profile = igniter_profile(plain_model());
  profile.igniter->max_batch = 16;
  LatencyPoint point;
  point.share = {ShareKind::kPercent, 50};
  for (const std::uint32_t batch : {1U, 3U}) {
    point.batch = batch;
    point.latency_ms = 3.0 * batch;
    profile.points.push_back(point);
  }
  const auto latency = [&](double share, std::uint32_t batch) {
    return profile.latency_ms({ShareKind::kPercent, share}, 1, batch);
  };
  EXPECT_EQ(latency(50, 3), 9);    // measured
  EXPECT_EQ(latency(50, 2), 6);    // between two that are
  EXPECT_EQ(latency(50, 4), 8);    // 100 x 4 / 50
  EXPECT_EQ(latency(37.5, 3), 8);  // 100 x 3 / 37.5
  EXPECT_EQ(profile.latency_ms(Share{}, 1, 5), 5);
  EXPECT_EQ(latency(50, 17), std::nullopt);
  EXPECT_EQ(profile.latency_ms({ShareKind::kPercent, 40}, 2, 1), std::nullopt);
  EXPECT_EQ(profile.latency_ms({ShareKind::kMig, 3}, 1, 1), std::nullopt);
  EXPECT_EQ(profile.max_batch({ShareKind::kPercent, 50}), 16U);
  std::string why;
  profile.latency_ms({ShareKind::kPercent, 40}, 1, 20, &why);
  EXPECT_EQ(why,
            "profile of net on v100: nothing known for batch 20 on 40 % with 1 process; iGniter's "
            "formula holds for percentages, 1 process, batches 1 to 16");
}

TEST(IgniterInterpolation, JsonAndStoreKeepTheCoefficients) {
  IgniterModel model = plain_model();
  double value = 1.25;
  for (const IgniterField& field : igniter_fields()) field.of(model) = value += 1.0 / 3;
  model.max_batch = 48;
  const Profile profile = igniter_profile(model);
  Faults faults;
  const Json json = to_json(profile);
  const auto read = read_profile(JsonNode(json, "p.json", faults), {});
  faults.throw_if_any();
  EXPECT_EQ(read->igniter, model);
  EXPECT_EQ(read->interpolation, Interpolation::kIgniter);
  const ScratchFolder folder;
  write_profile_store(folder.file("p.h5"), {profile});
  const std::vector<Profile> stored = read_profile_file(folder.file("p.h5"), faults);
  faults.throw_if_any();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(stored[0].igniter, model);
  EXPECT_THAT(stored[0].points, IsEmpty());
}

TEST(IgniterInterpolation, WithoutCoefficientsItIsAFault) {
  Faults faults;
  const auto json = parse_json(
      R"({"model": "net", "gpu": "v100", "latency": {"points": [], "interpolation": "igniter"}})",
      "p.json", faults);
  EXPECT_EQ(read_profile(JsonNode(*json, "p.json", faults), {}), std::nullopt);
  EXPECT_EQ(faults.size(), 1U);
}

TEST(IgniterInterference, IsThePredictedLatencyOverThatAlone) {
  IgniterModel model = plain_model();
  model.cache_per_l2_pct = 0.01;
  model.l2_base_pct = 10;
  ProfileSet profiles;
  profiles.add(igniter_profile(model));
  Profile bare;
  bare.model = "bare";
  bare.gpu = "v100";
  bare.interference_factor = 1.3;
  bare.linear = Profile::Linear{1, 1, 8};
  profiles.add(bare);
  std::vector<std::string> warnings;
  InterferenceSpec spec;
  spec.name = "igniter";
  const auto interference = make_interference(spec, profiles, warnings);
  EXPECT_THAT(warnings, SizeIs(1));  // bare has no coefficients
  const auto resident = [&](const char* name) {
    return Resident{profiles.find(name, "v100"), {ShareKind::kPercent, 50}, 1, 4, 0.5};
  };
  const std::vector<Resident> two(2, resident("net"));
  EXPECT_EQ(interference->slowdown(resident("net"), {}), 1);
  EXPECT_DOUBLE_EQ(interference->slowdown(resident("net"), two), 1.2);
  EXPECT_EQ(interference->slowdown(resident("bare"), two), 1.3);
  const std::vector<Resident> other{resident("bare")};
  EXPECT_EQ(interference->slowdown(resident("net"), other), 1);
}

// 4 x 500 W over a cap of 300 at -1 MHz/W leave nothing of 1000 MHz.
TEST(IgniterInterference, AClockOfNothingIsTheLargestSlowdown) {
  IgniterModel model = plain_model();
  model.power_base_w = 500;
  const std::vector<IgniterLoad> loads(4, {&model, 1, 25});
  EXPECT_EQ(igniter_slowdown(loads), 1000);
}

TEST(IgniterImport, CoefficientsAloneMakeProfiles) {
  const ScratchFolder folder;
  folder.write("coefficients.json", R"({
    "hardware": {"F_mhz": 1530, "P_cap_w": 300, "P_idle_w": 53.5, "unit_pct": 2.5,
                 "pcie_bytes_per_ms": 1e7, "alpha_f_mhz_per_w": -1, "alpha_sch": 0.1, "beta_sch": 0},
    "models": {"net": {"n_kernels": 20, "base_sched_ms": 0.5, "k": [0, 100, 0, 0, 0],
                       "alpha_cache": 0.01, "power_ab": [0.1, 2], "l2_ab": [3, 4], "d_load": 5,
                       "d_feedback": 6}}})");
  const ImportResult result = import_profiles("igniter", {folder.file("")}, {});
  ASSERT_THAT(result.profiles, SizeIs(1));
  const Profile& net = result.profiles[0];
  EXPECT_EQ(net.gpu, "v100");
  EXPECT_EQ(net.launches, 20);
  EXPECT_EQ(net.igniter->l2_base_pct, 4);
  EXPECT_EQ(net.igniter->out_bytes, 6);
  EXPECT_DOUBLE_EQ(*net.latency_ms({ShareKind::kPercent, 25}, 1, 1), 0.5 + 100.0 / 25 + 11.0 / 1e7);
}

}  // namespace
}  // namespace tangram
