// Strict reading of "arrivals": what is accepted, and for each mistake one fault with its pointer.
#include "workloads/workload.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using Process = ArrivalSpec::Process;
using ::testing::HasSubstr;

struct Outcome {
  std::optional<ArrivalSpec> spec;
  std::vector<Fault> faults;
};

Outcome read(const std::string& text, const std::string& base = "") {
  Faults faults;
  Outcome outcome;
  const std::optional<Json> json = parse_json(text, "s.json", faults);
  if (json) outcome.spec = read_arrivals(JsonNode(*json, "s.json", "/arrivals", faults), base);
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    outcome.faults = error.faults();
  }
  return outcome;
}

ArrivalSpec accepted(const std::string& text, const std::string& base = "") {
  const Outcome outcome = read(text, base);
  for (const Fault& fault : outcome.faults) ADD_FAILURE() << fault.where << ": " << fault.what;
  return outcome.spec.value_or(ArrivalSpec{});
}

// A folder of traces for one test, its own so that tests can run side by side.
class TraceFolder {
 public:
  TraceFolder() {
    const auto& test = *::testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string("tangram_") + test.test_suite_name() + "_" + test.name();
    std::replace(name.begin(), name.end(), '/', '_');
    path_ = ::testing::TempDir() + name;
    std::filesystem::create_directories(path_);
    std::ofstream(path_ + "/good.csv") << "timestamp_s\n10\n11\n12\n13\n";
    std::ofstream(path_ + "/bad.csv") << "timestamp_s\n10\nx\n12\n11\n";
    std::ofstream(path_ + "/once.csv") << "5\n";
  }
  ~TraceFolder() { std::filesystem::remove_all(path_); }
  TraceFolder(const TraceFolder&) = delete;
  TraceFolder& operator=(const TraceFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(ReadArrivals, TakesEachProcessWithItsKeys) {
  EXPECT_EQ(accepted(R"({"process": "constant", "rate_rps": 1e9})").rate_rps, 1e9);
  EXPECT_EQ(accepted(R"({"process": "poisson", "rate_rps": 0.001})").process, Process::kPoisson);
  EXPECT_EQ(accepted(R"({"process": "gamma", "rate_rps": 2, "shape": 0.1})").shape, 0.1);
  EXPECT_EQ(accepted(R"({"process": "lognormal", "rate_rps": 2, "sigma": 2.0})").sigma, 2);
}

TEST(ReadArrivals, TurnsACoefficientOfVariationIntoAShape) {
  // shape = 1 / cv^2.
  EXPECT_EQ(accepted(R"({"process": "gamma", "rate_rps": 2, "cv": 4})").shape, 1.0 / 16);
}

TEST(ReadArrivals, TakesAClosedLoopWithDefaults) {
  const auto plain = accepted(R"({"process": "closed_loop", "clients": 3})");
  EXPECT_EQ(plain.clients, 3U);
  EXPECT_EQ(plain.think, Duration::zero());
  EXPECT_TRUE(plain.think_exponential);
  const auto full = accepted(
      R"({"process": "closed_loop", "clients": 1000000, "think_ms": 2.5, "think": "constant"})");
  EXPECT_EQ(full.think, Duration(2'500'000));
  EXPECT_FALSE(full.think_exponential);
}

TEST(ReadArrivals, ResolvesATracePathFromTheScenariosFolder) {
  const TraceFolder folder;
  const auto spec = accepted(
      R"({"process": "trace", "path": "./good.csv", "format": "timestamps", "speed_up": 2,
          "slice_s": [1, null], "repeat": true})",
      folder.path());
  EXPECT_EQ(std::filesystem::path(spec.trace.path),
            std::filesystem::path(folder.path()) / "good.csv");
  EXPECT_EQ(spec.speed_up, 2);
  EXPECT_EQ(spec.slice_start_s, 1);
  EXPECT_EQ(spec.slice_end_s, std::nullopt);
  EXPECT_TRUE(spec.repeat);
  // Rows at 1, 2, 3 s: one a second, twice as fast.
  EXPECT_DOUBLE_EQ(mean_rate(spec).value(), 2);
}

TEST(ReadArrivals, ReadsBackWhatItWrote) {
  const TraceFolder folder;
  for (const std::string text :
       {R"({"process": "constant", "rate_rps": 3.3})", R"({"process": "poisson", "rate_rps": 0.1})",
        R"({"process": "gamma", "rate_rps": 2, "cv": 3.16})",
        R"({"process": "lognormal", "rate_rps": 2, "sigma": 0.7})",
        R"({"process": "closed_loop", "clients": 8, "think_ms": 1.25, "think": "constant"})",
        R"({"process": "trace", "path": "good.csv", "format": "timestamps"})",
        R"({"process": "trace", "path": "good.csv", "format": "timestamps", "slice_s": [0, null]})",
        R"({"process": "trace", "path": "good.csv", "format": "timestamps", "slice_s": [1, 3],
            "rate_rps": 7, "repeat": true})"}) {
    const ArrivalSpec spec = accepted(text, folder.path());
    EXPECT_EQ(accepted(to_json(spec).dump()), spec) << text;
  }
}

TEST(MeanRate, IsTheRateOrTheBoundOfAClosedLoop) {
  EXPECT_EQ(mean_rate(accepted(R"({"process": "gamma", "rate_rps": 2.5, "cv": 3})")), 2.5);
  // 10 clients, each at most once in 20 ms.
  EXPECT_DOUBLE_EQ(
      mean_rate(accepted(R"({"process": "closed_loop", "clients": 10, "think_ms": 20})")).value(),
      500);
  EXPECT_EQ(mean_rate(accepted(R"({"process": "closed_loop", "clients": 10})")), std::nullopt);
}

struct Mistake {
  std::string name;
  std::string text;
  std::string where;
  std::string what;
};

class ArrivalsMistake : public ::testing::TestWithParam<Mistake> {};

TEST_P(ArrivalsMistake, IsOneFaultWithItsPlace) {
  const TraceFolder folder;
  const Outcome outcome = read(GetParam().text, folder.path());
  EXPECT_FALSE(outcome.spec.has_value());
  ASSERT_EQ(outcome.faults.size(), 1U);
  EXPECT_EQ(outcome.faults[0].where, "s.json#" + GetParam().where);
  EXPECT_THAT(outcome.faults[0].what, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Workloads,
    ArrivalsMistake,
    ::testing::Values(
        Mistake{"NotAnObject", R"(["poisson", 3])", "/arrivals", "must be an object"},
        Mistake{"NoProcess", R"({"rate_rps": 3})", "/arrivals", "\"process\" is missing"},
        Mistake{"MisspeltProcess", R"({"process": "poison", "rate_rps": 3})", "/arrivals/process",
                "did you mean \"poisson\"?"},
        Mistake{"ProcessNotAName", R"({"process": 3, "sigma": 1})", "/arrivals/process", "string"},
        Mistake{"NoRate", R"({"process": "poisson"})", "/arrivals", "\"rate_rps\" is missing"},
        Mistake{"RateZero", R"({"process": "poisson", "rate_rps": 0})", "/arrivals/rate_rps",
                "above 0"},
        Mistake{"RateNegative", R"({"process": "constant", "rate_rps": -2})", "/arrivals/rate_rps",
                "above 0"},
        Mistake{"RateTooHigh", R"({"process": "poisson", "rate_rps": 1.1e9})", "/arrivals/rate_rps",
                "at most"},
        Mistake{"RateNotANumber", R"({"process": "poisson", "rate_rps": "3"})",
                "/arrivals/rate_rps", "must be a number"},
        Mistake{"MisspeltKey", R"({"process": "poisson", "rate_rps": 3, "rates_rps": 4})",
                "/arrivals/rates_rps", "did you mean \"rate_rps\"?"},
        Mistake{"KeyOfAnother", R"({"process": "poisson", "rate_rps": 3, "sigma": 4})",
                "/arrivals/sigma",
                "belongs to the arrival process \"lognormal\", not to \"poisson\""},
        Mistake{"RateOfAClosedLoop", R"({"process": "closed_loop", "clients": 3, "rate_rps": 4})",
                "/arrivals/rate_rps", "not to \"closed_loop\""},
        Mistake{"NeitherShapeNorCv", R"({"process": "gamma", "rate_rps": 3})", "/arrivals",
                "needs one of \"shape\" and \"cv\""},
        Mistake{"ShapeAndCv", R"({"process": "gamma", "rate_rps": 3, "shape": 1, "cv": 1})",
                "/arrivals", "not both"},
        Mistake{"CvZero", R"({"process": "gamma", "rate_rps": 3, "cv": 0})", "/arrivals/cv",
                "must be a number from 0.001"},
        Mistake{"SigmaTooLarge", R"({"process": "lognormal", "rate_rps": 3, "sigma": 10.5})",
                "/arrivals/sigma", "at most 10"},
        Mistake{"NoSigma", R"({"process": "lognormal", "rate_rps": 3})", "/arrivals",
                "\"sigma\" is missing"},
        Mistake{"NoClients", R"({"process": "closed_loop"})", "/arrivals",
                "\"clients\" is missing"},
        Mistake{"ClientsZero", R"({"process": "closed_loop", "clients": 0})", "/arrivals/clients",
                "from 1 to 1000000"},
        Mistake{"ClientsHalf", R"({"process": "closed_loop", "clients": 2.5})", "/arrivals/clients",
                "must be an integer"},
        Mistake{"ThinkNegative", R"({"process": "closed_loop", "clients": 2, "think_ms": -1})",
                "/arrivals/think_ms", "must be a number from 0"},
        Mistake{"ThinkKind", R"({"process": "closed_loop", "clients": 2, "think": "exponentail"})",
                "/arrivals/think", "did you mean \"exponential\"?"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Traces,
    ArrivalsMistake,
    ::testing::Values(
        Mistake{"NoPath", R"({"process": "trace", "format": "timestamps"})", "/arrivals",
                "\"path\" is missing"},
        Mistake{"NoFile", R"({"process": "trace", "path": "no.csv", "format": "timestamps"})",
                "/arrivals/path", "no such file"},
        Mistake{"AFolder", R"({"process": "trace", "path": ".", "format": "timestamps"})",
                "/arrivals/path", "no such file"},
        Mistake{"NoFormat", R"({"process": "trace", "path": "good.csv"})", "/arrivals",
                "\"format\" is missing"},
        Mistake{"MisspeltFormat",
                R"({"process": "trace", "path": "good.csv", "format": "azure_lm"})",
                "/arrivals/format", "did you mean \"azure_llm\"?"},
        Mistake{"RateAndSpeed",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps", "rate_rps": 1,
                    "speed_up": 2})",
                "/arrivals", "one of \"rate_rps\" and \"speed_up\""},
        Mistake{
            "SpeedZero",
            R"({"process": "trace", "path": "good.csv", "format": "timestamps", "speed_up": 0})",
            "/arrivals/speed_up", "above 0"},
        Mistake{"TooQuick",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps",
                    "speed_up": 1e9, "slice_s": [0, 3.5]})",
                "/arrivals", "at most 1e+09"},
        Mistake{
            "SliceOfOne",
            R"({"process": "trace", "path": "good.csv", "format": "timestamps", "slice_s": [1]})",
            "/arrivals/slice_s", "[start, end]"},
        Mistake{"SliceBackwards",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps",
                    "slice_s": [2, 1]})",
                "/arrivals/slice_s", "later than the start"},
        Mistake{"SliceStartNegative",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps",
                    "slice_s": [-1, 1]})",
                "/arrivals/slice_s/0", "from 0"},
        Mistake{"SliceBeyondTheEnd",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps",
                    "slice_s": [4, null]})",
                "/arrivals", "reach from 0 to 3 s"},
        Mistake{"RepeatOfOneRow",
                R"({"process": "trace", "path": "once.csv", "format": "timestamps",
                    "repeat": true})",
                "/arrivals", "two different times"},
        Mistake{"RateOfOneRow",
                R"({"process": "trace", "path": "once.csv", "format": "timestamps",
                    "rate_rps": 3})",
                "/arrivals", "two different times"},
        Mistake{"RepeatNotABoolean",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps", "repeat": 1})",
                "/arrivals/repeat", "true or false"}),
    [](const auto& test) { return test.param.name; });

TEST(ReadArrivals, ReportsTheFaultsOfTheTraceFileAndOfTheOtherKeysTogether) {
  const TraceFolder folder;
  const Outcome outcome = read(
      R"({"process": "trace", "path": "bad.csv", "format": "timestamps", "speed_up": -1, "cv": 2})",
      folder.path());
  const std::string file = (std::filesystem::path(folder.path()) / "bad.csv").string();
  std::vector<std::string> places;
  for (const Fault& fault : outcome.faults) places.push_back(fault.where);
  EXPECT_THAT(places, ::testing::UnorderedElementsAre("s.json#/arrivals/speed_up", file + ":3",
                                                      file + ":5", "s.json#/arrivals/cv"));
}

TEST(ReadArrivals, ReportsAllFaultsAtOnce) {
  const Outcome outcome =
      read(R"({"process": "lognormal", "rate_rps": -1, "sigma": 0, "shape": 2, "sgima": 3})");
  EXPECT_EQ(outcome.faults.size(), 4U);
}

}  // namespace
}  // namespace tangram
