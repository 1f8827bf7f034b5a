// Columns of the result file. Every group is a table: equally long datasets, one per column.
#include "sim/results/result_file.h"

#include <map>
#include <vector>

#include "policies/plan_io.h"
#include "sim/core/check.h"
#include "sim/core/hdf5_file.h"
#include "sim/results/summary.h"
#include "sim/results/version.h"

namespace tangram {
namespace {

// Columns by name, filled row by row.
class Columns {
 public:
  void add(const std::string& name, double value) {
    if (!columns_.contains(name)) order_.push_back(name);
    columns_[name].push_back(value);
  }
  // Each number of a summary under its keys, joined by dots; counts and fractions alike as doubles.
  void add(const std::string& prefix, const Json& figures) {
    for (const auto& [key, value] : figures.items()) {
      const std::string name = prefix.empty() ? key : prefix + '.' + key;
      if (value.is_object()) add(name, value);
      if (value.is_number()) add(name, value.get<double>());
    }
  }
  void write(Hdf5Writer& file, const std::string& group) const {
    for (const std::string& name : order_) {
      file.write<double>(group + '/' + name, columns_.at(name));
    }
  }

 private:
  std::vector<std::string> order_;
  std::map<std::string, std::vector<double>> columns_;
};

// One list of executors for all runs, by name: those that plan again may each have others.
class ExecutorNumbers {
 public:
  explicit ExecutorNumbers(std::span<const RunResult> runs) {
    std::map<std::string, std::uint32_t> numbers;
    for (const RunResult& run : runs) {
      std::vector<std::uint32_t>& of_run = numbers_.emplace_back();
      for (const std::string& name : run.executor_names) {
        const auto [found, is_new] =
            numbers.emplace(name, static_cast<std::uint32_t>(names_.size()));
        if (is_new) names_.push_back(name);
        of_run.push_back(found->second);
      }
    }
  }
  const std::vector<std::string>& names() const { return names_; }
  // One that the run does not have stays one that the file does not have: readers refuse it.
  std::uint32_t of(std::uint32_t run, std::size_t executor) const {
    const std::vector<std::uint32_t>& own = numbers_[run];
    if (executor < own.size()) return own[executor];
    return static_cast<std::uint32_t>(names_.size() + (executor - own.size()));
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<std::uint32_t>> numbers_;  // by run, by its executor
};

void write_head(Hdf5Writer& file, const RunResult& run) {
  file.attribute("/", "format", "tangram result");
  file.attribute("/", "schema", std::uint64_t{1});
  file.attribute("/", "version", version());
  file.attribute("/", "git_hash", git_hash());
  file.attribute("/", "name", run.scenario);
  file.attribute("/", "planner", run.plan.planner);
  file.attribute("/", "routing", run.routing);
  file.attribute("/", "dispatcher", run.dispatcher);
  file.attribute("/", "device", run.device);
  file.attribute("/", "runtime", run.runtime);
  file.text("/scenario", run.scenario_text);
  file.text("/plan",
            to_json(run.plan, run.workloads).dump(2, ' ', false, Json::error_handler_t::replace));
  file.write("/notes", run.notes);
}

void write_points(Hdf5Writer& file, std::span<const RunResult> runs) {
  std::vector<std::uint32_t> replication;
  std::vector<std::uint64_t> seed;
  Columns columns;
  for (const RunResult& run : runs) {
    const Json summary = summarize(std::span(&run, 1));
    replication.push_back(static_cast<std::uint32_t>(replication.size()));
    seed.push_back(run.seed);
    for (const char* key : {"events", "measured_s", "simulated_s", "wall_s"}) {
      columns.add(key, summary[key].get<double>());
    }
    columns.add("total", summary["total"]);
    columns.add("gpus", summary["gpus"]);
    if (run.replanning) columns.add("replanning", summary["replanning"]);
  }
  file.write<std::uint32_t>("/points/replication", replication);
  file.write<std::uint64_t>("/points/seed", seed);
  columns.write(file, "/points");
}

void write_workloads(Hdf5Writer& file, std::span<const RunResult> runs) {
  std::vector<std::uint32_t> point;
  std::vector<std::string> name;
  std::vector<std::string> model;
  Columns columns;
  for (std::uint32_t r = 0; r < runs.size(); ++r) {
    for (std::size_t w = 0; w < runs[r].workloads.size(); ++w) {
      point.push_back(r);
      name.push_back(runs[r].workloads[w].name);
      model.push_back(runs[r].workloads[w].model);
      columns.add("slo_ms", to_ms(runs[r].workloads[w].slo));
      columns.add("", summarize(runs[r].metrics[w], runs[r].measured_s));
    }
  }
  file.write<std::uint32_t>("/workloads/point", point);
  file.write("/workloads/name", name);
  file.write("/workloads/model", model);
  columns.write(file, "/workloads");
}

void write_gpus(Hdf5Writer& file, std::span<const RunResult> runs) {
  std::vector<std::uint32_t> point;
  std::vector<std::uint32_t> index;
  std::vector<std::string> type;
  std::vector<std::string> mode;
  std::vector<double> busy;
  for (std::uint32_t r = 0; r < runs.size(); ++r) {
    const Json gpus = summarize_gpus(runs[r]);
    for (const Json& gpu : gpus["list"]) {
      point.push_back(r);
      index.push_back(gpu["index"].get<std::uint32_t>());
      type.push_back(gpu["type"].get<std::string>());
      mode.push_back(gpu["mode"].get<std::string>());
      busy.push_back(gpu["busy_fraction"].get<double>());
    }
  }
  file.write<std::uint32_t>("/gpus/point", point);
  file.write<std::uint32_t>("/gpus/index", index);
  file.write("/gpus/type", type);
  file.write("/gpus/mode", mode);
  file.write<double>("/gpus/busy_fraction", busy);
}

void write_histograms(Hdf5Writer& file,
                      std::span<const RunResult> runs,
                      const std::string& name,
                      Histogram WorkloadMetrics::*which) {
  std::vector<std::uint32_t> point;
  std::vector<std::uint32_t> workload;
  std::vector<std::uint64_t> lower;
  std::vector<std::uint64_t> upper;
  std::vector<std::uint64_t> count;
  for (std::uint32_t r = 0; r < runs.size(); ++r) {
    for (std::uint32_t w = 0; w < runs[r].metrics.size(); ++w) {
      for (const Histogram::Bin& bin : (runs[r].metrics[w].*which).bins()) {
        point.push_back(r);
        workload.push_back(w);
        lower.push_back(bin.lower);
        upper.push_back(bin.upper);
        count.push_back(bin.count);
      }
    }
  }
  const std::string group = "/histograms/" + name;
  file.write<std::uint32_t>(group + "/point", point);
  file.write<std::uint32_t>(group + "/workload", workload);
  file.write<std::uint64_t>(group + "/lower_ns", lower);
  file.write<std::uint64_t>(group + "/upper_ns", upper);
  file.write<std::uint64_t>(group + "/count", count);
}

// One column of a log: a value of each row of each run.
template <typename T, typename Row, typename Value>
void write_column(Hdf5Writer& file,
                  const std::string& path,
                  std::span<const RunResult> runs,
                  std::vector<Row> RunResult::*rows,
                  Value value) {
  std::vector<T> column;
  for (std::uint32_t r = 0; r < runs.size(); ++r) {
    for (const Row& row : runs[r].*rows) column.push_back(static_cast<T>(value(r, row)));
  }
  file.write<T>(path, column);
}

void write_requests(Hdf5Writer& file,
                    std::span<const RunResult> runs,
                    const ExecutorNumbers& executors) {
  const auto column = [&]<typename T>(const std::string& name, T, auto value) {
    write_column<T>(file, "/requests/" + name, runs, &RunResult::requests, value);
  };
  using Row = const RequestRow&;
  column("point", std::uint32_t{}, [](std::uint32_t point, Row) { return point; });
  column("workload", std::uint32_t{}, [](auto, Row row) { return row.id.workload().value(); });
  column("number", std::uint64_t{}, [](auto, Row row) { return row.id.number(); });
  column("arrival_ns", std::int64_t{}, [](auto, Row row) { return row.arrival; });
  column("dispatch_ns", std::int64_t{}, [](auto, Row row) { return row.dispatch; });
  column("start_ns", std::int64_t{}, [](auto, Row row) { return row.start; });
  column("finish_ns", std::int64_t{}, [](auto, Row row) { return row.finish; });
  column("batch", std::uint32_t{}, [](auto, Row row) { return row.batch_size; });
  column("executor", std::int32_t{}, [&](std::uint32_t point, Row row) {
    return row.executor < 0 ? row.executor
                            : static_cast<std::int32_t>(
                                  executors.of(point, static_cast<std::size_t>(row.executor)));
  });
  column("outcome", std::uint8_t{}, [](auto, Row row) { return row.outcome; });
  std::vector<std::string> outcomes{"good", "late", "unfinished"};
  for (const std::string& reason : drop_reason_names()) outcomes.push_back("dropped_" + reason);
  file.write("/outcomes", outcomes);
}

void write_batches(Hdf5Writer& file,
                   std::span<const RunResult> runs,
                   const ExecutorNumbers& executors) {
  const auto column = [&]<typename T>(const std::string& name, T, auto value) {
    write_column<T>(file, "/timeline/" + name, runs, &RunResult::timeline, value);
  };
  using Span = const BatchSpan&;
  const auto ns = [](TimePoint time) { return (time - kStart).count(); };
  column("point", std::uint32_t{}, [](std::uint32_t point, Span) { return point; });
  column("executor", std::uint32_t{}, [&](std::uint32_t point, Span span) {
    return executors.of(point, span.executor.index());
  });
  column("workload", std::uint32_t{}, [](auto, Span span) { return span.workload.value(); });
  column("batch", std::uint32_t{}, [](auto, Span span) { return span.size; });
  column("decided_ns", std::int64_t{}, [ns](auto, Span span) { return ns(span.decided); });
  column("start_ns", std::int64_t{}, [ns](auto, Span span) { return ns(span.start); });
  column("end_ns", std::int64_t{}, [ns](auto, Span span) { return ns(span.end); });
  column("predicted_ns", std::int64_t{}, [](auto, Span span) { return span.predicted.count(); });
  column("alone_ns", std::int64_t{}, [](auto, Span span) { return span.alone.count(); });
}

}  // namespace

void write_result_file(const std::string& path, std::span<const RunResult> runs) {
  TANGRAM_CHECK(!runs.empty(), "no runs to write");
  Hdf5Writer file(path);
  write_head(file, runs.front());
  write_points(file, runs);
  write_workloads(file, runs);
  write_gpus(file, runs);
  write_histograms(file, runs, "latency", &WorkloadMetrics::latency);
  write_histograms(file, runs, "wait", &WorkloadMetrics::wait);
  write_histograms(file, runs, "exec", &WorkloadMetrics::exec);
  const ExecutorNumbers executors(runs);
  file.write("/executors", executors.names());
  if (!runs.front().requests.empty()) write_requests(file, runs, executors);
  if (!runs.front().timeline.empty()) write_batches(file, runs, executors);
  file.commit();
}

}  // namespace tangram
