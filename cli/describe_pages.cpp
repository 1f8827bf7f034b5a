// Pages in Markdown: what is made from the registry goes between two markers, the rest is kept.
#include "cli/describe_pages.h"

#include <cctype>
#include <filesystem>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "cli/param_text.h"
#include "policies/registry.h"
#include "sim/core/atomic_file.h"
#include "sim/core/error.h"

namespace tangram::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin =
    "<!-- Made by `tangram describe --pages`, down to the next marker: change the policy instead. "
    "-->";
constexpr std::string_view kEnd = "<!-- Made part ends here: write below. -->";

// As one policy appears under its name: a name may be a planner and a dispatcher.
struct Kind {
  const char* title;   // of one
  const char* plural;  // of the list
  const char* folder;  // of its file, below policies/
};
constexpr Kind kPlanner{"Planner", "Planners", "planners"};
constexpr Kind kDispatcher{"Dispatcher", "Dispatchers", "dispatchers"};
constexpr Kind kStage{"Stage dispatcher", "Stage dispatchers", "stages"};
constexpr Kind kSplit{"SLO split", "SLO splits, of applications", "slo_splits"};
constexpr Kind kReplan{"Re-planning rule", "Re-planning rules, during a run", "replan_rules"};

// A sentence of the tables as a sentence of a page: capital first, full stop last.
std::string sentence(std::string text) {
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (text.back() != '.') text += '.';
  return text;
}

// A bar would end the cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string part_of(const Kind& kind, const PolicyInfo& info) {
  std::string text = fmt::format("\n**{}** (`policies/{}/{}.cpp`). {}\n", kind.title, kind.folder,
                                 info.name, sentence(info.summary));
  if (!info.source.empty()) {
    text += fmt::format("\n*Source, and what differs from it:* {}\n", sentence(info.source));
  }
  if (info.params.empty()) return text + "\nNo parameters.\n";
  text += "\n| parameter | default | values | meaning |\n|---|---|---|---|\n";
  for (const ParamInfo& param : info.params) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", param.name,
                        param.initial ? cell(value_text(*param.initial)) : "none",
                        cell(range_text(param)), cell(param.help));
  }
  return text;
}

// The made part of every page by file name, and of the list.
std::map<std::string, std::string> made_parts() {
  std::map<std::string, std::string> parts;
  std::string list = "# Policies\n";
  const auto add = [&](const Kind& kind, const auto& entries) {
    list += fmt::format("\n**{}**\n", kind.plural);
    for (const auto& entry : entries) {
      const PolicyInfo& info = entry.info;
      std::string& part = parts[info.name + ".md"];
      if (part.empty()) part = "# " + info.name + '\n';
      part += part_of(kind, info);
      list += fmt::format("- [`{0}`]({0}.md): {1}\n", info.name, info.summary);
    }
  };
  add(kPlanner, planners());
  add(kDispatcher, dispatchers());
  add(kStage, stage_dispatchers());
  add(kSplit, slo_splits());
  add(kReplan, replan_rules());
  parts["README.md"] = list;
  return parts;
}

std::string marked(const std::string& part) {
  return fmt::format("{}\n{}\n{}\n", kBegin, part, kEnd);
}

// The page with its made part replaced. Adds a fault and returns nothing of use when it has none.
std::string renewed(const std::string& path,
                    const std::string& page,
                    const std::string& part,
                    Faults& faults) {
  const std::size_t begin = page.find(kBegin);
  const std::size_t end = page.find(kEnd, begin == std::string::npos ? 0 : begin);
  if (begin == std::string::npos || end == std::string::npos) {
    faults.add(path, fmt::format("lacks the line \"{}\"{}; put it back, or move the page away to "
                                 "begin a new one",
                                 begin == std::string::npos ? kBegin : kEnd,
                                 begin == std::string::npos ? "" : " after the first marker"));
    return {};
  }
  std::string after = page.substr(end + kEnd.size());
  if (!after.empty() && after.front() == '\n') after.erase(0, 1);
  return page.substr(0, begin) + marked(part) + after;
}

void fault_strangers(const std::string& folder,
                     const std::map<std::string, std::string>& parts,
                     Faults& faults) {
  std::vector<std::string> names;
  for (const auto& [name, part] : parts) names.push_back(name.substr(0, name.size() - 3));
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".md" || parts.contains(name)) continue;
    if (read_file(entry.path().string()).find(kBegin) == std::string::npos) continue;
    faults.add(entry.path().string(),
               "describes no policy of this build: " +
                   unknown_name("policy", entry.path().stem().string(), names));
  }
}

}  // namespace

std::vector<std::string> write_policy_pages(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) throw ConfigError(folder, "no such folder");
  const std::map<std::string, std::string> parts = made_parts();
  Faults faults;
  fault_strangers(folder, parts, faults);
  std::vector<std::pair<std::string, std::string>> changed;
  for (const auto& [name, part] : parts) {
    const std::string path = (fs::path(folder) / name).string();
    const std::string old = fs::exists(path) ? read_file(path) : std::string();
    std::string page = old.empty() ? marked(part) : renewed(path, old, part, faults);
    if (page != old) changed.emplace_back(path, std::move(page));
  }
  faults.throw_if_any();
  std::vector<std::string> paths;
  for (const auto& [path, page] : changed) {
    write_file(path, page);
    paths.push_back(path);
  }
  return paths;
}

}  // namespace tangram::cli
