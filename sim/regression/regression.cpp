#include "sim/regression/regression.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <filesystem>
#include <span>

#include <fmt/format.h>

#include "sim/core/atomic_file.h"
#include "sim/evaluator.h"
#include "sim/results/summary.h"
#include "sim/simulation.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExpected = ".expected.json";

void compare_at(const std::string& pointer,
                const Json& expected,
                const Json& got,
                std::vector<Difference>& differences) {
  if (expected == got) return;
  if (expected.is_object() && got.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      compare_at(pointer + '/' + key, value, got.contains(key) ? got[key] : Json(), differences);
    }
    for (const auto& [key, value] : got.items()) {
      if (!expected.contains(key)) differences.push_back({pointer + '/' + key, nullptr, value});
    }
    return;
  }
  if (expected.is_array() && got.is_array() && expected.size() == got.size()) {
    for (std::size_t i = 0; i < got.size(); ++i) {
      compare_at(pointer + '/' + std::to_string(i), expected[i], got[i], differences);
    }
    return;
  }
  differences.push_back({pointer, expected, got});
}

std::string escaped(const std::string& text) {
  std::string xml;
  for (const char c : text) {
    switch (c) {
      case '&':
        xml += "&amp;";
        break;
      case '<':
        xml += "&lt;";
        break;
      case '>':
        xml += "&gt;";
        break;
      case '"':
        xml += "&quot;";
        break;
      default:
        // XML has no place for the other control characters.
        xml += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return xml;
}

std::string message_of(const CaseOutcome& outcome) {
  if (!outcome.error.empty()) return outcome.error;
  std::string text;
  for (const Difference& difference : outcome.differences) text += to_string(difference) + '\n';
  return text;
}

}  // namespace

std::vector<RegressionCase> find_cases(const std::string& folder) {
  Faults faults;
  std::error_code failed;
  std::vector<fs::path> files;
  fs::recursive_directory_iterator all(folder, failed);
  if (failed) throw ConfigError(folder, "cannot be read as a folder: " + failed.message());
  for (const fs::directory_entry& entry : all) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name.ends_with(".json") && !name.ends_with(kExpected)) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<RegressionCase> cases;
  for (const fs::path& file : files) {
    const std::optional<Json> json = read_json_file(file.string(), faults);
    if (!json || !json->is_object() || !json->contains("workloads")) continue;
    const std::string stem = file.parent_path() / file.stem();
    cases.push_back(
        {fs::path(stem).lexically_relative(folder).string(), file.string(), stem + kExpected});
  }
  faults.throw_if_any();
  if (cases.empty()) {
    throw ConfigError(folder, "has no scenario: a JSON file with \"workloads\" at its top");
  }
  return cases;
}

std::string to_string(const Difference& difference) {
  if (difference.expected.is_null()) {
    return fmt::format("{}: {}, not in the approved result", difference.pointer,
                       difference.got.dump());
  }
  if (difference.got.is_null()) {
    return fmt::format("{}: gone, approved {}", difference.pointer, difference.expected.dump());
  }
  std::string change;
  if (difference.expected.is_number() && difference.got.is_number()) {
    const double before = difference.expected.get<double>();
    const double after = difference.got.get<double>();
    if (before != 0)
      change = fmt::format(" ({:+.3g} %)", 100 * (after - before) / std::abs(before));
  }
  return fmt::format("{}: {}, approved {}{}", difference.pointer, difference.got.dump(),
                     difference.expected.dump(), change);
}

Json reproducible(Json summary) {
  summary.erase("wall_s");
  summary.erase("notes");
  return summary;
}

std::vector<Difference> compare(const Json& expected, const Json& got) {
  std::vector<Difference> differences;
  compare_at("", expected, got, differences);
  return differences;
}

CaseOutcome run_case(const RegressionCase& which) {
  CaseOutcome outcome;
  outcome.which = which;
  try {
    Scenario scenario = load_scenario(which.scenario);
    const Plan plan = plan_scenario(scenario, scenario.notes);
    const RunResult run = simulate(scenario, plan);
    // Through text: what the approved file holds is what a number prints as.
    outcome.summary = Json::parse(reproducible(summarize(std::span(&run, 1))).dump());
    outcome.is_new = !fs::exists(which.expected);
    if (outcome.is_new) {
      outcome.error = "there is no approved result " + which.expected;
      return outcome;
    }
    Faults faults;
    const std::optional<Json> expected = read_json_file(which.expected, faults);
    faults.throw_if_any();
    outcome.differences = compare(*expected, outcome.summary);
  } catch (const std::exception& error) {
    outcome.error = error.what();
  }
  return outcome;
}

void approve(const CaseOutcome& outcome) {
  write_file(outcome.which.expected, outcome.summary.dump(2) + '\n');
}

std::string junit_xml(const std::string& folder, const std::vector<CaseOutcome>& outcomes) {
  const auto failures = std::count_if(outcomes.begin(), outcomes.end(),
                                      [](const CaseOutcome& one) { return !one.passed(); });
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  xml += fmt::format("<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\">\n", escaped(folder),
                     outcomes.size(), failures);
  for (const CaseOutcome& outcome : outcomes) {
    xml += fmt::format("  <testcase classname=\"tangram.check\" name=\"{}\"",
                       escaped(outcome.which.name));
    if (outcome.passed()) {
      xml += "/>\n";
      continue;
    }
    xml += fmt::format(">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
                       outcome.error.empty()
                           ? std::to_string(outcome.differences.size()) + " differences"
                           : "did not run to an approved end",
                       escaped(message_of(outcome)));
  }
  return xml + "</testsuite>\n";
}

}  // namespace tangram
