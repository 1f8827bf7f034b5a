// Tidy CSV: one row per measured point, columns by name in any order.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "profiles/detail/import_draft.h"
#include "profiles/profile_limits.h"

namespace tangram::detail {
namespace {

// Columns of a point that may be there; a cell may be empty. `scale` brings percent to fractions.
struct PointColumn {
  const char* name;
  std::optional<double> LatencyPoint::*member;
  double high, scale;
};
constexpr std::array<PointColumn, 5> kPointColumns{{
    {"throughput_rps", &LatencyPoint::reported_throughput_rps, kMostItemsPerSecond, 1},
    {"l2_util_pct", &LatencyPoint::l2_utilisation, 100, 0.01},
    {"dram_util_pct", &LatencyPoint::dram_utilisation, 100, 0.01},
    {"sm_occupancy_pct", &LatencyPoint::sm_occupancy, 100, 0.01},
    {"power_w", &LatencyPoint::power_w, kMostPowerW, 1},
}};

// Columns of the profile: equal in all rows of a model, or empty.
struct ProfileColumn {
  const char* name;
  std::optional<double> Profile::*member;
  double low, high;
};
constexpr std::array<ProfileColumn, 6> kProfileColumns{{
    {"memory_mib", &Profile::memory_mib, 0, kMostMemoryMib},
    {"memory_per_item_mib", &Profile::memory_per_item_mib, 0, kMostMemoryMib},
    {"weights_mib", &Profile::weights_mib, 0, kMostMemoryMib},
    {"load_ms", &Profile::load_ms, 0, kLongestLatencyMs},
    {"launches", &Profile::launches, 1, kMostKernels},
    {"interference_factor", &Profile::interference_factor, 1, kLargestSlowdown},
}};

const std::vector<std::string>& known_columns() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"model",     "gpu",   "mig",        "share_pct", "sms",
                                 "processes", "batch", "latency_ms", "std_ms",    "interpolation"};
    for (const PointColumn& c : kPointColumns) all.emplace_back(c.name);
    for (const ProfileColumn& c : kProfileColumns) all.emplace_back(c.name);
    return all;
  }();
  return names;
}

// The header: column name -> position.
class Columns {
 public:
  Columns(const std::string& file, const CsvRow& header, bool needs_gpu, Faults& faults) {
    const std::string where = fmt::format("{}:{}", file, header.line);
    for (std::size_t i = 0; i < header.cells.size(); ++i) {
      const std::string& name = header.cells[i];
      const auto& known = known_columns();
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        faults.add(where, unknown_name("column", name, known));
      } else if (!positions_.try_emplace(name, i).second) {
        faults.add(where, fmt::format("the column \"{}\" appears twice", name));
      }
    }
    for (const char* name : {"model", "batch", "latency_ms"}) {
      if (!has(name)) faults.add(where, fmt::format("the column \"{}\" is missing", name));
    }
    if (needs_gpu && !has("gpu")) {
      faults.add(where, "the column \"gpu\" is missing, and no GPU type was given");
    }
    count_ = header.cells.size();
  }
  bool has(const std::string& name) const { return positions_.contains(name); }
  std::size_t at(const std::string& name) const { return positions_.at(name); }
  std::size_t count() const { return count_; }
  // Whether the column is there and the row's cell holds something.
  bool filled(const CsvCells& cells, const std::string& name) const {
    return has(name) && !cells.text(at(name)).empty();
  }

 private:
  std::map<std::string, std::size_t> positions_;
  std::size_t count_ = 0;
};

std::optional<Share> share_of_row(const CsvCells& cells, const Columns& columns) {
  const bool mig = columns.filled(cells, "mig");
  const bool percent = columns.filled(cells, "share_pct");
  const bool sms = columns.filled(cells, "sms");
  if (int{mig} + int{percent} + int{sms} > 1) {
    cells.fault("fill at most one of mig, share_pct and sms");
    return std::nullopt;
  }
  if (mig) {
    const auto slices = cells.integer(columns.at("mig"), "mig", 1, 7);
    if (slices && (*slices == 5 || *slices == 6)) {
      cells.fault(fmt::format("mig must be 1, 2, 3, 4 or 7, not {}", *slices));
      return std::nullopt;
    }
    return slices ? std::optional(Share{ShareKind::kMig, static_cast<double>(*slices)})
                  : std::nullopt;
  }
  if (percent) {
    const auto share = cells.positive(columns.at("share_pct"), "share_pct", 100);
    return share ? std::optional(Share{ShareKind::kPercent, *share}) : std::nullopt;
  }
  if (sms) {
    const auto count = cells.integer(columns.at("sms"), "sms", 1, kMostSms);
    return count ? std::optional(Share{ShareKind::kSms, static_cast<double>(*count)})
                 : std::nullopt;
  }
  return Share{};
}

std::optional<LatencyPoint> point_of_row(const CsvCells& cells, const Columns& columns) {
  const auto share = share_of_row(cells, columns);
  const auto batch = cells.integer(columns.at("batch"), "batch", 1, kLargestBatch);
  const auto latency = cells.positive(columns.at("latency_ms"), "latency_ms", kLongestLatencyMs);
  std::optional<std::int64_t> processes = 1;
  if (columns.filled(cells, "processes")) {
    processes = cells.integer(columns.at("processes"), "processes", 1, kMostProcesses);
  }
  LatencyPoint point;
  for (const PointColumn& c : kPointColumns) {
    if (!columns.filled(cells, c.name)) continue;
    const auto value = cells.number(columns.at(c.name), c.name, 0, c.high);
    if (value) point.*c.member = *value * c.scale;
  }
  if (!share || !batch || !latency || !processes) return std::nullopt;
  point.share = *share;
  point.batch = static_cast<std::uint32_t>(*batch);
  point.processes = static_cast<std::uint32_t>(*processes);
  point.latency_ms = *latency;
  return point;
}

void read_profile_columns(const CsvCells& cells,
                          const Columns& columns,
                          bool is_first,
                          Draft& draft) {
  for (const ProfileColumn& c : kProfileColumns) {
    if (!columns.filled(cells, c.name)) continue;
    const auto value = cells.number(columns.at(c.name), c.name, c.low, c.high);
    auto& kept = draft.profile.*c.member;
    if (value && kept && *kept != *value) {
      cells.fault(fmt::format("{} of {} is {} here and {} before; it must be the same in all rows",
                              c.name, draft.profile.model, *value, *kept));
    }
    if (value) kept = *value;
  }
  if (!columns.filled(cells, "interpolation")) return;
  const std::string& text = cells.text(columns.at("interpolation"));
  const auto& names = interpolation_names();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) {
    cells.fault(unknown_name("interpolation", text, names));
    return;
  }
  const auto kind = static_cast<Interpolation>(found - names.begin());
  if (!is_first && kind != draft.profile.interpolation) {
    cells.fault("interpolation must be the same in all rows of a model");
  }
  draft.profile.interpolation = kind;
}

// The latency and throughput of one process say the same thing; 1 % covers usual rounding.
void compare_with_throughput(const CsvCells& cells, const LatencyPoint& point, Import& import) {
  if (!point.reported_throughput_rps || *point.reported_throughput_rps <= 0) return;
  const double implied = point.batch / *point.reported_throughput_rps * 1000;
  if (std::abs(implied / point.latency_ms - 1) <= 0.01) return;
  import.result.warnings.push_back(
      fmt::format("{}: latency and throughput contradict each other: {} ms, which is used, and "
                  "{:.3f} ms by the "
                  "throughput ({})",
                  cells.where(), point.latency_ms, implied, described(point)));
}

using Drafts = std::map<std::pair<std::string, std::string>, Draft>;  // (GPU type, model)

void read_row(const CsvCells& cells,
              const CsvRow& row,
              const std::string& file,
              const Columns& columns,
              ThroughputCheck check,
              Import& import,
              Drafts& drafts) {
  if (!cells.has_cells(columns.count())) return;
  const auto model = cells.name(columns.at("model"), "model");
  std::optional<std::string> gpu = import.options.gpu;
  if (gpu->empty()) gpu = cells.name(columns.at("gpu"), "gpu");
  const auto point = point_of_row(cells, columns);
  if (!model || !gpu || !point) return;
  Draft& draft = drafts[{*gpu, *model}];
  draft.profile.model = *model;
  draft.profile.gpu = *gpu;
  if (draft.file.empty()) draft.file = file;
  read_profile_columns(cells, columns, draft.rows.empty(), draft);
  if (check == ThroughputCheck::kYes) compare_with_throughput(cells, *point, import);
  add_row(draft, cells, row.line, *point);
  if (columns.filled(cells, "std_ms")) {
    const auto deviation = cells.number(columns.at("std_ms"), "std_ms", 0, kLongestLatencyMs);
    if (deviation) draft.cvs.push_back(*deviation / point->latency_ms);
  }
}

// One scatter for the whole profile: lognormal with the median of the rows' std / mean.
void set_variability(Draft& draft) {
  if (draft.cvs.empty()) return;
  const auto middle = draft.cvs.begin() + static_cast<std::ptrdiff_t>(draft.cvs.size() / 2);
  std::nth_element(draft.cvs.begin(), middle, draft.cvs.end());
  if (*middle <= 0) return;
  draft.profile.variability = {Variability::Kind::kLognormal, std::min(*middle, kLargestCv)};
}

}  // namespace

void import_tidy(const std::vector<std::string>& paths, Import& import, ThroughputCheck check) {
  const auto is_csv = [](const std::filesystem::path& path) { return path.extension() == ".csv"; };
  Drafts drafts;
  for (const std::string& file : files_of(paths, is_csv, import.faults)) {
    const std::vector<CsvRow> rows = rows_of(file, import.faults);
    if (rows.empty()) continue;
    const std::size_t faults_before = import.faults.size();
    const Columns columns(file, rows.front(), import.options.gpu.empty(), import.faults);
    if (import.faults.size() > faults_before) continue;
    if (rows.size() == 1) import.faults.add(file, "there is no row after the header");
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const CsvCells cells(file, rows[i], import.faults);
      read_row(cells, rows[i], file, columns, check, import, drafts);
    }
  }
  if (!import.faults.empty()) return;
  for (auto& [key, draft] : drafts) {
    draft.profile.provenance = {"imported",
                                draft.profile.gpu,
                                "",
                                "",
                                "",
                                "",
                                std::filesystem::path(draft.file).filename().string(),
                                0};
    set_variability(draft);
    finish(std::move(draft), import);
  }
}

}  // namespace tangram::detail
