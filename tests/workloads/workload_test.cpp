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

struct ReadOutcome {
  std::optional<ArrivalSpec> spec;
  std::vector<Fault> faults;
};

ReadOutcome read(const std::string& text, const std::string& base = "") {
  Faults faults;
  ReadOutcome outcome;
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
  const ReadOutcome outcome = read(text, base);
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
    std::ofstream(path_ + "/counts.csv")
        << "HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,t,4,5,6\no,a,g,t,1,0,0\n";
    std::ofstream(path_ + "/calls.csv") << "app,func,end_timestamp,duration\na,f,2,1\na,g,4,1\n";
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
            "rate_rps": 7, "repeat": true})",
        R"({"process": "trace", "path": "counts.csv", "format": "azure_functions_2019",
            "counts": "poisson", "functions": {"rank": [1, 2]}, "slice_s": [60, 180]})",
        R"({"process": "trace", "path": "calls.csv", "format": "azure_functions_2021",
            "functions": {"names": ["a/g", "f"]}, "speed_up": 3})",
        R"({"process": "mmpp", "rate_rps": 10, "burst_ratio": 5, "burst_s": 1, "calm_s": 3})",
        R"({"process": "mmpp", "states": [{"rate_rps": 0, "dwell_s": 1, "next": [0, 0.3, 0.7]},
            {"rate_rps": 5, "dwell_s": 2}, {"rate_rps": 7, "dwell_s": 1e-3}]})",
        R"({"process": "piecewise", "repeat": true, "segments": [
            {"duration_s": 1, "process": "poisson", "rate_rps": 3, "end_rps": 9},
            {"duration_s": 0.5, "process": "gamma", "rate_rps": 3, "cv": 0.5},
            {"duration_s": 7, "process": "trace", "path": "good.csv", "format": "timestamps"}]})"}) {
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

TEST(ReadArrivals, SplitsABurstsMeanRateOverItsTwoStates) {
  // Bursts for 1 s of 4: calm c, burst 5 c, (3 c + 5 c) / 4 = 10: c = 5.
  const auto spec = accepted(
      R"({"process": "mmpp", "rate_rps": 10, "burst_ratio": 5, "burst_s": 1, "calm_s": 3})");
  EXPECT_EQ(spec.states, (std::vector<MmppState>{{5, 3, {}}, {25, 1, {}}}));
  EXPECT_DOUBLE_EQ(mean_rate(spec).value(), 10);
}

TEST(ReadArrivals, TakesAShareInPlaceOfARateOnly) {
  const auto rate_with_share = [](const char* text) {
    Faults faults;
    const Json json = Json::parse(text);
    const auto spec = read_arrivals(JsonNode(json, "s.json", faults), "", 40);
    faults.throw_if_any();
    return mean_rate(*spec).value();
  };
  EXPECT_EQ(rate_with_share(R"({"process": "poisson"})"), 40);
  EXPECT_EQ(rate_with_share(R"({"process": "gamma", "cv": 2})"), 40);
  EXPECT_EQ(rate_with_share(R"({"process": "poisson", "rate_rps": 3})"), 3);
  EXPECT_DOUBLE_EQ(
      rate_with_share(R"({"process": "mmpp", "burst_ratio": 9, "burst_s": 1, "calm_s": 2})"), 40);
}

TEST(TakesShare, IsForProcessesThatNeedAMeanRateAndHaveNone) {
  const auto takes = [](const char* text) { return takes_share(Json::parse(text)); };
  EXPECT_TRUE(takes(R"({"process": "constant"})"));
  EXPECT_TRUE(takes(R"({"process": "lognormal", "sigma": 1, "rate_rps": null})"));
  EXPECT_TRUE(takes(R"({"process": "mmpp", "burst_ratio": 9})"));
  EXPECT_FALSE(takes(R"({"process": "mmpp", "states": []})"));
  EXPECT_FALSE(takes(R"({"process": "poisson", "rate_rps": 3})"));
  EXPECT_FALSE(takes(R"({"process": "trace", "path": "x"})"));
  EXPECT_FALSE(takes(R"({"process": "closed_loop", "clients": 3})"));
  EXPECT_FALSE(takes(R"({"process": "poison"})"));
  EXPECT_FALSE(takes("3"));
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
  const ReadOutcome outcome = read(GetParam().text, folder.path());
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

INSTANTIATE_TEST_SUITE_P(
    Functions,
    ArrivalsMistake,
    ::testing::Values(
        Mistake{"TwoChoices",
                R"({"process": "trace", "path": "calls.csv", "format": "azure_functions_2021",
                    "functions": {"rank": 1, "names": ["f"]}})",
                "/arrivals/functions", "one of \"rank\", \"hash\" and \"names\""},
        Mistake{"RankZero",
                R"({"process": "trace", "path": "calls.csv", "format": "azure_functions_2021",
                    "functions": {"rank": 0}})",
                "/arrivals/functions/rank", "from 1"},
        Mistake{"RanksBackwards",
                R"({"process": "trace", "path": "calls.csv", "format": "azure_functions_2021",
                    "functions": {"rank": [2, 1]}})",
                "/arrivals/functions/rank", "not be before the first"},
        Mistake{"PartBeyondTheParts",
                R"({"process": "trace", "path": "calls.csv", "format": "azure_functions_2021",
                    "functions": {"hash": [4, 4]}})",
                "/arrivals/functions/hash/0", "from 0 to 3"},
        Mistake{"FunctionsOfTimestamps",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps",
                    "functions": {"rank": 1}})",
                "/arrivals/functions", "does not tell functions apart"},
        Mistake{"CountsOfTimestamps",
                R"({"process": "trace", "path": "good.csv", "format": "timestamps",
                    "counts": "exact"})",
                "/arrivals/counts", "belongs to the format \"azure_functions_2019\""},
        Mistake{"DatasetOfCalls",
                R"({"process": "trace", "path": "calls.csv", "format": "azure_functions_2021",
                    "dataset": "/x"})",
                "/arrivals/dataset", "belongs to the format \"timestamps\""},
        Mistake{"HalfAMinute",
                R"({"process": "trace", "path": "counts.csv", "format": "azure_functions_2019",
                    "slice_s": [30, 120]})",
                "/arrivals", "multiples of 60 s"},
        Mistake{"SilentSlice",
                R"({"process": "trace", "path": "counts.csv", "format": "azure_functions_2019",
                    "functions": {"names": ["g"]}, "slice_s": [60, 180]})",
                "/arrivals", "reach from 0 to 180 s"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Changing,
    ArrivalsMistake,
    ::testing::Values(
        Mistake{"OneState", R"({"process": "mmpp", "states": [{"rate_rps": 1, "dwell_s": 1}]})",
                "/arrivals/states", "1 states; 2 to 64"},
        Mistake{"SilentStates",
                R"({"process": "mmpp", "states": [{"rate_rps": 0, "dwell_s": 1},
                    {"rate_rps": 0, "dwell_s": 1}]})",
                "/arrivals/states", "no state has arrivals"},
        Mistake{"NextOfTheWrongSize",
                R"({"process": "mmpp", "states": [{"rate_rps": 1, "dwell_s": 1, "next": [1]},
                    {"rate_rps": 2, "dwell_s": 1}]})",
                "/arrivals/states/0/next", "1 probabilities for 2 states"},
        Mistake{"NextIsItself",
                R"({"process": "mmpp", "states": [{"rate_rps": 1, "dwell_s": 1, "next": [0.5, 0.5]},
                    {"rate_rps": 2, "dwell_s": 1}]})",
                "/arrivals/states/0/next", "item 0 must be 0"},
        Mistake{"NextNotOne",
                R"({"process": "mmpp", "states": [{"rate_rps": 1, "dwell_s": 1, "next": [0, 0.9]},
                    {"rate_rps": 2, "dwell_s": 1}]})",
                "/arrivals/states/0/next", "add up to 0.9, not 1"},
        Mistake{"NoWayBack",
                R"({"process": "mmpp", "states": [{"rate_rps": 1, "dwell_s": 1, "next": [0, 1, 0]},
                    {"rate_rps": 2, "dwell_s": 1, "next": [1, 0, 0]},
                    {"rate_rps": 3, "dwell_s": 1}]})",
                "/arrivals/states", "reachable"},
        Mistake{"StatesAndBurst",
                R"({"process": "mmpp", "burst_s": 2, "states": [{"rate_rps": 1, "dwell_s": 1},
                    {"rate_rps": 2, "dwell_s": 1}]})",
                "/arrivals", "\"states\" and \"burst_s\""},
        Mistake{"NoBurstLength", R"({"process": "mmpp", "rate_rps": 1, "burst_ratio": 3,
                    "calm_s": 1})",
                "/arrivals", "\"burst_s\" is missing"},
        Mistake{"HardlyAnyArrival",
                R"({"process": "mmpp", "states": [{"rate_rps": 0, "dwell_s": 1e-3},
                    {"rate_rps": 0.01, "dwell_s": 1e-3}]})",
                "/arrivals", "5e-06 arrivals in a mean visit"},
        Mistake{"NoSegments", R"({"process": "piecewise", "segments": []})", "/arrivals/segments",
                "0 segments"},
        Mistake{"NoDuration",
                R"({"process": "piecewise", "segments": [{"process": "poisson", "rate_rps": 1}]})",
                "/arrivals/segments/0", "\"duration_s\" is missing"},
        Mistake{"NestedSegments",
                R"({"process": "piecewise", "segments": [{"duration_s": 1,
                    "process": "piecewise"}]})",
                "/arrivals/segments/0/process", "unknown process of a segment"},
        Mistake{"WaitingSegment",
                R"({"process": "piecewise", "segments": [{"duration_s": 1,
                    "process": "closed_loop", "clients": 3}]})",
                "/arrivals/segments/0/process", "unknown process of a segment"},
        Mistake{"RampOfATrace",
                R"({"process": "piecewise", "segments": [{"duration_s": 1, "process": "trace",
                    "path": "good.csv", "format": "timestamps", "end_rps": 3}]})",
                "/arrivals/segments/0/end_rps", "belongs to the arrival process"},
        Mistake{"RampOutsideASegment", R"({"process": "poisson", "rate_rps": 1, "end_rps": 3})",
                "/arrivals/end_rps", "unknown key"},
        Mistake{"SegmentKeyOfAnother",
                R"({"process": "piecewise", "segments": [{"duration_s": 1, "process": "poisson",
                    "rate_rps": 1, "sigma": 3}]})",
                "/arrivals/segments/0/sigma", "not to \"poisson\""},
        Mistake{"EndlessSilence",
                R"({"process": "piecewise", "repeat": true, "segments": [{"duration_s": 1e-3,
                    "process": "poisson", "rate_rps": 1e-3}]})",
                "/arrivals", "arrivals in a mean segment"}),
    [](const auto& test) { return test.param.name; });

TEST(ReadArrivals, ReportsTheFaultsOfTheTraceFileAndOfTheOtherKeysTogether) {
  const TraceFolder folder;
  const ReadOutcome outcome = read(
      R"({"process": "trace", "path": "bad.csv", "format": "timestamps", "speed_up": -1, "cv": 2})",
      folder.path());
  const std::string file = (std::filesystem::path(folder.path()) / "bad.csv").string();
  std::vector<std::string> places;
  for (const Fault& fault : outcome.faults) places.push_back(fault.where);
  EXPECT_THAT(places, ::testing::UnorderedElementsAre("s.json#/arrivals/speed_up", file + ":3",
                                                      file + ":5", "s.json#/arrivals/cv"));
}

TEST(ReadArrivals, ReportsAllFaultsAtOnce) {
  const ReadOutcome outcome =
      read(R"({"process": "lognormal", "rate_rps": -1, "sigma": 0, "shape": 2, "sgima": 3})");
  EXPECT_EQ(outcome.faults.size(), 4U);
}

}  // namespace
}  // namespace tangram
