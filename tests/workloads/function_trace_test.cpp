// Recordings of functions: the files' own counts, the choice of functions, and HDF5 times.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/core/hdf5_file.h"
#include "tests/workloads/measured.h"
#include "workloads/trace.h"

namespace tangram {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Five minutes of four functions; f2 is called by two triggers, f1 of two apps share a name.
constexpr const char* kCounts =
    "HashOwner,HashApp,HashFunction,Trigger,1,2,3,4,5\n"
    "o1,a1,f1,http,3,0,0,1,2\n"
    "o1,a1,f2,timer,10,10,10,10,10\n"
    "o1,a1,f2,queue,0,0,5,0,0\n"
    "o2,a2,f1,http,0,7,0,0,0\n"
    "o2,a2,f3,event,0,0,0,0,0\n";

// Calls in the order in which they ended.
constexpr const char* kCalls =
    "app,func,end_timestamp,duration\n"
    "a1,f1,2.5,0.5\n"
    "a1,f2,3,2.75\n"
    "a2,f1,4,0\n"
    "a1,f1,4.25,0.000000001\n";

struct ParsedTrace {
  Recording recording;
  std::vector<Fault> faults;
};

ParsedTrace parse_functions(const std::string& text,
                            const std::string& format,
                            FunctionChoice choice = {}) {
  Faults faults;
  ParsedTrace outcome;
  outcome.recording = parse_trace(text, {"f.csv", format, "", std::move(choice)}, faults);
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    outcome.faults = error.faults();
  }
  return outcome;
}

std::vector<std::uint64_t> minute_counts(FunctionChoice choice) {
  const ParsedTrace outcome = parse_functions(kCounts, "azure_functions_2019", std::move(choice));
  for (const Fault& fault : outcome.faults) ADD_FAILURE() << fault.where << ": " << fault.what;
  return outcome.recording.per_minute;
}

std::vector<std::int64_t> calls(FunctionChoice choice) {
  const ParsedTrace outcome = parse_functions(kCalls, "azure_functions_2021", std::move(choice));
  for (const Fault& fault : outcome.faults) ADD_FAILURE() << fault.where << ": " << fault.what;
  std::vector<std::int64_t> out;
  for (const Duration time : outcome.recording.times) out.push_back(time.count());
  return out;
}

using Choose = FunctionChoice::Kind;

TEST(Functions2019, AreMergedUnlessSomeAreChosen) {
  EXPECT_THAT(minute_counts({}), ElementsAre(13, 17, 15, 11, 12));
}

TEST(Functions2019, AreChosenByRankOverAllTheirTriggers) {
  // Totals: a1/f1 6, a1/f2 55, a2/f1 7, a2/f3 0.
  EXPECT_THAT(minute_counts({Choose::kRank, 1, 1, {}}), ElementsAre(10, 10, 15, 10, 10));
  EXPECT_THAT(minute_counts({Choose::kRank, 2, 3, {}}), ElementsAre(3, 7, 0, 1, 2));
}

TEST(Functions2019, AreChosenByNameWithOrWithoutTheirApp) {
  EXPECT_THAT(minute_counts({Choose::kNames, 0, 0, {"f1"}}), ElementsAre(3, 7, 0, 1, 2));
  EXPECT_THAT(minute_counts({Choose::kNames, 0, 0, {"a1/f1"}}), ElementsAre(3, 0, 0, 1, 2));
  EXPECT_THAT(minute_counts({Choose::kNames, 0, 0, {"o2/a2/f1", "f3"}}),
              ElementsAre(0, 7, 0, 0, 0));
}

TEST(Functions2019, FallIntoExactlyOneHashPartEach) {
  std::vector<std::uint64_t> sum(5, 0);
  std::size_t parts = 0;
  for (std::uint64_t part = 0; part < 3; ++part) {
    const ParsedTrace outcome =
        parse_functions(kCounts, "azure_functions_2019", {Choose::kHash, part, 3, {}});
    if (!outcome.faults.empty()) continue;  // an empty part
    ++parts;
    for (std::size_t i = 0; i < 5; ++i) sum[i] += outcome.recording.per_minute[i];
  }
  EXPECT_THAT(sum, ElementsAre(13, 17, 15, 11, 12));
  EXPECT_GT(parts, 1U);
}

TEST(Functions2021, ArriveAtTheEndLessTheDuration) {
  // 2.0, 0.25, 4, 4.249999999 s, from the earliest on.
  EXPECT_THAT(calls({}), ElementsAre(0, 1'750'000'000, 3'750'000'000, 3'999'999'999));
}

TEST(Functions2021, KeepTheTimeOfTheWholeFileWhenSomeAreChosen) {
  EXPECT_THAT(calls({Choose::kRank, 1, 1, {}}), ElementsAre(1'750'000'000, 3'999'999'999));
  EXPECT_THAT(calls({Choose::kNames, 0, 0, {"a2/f1"}}), ElementsAre(3'750'000'000));
}

struct MalformedFunctionRows {
  std::string name;
  std::string format;
  std::string text;
  std::string where;
  std::string what;
};

class MalformedFunctions : public ::testing::TestWithParam<MalformedFunctionRows> {};

TEST_P(MalformedFunctions, IsOneFaultWithItsPlace) {
  const ParsedTrace outcome = parse_functions(GetParam().text, GetParam().format);
  ASSERT_EQ(outcome.faults.size(), 1U);
  EXPECT_EQ(outcome.faults[0].where, GetParam().where);
  EXPECT_THAT(outcome.faults[0].what, HasSubstr(GetParam().what));
}

const std::string kHead2019 = "HashOwner,HashApp,HashFunction,Trigger,1,2\n";
const std::string kHead2021 = "app,func,end_timestamp,duration\n";

INSTANTIATE_TEST_SUITE_P(
    Workloads,
    MalformedFunctions,
    ::testing::Values(
        MalformedFunctionRows{"Empty2019", "azure_functions_2019", "", "f.csv", "empty"},
        MalformedFunctionRows{"NoMinutes", "azure_functions_2019",
                              "HashOwner,HashApp,HashFunction,Trigger\n", "f.csv:1",
                              "header must be"},
        MalformedFunctionRows{"MinuteLeftOut", "azure_functions_2019",
                              "HashOwner,HashApp,HashFunction,Trigger,1,3\n", "f.csv:1",
                              "header must be"},
        MalformedFunctionRows{"NoRows2019", "azure_functions_2019", kHead2019, "f.csv", "no rows"},
        MalformedFunctionRows{"NegativeCount", "azure_functions_2019", kHead2019 + "o,a,f,t,1,-2\n",
                              "f.csv:2", "\"-2\" is not a count of minute 2"},
        MalformedFunctionRows{"FractionalCount", "azure_functions_2019",
                              kHead2019 + "o,a,f,t,1.5,2\n", "f.csv:2", "not a count of minute 1"},
        MalformedFunctionRows{"HugeCount", "azure_functions_2019",
                              kHead2019 + "o,a,f,t,1,99999999999999999999\n", "f.csv:2",
                              "minute 2"},
        MalformedFunctionRows{"TooFewMinutes", "azure_functions_2019",
                              kHead2019 + "o,a,f,t,1,2\no,a,f,t,1\n", "f.csv:3",
                              "5 columns, where line 1 has 6"},
        MalformedFunctionRows{"TooManyMinutes", "azure_functions_2019",
                              kHead2019 + "o,a,f,t,1,2,3\n", "f.csv:2", "7 columns"},
        MalformedFunctionRows{"NoFunction", "azure_functions_2019", kHead2019 + "o,a,,t,1,2\n",
                              "f.csv:2", "must not be empty"},
        MalformedFunctionRows{"EmptyLine", "azure_functions_2019", kHead2019 + "\no,a,f,t,1,2\n",
                              "f.csv:2", "an empty line"},
        MalformedFunctionRows{"Empty2021", "azure_functions_2021", "", "f.csv:1", "header must be"},
        MalformedFunctionRows{"NoRows2021", "azure_functions_2021", kHead2021, "f.csv", "no rows"},
        MalformedFunctionRows{"ThreeColumns", "azure_functions_2021", kHead2021 + "a,f,3\n",
                              "f.csv:2", "3 columns, not 4"},
        MalformedFunctionRows{"EndNotANumber", "azure_functions_2021", kHead2021 + "a,f,x,1\n",
                              "f.csv:2", "end_timestamp: \"x\" is not a number of seconds"},
        MalformedFunctionRows{"NegativeDuration", "azure_functions_2021", kHead2021 + "a,f,3,-1\n",
                              "f.csv:2", "duration: \"-1\" is negative"},
        MalformedFunctionRows{"FarApart", "azure_functions_2021",
                              kHead2021 + "a,f,4.6e9,0\na,f,0,1\n", "f.csv", "apart"}),
    [](const auto& test) { return test.param.name; });

TEST(FunctionChoice, OfNothingIsAFault) {
  const auto outcome = parse_functions(kCounts, "azure_functions_2019", {Choose::kRank, 9, 12, {}});
  ASSERT_EQ(outcome.faults.size(), 1U);
  EXPECT_THAT(outcome.faults[0].what, HasSubstr("none of the 4 functions"));
  const auto named =
      parse_functions(kCalls, "azure_functions_2021", {Choose::kNames, 0, 0, {"f1", "f9", "f8"}});
  ASSERT_EQ(named.faults.size(), 2U);
  EXPECT_THAT(named.faults[0].what, HasSubstr("no function \"f9\""));
}

// A file for one test.
class CountsReplay : public ::testing::Test {
 protected:
  CountsReplay() { std::ofstream(path_) << kCounts; }
  ~CountsReplay() override { std::filesystem::remove(path_); }
  ArrivalSpec spec(ArrivalSpec::Counts counts) const {
    ArrivalSpec spec;
    spec.process = ArrivalSpec::Process::kTrace;
    spec.trace = {path_, "azure_functions_2019", ""};
    spec.counts = counts;
    return spec;
  }
  // The arrivals in each of the first five minutes, `minute` ns long.
  static std::vector<std::size_t> per_minute(const std::vector<std::int64_t>& times,
                                             std::int64_t minute) {
    std::vector<std::size_t> out(5, 0);
    for (const auto time : times) {
      if (time / minute < 5) ++out[static_cast<std::size_t>(time / minute)];
    }
    return out;
  }
  const std::string path_ = ::testing::TempDir() + "tangram_counts_" +
                            ::testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
                            std::to_string(::getpid()) + ".csv";
};

constexpr std::int64_t kMinute = 60'000'000'000;

TEST_F(CountsReplay, KeepsTheFilesCountsWhateverTheSeedAndTheSpeed) {
  ArrivalSpec exact = spec(ArrivalSpec::Counts::kExact);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto times = take(*make_arrivals(exact, stream_of("m", seed)), 1000, 256);
    EXPECT_THAT(per_minute(times, kMinute), ElementsAre(13, 17, 15, 11, 12)) << seed;
    EXPECT_EQ(times.size(), 68U);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  }
  EXPECT_DOUBLE_EQ(mean_rate(exact).value(), 68 / 300.0);
  exact.speed_up = 600;
  EXPECT_THAT(per_minute(first(exact, 1000), kMinute / 600), ElementsAre(13, 17, 15, 11, 12));
  // 68 arrivals at 6.8/s are 10 s: 30 times as fast.
  exact.speed_up = 1;
  exact.rate_rps = 6.8;
  EXPECT_THAT(per_minute(first(exact, 1000), kMinute / 30), ElementsAre(13, 17, 15, 11, 12));
}

TEST_F(CountsReplay, PlacesArrivalsUniformlyInTheirMinute) {
  // All places of 2000 seeds: P(place <= x) = x.
  std::vector<std::int64_t> places;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const auto arrivals = make_arrivals(spec(ArrivalSpec::Counts::kExact), stream_of("m", seed));
    for (const auto time : take(*arrivals, 1000, 256)) places.push_back(time % kMinute);
  }
  ASSERT_EQ(places.size(), 136'000U);
  for (const double x : {0.01, 0.1, 0.5, 0.9, 0.99}) {
    const auto below = std::count_if(places.begin(), places.end(), [&](std::int64_t place) {
      return static_cast<double>(place) < x * static_cast<double>(kMinute);
    });
    EXPECT_NEAR(static_cast<double>(below) / 136'000, x, margin(x, places.size())) << x;
  }
}

TEST_F(CountsReplay, OfPoissonCountsVariesAsPoissonDoes) {
  // Minute i over 4000 seeds: mean c, variance c; standard errors sqrt(c / n), c sqrt(2 / n).
  const std::vector<double> counts{13, 17, 15, 11, 12};
  std::vector<double> sum(5, 0), squares(5, 0);
  constexpr double kSeeds = 4000;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    const auto arrivals = make_arrivals(spec(ArrivalSpec::Counts::kPoisson), stream_of("m", seed));
    const auto found = per_minute(take(*arrivals, 1000, 256), kMinute);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto n = static_cast<double>(found[i]);
      sum[i] += n;
      squares[i] += n * n;
    }
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const double mean = sum[i] / kSeeds;
    EXPECT_NEAR(mean, counts[i], 4 * std::sqrt(counts[i] / kSeeds)) << i;
    EXPECT_NEAR(squares[i] / kSeeds - mean * mean, counts[i],
                4.5 * counts[i] * std::sqrt(2 / kSeeds))
        << i;
  }
}

TEST_F(CountsReplay, TakesWholeMinutesAndRepeatsThem) {
  ArrivalSpec exact = spec(ArrivalSpec::Counts::kExact);
  exact.slice_start_s = 60;
  exact.slice_end_s = 240;
  exact.repeat = true;
  EXPECT_DOUBLE_EQ(mean_rate(exact).value(), 43 / 180.0);
  EXPECT_THAT(per_minute(first(exact, 1000), kMinute), ElementsAre(17, 15, 11, 17, 15));
  // An end beyond the recording is silence.
  exact.slice_end_s = 420;
  EXPECT_THAT(per_minute(first(exact, 1000), kMinute), ElementsAre(17, 15, 11, 12, 0));
  EXPECT_DOUBLE_EQ(mean_rate(exact).value(), 55 / 360.0);
}

TEST(Hdf5Times, AreSecondsOrNanosecondsByTheirName) {
  const std::string path = ::testing::TempDir() + "tangram_times.h5";
  Hdf5Writer writer(path);
  writer.write("/seconds", std::span<const double>(std::vector<double>{3, 3.25, 5}));
  writer.write("/requests/arrival_ns", std::span<const std::int64_t>(std::vector<std::int64_t>{
                                           1'700'000'000'000'000'001, 1'700'000'000'000'000'004}));
  writer.write("/unsorted", std::span<const double>(std::vector<double>{3, 5, 4}));
  writer.write("/negative_ns", std::span<const std::int64_t>(std::vector<std::int64_t>{-1}));
  writer.write("/nothing", std::span<const double>());
  writer.commit();
  const auto times = [&](const std::string& dataset, Faults& faults) {
    std::vector<std::int64_t> out;
    for (const Duration d : read_trace({path, "timestamps", dataset}, faults).times) {
      out.push_back(d.count());
    }
    return out;
  };
  Faults none;
  EXPECT_THAT(times("/seconds", none), ElementsAre(0, 250'000'000, 2'000'000'000));
  EXPECT_THAT(times("/requests/arrival_ns", none), ElementsAre(0, 3));
  EXPECT_TRUE(none.empty());
  const auto fault_of = [&](const std::string& dataset) {
    Faults faults;
    times(dataset, faults);
    try {
      faults.throw_if_any();
    } catch (const ConfigError& error) {
      return error.faults()[0].where.substr(path.size()) + ": " + error.faults()[0].what;
    }
    return std::string("none");
  };
  EXPECT_THAT(fault_of("/unsorted"), HasSubstr("#/unsorted[2]: 4 seconds is earlier than the 5"));
  EXPECT_THAT(fault_of("/negative_ns"), HasSubstr("#/negative_ns[0]: -1 is not a time"));
  EXPECT_THAT(fault_of("/nothing"), HasSubstr("#/nothing: holds no times"));
  EXPECT_THAT(fault_of("/absent"), HasSubstr("#/absent"));
  std::filesystem::remove(path);
}

TEST(GuessTraceFormat, LooksAtTheFirstLine) {
  const std::string path = ::testing::TempDir() + "tangram_guess.csv";
  for (const auto& [text, format] : std::vector<std::pair<std::string, std::string>>{
           {kCounts, "azure_functions_2019"},
           {kCalls, "azure_functions_2021"},
           {"TIMESTAMP,ContextTokens,GeneratedTokens\n", "azure_llm"},
           {"1\n2\n", "timestamps"}}) {
    std::ofstream(path) << text;
    EXPECT_EQ(guess_trace_format(path), format);
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace tangram
