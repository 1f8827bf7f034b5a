#include "sim/sweep/search.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "sim/core/stable_math.h"

namespace tangram {
namespace {

class Search {
 public:
  Search(const SearchSpec& spec, const std::function<double(double)>& measure)
      : spec_(spec), measure_(measure) {}

  Capacity run() {
    const std::vector<double> values = spread();
    for (const double value : values) passes(value);
    const auto passed = [this](double value) { return passes(value); };
    // Above the last probe that passed, and below the first that failed.
    const auto last_pass = std::find_if(values.rbegin(), values.rend(), passed);
    if (last_pass != values.rend() && last_pass != values.rbegin()) {
      bisect(*last_pass, *std::prev(last_pass));
    }
    const auto first_fail = std::find_if_not(values.begin(), values.end(), passed);
    if (first_fail != values.end() && first_fail != values.begin()) {
      bisect(*std::prev(first_fail), *first_fail);
    }
    return answer();
  }

 private:
  std::vector<double> spread() const {
    std::vector<double> values;
    for (std::uint32_t i = 0; i < spec_.probes; ++i) {
      const double place = static_cast<double>(i) / (spec_.probes - 1);
      double value = spec_.low + place * (spec_.high - spec_.low);
      if (spec_.log_scale) {
        value = spec_.low * stable::exp(place * stable::log(spec_.high / spec_.low));
      }
      if (i + 1 == spec_.probes) value = spec_.high;
      if (spec_.integer) value = std::round(value);
      if (values.empty() || value > values.back()) values.push_back(value);
    }
    return values;
  }

  bool passes(double value) {
    const auto known = outcomes_.find(value);
    if (known != outcomes_.end()) return known->second;
    const double metric = measure_(value);
    const bool passed = spec_.at_least ? metric >= *spec_.at_least : metric <= *spec_.at_most;
    outcomes_.emplace(value, passed);
    capacity_.probes.push_back({value, metric, passed});
    return passed;
  }

  // Requires: `pass` passed and `fail` failed; pass < fail.
  void bisect(double pass, double fail) {
    while (fail - pass > gap_at(fail)) {
      const double middle = spec_.integer ? std::floor((pass + fail) / 2) : (pass + fail) / 2;
      if (passes(middle)) {
        pass = middle;
      } else {
        fail = middle;
      }
    }
  }
  double gap_at(double value) const {
    const double gap = spec_.tolerance * std::abs(value);
    return spec_.integer ? std::max(gap, 1.0) : gap;
  }

  Capacity answer() {
    for (const auto& [value, passed] : outcomes_) {
      if (passed) capacity_.highest_pass = value;
      if (!passed && !capacity_.first_fail) capacity_.first_fail = value;
    }
    capacity_.monotone = !capacity_.highest_pass || !capacity_.first_fail ||
                         *capacity_.highest_pass < *capacity_.first_fail;
    return std::move(capacity_);
  }

  const SearchSpec& spec_;
  const std::function<double(double)>& measure_;
  std::map<double, bool> outcomes_;
  Capacity capacity_;
};

std::string keys_of(const Json& value) {
  std::string keys;
  for (const auto& [key, child] : value.items()) keys += (keys.empty() ? "" : ", ") + key;
  return keys;
}

double number_at(const Json& summary, const std::string& pointer) {
  const Json* here = &summary;
  std::string walked;
  for (std::size_t start = 1; start <= pointer.size();) {
    const std::size_t end = std::min(pointer.find('/', start), pointer.size());
    const std::string token = pointer.substr(start, end - start);
    if (!here->is_object() || !here->contains(token)) {
      throw ConfigError("search/target/metric " + pointer,
                        fmt::format("the summary has no \"{}\" in {}; it has: {}", token,
                                    walked.empty() ? "/" : walked, keys_of(*here)));
    }
    here = &(*here)[token];
    walked = pointer.substr(0, end);
    start = end + 1;
  }
  if (!here->is_number()) {
    throw ConfigError("search/target/metric " + pointer, "is not a number of the summary");
  }
  return here->get<double>();
}

}  // namespace

Capacity find_capacity(const SearchSpec& spec, const std::function<double(double)>& measure) {
  return Search(spec, measure).run();
}

double metric_of(const SearchSpec& spec, const Json& summary) {
  const std::size_t star = spec.metric.find("/*/");
  if (star == std::string::npos) return number_at(summary, spec.metric);
  const std::string parent = spec.metric.substr(0, star);
  std::optional<double> worst;
  for (const auto& [name, ignored] : summary.at(Json::json_pointer(parent)).items()) {
    const double value = number_at(summary, parent + '/' + name + spec.metric.substr(star + 2));
    if (!worst || (spec.at_least ? value < *worst : value > *worst)) worst = value;
  }
  if (!worst) throw ConfigError("search/target/metric " + spec.metric, "nothing matches");
  return *worst;
}

}  // namespace tangram
