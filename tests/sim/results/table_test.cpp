#include "sim/results/table.h"

#include <array>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sample_run.h"
#include "sim/results/summary.h"

namespace tangram {
namespace {

using ::testing::HasSubstr;

std::string table_of_run(const RunResult& run) {
  return table_of(summarize(std::span(&run, 1)));
}

void expect_fits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), kTableWidth) << line;
}

TEST(Table, OfASmallRunIsExactlyThis) {
  EXPECT_EQ(table_of_run(sample_run()),
            R"(scenario    sample
planner     exclusive   routing central   dispatcher fifo
device      rate   runtime simulation
horizon     10 s measured, 12 s simulated   seed 7   42 events
GPUs        1 used   busy 40.00 %

workload  offered  attained %  good/s  mean ms  p50 ms  p99 ms  batch  dropped
------------------------------------------------------------------------------
a              10       80.00   0.800    0.000   0.000   0.000  3.000        1
b               0      100.00   0.000    0.000   0.000   0.000  0.000        0
------------------------------------------------------------------------------
total          10       80.00   0.800    0.000   0.000   0.000  3.000        1
)");
}

TEST(Table, NeverRoundsAMissUpToAHundredPercent) {
  RunResult run = sample_run();
  run.metrics[0].offered = 1000000;
  run.metrics[0].completed = 999999;
  run.metrics[0].late = 0;
  EXPECT_THAT(table_of_run(run), HasSubstr("  99.99  "));
}

TEST(Table, FitsAHundredColumnsWithLongNamesLargeCountsAndLongNotes) {
  RunResult run = sample_run();
  run.workloads[0].name = std::string(90, 'x') + "-one";
  run.workloads[1].name = std::string(90, 'x') + "-two";
  run.metrics[0].offered = 123456789012;
  run.metrics[0].completed = 0;
  run.metrics[0].late = 0;
  run.metrics[0].dropped[1] = 123456789011;
  for (int i = 0; i < 60; ++i) run.scenario += " word";
  run.notes.push_back(run.scenario);
  std::array<RunResult, 2> runs{run, run};
  runs[1].metrics[0].offered = 5;
  for (const std::string& text : {table_of_run(run), table_of(summarize(runs))}) {
    expect_fits(text);
    EXPECT_THAT(text, HasSubstr("-one"));
    EXPECT_THAT(text, HasSubstr("-two"));
  }
}

TEST(Table, StatesTheIntervalOfReplications) {
  std::array<RunResult, 2> runs{sample_run(), sample_run()};
  const std::string text = table_of(summarize(runs));
  EXPECT_THAT(text, HasSubstr("10 s measured, 12 s simulated, 2 replications (95 % intervals)"));
  EXPECT_THAT(text, HasSubstr("80.00 +- 0.00"));
}

TEST(Table, EndsWithWhatIsUnservedAndTheNotes) {
  RunResult run = sample_run();
  run.plan.unserved.push_back({"b", 12.5, "no GPU is left"});
  run.notes = {"assumed a factor of 1"};
  EXPECT_THAT(table_of_run(run), HasSubstr("\nunserved    b, 12.50 requests/s: no GPU is left\n"
                                           "note        assumed a factor of 1\n"));
}

TEST(Shortened, CutsInTheMiddleBetweenCharacters) {
  EXPECT_EQ(shortened("short", 8), "short");
  EXPECT_EQ(shortened("abcdefghijkl", 8), "abc...kl");
  EXPECT_EQ(shortened("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 5),
            "\xc3\xa4...\xc3\xa4");
}

TEST(Wrapped, BreaksAtBlanksAndIndents) {
  const std::string text = wrapped("note  ", std::string(60, 'a') + ' ' + std::string(60, 'b'));
  EXPECT_EQ(text, "note  " + std::string(60, 'a') + "\n      " + std::string(60, 'b') + '\n');
}

}  // namespace
}  // namespace tangram
