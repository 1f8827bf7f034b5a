// Columns of a sweep's file. A figure that a row lacks (a failed run's, another scenario's) is NaN.
#include "sim/sweep/sweep_file.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "sim/core/hdf5_file.h"
#include "sim/results/version.h"

namespace tangram {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr const char* kFormat = "tangram sweep";

// Columns by name, of equal length, in the order in which they appeared.
class Columns {
 public:
  void add_row(const NamedFigures& figures) {
    for (const auto& [name, value] : figures) {
      const auto [found, is_new] = columns_.try_emplace(name);
      if (is_new) order_.push_back(name);
      found->second.resize(rows_, kNan);
      found->second.push_back(value);
    }
    ++rows_;
  }
  // The names of these columns stand in /columns.
  void write(Hdf5Writer& file, const std::string& table) {
    for (const std::string& name : order_) {
      std::vector<double>& column = columns_[name];
      column.resize(rows_, kNan);
      file.write<double>(table + '/' + name, column);
    }
    file.write("/columns" + table, order_);
  }

 private:
  std::size_t rows_ = 0;
  std::vector<std::string> order_;
  std::map<std::string, std::vector<double>> columns_;
};

// The figures of each row, without the NaNs.
std::vector<NamedFigures> read_figures(const Hdf5Reader& file,
                                       const std::string& table,
                                       std::size_t n) {
  std::vector<NamedFigures> rows(n);
  for (const std::string& name : file.strings("/columns" + table)) {
    const auto column = file.read<double>(table + '/' + name);
    if (column.size() != n) file.fail(table + '/' + name, "is not as long as its table");
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isnan(column[i])) rows[i].emplace_back(name, column[i]);
    }
  }
  return rows;
}

double number_of(const Json& value) {
  return value.is_number() ? value.get<double>() : kNan;
}

// Axis k as numbers (NaN for anything else), and as JSON text.
template <typename Row>
void write_values(Hdf5Writer& file,
                  const std::string& group,
                  const std::vector<Row>& rows,
                  std::size_t axes) {
  for (std::size_t a = 0; a < axes; ++a) {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const Row& row : rows) {
      const Json value = a < row.values.size() ? row.values[a] : Json();
      numbers.push_back(number_of(value));
      texts.push_back(value.dump());
    }
    const std::string name = group + "/axis." + std::to_string(a);
    file.write<double>(name, numbers);
    file.write(name + ".text", texts);
  }
}

template <typename Row>
void read_values(const Hdf5Reader& file,
                 const std::string& group,
                 std::size_t axes,
                 std::vector<Row>& rows) {
  for (std::size_t a = 0; a < axes; ++a) {
    const std::string name = group + "/axis." + std::to_string(a) + ".text";
    const std::vector<std::string> texts = file.strings(name);
    if (texts.size() != rows.size()) file.fail(name, "is not as long as its table");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Faults faults;
      const auto value = parse_json(texts[i], name, faults);
      if (!value) file.fail(name, "holds text that is not JSON");
      rows[i].values.push_back(*value);
    }
  }
}

void write_points(Hdf5Writer& file, const SweepFile& sweep) {
  std::vector<std::uint32_t> point;
  std::vector<std::uint32_t> replication;
  std::vector<std::uint64_t> seed;
  std::vector<std::uint32_t> failed;
  std::vector<std::string> error;
  Columns columns;
  for (const SweepRow& row : sweep.rows) {
    if (!row.error.empty()) {
      failed.push_back(static_cast<std::uint32_t>(point.size()));
      error.push_back(row.error);
    }
    point.push_back(row.point);
    replication.push_back(row.replication);
    seed.push_back(row.seed);
    columns.add_row(row.figures);
  }
  file.write<std::uint32_t>("/points/point", point);
  file.write<std::uint32_t>("/points/replication", replication);
  file.write<std::uint64_t>("/points/seed", seed);
  file.write<std::uint32_t>("/errors/point", failed);
  file.write("/errors/message", error);
  write_values(file, "/points", sweep.rows, sweep.pointers.size());
  columns.write(file, "/points");
}

void write_workloads(Hdf5Writer& file, const SweepFile& sweep) {
  std::vector<std::uint32_t> row;
  std::vector<std::string> name;
  std::vector<std::string> model;
  std::vector<std::uint32_t> bin_row;
  std::vector<std::uint32_t> bin_workload;
  std::vector<std::uint64_t> lower;
  std::vector<std::uint64_t> upper;
  std::vector<std::uint64_t> count;
  Columns columns;
  for (std::uint32_t r = 0; r < sweep.rows.size(); ++r) {
    const std::vector<SweepRow::Workload>& workloads = sweep.rows[r].workloads;
    for (std::uint32_t w = 0; w < workloads.size(); ++w) {
      row.push_back(r);
      name.push_back(workloads[w].name);
      model.push_back(workloads[w].model);
      columns.add_row(workloads[w].figures);
      for (const Histogram::Bin& bin : workloads[w].latency) {
        bin_row.push_back(r);
        bin_workload.push_back(w);
        lower.push_back(bin.lower);
        upper.push_back(bin.upper);
        count.push_back(bin.count);
      }
    }
  }
  file.write<std::uint32_t>("/workloads/point", row);
  file.write("/workloads/name", name);
  file.write("/workloads/model", model);
  columns.write(file, "/workloads");
  const std::string bins = "/histograms/latency";
  file.write<std::uint32_t>(bins + "/point", bin_row);
  file.write<std::uint32_t>(bins + "/workload", bin_workload);
  file.write<std::uint64_t>(bins + "/lower_ns", lower);
  file.write<std::uint64_t>(bins + "/upper_ns", upper);
  file.write<std::uint64_t>(bins + "/count", count);
}

void write_searches(Hdf5Writer& file, const SweepFile& sweep) {
  std::vector<std::uint32_t> point;
  std::vector<std::uint32_t> evaluations;
  std::vector<double> highest_pass;
  std::vector<double> first_fail;
  std::vector<std::uint8_t> monotone;
  for (const SearchRow& row : sweep.searches) {
    point.push_back(row.point);
    evaluations.push_back(row.evaluations);
    highest_pass.push_back(row.capacity.highest_pass.value_or(kNan));
    first_fail.push_back(row.capacity.first_fail.value_or(kNan));
    monotone.push_back(row.capacity.monotone ? 1 : 0);
  }
  file.write<std::uint32_t>("/search/point", point);
  file.write<double>("/search/highest_pass", highest_pass);
  file.write<double>("/search/first_fail", first_fail);
  file.write<std::uint8_t>("/search/monotone", monotone);
  file.write<std::uint32_t>("/search/evaluations", evaluations);
  write_values(file, "/search", sweep.searches, sweep.pointers.size() - 1);
}

// The rows of a table of the file.
class Table {
 public:
  Table(const Hdf5Reader& file, std::string group, std::size_t rows)
      : file_(file), group_(std::move(group)), rows_(rows) {}
  template <typename T>
  std::vector<T> column(const std::string& name) const {
    return checked(name, file_.read<T>(group_ + '/' + name));
  }
  std::vector<std::string> texts(const std::string& name) const {
    return checked(name, file_.strings(group_ + '/' + name));
  }

 private:
  template <typename T>
  std::vector<T> checked(const std::string& name, std::vector<T> column) const {
    if (column.size() != rows_) file_.fail(group_ + '/' + name, "is not as long as its table");
    return column;
  }
  const Hdf5Reader& file_;
  std::string group_;
  std::size_t rows_;
};

std::size_t rows_of(const Hdf5Reader& file, const std::string& group) {
  return file.read<std::uint32_t>(group + "/point").size();
}

void read_points(const Hdf5Reader& file, SweepFile& sweep) {
  const std::size_t n = rows_of(file, "/points");
  const Table table(file, "/points", n);
  const auto point = table.column<std::uint32_t>("point");
  const auto replication = table.column<std::uint32_t>("replication");
  const auto seed = table.column<std::uint64_t>("seed");
  std::vector<NamedFigures> figures = read_figures(file, "/points", n);
  sweep.rows.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    SweepRow& row = sweep.rows[i];
    row.point = point[i];
    row.replication = replication[i];
    row.seed = seed[i];
    row.figures = std::move(figures[i]);
  }
  const std::size_t failures = rows_of(file, "/errors");
  const Table errors(file, "/errors", failures);
  const auto failed = errors.column<std::uint32_t>("point");
  const auto message = errors.texts("message");
  for (std::size_t i = 0; i < failures; ++i) {
    if (failed[i] >= n) file.fail("/errors/point", "names a row that is not there");
    sweep.rows[failed[i]].error = message[i];
  }
  read_values(file, "/points", sweep.pointers.size(), sweep.rows);
}

void read_workloads(const Hdf5Reader& file, SweepFile& sweep) {
  const std::size_t n = rows_of(file, "/workloads");
  const Table table(file, "/workloads", n);
  const auto row = table.column<std::uint32_t>("point");
  const auto name = table.texts("name");
  const auto model = table.texts("model");
  std::vector<NamedFigures> figures = read_figures(file, "/workloads", n);
  for (std::size_t i = 0; i < n; ++i) {
    if (row[i] >= sweep.rows.size()) file.fail("/workloads/point", "names a row that is not there");
    sweep.rows[row[i]].workloads.push_back({name[i], model[i], std::move(figures[i]), {}});
  }
  const std::string group = "/histograms/latency";
  const std::size_t bins = rows_of(file, group);
  const Table histogram(file, group, bins);
  const auto bin_row = histogram.column<std::uint32_t>("point");
  const auto workload = histogram.column<std::uint32_t>("workload");
  const auto lower = histogram.column<std::uint64_t>("lower_ns");
  const auto upper = histogram.column<std::uint64_t>("upper_ns");
  const auto count = histogram.column<std::uint64_t>("count");
  for (std::size_t i = 0; i < bins; ++i) {
    if (bin_row[i] >= sweep.rows.size() || workload[i] >= sweep.rows[bin_row[i]].workloads.size()) {
      file.fail(group, "names a workload that is not there");
    }
    sweep.rows[bin_row[i]].workloads[workload[i]].latency.push_back({lower[i], upper[i], count[i]});
  }
}

void read_searches(const Hdf5Reader& file, SweepFile& sweep) {
  const std::size_t n = rows_of(file, "/search");
  const Table table(file, "/search", n);
  const auto point = table.column<std::uint32_t>("point");
  const auto highest_pass = table.column<double>("highest_pass");
  const auto first_fail = table.column<double>("first_fail");
  const auto monotone = table.column<std::uint8_t>("monotone");
  const auto evaluations = table.column<std::uint32_t>("evaluations");
  const auto known = [](double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
  };
  sweep.searches.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    SearchRow& row = sweep.searches[i];
    row.point = point[i];
    row.capacity.highest_pass = known(highest_pass[i]);
    row.capacity.first_fail = known(first_fail[i]);
    row.capacity.monotone = monotone[i] != 0;
    row.evaluations = evaluations[i];
  }
  read_values(file, "/search", sweep.pointers.size() - 1, sweep.searches);
}

}  // namespace

SweepFile sweep_file_of(const SweepResult& result) {
  SweepFile file;
  file.sweep_text = result.spec.text;
  file.scenario_text = result.spec.scenario_text;
  file.version = version();
  file.git_hash = git_hash();
  for (const SweepAxis& axis : result.spec.axes) file.pointers.push_back(axis.pointer);
  if (result.spec.search) file.pointers.push_back(result.spec.search->pointer);
  file.points = result.points;
  file.shard = result.shard;
  for (const SweepItem& item : result.items) {
    file.rows.insert(file.rows.end(), item.rows.begin(), item.rows.end());
    file.searches.insert(file.searches.end(), item.searches.begin(), item.searches.end());
  }
  return file;
}

void write_sweep_file(const std::string& path, const SweepFile& sweep) {
  Hdf5Writer file(path);
  file.attribute("/", "format", kFormat);
  file.attribute("/", "schema", std::uint64_t{1});
  file.attribute("/", "version", sweep.version);
  file.attribute("/", "git_hash", sweep.git_hash);
  file.attribute("/", "points", std::uint64_t{sweep.points});
  file.attribute("/", "shard", std::uint64_t{sweep.shard.index});
  file.attribute("/", "shards", std::uint64_t{sweep.shard.count});
  file.text("/sweep", sweep.sweep_text);
  file.text("/scenario", sweep.scenario_text);
  file.write("/axes", sweep.pointers);
  write_points(file, sweep);
  write_workloads(file, sweep);
  if (!sweep.searches.empty()) write_searches(file, sweep);
  file.commit();
}

SweepFile read_sweep_file(const std::string& path) {
  const Hdf5Reader file(path);
  if (file.string_attribute("/", "format") != kFormat) {
    file.fail("/", "is not the result of a sweep");
  }
  const auto number = [&](const char* name) {
    const auto value = file.number_attribute("/", name);
    if (!value) file.fail("/", std::string("lacks the attribute ") + name);
    return static_cast<std::uint32_t>(*value);
  };
  SweepFile sweep;
  sweep.sweep_text = file.text("/sweep");
  sweep.scenario_text = file.text("/scenario");
  sweep.version = file.string_attribute("/", "version").value_or("");
  sweep.git_hash = file.string_attribute("/", "git_hash").value_or("");
  sweep.pointers = file.strings("/axes");
  sweep.points = number("points");
  sweep.shard = {number("shard"), number("shards")};
  read_points(file, sweep);
  read_workloads(file, sweep);
  if (file.has("/search")) read_searches(file, sweep);
  return sweep;
}

SweepFile merge_sweep_files(const std::vector<std::string>& paths) {
  Faults faults;
  std::vector<SweepFile> files;
  for (const std::string& path : paths) {
    try {
      files.push_back(read_sweep_file(path));
    } catch (const ConfigError& error) {
      faults.append(error);
    }
  }
  faults.throw_if_any();
  const std::uint32_t count = files.front().shard.count;
  std::vector<std::string> owner(count);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const SweepFile& file = files[i];
    if (file.sweep_text != files.front().sweep_text || file.shard.count != count ||
        file.scenario_text != files.front().scenario_text) {
      faults.add(paths[i], "is of another sweep, scenario or division than " + paths.front());
    } else if (!owner[file.shard.index].empty()) {
      faults.add(paths[i], fmt::format("is shard {}/{}, as is {}", file.shard.index, count,
                                       owner[file.shard.index]));
    } else {
      owner[file.shard.index] = paths[i];
    }
  }
  for (std::uint32_t s = 0; faults.empty() && s < count; ++s) {
    if (owner[s].empty())
      faults.add(paths.front(), fmt::format("shard {}/{} is missing", s, count));
  }
  faults.throw_if_any();
  SweepFile whole = std::move(files.front());
  whole.shard = {};
  for (std::size_t i = 1; i < files.size(); ++i) {
    std::move(files[i].rows.begin(), files[i].rows.end(), std::back_inserter(whole.rows));
    std::move(files[i].searches.begin(), files[i].searches.end(),
              std::back_inserter(whole.searches));
  }
  // An item is a point's replication or a whole point: within a point, rows keep their order.
  std::stable_sort(whole.rows.begin(), whole.rows.end(), [&](const SweepRow& a, const SweepRow& b) {
    if (a.point != b.point || !whole.searches.empty()) return a.point < b.point;
    return a.replication < b.replication;
  });
  std::sort(whole.searches.begin(), whole.searches.end(),
            [](const SearchRow& a, const SearchRow& b) { return a.point < b.point; });
  return whole;
}

}  // namespace tangram
