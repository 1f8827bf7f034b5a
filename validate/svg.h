// A small chart in SVG: axes with round ticks, lines, boxes, dots. Fixed colours on white, so that
// a figure looks the same on a dark page, in print and in every viewer.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tangram {

// Okabe and Ito's palette, which colour-blind readers can tell apart ("Color Universal Design",
// 2008); yellow is left out: too faint on white.
inline constexpr const char* kBlue = "#0072B2";
inline constexpr const char* kVermillion = "#D55E00";
inline constexpr const char* kGrey = "#777777";
// The colour of the i-th of several things.
const char* palette(std::size_t i);

// Text with &, <, > and quotes made safe for XML and HTML; control characters become blanks.
std::string escaped(const std::string& text);

struct Axis {
  std::string title;
  double low = 0, high = 1;
  bool logarithmic = false;  // Requires: low > 0
  bool ticks = true;
};

// Round numbers inside [low, high], about `count` of them: multiples of 1, 2 or 5 times a power of
// ten, or on a logarithmic axis 1, 2 and 5 times powers of ten. Requires: low < high.
std::vector<double> tick_values(const Axis& axis, int count);

class Chart {
 public:
  // Sizes in px, axes included. `left`: room for the labels of the y axis.
  Chart(int width, int height, Axis x, Axis y, int left = 56);

  using Point = std::pair<double, double>;
  // In data coordinates; what lies outside the axes is cut off.
  void line(const std::vector<Point>& points,
            const std::string& colour,
            double width,
            const std::string& dash = "");
  void dots(const std::vector<Point>& points,
            const std::string& colour,
            double radius,
            double opacity = 1);
  // A box over [x0, x1]; y and height in px below the top of the plot.
  void box(double x0,
           double x1,
           double top,
           double height,
           const std::string& colour,
           const std::string& label,
           const std::string& tooltip);
  // A label left of the plot, its middle `top` px below the top of the plot.
  void row_label(double top, const std::string& text);
  // The same inside the plot, at its left border.
  void caption(double top, const std::string& text);
  // A vertical line with a word at its top.
  void mark(double x, const std::string& word);
  // Names above the plot, a coloured key before each.
  void legend(const std::vector<std::pair<std::string, std::string>>& names_and_colours);

  // The whole <svg> element. `title` is what a screen reader says.
  std::string svg(const std::string& title) const;

 private:
  double x_px(double x) const;
  double y_px(double y) const;
  std::string axes() const;

  int width_, height_;
  Axis x_, y_;
  double left_, right_, top_, bottom_;  // of the plot
  std::string clipped_;                 // elements inside the plot
  std::string outside_;
};

}  // namespace tangram
