// Written by hand: one path, two axes, no library.
#include "workloads/rate_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "workloads/statistics.h"

namespace tangram {
namespace {

constexpr double kLeft = 70, kRight = 785, kTop = 35, kBottom = 250;
constexpr double kMostSteps = 800;

// A unit that axes and windows are cut by: its length and its name.
struct Unit {
  double seconds;
  const char* name;
};

Unit unit_of(double length_s) {
  constexpr std::array<Unit, 4> kUnits{
      {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "s"}}};
  for (const Unit& unit : kUnits) {
    if (length_s >= 3 * unit.seconds) return unit;
  }
  return {1e-3, "ms"};
}

// 1, 2 or 5 times a power of ten, so that at most `most` steps make `range`.
double round_step(double range, double most) {
  const double power = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (range / (factor * power) <= most) return factor * power;
  }
  return 10 * power;
}

Duration window_of(const Recording& recording, double length_s) {
  if (recording.has_counts()) {
    const double minutes = std::ceil(length_s / 60 / kMostSteps);
    return static_cast<std::int64_t>(minutes) * std::chrono::minutes(1);
  }
  constexpr std::array<double, 8> kRound{0.001, 0.01, 0.1, 1, 10, 60, 600, 3600};
  for (const double seconds : kRound) {
    if (length_s / seconds <= kMostSteps) return from_seconds(seconds);
  }
  return from_seconds(std::ceil(length_s / kMostSteps / 86400) * 86400);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     text);
}

}  // namespace

std::string rate_plot(const std::string& title, const Recording& recording) {
  const double length_s = slice_trace(recording, 0, std::nullopt).length_ns.value_or(1) / 1e9;
  const Duration window = window_of(recording, length_s);
  const std::vector<std::uint64_t> counts = counts_in_windows(recording, window);
  const double window_s = to_seconds(window);
  const double shown_s = std::max(1.0, static_cast<double>(counts.size())) * window_s;
  std::uint64_t most = 1;
  for (const std::uint64_t count : counts) most = std::max(most, count);
  const double peak = static_cast<double>(most) / window_s;
  const auto x_of = [&](double s) { return kLeft + (kRight - kLeft) * s / shown_s; };
  const auto y_of = [&](double rps) { return kBottom - (kBottom - kTop) * rps / peak; };

  const Unit unit = unit_of(shown_s);
  std::string out =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"300\" viewBox=\"0 0 800 "
      "300\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"800\" height=\"300\" "
      "fill=\"white\"/>\n";
  out += label(kLeft, 20, "start",
               fmt::format("{}: requests/s in windows of {:g} s", escaped(title), window_s));
  const double y_step = round_step(peak, 5);
  for (int i = 0; i * y_step <= peak * 1.000001; ++i) {
    const double y = y_of(i * y_step);
    out += fmt::format("<path d=\"M{:.1f},{:.1f}H{:.1f}\" stroke=\"#dddddd\" fill=\"none\"/>\n",
                       kLeft, y, kRight);
    out += label(kLeft - 6, y + 4, "end", fmt::format("{:g}", i * y_step));
  }
  std::string path = fmt::format("M{:.1f},{:.1f}", kLeft, kBottom);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    path += fmt::format("V{:.1f}H{:.1f}", y_of(static_cast<double>(counts[i]) / window_s),
                        x_of(static_cast<double>(i + 1) * window_s));
  }
  path += fmt::format("V{:.1f}Z", kBottom);
  out += fmt::format("<path d=\"{}\" fill=\"#9ec5e8\" stroke=\"#1f5a8c\" stroke-width=\"0.7\"/>\n",
                     path);
  const double x_step = round_step(shown_s / unit.seconds, 10);
  for (int i = 0; i * x_step * unit.seconds <= shown_s * 1.000001; ++i) {
    const double x = x_of(i * x_step * unit.seconds);
    out += fmt::format("<path d=\"M{:.1f},{:.1f}v5\" stroke=\"black\"/>\n", x, kBottom);
    out += label(x, kBottom + 19, "middle", fmt::format("{:g}", i * x_step));
  }
  out +=
      fmt::format("<path d=\"M{:.1f},{:.1f}H{:.1f}\" stroke=\"black\"/>\n", kLeft, kBottom, kRight);
  out += label((kLeft + kRight) / 2, kBottom + 38, "middle", unit.name);
  return out + "</svg>\n";
}

}  // namespace tangram
