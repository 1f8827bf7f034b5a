#include "validate/figures.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "validate/svg.h"

namespace tangram {
namespace {

constexpr std::size_t kMostSteps = 400;  // of a line
constexpr std::size_t kMostDots = 1500;
constexpr std::size_t kMostExecutors = 6;
constexpr std::size_t kWantedBatches = 40;  // in the timeline, of the real world
constexpr double kCaption = 16;             // px, of the timeline, as is the next
constexpr double kRow = 22;

const ComparedWorkload& compared(const Validation& validation, std::size_t workload) {
  return validation.comparison.workloads[workload];
}

struct Latencies {
  std::vector<double> simulated, real;  // ms, of all completed requests that count
};

// From the pairs where both worlds completed: the same requests in both curves.
Latencies latencies_of(const Validation& validation, std::size_t workload) {
  Latencies l;
  for (const PairedRequest& pair : validation.comparison.pairs) {
    if (pair.id.workload().index() != workload) continue;
    l.simulated.push_back(to_ms(pair.simulated));
    l.real.push_back(to_ms(pair.real));
  }
  return l;
}

// An axis that holds all values but the outermost thousandth above, which would squeeze the rest.
Axis axis_over(const std::string& title, std::vector<double> values) {
  Axis axis{title};
  if (values.empty()) return axis;
  std::sort(values.begin(), values.end());
  const double low = std::max(values.front(), 1e-6);
  const double high = std::max(values[(values.size() * 999 + 999) / 1000 - 1], low * 1.01);
  axis.logarithmic = high / low > 15;
  axis.low = axis.logarithmic ? low / 1.1 : std::max(0.0, low - (high - low) * 0.05);
  axis.high = axis.logarithmic ? high * 1.1 : high + (high - low) * 0.05;
  return axis;
}

std::vector<Chart::Point> cumulative(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::vector<Chart::Point> points;
  const std::size_t n = values.size();
  const std::size_t steps = std::min(n, kMostSteps);
  double share = 0;
  for (std::size_t i = 1; i <= steps; ++i) {
    const std::size_t rank = (i * n + steps - 1) / steps;
    points.emplace_back(values[rank - 1], share);
    share = static_cast<double>(rank) / static_cast<double>(n);
    points.emplace_back(values[rank - 1], share);
  }
  return points;
}

std::vector<double> both(const Latencies& l) {
  std::vector<double> all = l.simulated;
  all.insert(all.end(), l.real.begin(), l.real.end());
  return all;
}

// The stretch of time that the timeline shows, s.
std::pair<double, double> window_of(const StoredRun& real) {
  if (real.timeline.empty()) return {0, 1};
  // From the middle of the run: neither warm-up nor drain.
  const std::size_t middle = real.timeline.size() / 2;
  const std::size_t last = std::min(middle + kWantedBatches, real.timeline.size()) - 1;
  const double from = to_seconds(real.timeline[middle].start - kStart);
  const double to = to_seconds(real.timeline[last].end - kStart);
  return {from, std::max(to, from + 1e-6)};
}

// The executors that run most in the window, ascending by number.
std::vector<std::size_t> busiest(const StoredRun& real,
                                 std::size_t executors,
                                 std::pair<double, double> window) {
  std::vector<double> busy(executors);
  for (const BatchSpan& span : real.timeline) {
    const double from = std::max(window.first, to_seconds(span.start - kStart));
    const double to = std::min(window.second, to_seconds(span.end - kStart));
    busy[span.executor.index()] += std::max(0.0, to - from);
  }
  std::vector<std::size_t> order(executors);
  for (std::size_t e = 0; e < executors; ++e) order[e] = e;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return busy[a] > busy[b]; });
  if (order.size() > kMostExecutors) order.resize(kMostExecutors);
  std::sort(order.begin(), order.end());
  return order;
}

void draw_batches(Chart& chart,
                  const StoredRun& run,
                  std::size_t executor,
                  std::pair<double, double> window,
                  double top) {
  for (const BatchSpan& span : run.timeline) {
    const double from = to_seconds(span.start - kStart);
    const double to = to_seconds(span.end - kStart);
    if (span.executor.index() != executor || to < window.first || from > window.second) continue;
    chart.box(from, to, top, kRow - 4, palette(span.workload.index()), std::to_string(span.size),
              fmt::format("{}, batch of {}: {:.3f} ms, believed {:.3f} ms",
                          run.workloads[span.workload.index()].name, span.size,
                          to_ms(span.end - span.start), to_ms(span.predicted)));
  }
}

}  // namespace

std::string latency_figure(const Validation& validation, std::size_t workload) {
  const Latencies l = latencies_of(validation, workload);
  Chart chart(520, 320, axis_over("latency, ms", both(l)), {"share of requests", 0, 1.001});
  const StoredWorkload& w = validation.real.front().runs.front().workloads[workload];
  chart.mark(to_ms(w.slo), "SLO");
  chart.line(cumulative(l.real), kVermillion, 3.5);
  chart.line(cumulative(l.simulated), kBlue, 1.6);
  chart.legend({{"simulated", kBlue}, {"real", kVermillion}});
  return chart.svg("Latency distribution of " + w.name + ", simulated and real");
}

std::string pairs_figure(const Validation& validation, std::size_t workload) {
  const Latencies l = latencies_of(validation, workload);
  Axis x = axis_over("real latency, ms", both(l));
  Axis y = x;
  y.title = "simulated latency, ms";
  Chart chart(380, 320, x, y);
  std::vector<Chart::Point> dots;
  const std::size_t step = l.real.size() / kMostDots + 1;
  for (std::size_t i = 0; i < l.real.size(); i += step) {
    dots.emplace_back(l.real[i], l.simulated[i]);
  }
  for (const double band : {0.9, 1.1}) {
    chart.line({{x.low, x.low * band}, {x.high, x.high * band}}, kGrey, 0.8, "3 3");
  }
  chart.line({{x.low, x.low}, {x.high, x.high}}, kGrey, 1);
  chart.dots(dots, kBlue, dots.size() > 300 ? 1.8 : 2.8, 0.5);
  chart.legend({{"one request", kBlue}, {"equal, and 10 % off", kGrey}});
  return chart.svg("Latency of each request of " + compared(validation, workload).name +
                   ", simulated against real");
}

std::string timeline_figure(const Validation& validation) {
  const StoredRun& real = validation.real.front().runs.front();
  const StoredRun& simulated = validation.simulated.front().runs.front();
  const std::vector<std::string>& names = validation.real.front().executors;
  const std::pair<double, double> window = window_of(real);
  const std::vector<std::size_t> executors = busiest(real, names.size(), window);
  const double group = kCaption + 2 * kRow + 6;
  const int height = 88 + static_cast<int>(group * static_cast<double>(executors.size()));
  Chart chart(940, height, {"time since the start of the run, s", window.first, window.second},
              {"", 0, 1, false, false}, 78);
  double top = 4;
  for (const std::size_t e : executors) {
    chart.caption(top + 4, names[e]);
    chart.row_label(top + kCaption + kRow / 2 - 2, "simulated");
    chart.row_label(top + kCaption + kRow * 3 / 2 - 2, "real");
    draw_batches(chart, simulated, e, window, top + kCaption);
    draw_batches(chart, real, e, window, top + kCaption + kRow);
    top += group;
  }
  std::vector<std::pair<std::string, std::string>> legend;
  for (std::size_t w = 0; w < real.workloads.size() && w < 7; ++w) {
    legend.emplace_back(real.workloads[w].name, palette(w));
  }
  chart.legend(legend);
  return chart.svg("Batches of both worlds over time");
}

std::string batches_figure(const Validation& validation, std::size_t workload) {
  std::vector<Chart::Point> believed;
  std::vector<Chart::Point> simulated;
  std::vector<Chart::Point> real;
  double highest = 0;
  double largest = 1;
  for (const BatchDurations& b : validation.comparison.batches) {
    if (b.workload != workload) continue;
    const double size = b.size;
    believed.emplace_back(size, b.predicted_ms);
    // Side by side where they are equal.
    if (b.simulated > 0) simulated.emplace_back(size - 0.12, b.simulated_ms);
    if (b.real > 0) real.emplace_back(size + 0.12, b.real_ms);
    highest = std::max({highest, b.predicted_ms, b.simulated_ms, b.real_ms});
    largest = std::max(largest, size);
  }
  Chart chart(300, 300,
              {"batch size of " + compared(validation, workload).name, 0.3, largest + 0.7},
              {"mean duration, ms", 0, highest > 0 ? highest * 1.08 : 1});
  chart.line(believed, kGrey, 1.2, "4 3");
  chart.dots(simulated, kBlue, 3.6);
  chart.dots(real, kVermillion, 3.6);
  chart.legend({{"believed", kGrey}, {"simulated", kBlue}, {"real", kVermillion}});
  return chart.svg("Durations of batches of " + compared(validation, workload).name);
}

}  // namespace tangram
