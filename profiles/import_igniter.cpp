// iGniter's measurements of a V100 under MPS: latencies alone, co-runs of two models, and the
// fitted coefficients of its model.
#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
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
  const bool stands_alone = files.co_runs.empty() && !files.counts.empty();
  if (files.solo.empty() && !stands_alone && faults.empty()) {
    faults.add(paths.front(),
               "there are no latencies alone (a CSV file with the columns model, batch, share_pct, "
               "latency_ms)");
  }
  return files;
}

using Profiles = std::map<std::string, Profile>;

std::string gpu_of(const Import& import) {
  return import.options.gpu.empty() ? "v100" : import.options.gpu;
}

// Its throughput counts overlapped copies, so it differs from batch / latency: nothing to compare.
Profiles read_solo(const std::vector<std::string>& files, Import& import) {
  if (files.empty()) return {};
  const ImportOptions options{gpu_of(import), false};
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

// The published names of the numbers in igniter_fields(), in its order: those of the GPU, those of
// a model, and which item of a list.
struct PublishedField {
  const char* key;
  std::optional<std::size_t> item;
};
constexpr std::size_t kGpuFields = 8;
constexpr std::array<PublishedField, 22> kPublished{{{"F_mhz", {}},
                                                     {"P_cap_w", {}},
                                                     {"P_idle_w", {}},
                                                     {"unit_pct", {}},
                                                     {"pcie_bytes_per_ms", {}},
                                                     {"alpha_f_mhz_per_w", {}},
                                                     {"alpha_sch", {}},
                                                     {"beta_sch", {}},
                                                     {"n_kernels", {}},
                                                     {"base_sched_ms", {}},
                                                     {"k", 0},
                                                     {"k", 1},
                                                     {"k", 2},
                                                     {"k", 3},
                                                     {"k", 4},
                                                     {"alpha_cache", {}},
                                                     {"power_ab", 0},
                                                     {"power_ab", 1},
                                                     {"l2_ab", 0},
                                                     {"l2_ab", 1},
                                                     {"d_load", {}},
                                                     {"d_feedback", {}}}};

// Puts the fields first .. last - 1 into the model.
void read_fields(JsonObject& object, std::size_t first, std::size_t last, IgniterModel& model) {
  for (std::size_t f = first; f < last; ++f) {
    const IgniterField& field = igniter_fields()[f];
    const PublishedField& published = kPublished[f];
    const auto node = object.require(published.key);
    if (!node) continue;
    if (!published.item) {
      field.of(model) = node->number(field.low, field.high).value_or(1);
      continue;
    }
    const std::vector<JsonNode> items = node->items();
    const bool is_last = f + 1 == last || kPublished[f + 1].item.value_or(0) == 0;
    if (*published.item < items.size()) {
      field.of(model) = items[*published.item].number(field.low, field.high).value_or(1);
    } else if (is_last && node->value().is_array()) {
      node->fault(fmt::format("must have {} numbers", *published.item + 1));
    }
  }
}

// A model of which only the kernels were counted.
bool is_count_only(const JsonNode& model) {
  return model.value().is_object() && model.value().size() == 1 &&
         model.value().contains("n_kernels");
}

// {"hardware": {..}, "models": {NAME: {"n_kernels": N, ..}}}: fitted coefficients. A model may
// state its kernel count alone.
void read_coefficients(const std::string& file, Profiles& profiles, Import& import) {
  const auto json = read_json_file(file, import.faults);
  if (!json) return;
  JsonObject root(JsonNode(*json, file, import.faults));
  const auto models = root.require("models");
  if (!models || !models->value().is_object()) {
    if (models) JsonObject{*models};  // adds the fault
    return;
  }
  IgniterModel of_gpu;
  bool has_gpu = false;
  for (const auto& [name, value] : models->value().items()) {
    const JsonNode node = models->child(name, value);
    JsonObject object(node);
    const auto known = profiles.find(name);
    if (is_count_only(node)) {
      const auto count = object.require("n_kernels")->number(1, kMostKernels);
      if (known != profiles.end()) known->second.launches = count;
      continue;
    }
    if (!has_gpu) {
      has_gpu = true;
      if (const auto hardware = root.require("hardware")) {
        JsonObject gpu(*hardware);
        read_fields(gpu, 0, kGpuFields, of_gpu);
      }
    }
    IgniterModel model = of_gpu;
    read_fields(object, kGpuFields, kPublished.size(), model);
    Profile& profile = profiles[name];
    if (known == profiles.end()) {
      profile.model = name;
      profile.gpu = gpu_of(import);
      profile.provenance.kind = "imported";
      profile.provenance.source = "iGniter (TPDS 2023) coefficients of its model under MPS";
    }
    profile.launches = model.kernels;
    profile.igniter = model;
    profile.interpolation = Interpolation::kIgniter;
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
  for (const std::string& file : files.counts) read_coefficients(file, profiles, import);
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
