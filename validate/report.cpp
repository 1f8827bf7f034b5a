#include "validate/report.h"

#include <cmath>

#include <fmt/format.h>

#include "validate/figures.h"
#include "validate/svg.h"

namespace tangram {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.45 sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin-top: 2em; }
table { border-collapse: collapse; margin: .8em 0; }
th, td { padding: .2em .6em; text-align: right; white-space: nowrap; font-size: .93em; border-bottom: 1px solid rgba(128,128,128,.35); }
th:first-child, td:first-child { text-align: left; }
table.record td { text-align: left; white-space: normal; vertical-align: top; overflow-wrap: anywhere; }
tr.error td { font-weight: bold; border-bottom: 2px solid rgba(128,128,128,.7); }
svg { max-width: 100%; height: auto; margin: .3em .3em .3em 0; border: 1px solid #bbb; }
p.small { font-size: .87em; }
table.record td:first-child { white-space: nowrap; }
</style>
)";

std::string html_percent(double share) {
  return std::isnan(share) ? "&ndash;" : fmt::format("{:+.1f} %", 100 * share);
}

std::string cell(const std::string& html, const char* tag = "td") {
  return fmt::format("<{0}>{1}</{0}>", tag, html);
}

struct ShownMetric {
  const char* title;
  double Figures::*value;
  double scale;
  const char* format;
};
constexpr ShownMetric kShown[] = {
    {"completed", &Figures::completed, 1, "{:.0f}"},
    {"requests/s", &Figures::throughput_rps, 1, "{:.2f}"},
    {"good, %", &Figures::slo_attainment, 100, "{:.2f}"},
    {"mean", &Figures::mean_ms, 1, "{:.4g}"},
    {"p50", &Figures::p50_ms, 1, "{:.4g}"},
    {"p95", &Figures::p95_ms, 1, "{:.4g}"},
    {"p99", &Figures::p99_ms, 1, "{:.4g}"},
    {"batch", &Figures::batch_mean, 1, "{:.2f}"},
    {"wait", &Figures::wait_ms, 1, "{:.4g}"},
    {"execution", &Figures::execution_ms, 1, "{:.4g}"},
};

std::string error_rows(const ComparedWorkload& w) {
  std::string simulated = "<tr>" + cell(escaped(w.name) + ", simulated");
  std::string real = "<tr>" + cell(escaped(w.name) + ", real");
  std::string error = "<tr class=\"error\">" + cell("error");
  for (const ShownMetric& metric : kShown) {
    const double s = w.simulated.*metric.value;
    const double r = w.real.*metric.value;
    simulated += cell(fmt::format(fmt::runtime(metric.format), s * metric.scale));
    real += cell(fmt::format(fmt::runtime(metric.format), r * metric.scale));
    error += cell(html_percent(relative_error(s, r)));
  }
  return simulated + "</tr>\n" + real + "</tr>\n" + error + "</tr>\n";
}

std::string error_table(const Comparison& comparison) {
  std::string html = "<table><tr>" + cell("", "th");
  for (const ShownMetric& metric : kShown) html += cell(metric.title, "th");
  html += "</tr>\n";
  for (const ComparedWorkload& w : comparison.workloads) html += error_rows(w);
  if (comparison.workloads.size() > 1) html += error_rows(comparison.total);
  return html +
         "</table>\n<p class=\"small\">Latencies, wait and execution in ms, from the intended "
         "arrival; percentiles are nearest rank over all requests; error = (simulated &minus; "
         "real) "
         "/ real.</p>\n";
}

std::string pairing_table(const Comparison& comparison) {
  std::string html = "<table><tr>" + cell("", "th");
  for (const char* title : {"pairs", "within 5 %", "10 %", "20 %", "mean difference, ms",
                            "absolute", "p5", "p50", "p95"}) {
    html += cell(title, "th");
  }
  html += "</tr>\n";
  for (const ComparedWorkload& w : comparison.workloads) {
    const Pairing& p = w.pairing;
    html += "<tr>" + cell(escaped(w.name)) + cell(std::to_string(p.completed));
    for (const double share : {p.within_5, p.within_10, p.within_20}) {
      html += cell(fmt::format("{:.1f} %", 100 * share));
    }
    html +=
        cell(fmt::format("{:+.4g}", p.mean_ms)) + cell(fmt::format("{:.4g}", p.mean_absolute_ms));
    for (const double q : {p.p5_ms, p.p50_ms, p.p95_ms}) html += cell(fmt::format("{:+.4g}", q));
    html += "</tr>\n";
  }
  return html +
         "</table>\n<p class=\"small\">Requests that both worlds completed, paired by their id; "
         "difference = simulated &minus; real latency of the same request.</p>\n";
}

std::string answers_table(const Comparison& comparison) {
  std::string html = "<table><tr>" + cell("simulated \\ real", "th");
  for (const std::string& name : answer_names()) html += cell(name, "th");
  html += "</tr>\n";
  for (std::size_t s = 0; s < kAnswers; ++s) {
    html += "<tr>" + cell(answer_names()[s]);
    for (std::size_t r = 0; r < kAnswers; ++r) {
      html += cell(std::to_string(comparison.total.pairing.answers[s][r]));
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

std::string record_row(const std::string& key, const std::string& value) {
  return "<tr>" + cell(escaped(key)) + cell(escaped(value)) + "</tr>\n";
}

std::string record_table(const Validation& validation) {
  const StoredResult& real = validation.real.front();
  const StoredResult& simulated = validation.simulated.front();
  const ValidationRecord& record = validation.record;
  std::string seeds;
  for (const StoredResult& result : validation.real) {
    for (const StoredRun& run : result.runs) {
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(run.seed);
    }
  }
  std::string html = "<table class=\"record\">\n";
  html += record_row("command", record.command);
  html += record_row("date", record.date);
  html += record_row("machine", record.machine);
  html += record_row("seed", seeds);
  html += record_row("policies", fmt::format("planner {}, routing {}, dispatcher {}", real.planner,
                                             real.routing, real.dispatcher));
  html += record_row("simulated device", simulated.device);
  html += record_row("real backend", record.backend);
  html += record_row("measured", fmt::format("{:g} s of each run", real.runs.front().measured_s));
  html += record_row(
      "overhead of a batch",
      fmt::format("{:.4g} ms fitted to the real run: {:.4g} ms from decision to start, {:+.4g} ms "
                  "beyond the profile; the simulation above had what its scenario says",
                  validation.overhead.overhead_ms(), validation.overhead.dispatch_ms,
                  validation.overhead.execution_ms));
  html += record_row("version", real.version + ", git " + real.git_hash);
  for (const std::string& note : simulated.notes) html += record_row("simulation", note);
  for (const std::string& note : real.notes) html += record_row("real run", note);
  return html + "</table>\n";
}

}  // namespace

std::string report_of(const Validation& validation) {
  const Comparison& comparison = validation.comparison;
  const std::string name = escaped(validation.real.front().name);
  std::string html = kHead + fmt::format("<title>Validation: {0}</title></head><body>\n", name);
  html += fmt::format(
      "<h1>Validation: {}</h1>\n<p>One scenario in two worlds, with the same plan, the same "
      "policies and the same arrivals: simulated, and run for real by the backend "
      "<b>{}</b>.</p>\n<h2>Errors</h2>\n",
      name, escaped(validation.record.backend));
  html += error_table(comparison) + "<h2>Request by request</h2>\n" + pairing_table(comparison);
  for (std::size_t w = 0; w < comparison.workloads.size(); ++w) {
    html += "<h2>Latency of " + escaped(comparison.workloads[w].name) + "</h2>\n" +
            latency_figure(validation, w) + pairs_figure(validation, w);
  }
  html += "<h2>The same moments in both worlds</h2>\n" + timeline_figure(validation) +
          "<p class=\"small\">The number in a box is the size of the batch.</p>\n"
          "<h2>Planned and actual durations of batches</h2>\n";
  for (std::size_t w = 0; w < comparison.workloads.size(); ++w) {
    html += batches_figure(validation, w);
  }
  html += "<h2>How requests ended</h2>\n" + answers_table(comparison) +
          "<h2>Where the numbers come from</h2>\n" + record_table(validation);
  return html + "</body></html>\n";
}

}  // namespace tangram
