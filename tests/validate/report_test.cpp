#include "validate/report.h"

#include <gmock/gmock.h>

#include "validate/svg.h"

namespace tangram {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Two requests of one workload in both worlds, the real ones 1 ms slower, one batch each.
Validation sample(const std::string& name) {
  Validation validation;
  validation.record = {"cpu", "tangram validate s.json", "2026-01-01 00:00:00 UTC", "a <machine>"};
  for (std::vector<StoredResult>* world : {&validation.simulated, &validation.real}) {
    const std::int64_t slower = world == &validation.real ? 1'000'000 : 0;
    StoredResult result;
    result.name = name;
    result.scenario_text = "{}";
    result.executors = {"gpu 0 / whole"};
    result.notes = {"a note & more"};
    StoredRun run;
    run.measured_s = 1;
    run.seed = 42;
    run.workloads.push_back({name, "unit", from_ms(50), Json{{"offered", 2}}, {}, {}, {}});
    for (std::int64_t i = 0; i < 2; ++i) {
      const std::int64_t at = i * 20'000'000;
      const std::int64_t end = at + 10'000'000 + slower;
      run.requests.push_back(
          {RequestId::of(WorkloadId(0), std::uint64_t(i)), at, at, at, end, 1, 0, 0});
      run.timeline.push_back({ExecutorId(0),
                              WorkloadId(0),
                              1,
                              kStart + Duration(at),
                              kStart + Duration(at),
                              kStart + Duration(end),
                              from_ms(10),
                              {}});
    }
    result.runs.push_back(run);
    world->push_back(result);
  }
  validation.comparison = compare(validation.simulated, validation.real);
  validation.overhead = fit_overhead(validation.real);
  return validation;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Report, HasTheErrorsTheFiguresAndTheRecord) {
  const std::string html = report_of(sample("one"));
  EXPECT_THAT(html, HasSubstr("<td>-9.1 %</td>"));  // 10 ms simulated, 11 ms real
  EXPECT_EQ(count(html, "<svg"), 4U);
  EXPECT_EQ(count(html, "</svg>"), 4U);
  EXPECT_THAT(html, HasSubstr("<td>seed</td><td>42</td>"));
  EXPECT_THAT(html, HasSubstr("a &lt;machine&gt;"));
  EXPECT_THAT(html, HasSubstr("a note &amp; more"));
}

TEST(Report, NeedsNothingFromElsewhere) {
  const std::string html = report_of(sample("one"));
  for (const char* part : {"src=", "href=", "@import", "<script", "<link"}) {
    EXPECT_THAT(html, Not(HasSubstr(part)));
  }
}

TEST(Report, NamesCannotBreakThePage) {
  const std::string html = report_of(sample("<b>\"bad\" & 'worse'"));
  EXPECT_THAT(html, Not(HasSubstr("<b>\"bad")));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;&quot;bad&quot; &amp; &#39;worse&#39;"));
}

TEST(Report, StandsWithoutAnyRequest) {
  Validation validation = sample("one");
  for (std::vector<StoredResult>* world : {&validation.simulated, &validation.real}) {
    world->front().runs[0].requests.clear();
    world->front().runs[0].timeline.clear();
    world->front().runs[0].workloads[0].figures["offered"] = 0;
  }
  validation.comparison = compare(validation.simulated, validation.real);
  EXPECT_EQ(count(report_of(validation), "<svg"), 4U);
}

TEST(Report, TheTableFitsAHundredColumns) {
  const std::string text = table_of(sample("a workload with quite a long name, longer than usual"));
  std::size_t line = 0;
  for (const char c : text) {
    line = c == '\n' ? 0 : line + 1;
    EXPECT_LE(line, 100U);
  }
  EXPECT_THAT(text, HasSubstr("-9.1 %"));
}

TEST(Svg, TicksAreRoundNumbers) {
  EXPECT_THAT(tick_values({"", 0, 1}, 5),
              ElementsAre(0, 0.2, 0.4, ::testing::DoubleNear(0.6, 1e-9), 0.8, 1));
  EXPECT_THAT(tick_values({"", 3, 27}, 5), ElementsAre(5, 10, 15, 20, 25));
  EXPECT_THAT(tick_values({"", 2, 60, true}, 6), ElementsAre(2, 5, 10, 20, 50));
  EXPECT_THAT(tick_values({"", 0.9, 12000, true}, 4), ElementsAre(1, 10, 100, 1000, 10000));
}

TEST(Svg, CoordinatesFollowTheAxes) {
  // Plot from x = 56 to 286 and y = 34 to 254.
  Chart chart(300, 300, {"x", 0, 10}, {"y", 0, 10});
  chart.line({{0, 0}, {10, 10}}, kBlue, 1);
  EXPECT_THAT(chart.svg("t"), HasSubstr("points=\"56.0,254.0 286.0,34.0 \""));
  Chart logarithmic(300, 300, {"x", 1, 100, true}, {"y", 0, 10});
  logarithmic.line({{10, 5}}, kBlue, 1);
  EXPECT_THAT(logarithmic.svg("t"), HasSubstr("points=\"171.0,144.0 \""));
}

TEST(Svg, BoxesAreCutAtTheBordersOfThePlot) {
  Chart chart(300, 300, {"x", 0, 10}, {"y", 0, 10});
  chart.box(-5, 5, 0, 10, kBlue, "", "");
  chart.box(11, 12, 0, 10, kBlue, "", "outside");
  const std::string svg = chart.svg("t");
  EXPECT_THAT(svg, HasSubstr("<rect x=\"56.00\" y=\"34.0\" width=\"115.00\""));
  EXPECT_THAT(svg, Not(HasSubstr("outside")));
}

}  // namespace
}  // namespace tangram
