// The calibration report as text.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/results/table.h"
#include "validate/calibrate.h"

namespace tangram {
namespace {

std::string marked(const InterferenceCandidate& candidate) {
  return candidate.name + (candidate.post_hoc ? " *" : "");
}

std::string band(const Band& b) {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}]", b.value, b.low, b.high);
}

std::string interval(const Band& b) {
  return fmt::format("[{:+.2f}, {:+.2f}]", b.low, b.high);
}

// Nothing is compared with itself.
bool is_constant(const CandidateResult& result) {
  return result.candidate == &constant_candidate();
}

std::string heading(const CalibrationReport& report) {
  std::string text =
      fmt::format("Co-runs on {}: {} slowdowns of {} co-runs, {} pairs of {} models\n\n",
                  report.gpu, report.rows, report.runs, report.pairs, report.models);
  text += fmt::format("  interference_factor  {:.4f}   the mean slowdown: the constant\n",
                      report.factor);
  text += fmt::format("  95th percentile      {:.4f}   as a margin", report.p95);
  if (report.p95_covers_mean) {
    text += fmt::format(": covers {:.0f} % of a pair left out, {:.0f} % of the worst",
                        100 * *report.p95_covers_mean, 100 * *report.p95_covers_worst);
  }
  return text + "\n";
}

std::string pairs_table(const CalibrationReport& report) {
  TextTable table(
      {"pair left out", "mean % [95 %]", "p50", "p90", "p95", "r", "- constant", "wins", "skill"});
  for (const CandidateResult& result : report.results) {
    if (!result.pairs) continue;
    const ErrorScore& s = *result.pairs;
    const double skill = std::round(100 * s.cell_skill) / 100 + 0.0;  // no "-0.00"
    table.add({marked(*result.candidate), band(s.mean), fmt::format("{:.2f}", s.p50),
               fmt::format("{:.2f}", s.p90), fmt::format("{:.2f}", s.p95),
               s.r ? fmt::format("{:+.2f}", *s.r) : "-",
               is_constant(result) ? "-" : interval(s.minus_constant),
               is_constant(result) ? "-" : fmt::format("{}/{}", s.wins, s.clusters),
               fmt::format("{:.2f}", skill)});
  }
  return table.text();
}

std::string models_table(const CalibrationReport& report) {
  TextTable table(
      {"model left out", "mean % [95 %]", "- constant", "wins", "| random rows, mean %"});
  for (const CandidateResult& result : report.results) {
    if (!result.models && !result.random_pct) continue;
    const std::string random = result.random_pct ? fmt::format("{:.2f}", *result.random_pct) : "-";
    if (!result.models) {
      table.add({marked(*result.candidate), "-", "-", "-", random});
      continue;
    }
    const ErrorScore& s = *result.models;
    table.add({marked(*result.candidate), band(s.mean),
               is_constant(result) ? "-" : interval(s.minus_constant),
               is_constant(result) ? "-" : fmt::format("{}/{}", s.wins, s.clusters), random});
  }
  return table.text();
}

constexpr const char* kReading =
    "Errors are |predicted / measured latency - 1|. \"+N\": the fit saw N co-runs of the pair, "
    "which "
    "are not judged. \"- constant\" is the interval of the difference to one constant: below 0 is "
    "better. Intervals draw whole pairs (models) with replacement: so many, not so many rows, are "
    "the "
    "independent samples. skill: R2 inside (victim, aggressor), 0 for one number each.";
constexpr const char* kPostHoc =
    "* the form, or the length scales, were chosen with the V100 co-runs of iGniter in view: on "
    "those "
    "data the error is optimistic.";
constexpr const char* kRandom =
    "Random rows (70 % to train) are shown as a warning only: such a split has seen every pair "
    "that it "
    "judges, and rewards whatever memorises.";

std::string skipped_of(const CalibrationReport& report) {
  std::string text;
  for (const CandidateResult& result : report.results) {
    if (!result.skipped.empty()) {
      text += wrapped("  not judged  ", result.candidate->name + " " + result.skipped);
    } else if (!result.pairs) {
      text +=
          wrapped("  not judged  ",
                  result.candidate->name +
                      (result.candidate->own_co_runs > 0
                           ? ": some pair has too few co-runs, or there are fewer than two pairs"
                           : ": there are fewer than two pairs"));
    }
  }
  return text;
}

// The scenario's key with the fitted numbers, for models that take some.
std::string scenario_key(const CalibrationReport& report, const std::string& name) {
  if (name != "gpulet" && name != "kernel_length") {
    return fmt::format(R"({{"name": "{}"}})", name);
  }
  for (const CandidateResult& result : report.results) {
    if (result.candidate->name != name || result.coefficients.empty()) continue;
    std::vector<double> c = result.coefficients;
    // A scenario has gpulet's constant last.
    if (name == "gpulet") std::rotate(c.begin(), c.begin() + 1, c.end());
    return fmt::format(R"({{"name": "{}", "coefficients": [{:.5g}]}})", name, fmt::join(c, ", "));
  }
  return "";
}

std::string advice_text(const CalibrationReport& report) {
  std::string text =
      wrapped("  unseen pairs    ", report.unseen_pairs.name + ": " + report.unseen_pairs.reason) +
      wrapped("  measured pairs  ",
              report.measured_pairs.name + ": " + report.measured_pairs.reason);
  text += "  in a scenario   \"device\": {\"interference\": ...}, one of\n";
  for (const char* name : {"constant", "pair_table", "gpulet", "kernel_length"}) {
    const std::string key = scenario_key(report, name);
    if (!key.empty()) text += "                  " + key + "\n";
  }
  return text;
}

std::string next_text(const CalibrationReport& report) {
  if (report.next.empty()) return "";
  TextTable table({"measure next", "batches", "shares %", "pair's error %", "reason"});
  for (const NextCoRun& next : report.next) {
    table.add({next.model_a + " + " + next.model_b,
               fmt::format("{} + {}", next.batch_a, next.batch_b),
               fmt::format("{:g} + {:g}", next.share_a_pct, next.share_b_pct),
               fmt::format("{:.2f} -> {:.2f}", next.error_before_pct, next.error_after_pct),
               next.reason});
  }
  return "\n" + table.text() +
         wrapped("",
                 fmt::format(
                     "The pair's error is what pair_table is expected to have on it before and "
                     "after, not a measurement: by where co-runs lie, and by a spread of {:.1f} % "
                     "between pairs and {:.1f} % inside of them.",
                     100 * report.spread.between, 100 * report.spread.within));
}

}  // namespace

std::string text_of(const CalibrationReport& report) {
  return heading(report) + "\n" + pairs_table(report) + "\n" + models_table(report) + "\n" +
         wrapped("", kReading) + wrapped("", kPostHoc) + wrapped("", kRandom) + skipped_of(report) +
         "\nRecommended (a model must beat the constant by 0.5 points and 20 %, with an interval "
         "below "
         "0,\nand win 80 % of the pairs)\n" +
         advice_text(report) + next_text(report);
}

}  // namespace tangram
