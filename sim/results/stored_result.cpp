// Reads the columns of a result and puts their rows back together.
#include "sim/results/stored_result.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "sim/results/summary.h"

namespace tangram {
namespace {

constexpr std::uint32_t kMostPoints = 1'000'000;
constexpr double kLongestSloMs = 1e15;

// "latency_ms.p99" becomes {"latency_ms": {"p99": ...}}.
void put_figure(Json& figures, const std::string& name, double value) {
  const std::size_t dot = name.find('.');
  if (dot == std::string::npos) {
    figures[name] = value;
    return;
  }
  Json& inner = figures[name.substr(0, dot)];
  if (inner.is_null()) inner = Json::object();
  if (inner.is_object()) put_figure(inner, name.substr(dot + 1), value);
}

// The columns that write_result_file makes of a workload's figures. They are asked for by name: the
// HDF5 library crashes when it lists a large group that is damaged.
std::vector<std::string> figure_columns(const Json& figures, const std::string& prefix = "") {
  std::vector<std::string> names;
  for (const auto& [key, value] : figures.items()) {
    if (!value.is_object()) {
      names.push_back(prefix + key);
      continue;
    }
    for (std::string& name : figure_columns(value, prefix + key + '.')) names.push_back(name);
  }
  return names;
}

std::vector<std::string> figure_columns() {
  return figure_columns(summarize(WorkloadMetrics{}, 1));
}

class Reader {
 public:
  Reader(const Hdf5Reader& file, const std::string& group) : file_(file), group_(group) {}

  StoredResult read() {
    read_head();
    read_points();
    read_workloads();
    read_gpus();
    read_histograms("latency", &StoredWorkload::latency);
    read_histograms("wait", &StoredWorkload::wait);
    read_histograms("exec", &StoredWorkload::exec);
    if (file_.has(group_ + "/requests")) read_requests();
    if (file_.has(group_ + "/timeline")) read_timeline();
    return std::move(result_);
  }

 private:
  // A column of a table of `rows` rows.
  template <typename T>
  std::vector<T> column(const std::string& path, std::size_t rows) const {
    std::vector<T> values = file_.read<T>(group_ + path);
    if (values.size() != rows) wrong_length(path, rows, values.size());
    return values;
  }
  // The same, every value in [low, high].
  template <typename T>
  std::vector<T> column(const std::string& path, std::size_t rows, T low, T high) const {
    std::vector<T> values = column<T>(path, rows);
    for (std::size_t i = 0; i < rows; ++i) {
      if (!(values[i] >= low && values[i] <= high)) {
        fail(fmt::format("{}[{}]", path, i),
             fmt::format("must be from {} to {}, not {}", low, high, values[i]));
      }
    }
    return values;
  }
  // Indices into something of which there are n.
  std::vector<std::uint32_t> indices(const std::string& path, std::size_t rows, std::size_t n) {
    if (rows > 0 && n == 0) fail(path, "there is nothing that it could refer to");
    const std::uint32_t most = n == 0 ? 0 : static_cast<std::uint32_t>(n - 1);
    return column<std::uint32_t>(path, rows, 0, most);
  }
  std::vector<std::string> strings(const std::string& path, std::size_t rows) const {
    std::vector<std::string> values = file_.strings(group_ + path);
    if (values.size() != rows) wrong_length(path, rows, values.size());
    return values;
  }
  [[noreturn]] void fail(const std::string& path, const std::string& what) const {
    file_.fail(group_ + path, what);
  }
  [[noreturn]] void wrong_length(const std::string& path, std::size_t rows, std::size_t is) const {
    fail(path, fmt::format("must have {} values like its table, not {}", rows, is));
  }
  std::string attribute(const std::string& name) const {
    const std::string object = group_.empty() ? "/" : group_;
    const auto value = file_.string_attribute(object, name);
    if (!value) file_.fail(object, "attribute " + name + " is missing");
    return *value;
  }

  void read_head();
  void read_points();
  void read_workloads();
  void read_gpus();
  void read_histograms(const std::string& name, std::vector<Histogram::Bin> StoredWorkload::*bins);
  void read_requests();
  void read_timeline();

  const Hdf5Reader& file_;
  const std::string group_;
  StoredResult result_;
};

void Reader::read_head() {
  const std::string object = group_.empty() ? "/" : group_;
  if (file_.string_attribute(object, "format") != "tangram result") {
    file_.fail(object, "not a result: attribute format must be \"tangram result\"");
  }
  if (file_.number_attribute(object, "schema") != 1.0) {
    file_.fail(object, "attribute schema must be 1");
  }
  result_.version = attribute("version");
  result_.git_hash = attribute("git_hash");
  result_.name = attribute("name");
  result_.planner = attribute("planner");
  result_.routing = attribute("routing");
  result_.dispatcher = attribute("dispatcher");
  result_.device = attribute("device");
  result_.runtime = attribute("runtime");
  result_.scenario_text = file_.text(group_ + "/scenario");
  result_.plan_text = file_.text(group_ + "/plan");
  result_.notes = file_.strings(group_ + "/notes");
  result_.executors = file_.strings(group_ + "/executors");
}

void Reader::read_points() {
  const auto seeds = file_.read<std::uint64_t>(group_ + "/points/seed");
  const std::size_t n = seeds.size();
  if (n == 0 || n > kMostPoints) fail("/points/seed", "must have a row for each run, at least one");
  result_.runs.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    result_.runs[i].seed = seeds[i];
    result_.runs[i].total = Json::object();
  }
  constexpr double kMost = std::numeric_limits<double>::max();
  const auto numbers = [&](const std::string& name, double StoredRun::*member) {
    const auto values = column<double>("/points/" + name, n, 0, kMost);
    for (std::size_t i = 0; i < n; ++i) result_.runs[i].*member = values[i];
  };
  numbers("events", &StoredRun::events);
  numbers("measured_s", &StoredRun::measured_s);
  numbers("simulated_s", &StoredRun::simulated_s);
  numbers("wall_s", &StoredRun::wall_s);
  std::vector<std::string> names = figure_columns();
  names.emplace_back("fairness");
  for (const std::string& name : names) {
    const auto values = column<double>("/points/total." + name, n, -kMost, kMost);
    for (std::size_t i = 0; i < n; ++i) put_figure(result_.runs[i].total, name, values[i]);
  }
}

void Reader::read_workloads() {
  const auto names = file_.strings(group_ + "/workloads/name");
  const std::size_t rows = names.size();
  const std::size_t runs = result_.runs.size();
  if (rows == 0 || rows % runs != 0) {
    fail("/workloads/name", "must have a row for each run and workload");
  }
  const std::size_t per_run = rows / runs;
  const auto points = indices("/workloads/point", rows, runs);
  const auto models = strings("/workloads/model", rows);
  const auto slos = column<double>("/workloads/slo_ms", rows, 0, kLongestSloMs);
  for (std::size_t i = 0; i < rows; ++i) {
    if (points[i] != i / per_run || names[i] != names[i % per_run]) {
      fail(fmt::format("/workloads[{}]", i), "every run must have the same workloads, in order");
    }
    // 1e15 ms are beyond 64-bit nanoseconds: a limit that no request can miss.
    const Duration slo = slos[i] >= to_ms(Duration::max()) ? Duration::max() : from_ms(slos[i]);
    result_.runs[points[i]].workloads.push_back(
        {names[i], models[i], slo, Json::object(), {}, {}, {}});
  }
  constexpr double kMost = std::numeric_limits<double>::max();
  for (const std::string& name : figure_columns()) {
    const auto values = column<double>("/workloads/" + name, rows, -kMost, kMost);
    for (std::size_t i = 0; i < rows; ++i) {
      put_figure(result_.runs[i / per_run].workloads[i % per_run].figures, name, values[i]);
    }
  }
}

void Reader::read_gpus() {
  const auto index = file_.read<std::uint32_t>(group_ + "/gpus/index");
  const std::size_t rows = index.size();
  const auto points = indices("/gpus/point", rows, result_.runs.size());
  const auto types = strings("/gpus/type", rows);
  const auto modes = strings("/gpus/mode", rows);
  constexpr double kMost = std::numeric_limits<double>::max();
  const auto busy = column<double>("/gpus/busy_fraction", rows, 0, kMost);
  for (std::size_t i = 0; i < rows; ++i) {
    result_.runs[points[i]].gpus.push_back({index[i], types[i], modes[i], busy[i]});
  }
}

void Reader::read_histograms(const std::string& name,
                             std::vector<Histogram::Bin> StoredWorkload::*bins) {
  const std::string path = "/histograms/" + name;
  const auto lower = file_.read<std::uint64_t>(group_ + path + "/lower_ns");
  const std::size_t rows = lower.size();
  const auto points = indices(path + "/point", rows, result_.runs.size());
  const auto workloads = indices(path + "/workload", rows, result_.runs.front().workloads.size());
  const auto upper = column<std::uint64_t>(path + "/upper_ns", rows);
  const auto count = column<std::uint64_t>(path + "/count", rows);
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<Histogram::Bin>& list = result_.runs[points[i]].workloads[workloads[i]].*bins;
    const bool ascends = list.empty() || list.back().upper <= lower[i];
    if (upper[i] <= lower[i] || !ascends || count[i] == 0) {
      fail(fmt::format("{}[{}]", path, i), "bins must ascend, hold something and not overlap");
    }
    list.push_back({lower[i], upper[i], count[i]});
  }
}

void Reader::read_requests() {
  const std::string path = "/requests/";
  const auto numbers = file_.read<std::uint64_t>(group_ + path + "number");
  const std::size_t rows = numbers.size();
  const std::size_t outcomes = file_.strings(group_ + "/outcomes").size();
  if (outcomes > 3 + kDropReasons) fail("/outcomes", "has outcomes that nobody knows");
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const auto points = indices(path + "point", rows, result_.runs.size());
  const auto workloads = indices(path + "workload", rows, result_.runs.front().workloads.size());
  const auto arrival = column<std::int64_t>(path + "arrival_ns", rows, 0, kLast);
  const auto dispatch = column<std::int64_t>(path + "dispatch_ns", rows, -1, kLast);
  const auto start = column<std::int64_t>(path + "start_ns", rows, -1, kLast);
  const auto finish = column<std::int64_t>(path + "finish_ns", rows, -1, kLast);
  const auto batch = column<std::uint32_t>(path + "batch", rows);
  const auto last_executor = static_cast<std::int32_t>(result_.executors.size()) - 1;
  const auto executor = column<std::int32_t>(path + "executor", rows, -1, last_executor);
  const auto last_outcome = static_cast<std::uint8_t>(std::max<std::size_t>(outcomes, 1) - 1);
  const auto outcome = column<std::uint8_t>(path + "outcome", rows, 0, last_outcome);
  for (std::size_t i = 0; i < rows; ++i) {
    const RequestId id = RequestId::of(WorkloadId(workloads[i]), numbers[i]);
    std::vector<RequestRow>& list = result_.runs[points[i]].requests;
    const bool fits = id.number() == numbers[i] && (list.empty() || list.back().id < id);
    if (!fits) fail(fmt::format("/requests[{}]", i), "requests must ascend, each once");
    // Of an application only its stages run; it has no model.
    const bool runs = !result_.runs.front().workloads[workloads[i]].model.empty();
    const bool done = outcome[i] <= 1 && runs;
    const bool in_order = start[i] >= 0 && executor[i] >= 0 && finish[i] >= start[i];
    if (done && (!in_order || batch[i] == 0)) {
      fail(fmt::format("/requests[{}]", i), "a completed request must have run");
    }
    list.push_back(
        {id, arrival[i], dispatch[i], start[i], finish[i], batch[i], executor[i], outcome[i]});
  }
}

void Reader::read_timeline() {
  const std::string path = "/timeline/";
  const auto start = file_.read<std::int64_t>(group_ + path + "start_ns");
  const std::size_t rows = start.size();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  const auto points = indices(path + "point", rows, result_.runs.size());
  const auto executors = indices(path + "executor", rows, result_.executors.size());
  const auto workloads = indices(path + "workload", rows, result_.runs.front().workloads.size());
  const auto batch = column<std::uint32_t>(path + "batch", rows);
  const auto decided = column<std::int64_t>(path + "decided_ns", rows, 0, kLast);
  const auto end = column<std::int64_t>(path + "end_ns", rows, 0, kLast);
  const auto predicted = column<std::int64_t>(path + "predicted_ns", rows, 0, kLast);
  const auto alone = column<std::int64_t>(path + "alone_ns", rows, 0, kLast);
  const auto time = [](std::int64_t ns) { return kStart + Duration(ns); };
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<BatchSpan>& list = result_.runs[points[i]].timeline;
    const bool in_order = list.empty() || list.back().start <= time(start[i]);
    if (start[i] < 0 || end[i] < start[i] || !in_order) {
      fail(fmt::format("/timeline[{}]", i), "batches must ascend by their start and then end");
    }
    list.push_back({ExecutorId(executors[i]), WorkloadId(workloads[i]), batch[i], time(decided[i]),
                    time(start[i]), time(end[i]), Duration(predicted[i]), Duration(alone[i])});
  }
}

}  // namespace

StoredResult read_result(const Hdf5Reader& file, const std::string& group) {
  return Reader(file, group).read();
}

StoredResult read_result_file(const std::string& path) {
  const Hdf5Reader file(path);
  return read_result(file);
}

}  // namespace tangram
