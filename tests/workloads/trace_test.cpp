// The trace readers: every digit kept, every fault with its line.
#include "workloads/trace.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<Fault> faults_of(const Faults& faults) {
  try {
    faults.throw_if_any();
  } catch (const ConfigError& error) {
    return error.faults();
  }
  return {};
}

std::vector<std::int64_t> parse_times(const std::string& text, const std::string& format) {
  Faults faults;
  std::vector<std::int64_t> out;
  for (const Duration d : parse_trace(text, {"f.csv", format, ""}, faults).times)
    out.push_back(d.count());
  for (const Fault& fault : faults_of(faults)) ADD_FAILURE() << fault.where << ": " << fault.what;
  return out;
}

std::vector<std::int64_t> timestamps(const std::string& text) {
  return parse_times(text, "timestamps");
}
std::vector<std::int64_t> azure(const std::string& rows) {
  return parse_times("TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows, "azure_llm");
}

TEST(Timestamps, AreReadWithAndWithoutAHeader) {
  EXPECT_THAT(timestamps("0\n0.25\n1\n"), ElementsAre(0, 250'000'000, 1'000'000'000));
  EXPECT_THAT(timestamps("timestamp_s\n5\n6.5\n"), ElementsAre(0, 1'500'000'000));
  EXPECT_THAT(timestamps("id,arrival_s,model\n1,5,x\n2,6.5,y\n"), ElementsAre(0, 1'500'000'000));
}

TEST(Timestamps, MayEndInCrLfOrWithoutALineEnd) {
  EXPECT_THAT(timestamps("timestamp_s\r\n1\r\n2\r\n"), ElementsAre(0, 1'000'000'000));
  EXPECT_THAT(timestamps("1\n2"), ElementsAre(0, 1'000'000'000));
  EXPECT_THAT(timestamps("\xef\xbb\xbf"
                         "1\n2\n\n\r\n"),
              ElementsAre(0, 1'000'000'000));
}

TEST(Timestamps, KeepEveryDecimalOfALargeNumber) {
  // A double near 1.7e9 s has steps of 238 ns.
  EXPECT_THAT(timestamps("1700158546.680590001\n1700158546.680590002\n"), ElementsAre(0, 1));
  EXPECT_THAT(timestamps("0\n0.123456789\n"), ElementsAre(0, 123'456'789));
}

TEST(Timestamps, RoundBeyondTheNanosecondToTheNearest) {
  EXPECT_THAT(timestamps("0\n0.0000000014\n0.0000000015\n0.00000000249999999999999999999\n"),
              ElementsAre(0, 1, 2, 2));
}

TEST(Timestamps, MayHaveAnExponent) {
  EXPECT_THAT(timestamps("0.000000000000000000e+00\n1.234560000000000000e+03\n2E4\n250000e-1\n"),
              ElementsAre(0, 1'234'560'000'000, 20'000'000'000'000, 25'000'000'000'000));
}

TEST(Timestamps, MayBeEqual) {
  EXPECT_THAT(timestamps("3\n3\n3\n"), ElementsAre(0, 0, 0));
}

TEST(AzureLlm, RowsAreReadToHundredNanoseconds) {
  EXPECT_THAT(azure("2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951691,396,109\n"),
              ElementsAre(0, 4'314'579'100));
}

TEST(AzureLlm, DaysMonthsAndYearsRollOver) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  constexpr std::int64_t kDay = 86'400 * kSecond;
  EXPECT_THAT(azure("2023-11-30 23:59:59.5000000,1,1\n2023-12-01 00:00:00.2500000,1,1\n"),
              ElementsAre(0, 750'000'000));
  EXPECT_THAT(azure("2023-12-31 23:59:59,1,1\n2024-01-01 00:00:00.0,1,1\n"),
              ElementsAre(0, kSecond));
  // 2024 is a leap year, 2023 and 2100 are not, 2000 is.
  EXPECT_THAT(azure("2024-02-28 00:00:00,1,1\n2024-03-01 00:00:00,1,1\n"),
              ElementsAre(0, 2 * kDay));
  EXPECT_THAT(azure("2023-02-28 00:00:00,1,1\n2023-03-01 00:00:00,1,1\n"), ElementsAre(0, kDay));
  EXPECT_THAT(azure("2000-02-28 00:00:00,1,1\n2000-03-01 00:00:00,1,1\n"),
              ElementsAre(0, 2 * kDay));
  EXPECT_THAT(azure("2100-02-28 00:00:00,1,1\n2100-03-01 00:00:00,1,1\n"), ElementsAre(0, kDay));
}

struct MalformedRows {
  std::string name;
  std::string format;
  std::string text;
  std::string where;
  std::string what;
};

class MalformedTrace : public ::testing::TestWithParam<MalformedRows> {};

TEST_P(MalformedTrace, IsOneFaultWithItsPlace) {
  Faults faults;
  parse_trace(GetParam().text, {"f.csv", GetParam().format, ""}, faults);
  const std::vector<Fault> found = faults_of(faults);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, GetParam().where);
  EXPECT_THAT(found[0].what, HasSubstr(GetParam().what));
}

const std::string kAzure = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

INSTANTIATE_TEST_SUITE_P(
    Workloads,
    MalformedTrace,
    ::testing::Values(
        MalformedRows{"Empty", "timestamps", "", "f.csv", "the file is empty"},
        MalformedRows{"OnlyAHeader", "timestamps", "timestamp_s\n", "f.csv", "no rows after"},
        MalformedRows{"EmptyFirstLine", "timestamps", "\n1\n", "f.csv", "the first line is empty"},
        MalformedRows{"NotANumber", "timestamps", "1\nnan\n3\n", "f.csv:2",
                      "\"nan\" is not a number"},
        MalformedRows{"Infinite", "timestamps", "1\n2\ninf\n", "f.csv:3",
                      "\"inf\" is not a number"},
        MalformedRows{"Negative", "timestamps", "-1.5\n2\n", "f.csv:1", "\"-1.5\" is negative"},
        MalformedRows{"Overflow", "timestamps", "1\n1e300\n", "f.csv:2", "is more than 4.6e+09 s"},
        MalformedRows{"HugeInteger", "timestamps", "1\n99999999999999999999999\n", "f.csv:2",
                      "is more than 4.6e+09 s"},
        MalformedRows{"TrailingText", "timestamps", "1\n2s\n", "f.csv:2", "\"2s\" is not a number"},
        MalformedRows{"HalfAnExponent", "timestamps", "1\n2e\n", "f.csv:2",
                      "\"2e\" is not a number"},
        MalformedRows{"TwoPoints", "timestamps", "1\n2.3.4\n", "f.csv:2", "is not a number"},
        MalformedRows{"EmptyCell", "timestamps", "id,arrival_s\n1,2\n2,\n", "f.csv:3",
                      "\"\" is not a number"},
        MalformedRows{"Unsorted", "timestamps", "1\n3\n2.5\n4\n", "f.csv:3", "0.5 s earlier"},
        MalformedRows{"EmptyLineBetween", "timestamps", "1\n\n2\n", "f.csv:2", "an empty line"},
        MalformedRows{"UnknownHeader", "timestamps", "time\n1\n", "f.csv:1",
                      "no column timestamp_s or arrival_s"},
        MalformedRows{"TwoTimes", "timestamps", "arrival_s,timestamp_s\n1,1\n", "f.csv:1",
                      "two columns hold the time"},
        MalformedRows{"TwoColumnsNoHeader", "timestamps", "1,2\n3,4\n", "f.csv:1", "2 columns"},
        MalformedRows{"RowTooShort", "timestamps", "id,arrival_s\n1,2\n2\n", "f.csv:3",
                      "1 columns, where line 1 has 2"},
        MalformedRows{"Binary", "timestamps", std::string("1\n\0\x01\xff\n", 6), "f.csv:2",
                      "\"???\""},
        MalformedRows{"AzureEmpty", "azure_llm", "", "f.csv", "the file is empty"},
        MalformedRows{"AzureNoRows", "azure_llm", kAzure, "f.csv", "no rows after"},
        MalformedRows{"AzureHeader", "azure_llm", "TIME,A,B\n", "f.csv:1", "the header must be"},
        MalformedRows{"AzureColumns", "azure_llm", kAzure + "2023-11-16 18:15:46.6805900,3\n",
                      "f.csv:2", "2 columns, not 3"},
        MalformedRows{"AzureTokens", "azure_llm", kAzure + "2023-11-16 18:15:46.6805900,3,-4\n",
                      "f.csv:2", "\"-4\" is not a number of generated tokens"},
        MalformedRows{"AzureShape", "azure_llm", kAzure + "2023-11-16T18:15:46,3,4\n", "f.csv:2",
                      "is not of the form"},
        MalformedRows{"AzureFraction", "azure_llm", kAzure + "2023-11-16 18:15:46.,3,4\n",
                      "f.csv:2", "is not of the form"},
        MalformedRows{"AzureMonth", "azure_llm", kAzure + "2023-13-01 00:00:00,3,4\n", "f.csv:2",
                      "is not a day of the calendar"},
        MalformedRows{"AzureDay", "azure_llm", kAzure + "2023-02-29 00:00:00,3,4\n", "f.csv:2",
                      "is not a day of the calendar"},
        MalformedRows{"AzureHour", "azure_llm", kAzure + "2023-02-28 24:00:00,3,4\n", "f.csv:2",
                      "is not a time of day"},
        MalformedRows{"AzureYear", "azure_llm", kAzure + "2262-01-01 00:00:00,3,4\n", "f.csv:2",
                      "a year outside"},
        MalformedRows{"AzureUnsorted", "azure_llm",
                      kAzure + "2023-11-16 18:15:46,3,4\n2023-11-16 18:15:45,3,4\n", "f.csv:3",
                      "1 s earlier"}),
    [](const auto& test) { return test.param.name; });

TEST(Trace, ReportsAllFaultsAtOnceAndReadsTheOtherRows) {
  Faults faults;
  const auto times = parse_trace("0\nx\n1\n-2\n3\n2\n", {"f.csv", "timestamps", ""}, faults).times;
  std::vector<std::string> places;
  for (const Fault& fault : faults_of(faults)) places.push_back(fault.where);
  EXPECT_THAT(places, ElementsAre("f.csv:2", "f.csv:4", "f.csv:6"));
  EXPECT_EQ(times.size(), 4U);
}

TEST(Trace, ThatCannotBeReadIsOneFault) {
  Faults faults;
  EXPECT_THAT(read_trace({"/nonexistent/t.csv", "timestamps", ""}, faults).times, IsEmpty());
  const auto found = faults_of(faults);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].where, "/nonexistent/t.csv");
}

TEST(TraceSlice, WithoutAnEndLastsOneMeanGapBeyondItsLastRow) {
  using std::chrono_literals::operator""s;
  const Recording trace{{0s, 1s, 2s, 6s}, {}};
  // 6 s + 6 s / 3 gaps.
  EXPECT_EQ(slice_trace(trace, 0, std::nullopt).length_ns, 8e9);
  EXPECT_EQ(slice_trace(trace, 0, std::nullopt).rate_rps(), 0.5);
  // From 1.5 s: rows at 0.5 and 4.5 s, one gap of 4 s.
  EXPECT_EQ(slice_trace(trace, 1.5, std::nullopt).length_ns, 8.5e9);
}

TEST(TraceSlice, WithOneTimeAndNoEndHasNoRate) {
  const Recording trace{{Duration(0), Duration(0)}, {}};
  EXPECT_EQ(slice_trace(trace, 0, std::nullopt).rate_rps(), std::nullopt);
  EXPECT_EQ(slice_trace(trace, 0, 4.0).rate_rps(), 0.5);
  EXPECT_EQ(slice_trace(trace, 1, 4.0).rate_rps(), std::nullopt);
}

}  // namespace
}  // namespace tangram
