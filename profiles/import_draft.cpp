// Points with their lines on the way into a profile.
#include "profiles/detail/import_draft.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "sim/core/atomic_file.h"

namespace tangram::detail {

namespace fs = std::filesystem;

std::string described(const LatencyPoint& p) {
  return fmt::format("batch {} on {} with {} process{}", p.batch, to_string(p.share), p.processes,
                     p.processes == 1 ? "" : "es");
}

void add_row(Draft& draft, const CsvCells& cells, std::size_t line, const LatencyPoint& point) {
  const auto [place, is_new] = draft.rows.try_emplace(point, line);
  if (is_new) return;
  cells.fault(fmt::format("a second row for {} of {}; the first is in line {}", described(point),
                          draft.profile.model, place->second));
}

void finish(Draft draft, Import& import) {
  Profile& profile = draft.profile;
  std::vector<std::size_t> lines;
  for (const auto& [point, line] : draft.rows) {
    profile.points.push_back(point);
    lines.push_back(line);
  }
  mark_suspicious(profile);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const LatencyPoint& point = profile.points[i];
    if (point.suspicion.empty()) continue;
    import.result.warnings.push_back(fmt::format(
        "{}:{}: suspicious{}: {} ({})", draft.file, lines[i],
        import.options.drop_suspect ? ", left out" : "", point.suspicion, described(point)));
  }
  if (import.options.drop_suspect) {
    std::erase_if(profile.points, [](const LatencyPoint& p) { return !p.suspicion.empty(); });
  }
  import.result.profiles.push_back(std::move(profile));
}

std::vector<std::string> files_of(const std::vector<std::string>& paths,
                                  const std::function<bool(const fs::path&)>& wanted,
                                  Faults& faults) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    const std::size_t before = files.size();
    for (const auto& entry : fs::directory_iterator(path, ignored)) {
      if (wanted(entry.path())) files.push_back(entry.path().string());
    }
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
    if (files.size() == before) faults.add(path, "the folder has no CSV file of this format");
  }
  if (paths.empty()) faults.add("", "give at least one file or folder");
  return files;
}

std::vector<CsvRow> rows_of(const std::string& file, Faults& faults) {
  try {
    std::vector<CsvRow> rows = parse_csv(read_file(file));
    if (rows.empty()) faults.add(file, "the file is empty");
    return rows;
  } catch (const ConfigError& error) {
    faults.append(error);
    return {};
  }
}

}  // namespace tangram::detail
