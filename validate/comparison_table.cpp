// The comparison as a table for the terminal.
#include <cmath>

#include <fmt/format.h>

#include "sim/results/table.h"
#include "validate/validation.h"

namespace tangram {
namespace {

std::string percent(double share) {
  return std::isnan(share) ? "-" : fmt::format("{:+.1f} %", 100 * share);
}

void add_rows(TextTable& table, const ComparedWorkload& w) {
  const auto row = [](const std::string& name, const Figures& f) {
    return std::vector<std::string>{name,
                                    fmt::format("{:.0f}", f.completed),
                                    fmt::format("{:.2f}", f.throughput_rps),
                                    fmt::format("{:.2f}", 100 * f.slo_attainment),
                                    fmt::format("{:.4g}", f.mean_ms),
                                    fmt::format("{:.4g}", f.p50_ms),
                                    fmt::format("{:.4g}", f.p95_ms),
                                    fmt::format("{:.4g}", f.p99_ms),
                                    fmt::format("{:.2f}", f.batch_mean)};
  };
  table.add(row(w.name + ", simulated", w.simulated));
  table.add(row(w.name + ", real", w.real));
  const auto error = [&](double Figures::*member) {
    return percent(relative_error(w.simulated.*member, w.real.*member));
  };
  table.add({"  error", error(&Figures::completed), error(&Figures::throughput_rps),
             error(&Figures::slo_attainment), error(&Figures::mean_ms), error(&Figures::p50_ms),
             error(&Figures::p95_ms), error(&Figures::p99_ms), error(&Figures::batch_mean)});
}

std::string pairing_text(const ComparedWorkload& w) {
  const Pairing& p = w.pairing;
  std::uint64_t differ = 0;
  std::string which;
  for (std::size_t s = 0; s < kAnswers; ++s) {
    for (std::size_t r = 0; r < kAnswers; ++r) {
      if (s == r || p.answers[s][r] == 0) continue;
      differ += p.answers[s][r];
      which += fmt::format("{}{} {} simulated but {} in reality", which.empty() ? ": " : ", ",
                           p.answers[s][r], answer_names()[s], answer_names()[r]);
    }
  }
  return wrapped(
      "  ",
      fmt::format("{}: {} requests, {} completed in both worlds; {:.1f} / {:.1f} / {:.1f} % of "
                  "them within 5 / 10 / 20 % of reality; differences {:+.4g} ms on average "
                  "({:.4g} ms absolute), p5 {:+.4g}, p50 {:+.4g}, p95 {:+.4g} ms; {} answered "
                  "differently{}",
                  w.name, p.requests, p.completed, 100 * p.within_5, 100 * p.within_10,
                  100 * p.within_20, p.mean_ms, p.mean_absolute_ms, p.p5_ms, p.p50_ms, p.p95_ms,
                  differ, which));
}

}  // namespace

std::string table_of(const Validation& validation) {
  const StoredResult& real = validation.real.front();
  const StoredResult& simulated = validation.simulated.front();
  std::string text =
      wrapped("scenario    ", real.name) +
      wrapped("policies    ", fmt::format("planner {}, routing {}, dispatcher {}", real.planner,
                                          real.routing, real.dispatcher)) +
      wrapped("simulated   ", simulated.device) +
      wrapped("real        ",
              fmt::format("{} on {}", validation.record.backend, validation.record.machine));
  TextTable table(
      {"latencies in ms", "completed", "thr/s", "good %", "mean", "p50", "p95", "p99", "batch"});
  const Comparison& comparison = validation.comparison;
  for (const ComparedWorkload& w : comparison.workloads) add_rows(table, w);
  if (comparison.workloads.size() > 1) {
    table.rule();
    add_rows(table, comparison.total);
  }
  text += table.text() + "pairs of requests\n";
  for (const ComparedWorkload& w : comparison.workloads) text += pairing_text(w);
  const BatchOverhead& overhead = validation.overhead;
  text += wrapped("overhead    ",
                  fmt::format("{:.6f} ms a batch: {:.4g} ms until it began, {:+.4g} ms beyond the "
                              "profile; for /device/overhead_ms of other scenarios",
                              overhead.overhead_ms(), overhead.dispatch_ms, overhead.execution_ms));
  for (const std::string& note : real.notes) text += wrapped("note: ", note);
  return text;
}

}  // namespace tangram
