// Faults collected and thrown together, and the nearest known name for a misspelt one.
#include "sim/core/error.h"

#include <algorithm>
#include <utility>

namespace tangram {
namespace {

std::string joined(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults) {
    if (!text.empty()) text += '\n';
    text += fault.where.empty() ? fault.what : fault.where + ": " + fault.what;
  }
  return text;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Damerau (1964) and Levenshtein (1966), in the form where no substring is edited twice.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool transposed = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                              lower(a[i - 2]) == lower(b[j - 1]);
      if (transposed) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

ConfigError::ConfigError(std::vector<Fault> faults)
    : std::runtime_error(joined(faults)), faults_(std::move(faults)) {}

ConfigError::ConfigError(std::string where, std::string what)
    : ConfigError(std::vector<Fault>{{std::move(where), std::move(what)}}) {}

void Faults::add(std::string where, std::string what) {
  if (faults_.size() < kMost) {
    faults_.push_back({std::move(where), std::move(what)});
  } else {
    ++dropped_;
  }
}

void Faults::append(const ConfigError& error) {
  for (const Fault& fault : error.faults()) add(fault.where, fault.what);
}

void Faults::throw_if_any() const {
  if (faults_.empty()) return;
  std::vector<Fault> all = faults_;
  if (dropped_ > 0) {
    all.push_back({all.back().where, "and " + std::to_string(dropped_) + " more faults"});
  }
  throw ConfigError(std::move(all));
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t least = std::string::npos;
  for (const std::string& candidate : known) {
    const std::size_t longer = std::max(name.size(), candidate.size());
    const std::size_t distance = edit_distance(name, candidate);
    // A distance equal to the length shares no letter: "ab" is not a misspelt "xy".
    const bool near = distance <= std::max<std::size_t>(2, longer / 3) && distance < longer;
    if (near && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string unknown_name(std::string_view kind,
                         std::string_view name,
                         const std::vector<std::string>& known) {
  std::string text = "unknown " + std::string(kind) + " \"" + std::string(name) + '"';
  const std::string nearest = nearest_name(name, known);
  if (!nearest.empty()) text += "; did you mean \"" + nearest + "\"?";
  text += nearest.empty() ? "; known: " : " known: ";
  for (std::size_t i = 0; i < known.size(); ++i) text += (i == 0 ? "" : ", ") + known[i];
  if (known.empty()) text += "none";
  return text;
}

}  // namespace tangram
