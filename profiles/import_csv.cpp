// Importers of published tables: ParvaGPU's and gpulet's CSV files. iGniter's are in
// import_igniter.cpp, tidy CSV in import_tidy.cpp.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "profiles/detail/import_draft.h"
#include "profiles/profile_limits.h"

namespace tangram {
namespace {

using detail::add_row;
using detail::described;
using detail::Draft;
using detail::files_of;
using detail::Import;
using detail::rows_of;

namespace fs = std::filesystem;

// ParvaGPU's header, and what each column is called in our messages.
constexpr const char* kParvaHeader = "Mig instance,Batch size,Workload Number,Throughput,Latency";

// One row: size, batch, processes, items/s of one process, seconds a batch (rounded to 1 ms).
void read_parvagpu_row(const CsvCells& cells,
                       const CsvRow& row,
                       Draft& draft,
                       std::size_t& unmeasured,
                       Import& import) {
  if (!cells.has_cells(5)) return;
  const auto size = cells.integer(0, "Mig instance", 1, 7);
  const auto batch = cells.integer(1, "Batch size", 1, kLargestBatch);
  const auto processes = cells.integer(2, "Workload Number", 1, kMostProcesses);
  const auto throughput = cells.number(3, "Throughput", 0, kMostItemsPerSecond);
  const auto latency_s = cells.number(4, "Latency", 0, kLongestLatencyMs / 1000);
  if (!size || !batch || !processes || !throughput || !latency_s) return;
  if (*size == 5 || *size == 6) {
    cells.fault(fmt::format("Mig instance must be 1, 2, 3, 4 or 7, not {}", *size));
    return;
  }
  if (*throughput == 0 && *latency_s == 0) {
    ++unmeasured;
    return;
  }
  if (*throughput == 0) {
    cells.fault("Throughput is 0 but Latency is not; a row that was not measured has 0 in both");
    return;
  }
  LatencyPoint point;
  point.share = {ShareKind::kMig, static_cast<double>(*size)};
  point.batch = static_cast<std::uint32_t>(*batch);
  point.processes = static_cast<std::uint32_t>(*processes);
  point.latency_ms = point.batch / *throughput * 1000;
  point.reported_latency_ms = *latency_s * 1000;
  point.reported_throughput_rps = *throughput;
  add_row(draft, cells, row.line, point);
  // Three decimals of a second: half a millisecond either way, and a little for the throughput's.
  constexpr double kRoundingMs = 0.51;
  if (std::abs(point.latency_ms - *point.reported_latency_ms) > kRoundingMs) {
    import.result.warnings.push_back(fmt::format(
        "{}: latency and throughput contradict each other: {} ms reported, {:.3f} ms by the "
        "throughput, which is used ({})",
        cells.where(), *point.reported_latency_ms, point.latency_ms, described(point)));
  }
}

void read_parvagpu_file(const std::string& file, Import& import) {
  const std::vector<CsvRow> rows = rows_of(file, import.faults);
  if (rows.empty()) return;
  if (fmt::format("{}", fmt::join(rows.front().cells, ",")) != kParvaHeader) {
    import.faults.add(fmt::format("{}:{}", file, rows.front().line),
                      fmt::format("the first line must be \"{}\"", kParvaHeader));
    return;
  }
  Draft draft;
  draft.file = file;
  draft.profile.model = fs::path(file).stem().string();
  draft.profile.gpu = import.options.gpu.empty() ? "a100-80gb" : import.options.gpu;
  draft.profile.interpolation = Interpolation::kLinear;
  draft.profile.provenance = {
      "imported",
      draft.profile.gpu,
      "",
      "",
      "",
      "",
      "ParvaGPU (SC 2024) profile table " + fs::path(file).filename().string(),
      0};
  std::size_t unmeasured = 0;
  const std::size_t faults_before = import.faults.size();
  for (std::size_t i = 1; i < rows.size(); ++i) {
    read_parvagpu_row(CsvCells(file, rows[i], import.faults), rows[i], draft, unmeasured, import);
  }
  if (import.faults.size() > faults_before) return;
  if (draft.rows.empty()) {
    import.faults.add(file, "no row was measured: every one has 0 throughput");
    return;
  }
  if (unmeasured > 0) {
    import.result.warnings.push_back(fmt::format("{}: {} of {} points were not measured (0,0)",
                                                 file, unmeasured, rows.size() - 1));
  }
  finish(std::move(draft), import);
}

void import_parvagpu(const std::vector<std::string>& paths, Import& import) {
  const auto is_csv = [](const fs::path& path) { return path.extension() == ".csv"; };
  for (const std::string& file : files_of(paths, is_csv, import.faults)) {
    read_parvagpu_file(file, import);
  }
}

std::size_t column_named(const CsvRow& header, const std::string& name) {
  const auto found = std::find(header.cells.begin(), header.cells.end(), name);
  return static_cast<std::size_t>(found - header.cells.begin());
}

// (model, batch) -> L2 and DRAM utilisation of the whole GPU, from gpulet's UTIL.CSV.
using Utilisations = std::map<std::pair<std::string, std::uint32_t>, Profile::Utilisation>;

Utilisations read_gpulet_utilisation(const std::string& file, Import& import) {
  Utilisations found;
  const std::vector<CsvRow> rows = rows_of(file, import.faults);
  if (rows.empty()) return found;
  const CsvRow& header = rows.front();
  const std::size_t l2 = column_named(header, "l2_util(%)");
  const std::size_t dram = column_named(header, "mem_util(%)");
  if (l2 == header.cells.size() || dram == header.cells.size()) {
    import.faults.add(fmt::format("{}:{}", file, header.line),
                      "the first line must name the columns l2_util(%) and mem_util(%)");
    return found;
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const CsvCells cells(file, rows[i], import.faults);
    const auto model = cells.name(0, "bench");
    const auto batch = cells.integer(1, "batch", 1, kLargestBatch);
    const auto l2_pct = cells.number(l2, "l2_util(%)", 0, 100);
    const auto dram_pct = cells.number(dram, "mem_util(%)", 0, 100);
    if (!model || !batch || !l2_pct || !dram_pct) continue;
    found[{*model, static_cast<std::uint32_t>(*batch)}] = {*l2_pct / 100, *dram_pct / 100};
  }
  return found;
}

// What gpulet's scheduler adds to a latency for putting a batch of 1 .. 32 together: a measured
// time by the size of the input (files `batch,ms`), times a factor that the released code states,
// or a constant. Single precision, as there.
class BatchingOverheads {
 public:
  BatchingOverheads(const std::string& latency_file, Import& import)
      : folder_(fs::path(latency_file).parent_path()), import_(import) {}

  std::vector<double> of(const std::string& model) {
    constexpr std::size_t kBatches = 32;
    if (model.starts_with("lenet")) return std::vector<double>(kBatches, 0.4F);
    if (model == "bert") return std::vector<double>(kBatches, 1.0);
    if (model == "ssd-mobilenetv1") return scaled("3_300_300.txt", 2.5);
    for (const char* known :
         {"googlenet", "resnet50", "vgg16", "mnasnet1_0", "mobilenet_v2", "densenet161"}) {
      if (model == known) return scaled("3_224_224.txt", 1.9);
    }
    return {};
  }

 private:
  std::vector<double> scaled(const char* name, double factor) {
    const auto [entry, is_new] = tables_.try_emplace(name);
    if (is_new) read((folder_ / name).string(), entry->second);
    std::vector<double> overheads;
    for (const double ms : entry->second) {
      overheads.push_back(static_cast<float>(factor * static_cast<float>(ms)));
    }
    return overheads;
  }

  void read(const std::string& file, std::vector<double>& table) {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) {
      import_.result.warnings.push_back(
          file + ": no such file: the time to put a batch together stays unknown");
      return;
    }
    for (const CsvRow& row : rows_of(file, import_.faults)) {
      const CsvCells cells(file, row, import_.faults);
      if (!cells.has_cells(2)) continue;
      const auto batch = cells.integer(0, "batch", 1, kLargestBatch);
      const auto ms = cells.number(1, "time in ms", 0, kLongestLatencyMs);
      if (!batch || !ms) continue;
      table.push_back(*ms);
      if (static_cast<std::size_t>(*batch) != table.size()) {
        cells.fault(fmt::format("batch must be {}: one row for each batch, ascending from 1",
                                table.size()));
      }
    }
  }

  fs::path folder_;
  Import& import_;
  std::map<std::string, std::vector<double>> tables_;  // by file name
};

void read_gpulet_file(const std::string& file, Import& import) {
  const fs::path beside = fs::path(file).parent_path() / "UTIL.CSV";
  std::error_code ignored;
  Utilisations utilisations;
  if (fs::is_regular_file(beside, ignored)) {
    utilisations = read_gpulet_utilisation(beside.string(), import);
  } else {
    import.result.warnings.push_back(file + ": no UTIL.CSV beside it: no L2 and DRAM utilisation");
  }
  std::map<std::string, Draft> drafts;
  const std::vector<CsvRow> rows = rows_of(file, import.faults);
  for (const CsvRow& row : rows) {
    const CsvCells cells(file, row, import.faults);
    if (!cells.has_cells(4)) continue;
    const auto model = cells.name(0, "model");
    const auto part = cells.positive(1, "partition", 100);
    const auto batch = cells.integer(2, "batch", 1, kLargestBatch);
    const auto latency = cells.positive(3, "latency in ms", kLongestLatencyMs);
    if (!model || !part || !batch || !latency) continue;
    LatencyPoint point;
    point.share = {ShareKind::kPercent, *part};
    point.batch = static_cast<std::uint32_t>(*batch);
    point.latency_ms = *latency;
    // lenet1 .. lenet6 are copies of one network.
    const auto use =
        utilisations.find({model->starts_with("lenet") ? "lenet" : *model, point.batch});
    // The table was measured on the whole GPU: only there is it the point's own.
    if (*part == 100 && use != utilisations.end()) {
      point.l2_utilisation = use->second.l2;
      point.dram_utilisation = use->second.dram;
    }
    Draft& draft = drafts[*model];
    draft.file = file;
    draft.profile.model = *model;
    add_row(draft, cells, row.line, point);
  }
  // One network under six names: the released scheduler has one table for them.
  for (const char* copy : {"lenet2", "lenet3", "lenet4", "lenet5", "lenet6"}) {
    const auto first = drafts.find("lenet1");
    if (first == drafts.end() || drafts.contains(copy)) continue;
    Draft draft = first->second;
    draft.profile.model = copy;
    drafts.emplace(copy, std::move(draft));
  }
  BatchingOverheads overheads(file, import);
  for (auto& [model, draft] : drafts) {
    draft.profile.batching_ms = overheads.of(model);
    draft.profile.gpu = import.options.gpu.empty() ? "2080ti" : import.options.gpu;
    draft.profile.interpolation = Interpolation::kLinear;
    draft.profile.provenance = {
        "imported", draft.profile.gpu, "", "", "", "", "gpulet (USENIX ATC 2022) latency table", 0};
    finish(std::move(draft), import);
  }
}

void import_gpulet(const std::vector<std::string>& paths, Import& import) {
  const auto is_latency = [](const fs::path& path) {
    return path.extension() == ".csv" && path.filename().string().starts_with("latency");
  };
  for (const std::string& file : files_of(paths, is_latency, import.faults)) {
    read_gpulet_file(file, import);
  }
}

const std::vector<std::string>& import_formats() {
  static const std::vector<std::string> formats{"parvagpu", "gpulet", "igniter", "csv"};
  return formats;
}

}  // namespace

ImportResult import_profiles(const std::string& format,
                             const std::vector<std::string>& paths,
                             const ImportOptions& options) {
  Import import{options, {}, {}};
  if (!options.gpu.empty() && find_gpu_type(options.gpu) == nullptr) {
    import.result.warnings.push_back(unknown_name("GPU type", options.gpu, gpu_type_names()) +
                                     "; a scenario that uses these profiles must describe it");
  }
  if (format == "parvagpu") {
    import_parvagpu(paths, import);
  } else if (format == "gpulet") {
    import_gpulet(paths, import);
  } else if (format == "igniter") {
    detail::import_igniter(paths, import);
  } else if (format == "csv") {
    detail::import_tidy(paths, import, detail::ThroughputCheck::kYes);
  } else {
    import.faults.add("", unknown_name("format", format, import_formats()));
  }
  import.faults.throw_if_any();
  return std::move(import.result);
}

}  // namespace tangram
