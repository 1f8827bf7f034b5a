// The JSON form of profiles: what is accepted, and every fault at its pointer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiles/profile_io.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;

// Reads one profile; the faults come back as "place: what" lines.
struct Read {
  std::optional<Profile> profile;
  std::string faults;
};
Read read(const std::string& text) {
  Faults faults;
  Read result;
  const auto json = parse_json(text, "p.json", faults);
  if (json) result.profile = read_profile(JsonNode(*json, "p.json", faults));
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    result.faults = error.what();
  }
  return result;
}

TEST(ProfileJson, TheClosedFormOfTheScenarioExample) {
  const Read r = read(R"({"model": "unit", "gpu": "ideal",
    "latency": {"fixed_ms": 5.072, "per_item_ms": 1.053, "max_batch": 128},
    "variability": {"kind": "exponential"}})");
  ASSERT_TRUE(r.profile) << r.faults;
  EXPECT_EQ(r.profile->linear->fixed_ms, 5.072);
  EXPECT_EQ(r.profile->linear->max_batch, 128U);
  EXPECT_EQ(r.profile->variability.kind, Variability::Kind::kExponential);
  EXPECT_EQ(r.profile->provenance.kind, "by hand");
}

TEST(ProfileJson, AFixedPartOfZeroIsLegal) {
  const Read r = read(R"({"model": "m", "gpu": "t4",
    "latency": {"fixed_ms": 0, "per_item_ms": 1, "max_batch": 4}})");
  EXPECT_TRUE(r.profile) << r.faults;
}

TEST(ProfileJson, PointsAreSortedAndSamplesGiveTheMean) {
  const Read r = read(R"({"model": "m", "gpu": "a100-80gb", "latency": {"interpolation": "linear",
    "points": [{"batch": 4, "latency_ms": 9, "mig": 3, "processes": 2},
               {"batch": 1, "samples_ms": [3, 1, 2]},
               {"batch": 2, "latency_ms": 5, "share_pct": 12.5, "l2_utilisation": 0.5}]},
    "memory_mib": 700, "launches": 73, "interference_factor": 1.1,
    "co_runs": [{"other": "n", "batch": 1, "other_batch": 2, "slowdown": 1.2}],
    "kernels": [{"batch": 2, "name": "b", "grid": 1, "threads": 32, "registers": 0,
                 "shared_memory": 0, "duration_us": 3},
                {"batch": 1, "name": "a", "grid": 264, "threads": 256, "registers": 64,
                 "shared_memory": 1024, "duration_us": 12.5}],
    "provenance": {"kind": "measured", "repetitions": 30}})");
  ASSERT_TRUE(r.profile) << r.faults;
  ASSERT_EQ(r.profile->points.size(), 3U);
  EXPECT_EQ(r.profile->points[0].latency_ms, 2);
  EXPECT_EQ(r.profile->points[0].samples_ms, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(r.profile->points[1].share, (Share{ShareKind::kMig, 3}));
  EXPECT_EQ(r.profile->points[2].share.amount, 12.5);
  EXPECT_EQ(r.profile->interpolation, Interpolation::kLinear);
  EXPECT_EQ(r.profile->launches, 73);
  EXPECT_EQ(r.profile->co_runs[0].slowdown, 1.2);
  ASSERT_EQ(r.profile->kernels.size(), 2U);
  EXPECT_EQ(r.profile->kernels[0], (Kernel{1, "a", 264, 256, 64, 1024, 12.5}));
  EXPECT_EQ(r.profile->kernels[1].name, "b");
  EXPECT_EQ(r.profile->provenance.repetitions, 30U);
}

TEST(ProfileJson, WritingAndReadingAgainChangesNothing) {
  const Read first = read(R"({"model": "m", "gpu": "h200", "latency": {"interpolation": "round_up",
    "points": [{"batch": 1, "latency_ms": 0.1, "sms": 64, "samples_ms": [0.05, 0.15],
                "reported_latency_ms": 1, "power_w": 300, "suspicion": "odd"}]},
    "variability": {"kind": "gamma", "cv": 0.3}, "memory_mib": 1, "memory_per_item_mib": 2,
    "weights_mib": 3, "load_ms": 4, "launches": 5, "co_runs": [{"other": "n", "batch": 1, "other_batch": 2,
    "share_pct": 20, "other_share_pct": 80, "slowdown": 1.2}], "provenance": "measured"})");
  ASSERT_TRUE(first.profile) << first.faults;
  const std::string text = to_json(*first.profile).dump();
  const Read second = read(text);
  ASSERT_TRUE(second.profile) << second.faults;
  EXPECT_EQ(to_json(*second.profile).dump(), text);
}

struct Malformed {
  const char* name;
  const char* text;
  std::vector<const char*> faults;  // parts of the lines that must appear
};

class MalformedProfileJson : public ::testing::TestWithParam<Malformed> {};

TEST_P(MalformedProfileJson, IsRefusedWithItsPlace) {
  const Read r = read(GetParam().text);
  EXPECT_FALSE(r.profile.has_value());
  for (const char* fault : GetParam().faults) EXPECT_THAT(r.faults, HasSubstr(fault));
}

#define LINEAR R"("latency": {"fixed_ms": 1, "per_item_ms": 1, "max_batch": 4})"
#define HEAD R"({"model": "m", "gpu": "a100-80gb", )"

INSTANTIATE_TEST_SUITE_P(
    Each,
    MalformedProfileJson,
    ::testing::Values(
        Malformed{"EmptyObject", "{}", {"\"model\"", "\"gpu\"", "\"latency\""}},
        Malformed{"NotAnObject", "[1]", {"p.json#"}},
        Malformed{"UnknownGpu",
                  R"({"model": "m", "gpu": "a100-80g", )" LINEAR "}",
                  {"p.json#/gpu: ", "did you mean \"a100-80gb\"?"}},
        Malformed{"UnknownKey", HEAD LINEAR R"(, "memory_mb": 3})", {"/memory_mb", "memory_mib"}},
        Malformed{"ZeroTime",
                  HEAD R"("latency": {"fixed_ms": 0, "per_item_ms": 0, "max_batch": 4}})",
                  {"p.json#/latency: fixed_ms and per_item_ms are both 0"}},
        Malformed{"NegativeAndMissingAtOnce",
                  HEAD R"("latency": {"fixed_ms": -1, "per_item_ms": 1}})",
                  {"p.json#/latency/fixed_ms", "max_batch"}},
        Malformed{"NoPoints",
                  HEAD R"("latency": {"points": []}})",
                  {"p.json#/latency/points: must have at least one point"}},
        Malformed{"DuplicatePoint",
                  HEAD R"("latency": {"points": [{"batch": 1, "latency_ms": 1},
                                                 {"batch": 1, "latency_ms": 2}]}})",
                  {"p.json#/latency/points/1: a second point for batch 1 on whole"}},
        Malformed{"TwoShares",
                  HEAD
                  R"("latency": {"points": [{"batch": 1, "latency_ms": 1, "mig": 1, "sms": 8}]}})",
                  {"p.json#/latency/points/0: give at most one of mig, share_pct and sms"}},
        Malformed{"NoSuchMigSize",
                  HEAD R"("latency": {"points": [{"batch": 1, "latency_ms": 1, "mig": 5}]}})",
                  {"points/0/mig: a100-80gb has no MIG size 5; known: 1, 2, 3, 4, 7"}},
        Malformed{"MigWhereThereIsNone",
                  R"({"model": "m", "gpu": "t4", "latency": {"points":
                     [{"batch": 1, "latency_ms": 1, "mig": 1}]}})",
                  {"points/0/mig: t4 has no MIG"}},
        Malformed{"TooManySms",
                  HEAD R"("latency": {"points": [{"batch": 1, "latency_ms": 1, "sms": 109}]}})",
                  {"points/0/sms"}},
        Malformed{"ZeroLatency",
                  HEAD R"("latency": {"points": [{"batch": 1, "latency_ms": 0}]}})",
                  {"points/0/latency_ms"}},
        Malformed{"FractionalBatch",
                  HEAD R"("latency": {"points": [{"batch": 1.5, "latency_ms": 1}]}})",
                  {"points/0/batch"}},
        Malformed{
            "UtilisationInPercent",
            HEAD R"("latency": {"points": [{"batch": 1, "latency_ms": 1, "l2_utilisation": 30}]}})",
            {"points/0/l2_utilisation"}},
        Malformed{"NegativeSample",
                  HEAD R"("latency": {"points": [{"batch": 1, "samples_ms": [1, -1]}]}})",
                  {"points/0/samples_ms/1"}},
        Malformed{"EmptySamples",
                  HEAD
                  R"("latency": {"points": [{"batch": 1, "latency_ms": 1, "samples_ms": []}]}})",
                  {"points/0/samples_ms: must not be empty"}},
        Malformed{"UnknownInterpolation",
                  HEAD R"("latency": {"points": [{"batch": 1, "latency_ms": 1}],
                                      "interpolation": "liner"}})",
                  {"p.json#/latency/interpolation", "did you mean \"linear\"?"}},
        Malformed{"InterpolationOfAFormula",
                  HEAD R"("latency": {"fixed_ms": 1, "per_item_ms": 1, "max_batch": 4,
                                      "interpolation": "linear"}})",
                  {"p.json#/latency/interpolation: only points"}},
        Malformed{"LognormalWithoutCv",
                  HEAD LINEAR R"(, "variability": {"kind": "lognormal"}})",
                  {"p.json#/variability: lognormal needs the key \"cv\""}},
        Malformed{"CvWithoutUse",
                  HEAD LINEAR R"(, "variability": {"kind": "exponential", "cv": 1}})",
                  {"p.json#/variability/cv: only lognormal and gamma"}},
        Malformed{"EmpiricalWithoutSamples",
                  HEAD LINEAR R"(, "variability": {"kind": "empirical"}})",
                  {"p.json#/variability/kind: empirical needs samples_ms"}},
        Malformed{"FactorBelowOne",
                  HEAD LINEAR R"(, "interference_factor": 0.9, "launches": 0.5})",
                  {"p.json#/launches", "p.json#/interference_factor"}},
        Malformed{"CoRunWithoutNeighbour",
                  HEAD LINEAR R"(, "co_runs": [{"batch": 1, "other_batch": 1, "slowdown": 1}]})",
                  {"p.json#/co_runs/0"}},
        Malformed{"KernelOfTooManyThreads",
                  HEAD LINEAR R"(, "kernels": [{"batch": 1, "name": "k", "grid": 1, "threads": 2048,
                                    "registers": 1, "shared_memory": 1, "duration_us": 1}]})",
                  {"p.json#/kernels/0/threads"}},
        Malformed{"KernelWithoutDuration",
                  HEAD LINEAR R"(, "kernels": [{"batch": 1, "name": "k", "grid": 1, "threads": 32,
                                    "registers": 1, "shared_memory": 1}]})",
                  {"p.json#/kernels/0"}},
        Malformed{"SeveralFaultsAtOnce",
                  R"({"model": "", "gpu": 3, "latency": {"points": [{"batch": 0}]}})",
                  {"p.json#/model", "p.json#/gpu", "points/0/batch", "latency_ms"}}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace tangram
