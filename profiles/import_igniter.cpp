// iGniter's measurements of a V100 under MPS: latencies alone, co-runs of two models, kernel
// counts.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "profiles/detail/import_draft.h"
#include "profiles/profile_limits.h"
#include "sim/core/json_reader.h"

namespace tangram::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCoRunHeader =
    "model_a,model_b,batch_a,batch_b,share_a_pct,latency_a_ms,latency_b_ms";

bool is_wanted(const fs::path& path) {
  const std::string name = path.filename().string();
  if (path.extension() == ".json") return name.starts_with("coefficients");
  return name.ends_with("solo.csv") || name.ends_with("colocations.csv");
}

struct Files {
  std::vector<std::string> solo, co_runs, counts;
};

Files sort_files(const std::vector<std::string>& paths, Faults& faults) {
  Files files;
  for (const std::string& file : files_of(paths, is_wanted, faults)) {
    if (fs::path(file).extension() == ".json") {
      files.counts.push_back(file);
      continue;
    }
    const std::vector<CsvRow> rows = rows_of(file, faults);
    if (rows.empty()) continue;
    const bool is_co_run = rows.front().cells.front() == "model_a";
    (is_co_run ? files.co_runs : files.solo).push_back(file);
  }
  if (files.solo.empty() && faults.empty()) {
    faults.add(paths.front(),
               "there are no latencies alone (a CSV file with the columns model, batch, share_pct, "
               "latency_ms)");
  }
  return files;
}

using Profiles = std::map<std::string, Profile>;

// Its throughput counts overlapped copies, so it differs from batch / latency: nothing to compare.
Profiles read_solo(const std::vector<std::string>& files, Import& import) {
  const std::string gpu = import.options.gpu.empty() ? "v100" : import.options.gpu;
  const ImportOptions options{gpu, false};
  Import solo{options, {}, {}};
  import_tidy(files, solo, ThroughputCheck::kNo);
  Profiles profiles;
  try {
    solo.faults.throw_if_any();
  } catch (const ConfigError& error) {
    import.faults.append(error);
  }
  for (Profile& profile : solo.result.profiles) {
    profile.provenance.source = "iGniter (TPDS 2023) latencies under MPS";
    profiles[profile.model] = std::move(profile);
  }
  for (std::string& warning : solo.result.warnings) {
    import.result.warnings.push_back(std::move(warning));
  }
  return profiles;
}

// One of the two models of a row.
struct Side {
  std::string model;
  std::uint32_t batch = 1;
  double share_pct = 50;
  double latency_ms = 0;
};

class CoRunReader {
 public:
  CoRunReader(Profiles& profiles, Import& import) : profiles_(&profiles), import_(&import) {
    for (const auto& [name, profile] : profiles) names_.push_back(name);
  }
  void read(const std::string& file);
  // Rows that rest on a suspicious latency, where such are to be dropped.
  std::size_t left_out() const { return left_out_; }

 private:
  void read_row(const CsvCells& cells);
  const LatencyPoint* alone(const CsvCells& cells, const Side& side) const;
  void add(const Side& side, const Side& other, const LatencyPoint& alone);

  Profiles* profiles_;
  Import* import_;
  std::vector<std::string> names_;
  std::set<std::tuple<std::string, std::string, std::uint32_t, std::uint32_t, double>> seen_;
  std::size_t left_out_ = 0;
};

void CoRunReader::read(const std::string& file) {
  const std::vector<CsvRow> rows = rows_of(file, import_->faults);
  const std::string header = fmt::format("{}", fmt::join(rows.front().cells, ","));
  if (header != kCoRunHeader && header != fmt::format("{},std_a_ms,std_b_ms", kCoRunHeader)) {
    import_->faults.add(fmt::format("{}:{}", file, rows.front().line),
                        fmt::format("the first line must be \"{}\", and may end with "
                                    "\",std_a_ms,std_b_ms\"",
                                    kCoRunHeader));
    return;
  }
  if (rows.size() == 1) import_->faults.add(file, "there is no row after the header");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const CsvCells cells(file, rows[i], import_->faults);
    if (cells.has_cells(rows.front().cells.size())) read_row(cells);
  }
}

void CoRunReader::read_row(const CsvCells& cells) {
  const auto model_a = cells.name(0, "model_a");
  const auto model_b = cells.name(1, "model_b");
  const auto batch_a = cells.integer(2, "batch_a", 1, kLargestBatch);
  const auto batch_b = cells.integer(3, "batch_b", 1, kLargestBatch);
  const auto share = cells.positive(4, "share_a_pct", 100);
  const auto latency_a = cells.positive(5, "latency_a_ms", kLongestLatencyMs);
  const auto latency_b = cells.positive(6, "latency_b_ms", kLongestLatencyMs);
  if (share && *share == 100) cells.fault("share_a_pct must leave something to b: below 100");
  if (!model_a || !model_b || !batch_a || !batch_b || !share || !latency_a || !latency_b) return;
  const Side a{*model_a, static_cast<std::uint32_t>(*batch_a), *share, *latency_a};
  const Side b{*model_b, static_cast<std::uint32_t>(*batch_b), 100 - *share, *latency_b};
  if (!seen_.insert({a.model, b.model, a.batch, b.batch, a.share_pct}).second) {
    cells.fault("a second row for these models, batches and shares");
    return;
  }
  const LatencyPoint* alone_a = alone(cells, a);
  const LatencyPoint* alone_b = alone(cells, b);
  if (alone_a == nullptr || alone_b == nullptr) return;
  const bool suspect = !alone_a->suspicion.empty() || !alone_b->suspicion.empty();
  if (import_->options.drop_suspect && suspect) {
    ++left_out_;
    return;
  }
  for (const double slowdown :
       {a.latency_ms / alone_a->latency_ms, b.latency_ms / alone_b->latency_ms}) {
    if (slowdown >= kLeastMeasuredSlowdown && slowdown <= kLargestSlowdown) continue;
    cells.fault(fmt::format("a latency is {:g} times that alone, outside {} to {}", slowdown,
                            kLeastMeasuredSlowdown, kLargestSlowdown));
    return;
  }
  add(a, b, *alone_a);
  add(b, a, *alone_b);
}

// The point of the model alone on the same share, or a fault.
const LatencyPoint* CoRunReader::alone(const CsvCells& cells, const Side& side) const {
  const auto profile = profiles_->find(side.model);
  if (profile == profiles_->end()) {
    cells.fault(unknown_name("model", side.model, names_));
    return nullptr;
  }
  const LatencyPoint* point =
      profile->second.point({ShareKind::kPercent, side.share_pct}, 1, side.batch);
  if (point == nullptr) {
    cells.fault(fmt::format("{} has no latency alone at batch {} on {:g} %", side.model, side.batch,
                            side.share_pct));
  }
  return point;
}

void CoRunReader::add(const Side& side, const Side& other, const LatencyPoint& alone) {
  profiles_->at(side.model)
      .co_runs.push_back({other.model, side.batch, other.batch, side.share_pct, other.share_pct,
                          side.latency_ms / alone.latency_ms});
}

// {"models": {NAME: {"n_kernels": N, ...}}, ...}: of the fitted coefficients, only the counts.
void read_kernel_counts(const std::string& file, Profiles& profiles, Import& import) {
  const auto json = read_json_file(file, import.faults);
  if (!json) return;
  JsonObject root(JsonNode(*json, file, import.faults));
  const auto models = root.require("models");
  if (!models) return;
  JsonObject by_name(*models);
  for (auto& [name, profile] : profiles) {
    const auto model = by_name.get(name);
    if (!model) continue;
    JsonObject coefficients(*model);
    if (const auto count = coefficients.require("n_kernels")) {
      profile.launches = count->number(1, kMostKernels);
    }
  }
}

}  // namespace

void import_igniter(const std::vector<std::string>& paths, Import& import) {
  const Files files = sort_files(paths, import.faults);
  Profiles profiles = read_solo(files.solo, import);
  // Without the latencies alone, every other row would be a fault of its own.
  if (!import.faults.empty()) return;
  CoRunReader co_runs(profiles, import);
  for (const std::string& file : files.co_runs) co_runs.read(file);
  for (const std::string& file : files.counts) read_kernel_counts(file, profiles, import);
  if (co_runs.left_out() > 0) {
    import.result.warnings.push_back(
        fmt::format("{} co-runs are left out: a latency alone is suspicious", co_runs.left_out()));
  }
  for (auto& [name, profile] : profiles) {
    if (import.options.drop_suspect) {
      std::erase_if(profile.points, [](const LatencyPoint& p) { return !p.suspicion.empty(); });
    }
    if (!profile.launches) {
      import.result.warnings.push_back(
          fmt::format("{}: no kernel count (coefficients*.json has none)", name));
    }
    import.result.profiles.push_back(std::move(profile));
  }
}

}  // namespace tangram::detail
