// The statistics are workloads/statistics.h's; here they become text or JSON.
#include "cli/describe_trace.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "sim/core/atomic_file.h"
#include "sim/core/json_reader.h"
#include "sim/results/table.h"
#include "workloads/rate_plot.h"
#include "workloads/statistics.h"

namespace tangram::cli {
namespace {

// Hours beyond these are summed up in a last line: a year of hours is no table.
constexpr std::size_t kMostHours = 48;

std::string number_or_unknown(const std::optional<double>& value) {
  return value ? fmt::format("{:.6g}", *value) : "unknown";
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json json_of(const TraceStatistics& statistics, const TraceFile& file) {
  Json out{{"path", file.path},
           {"format", file.format},
           {"count", statistics.count},
           {"length_s", optional_json(statistics.length_s)},
           {"rate_rps", optional_json(statistics.rate_rps)},
           {"gap_cv", optional_json(statistics.gap_cv)},
           {"windows", Json::array()},
           {"autocorrelation", Json::array()},
           {"per_hour", statistics.per_hour}};
  for (const WindowStatistics& window : statistics.windows) {
    out["windows"].push_back({{"window_s", window.window_s},
                              {"windows", window.windows},
                              {"peak_to_mean", window.peak_to_mean},
                              {"index_of_dispersion", window.dispersion}});
  }
  for (const Lag& lag : statistics.lags) {
    out["autocorrelation"].push_back({{"lag_s", lag.lag_s}, {"correlation", lag.correlation}});
  }
  return out;
}

std::string hours_text(const TraceStatistics& statistics) {
  if (statistics.per_hour.empty()) return "";
  TextTable table({"  hour", "arrivals", "rate/s"});
  std::uint64_t later = 0;
  for (std::size_t i = 0; i < statistics.per_hour.size(); ++i) {
    const std::uint64_t count = statistics.per_hour[i];
    if (i >= kMostHours) {
      later += count;
      continue;
    }
    // The last hour is as long as the recording goes on in it.
    double length_s = 3600;
    if (i + 1 == statistics.per_hour.size() && statistics.length_s) {
      length_s = std::min(length_s, *statistics.length_s - 3600 * static_cast<double>(i));
    }
    table.add({fmt::format("  {}", i), std::to_string(count),
               fmt::format("{:.4g}", static_cast<double>(count) / length_s)});
  }
  std::string text = table.text();
  if (later > 0) text += fmt::format("  later   {} arrivals\n", later);
  return text;
}

std::string statistics_text(const TraceStatistics& statistics, const TraceFile& file) {
  std::string text = fmt::format(
      "{} ({})\n  arrivals       {}\n  length         {} s\n  rate           {}/s\n",
      std::filesystem::path(file.path).filename().string(), file.format, statistics.count,
      number_or_unknown(statistics.length_s), number_or_unknown(statistics.rate_rps));
  text += statistics.gap_cv
              ? fmt::format("  CV of the gaps {:.4g} (Poisson: 1)\n", *statistics.gap_cv)
              : "  CV of the gaps unknown\n";
  if (!statistics.windows.empty()) {
    TextTable table({"  counts in windows of", "windows", "peak/mean", "variance/mean"});
    for (const WindowStatistics& window : statistics.windows) {
      table.add({fmt::format("  {:g} s", window.window_s), std::to_string(window.windows),
                 fmt::format("{:.4g}", window.peak_to_mean),
                 fmt::format("{:.4g}", window.dispersion)});
    }
    text += table.text();
  }
  if (!statistics.lags.empty()) {
    TextTable table({"  autocorrelation of counts at lag", "correlation"});
    for (const Lag& lag : statistics.lags) {
      table.add({fmt::format("  {:g} s", lag.lag_s), fmt::format("{:.3f}", lag.correlation)});
    }
    text += table.text();
  }
  return text + hours_text(statistics);
}

}  // namespace

int describe_trace_file(const TraceArguments& arguments) {
  Faults faults;
  check_outputs({{"--plot", arguments.plot}}, {arguments.path}, faults);
  TraceFile file{arguments.path, arguments.format, arguments.dataset};
  const std::vector<std::string>& formats = trace_formats();
  if (file.format.empty()) {
    file.format = file.dataset.empty() ? guess_trace_format(file.path) : "timestamps";
  } else if (std::find(formats.begin(), formats.end(), file.format) == formats.end()) {
    faults.add("--format", unknown_name("trace format", file.format, formats));
  } else if (!file.dataset.empty() && file.format != "timestamps") {
    faults.add("--dataset", "belongs to the format \"timestamps\"");
  }
  faults.throw_if_any();
  const Recording recording = read_trace(file, faults);
  faults.throw_if_any();
  const TraceStatistics statistics = describe_trace(recording);
  if (!arguments.plot.empty()) {
    if (!statistics.length_s) {
      throw ConfigError("--plot " + arguments.plot, "the arrivals are all at one time");
    }
    const std::string title = std::filesystem::path(file.path).filename().string();
    write_file(arguments.plot, rate_plot(title, recording));
  }
  print(arguments.json ? json_of(statistics, file).dump(2) + '\n'
                       : statistics_text(statistics, file));
  return kDone;
}

}  // namespace tangram::cli
