// Layout of the table and the rounding of its figures.
#include "sim/results/table.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/core/check.h"

namespace tangram {
namespace {

constexpr std::size_t kNarrowestName = 8;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_character(c); }));
}

// The offset of the n-th character.
std::size_t offset_of(std::string_view text, std::size_t n) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if (!continues_character(text[i]) && n-- == 0) break;
  }
  return i;
}

// About four digits: enough to compare, few enough to read.
std::string figure(double value) {
  const int decimals = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
  return value < 1e9 ? fmt::format("{:.{}f}", value, decimals) : fmt::format("{:.3e}", value);
}

// Never rounds up to 100: a single bad request must show.
std::string percent(double fraction) {
  return fmt::format("{:.2f}", std::floor(fraction * 10000 + 1e-7) / 100);
}

std::string attainment(const Json& summary, const Json* intervals) {
  if (intervals == nullptr) return percent(summary["slo_attainment"].get<double>());
  const Json& interval = (*intervals)["slo_attainment"];
  return fmt::format("{} +- {:.2f}", percent(interval["mean"].get<double>()),
                     100 * interval["half_width"].get<double>());
}

std::vector<std::string> row_of(const std::string& name,
                                const Json& summary,
                                const Json* intervals) {
  const Json& latency = summary["latency_ms"];
  return {name,
          std::to_string(summary["offered"].get<std::uint64_t>()),
          attainment(summary, intervals),
          figure(summary["good_rate_rps"].get<double>()),
          figure(latency["mean"].get<double>()),
          figure(latency["p50"].get<double>()),
          figure(latency["p99"].get<double>()),
          figure(summary["batch_mean"].get<double>()),
          std::to_string(summary["dropped"].get<std::uint64_t>())};
}

std::string heading(const Json& summary) {
  const auto text = [&](const char* key) { return summary[key].get<std::string>(); };
  const Json& gpus = summary["gpus"];
  const std::uint64_t runs =
      summary.contains("replications") ? summary["replications"]["count"].get<std::uint64_t>() : 1;
  const auto seconds = [&](const char* key) {
    return summary[key].get<double>() / static_cast<double>(runs);
  };
  std::string horizon =
      fmt::format("{:g} s measured, {:g} s {}", seconds("measured_s"), seconds("simulated_s"),
                  text("runtime") == "simulation" ? "simulated" : "run");
  if (runs > 1) horizon += fmt::format(", {} replications (95 % intervals)", runs);
  const std::uint64_t slices = gpus["slices"].get<std::uint64_t>();
  return wrapped("scenario    ", text("scenario")) +
         wrapped("planner     ", text("planner") + "   routing " + text("routing") +
                                     "   dispatcher " + text("dispatcher")) +
         wrapped("device      ", text("device") + "   runtime " + text("runtime")) +
         wrapped("horizon     ", fmt::format("{}   seed {}   {} events", horizon,
                                             summary["seed"].get<std::uint64_t>(),
                                             summary["events"].get<std::uint64_t>())) +
         wrapped("GPUs        ",
                 fmt::format("{} used{}   busy {} %", gpus["used"].get<std::uint64_t>(),
                             slices > 0 ? fmt::format(" ({} slices)", slices) : "",
                             percent(gpus["busy_fraction"].get<double>())));
}

std::string remarks(const Json& summary) {
  std::string text;
  for (const Json& unserved : summary["unserved"]) {
    text += wrapped("unserved    ",
                    fmt::format("{}, {} requests/s: {}", unserved["workload"].get<std::string>(),
                                figure(unserved["rate_rps"].get<double>()),
                                unserved["reason"].get<std::string>()));
  }
  for (const Json& lost : summary["lost"]) text += wrapped("lost        ", lost.get<std::string>());
  for (const Json& note : summary["notes"])
    text += wrapped("note        ", note.get<std::string>());
  return text.empty() ? text : '\n' + text;
}

}  // namespace

std::string shortened(std::string_view name, std::size_t width) {
  const std::size_t length = width_of(name);
  if (length <= width) return std::string(name);
  TANGRAM_CHECK(width > 3, "no room for a name; width ", width);
  const std::size_t tail = (width - 3) / 2;
  const std::size_t head = width - 3 - tail;
  return std::string(name.substr(0, offset_of(name, head))) + "..." +
         std::string(name.substr(offset_of(name, length - tail)));
}

std::string wrapped(std::string_view first, std::string_view sentence) {
  std::string text(first);
  std::size_t column = first.size();
  bool is_line_start = true;
  while (!sentence.empty()) {
    const std::size_t blanks = std::min(sentence.find_first_not_of(' '), sentence.size());
    const std::size_t end = std::min(sentence.find(' ', blanks), sentence.size());
    const std::string_view word = sentence.substr(blanks, end - blanks);
    const std::size_t gap = is_line_start ? 0 : blanks;
    if (!is_line_start && column + gap + width_of(word) > kTableWidth) {
      text += '\n' + std::string(first.size(), ' ');
      column = first.size();
    } else {
      text += std::string(gap, ' ');
      column += gap;
    }
    text += word;
    column += width_of(word);
    is_line_start = false;
    sentence.remove_prefix(end);
  }
  return text + '\n';
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths(header_.size());
  const auto widen = [&](const std::vector<std::string>& cells) {
    TANGRAM_CHECK(cells.size() == widths.size(), "cells ", cells.size(), ", columns ",
                  widths.size());
    for (std::size_t c = 0; c < cells.size(); ++c)
      widths[c] = std::max(widths[c], width_of(cells[c]));
  };
  widen(header_);
  for (const auto& row : rows_) widen(row);
  std::size_t numbers = 0;
  for (std::size_t c = 1; c < widths.size(); ++c) numbers += 2 + widths[c];
  const std::size_t left = numbers < kTableWidth ? kTableWidth - numbers : 0;
  widths[0] = std::min(widths[0], std::max(left, kNarrowestName));

  std::string result;
  const auto print = [&](const std::vector<std::string>& cells) {
    const std::string name = shortened(cells[0], widths[0]);
    result += name + std::string(widths[0] - width_of(name), ' ');
    for (std::size_t c = 1; c < cells.size(); ++c) {
      result += std::string(2 + widths[c] - width_of(cells[c]), ' ') + cells[c];
    }
    result += '\n';
  };
  print(header_);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (r == rule_before_ || r == 0) result += std::string(widths[0] + numbers, '-') + '\n';
    print(rows_[r]);
  }
  return result;
}

std::string table_of(const Json& summary) {
  // The intervals have the shape of the figures: {"total", "workloads": {NAME}}.
  const Json* replications = summary.contains("replications") ? &summary["replications"] : nullptr;
  TextTable table({"workload", "offered", "attained %", "good/s", "mean ms", "p50 ms", "p99 ms",
                   "batch", "dropped"});
  for (const auto& [name, workload] : summary["workloads"].items()) {
    table.add(row_of(name, workload,
                     replications == nullptr ? nullptr : &(*replications)["workloads"][name]));
  }
  table.rule();
  table.add(row_of("total", summary["total"],
                   replications == nullptr ? nullptr : &(*replications)["total"]));
  return heading(summary) + '\n' + table.text() + remarks(summary);
}

}  // namespace tangram
