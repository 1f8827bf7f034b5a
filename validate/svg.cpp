#include "validate/svg.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace tangram {
namespace {

constexpr double kTop = 34;     // room for the legend
constexpr double kBottom = 46;  // room for ticks and title
constexpr double kRight = 14;
constexpr const char* kInk = "#222222";
constexpr const char* kFaint = "#dddddd";
constexpr double kCharacter = 6.3;  // px, of text of 11 px

double fraction(const Axis& axis, double value) {
  if (!axis.logarithmic) return (value - axis.low) / (axis.high - axis.low);
  return std::log(std::max(value, axis.low * 1e-6) / axis.low) / std::log(axis.high / axis.low);
}

std::string text_at(
    double x, double y, const char* anchor, const std::string& text, const char* extra = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y,
                     anchor, extra, escaped(text));
}

std::vector<double> log_ticks(const Axis& axis, int count) {
  std::vector<double> all;
  for (double power = std::pow(10, std::floor(std::log10(axis.low))); power <= axis.high;
       power *= 10) {
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double tick = power * digit;
      if (tick >= axis.low * (1 - 1e-9) && tick <= axis.high * (1 + 1e-9)) all.push_back(tick);
    }
  }
  if (all.size() <= static_cast<std::size_t>(count) + 2) return all;
  // Whole decades only.
  std::erase_if(all, [](double tick) {
    const double exponent = std::log10(tick);
    return std::abs(exponent - std::round(exponent)) > 1e-6;
  });
  return all;
}

}  // namespace

const char* palette(std::size_t i) {
  static constexpr std::array<const char*, 7> kColours{"#56B4E9", "#E69F00", "#009E73", "#CC79A7",
                                                       "#0072B2", "#D55E00", "#999999"};
  return kColours[i % kColours.size()];
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

std::vector<double> tick_values(const Axis& axis, int count) {
  if (axis.logarithmic) {
    std::vector<double> ticks = log_ticks(axis, count);
    if (ticks.size() >= 2) return ticks;
  }
  const double rough = (axis.high - axis.low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double digit : {5.0, 2.0, 1.0}) {
    if (digit * power >= rough * (1 - 1e-9)) step = digit * power;
  }
  std::vector<double> ticks;
  for (double i = std::ceil(axis.low / step - 1e-9); i * step <= axis.high + step * 1e-9; ++i) {
    ticks.push_back(i * step + 0.0);  // not -0
  }
  return ticks;
}

Chart::Chart(int width, int height, Axis x, Axis y, int left)
    : width_(width),
      height_(height),
      x_(std::move(x)),
      y_(std::move(y)),
      left_(left),
      right_(width - kRight),
      top_(kTop),
      bottom_(height - kBottom) {}

double Chart::x_px(double x) const {
  return left_ + fraction(x_, x) * (right_ - left_);
}

double Chart::y_px(double y) const {
  return bottom_ - fraction(y_, y) * (bottom_ - top_);
}

void Chart::line(const std::vector<Point>& points,
                 const std::string& colour,
                 double width,
                 const std::string& dash) {
  clipped_ += "<polyline fill=\"none\" stroke=\"" + colour +
              fmt::format("\" stroke-width=\"{}\"", width) +
              (dash.empty() ? "" : " stroke-dasharray=\"" + dash + '"') + " points=\"";
  for (const auto& [x, y] : points) clipped_ += fmt::format("{:.1f},{:.1f} ", x_px(x), y_px(y));
  clipped_ += "\"/>\n";
}

void Chart::dots(const std::vector<Point>& points,
                 const std::string& colour,
                 double radius,
                 double opacity) {
  clipped_ += fmt::format("<g fill=\"{}\" fill-opacity=\"{}\">", colour, opacity);
  for (const auto& [x, y] : points) {
    clipped_ +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>", x_px(x), y_px(y), radius);
  }
  clipped_ += "</g>\n";
}

void Chart::box(double x0,
                double x1,
                double top,
                double height,
                const std::string& colour,
                const std::string& label,
                const std::string& tooltip) {
  const double a = std::max(x_px(x0), left_);
  const double b = std::min(x_px(x1), right_);
  if (b <= a) return;
  clipped_ += fmt::format(
      "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\" "
      "stroke=\"#ffffff\" stroke-width=\"0.6\"><title>{}</title></rect>\n",
      a, top_ + top, b - a, height, colour, escaped(tooltip));
  if (b - a > kCharacter * static_cast<double>(label.size()) + 3) {
    clipped_ += text_at((a + b) / 2, top_ + top + height / 2 + 4, "middle", label);
  }
}

void Chart::row_label(double top, const std::string& text) {
  outside_ += text_at(left_ - 8, top_ + top + 4, "end", text);
}

void Chart::caption(double top, const std::string& text) {
  outside_ += text_at(left_ + 5, top_ + top + 4, "start", text);
}

void Chart::mark(double x, const std::string& word) {
  const double at = x_px(x);
  if (at < left_ || at > right_) return;
  clipped_ += fmt::format(
      "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\" "
      "stroke-dasharray=\"2 3\"/>\n",
      at, top_, bottom_, kGrey);
  const bool is_right = at > (left_ + right_) / 2;
  clipped_ += text_at(at + (is_right ? -4 : 4), bottom_ - 6, is_right ? "end" : "start", word);
}

void Chart::legend(const std::vector<std::pair<std::string, std::string>>& names_and_colours) {
  double x = left_;
  for (const auto& [name, colour] : names_and_colours) {
    outside_ += fmt::format("<rect x=\"{:.1f}\" y=\"11\" width=\"14\" height=\"9\" fill=\"{}\"/>\n",
                            x, colour);
    outside_ += text_at(x + 19, 20, "start", name);
    x += 19 + kCharacter * static_cast<double>(name.size()) + 18;
  }
}

std::string Chart::axes() const {
  std::string text;
  if (x_.ticks) {
    for (const double tick : tick_values(x_, std::max(2, (width_ - 60) / 50))) {
      const double x = x_px(tick);
      text += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\"/>\n", x,
          top_, bottom_, kFaint);
      text += text_at(x, bottom_ + 15, "middle", fmt::format("{:.6g}", tick));
    }
  }
  if (y_.ticks) {
    for (const double tick : tick_values(y_, std::max(2, (height_ - 80) / 40))) {
      const double y = y_px(tick);
      text += fmt::format(
          "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", left_,
          right_, y, y, kFaint);
      text += text_at(left_ - 6, y + 4, "end", fmt::format("{:.6g}", tick));
    }
  }
  text += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
      "stroke=\"{}\"/>\n",
      left_, top_, right_ - left_, bottom_ - top_, kGrey);
  text += text_at((left_ + right_) / 2, height_ - 10, "middle", x_.title);
  if (!y_.title.empty()) {
    const double middle = (top_ + bottom_) / 2;
    text += text_at(14, middle, "middle", y_.title,
                    fmt::format(" transform=\"rotate(-90 14 {:.1f})\"", middle).c_str());
  }
  return text;
}

std::string Chart::svg(const std::string& title) const {
  // Clip paths of one page share their names: one per shape of plot.
  const std::string clip = fmt::format("clip-{}-{}-{:.0f}", width_, height_, left_);
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
             "viewBox=\"0 0 {0} {1}\" role=\"img\" font-family=\"sans-serif\" font-size=\"11\" "
             "fill=\"{2}\">\n<title>{3}</title>\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
             width_, height_, kInk, escaped(title)) +
         fmt::format(
             "<clipPath id=\"{}\"><rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
             "height=\"{:.1f}\"/></clipPath>\n",
             clip, left_, top_, right_ - left_, bottom_ - top_) +
         axes() + "<g clip-path=\"url(#" + clip + ")\">\n" + clipped_ + "</g>\n" + outside_ +
         "</svg>\n";
}

}  // namespace tangram
