// What a command line asks to be measured, checked.
#include <algorithm>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "profiles/profile_limits.h"
#include "validate/measure.h"

namespace tangram {
namespace {

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void check_plan(MeasurePlan& plan, Faults& faults) {
  if (plan.models.empty()) faults.add("--models", "names no model");
  std::set<std::string> seen;
  for (const std::string& model : plan.models) {
    if (!seen.insert(model).second) faults.add("--models", '"' + model + "\" is named twice");
  }
  for (const std::string& hog : plan.hogs) {
    if (!seen.insert(hog).second) {
      faults.add("--hogs", '"' + hog + "\" is named twice, or is one of --models");
    }
  }
  const auto sort_unique = [](auto& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  sort_unique(plan.batches);
  sort_unique(plan.shares);
  const bool batches_fit =
      !plan.batches.empty() && plan.batches.front() >= 1 && plan.batches.back() <= kLargestBatch;
  if (!batches_fit) {
    faults.add("--batches", fmt::format("must be from 1 to {}, at least one", kLargestBatch));
  }
  sort_unique(plan.kernel_batches);
  if (!plan.kernel_batches.empty() &&
      (plan.kernel_batches.front() < 1 || plan.kernel_batches.back() > kLargestBatch)) {
    faults.add("--kernels", fmt::format("must be from 1 to {}", kLargestBatch));
  }
  if (plan.shares.empty()) faults.add("--shares", "names no share");
  for (const Share& share : plan.shares) {
    if (share.kind == ShareKind::kPercent && (share.amount < 1 || share.amount > 100)) {
      faults.add("--shares", fmt::format("{:g} is not from 1 to 100 percent", share.amount));
    }
    if (share.kind == ShareKind::kSms && share.amount < 1) {
      faults.add("--sms", fmt::format("{:g} is not a number of SMs", share.amount));
    }
  }
}

void read_pairs(const PairArguments& arguments, MeasurePlan& plan, Faults& faults) {
  const auto halves_of = [&](const std::string& option, const std::vector<std::string>& texts,
                             double most, double most_together) {
    std::vector<std::pair<double, double>> halves;
    for (const std::string& text : texts) {
      std::istringstream stream(text);
      double first = 0;
      double second = 0;
      char slash = 0;
      const bool is_read = stream >> first >> slash >> second && slash == '/' && stream.eof();
      if (is_read && first >= 1 && second >= 1 && first <= most && second <= most &&
          first + second <= most_together) {
        halves.emplace_back(first, second);
      } else {
        faults.add(option + ' ' + text,
                   fmt::format("must be two numbers from 1 to {:g}, together at most {:g}, as in "
                               "4/32",
                               most, most_together));
      }
    }
    return halves;
  };
  auto shares = halves_of("--pair-shares", arguments.shares, 99, 100);
  auto batches = halves_of("--pair-batches", arguments.batches, kLargestBatch, 2.0 * kLargestBatch);
  if (arguments.shares.empty()) shares = {{50, 50}};
  if (arguments.batches.empty()) {
    for (const std::uint32_t batch : plan.batches) batches.emplace_back(batch, batch);
  }
  for (const auto& [first_pct, second_pct] : shares) {
    for (const std::string& text : arguments.models) {
      const std::size_t plus = text.find('+');
      const std::string first = text.substr(0, plus);
      const std::string second = plus == std::string::npos ? "" : text.substr(plus + 1);
      for (const auto& [first_batch, second_batch] : batches) {
        plan.pairs.push_back({first, second, static_cast<std::uint32_t>(first_batch),
                              static_cast<std::uint32_t>(second_batch), first_pct, second_pct});
      }
    }
  }
  for (const std::string& text : arguments.models) {
    const std::size_t plus = text.find('+');
    if (plus == std::string::npos) {
      faults.add("--pairs " + text, "must be two models, as A+B");
      continue;
    }
    const std::string first = text.substr(0, plus);
    const std::string second = text.substr(plus + 1);
    std::vector<std::string> seconds = plan.models;
    seconds.insert(seconds.end(), plan.hogs.begin(), plan.hogs.end());
    const bool is_model = is_in(plan.models, first);
    if (!is_model && is_in(plan.hogs, first)) {
      faults.add("--pairs " + text, "a hog stands second: nothing is measured of it");
    } else if (!is_model) {
      faults.add("--pairs " + text, unknown_name("model", first, plan.models));
    }
    if (!is_in(seconds, second)) {
      faults.add("--pairs " + text, unknown_name("model", second, seconds));
    }
  }
  for (const std::string& hog : plan.hogs) {
    const bool is_used = std::any_of(plan.pairs.begin(), plan.pairs.end(),
                                     [&](const MeasurePair& pair) { return pair.second == hog; });
    if (!is_used) faults.add("--hogs", '"' + hog + "\" is in no pair, as MODEL+" + hog);
  }
}

Json key_of(const MeasurePlan& plan) {
  Json pairs = Json::array();
  for (const MeasurePair& p : plan.pairs) {
    pairs.push_back({p.first, p.second, p.first_batch, p.second_batch, p.first_pct, p.second_pct});
  }
  Json shares = Json::array();
  for (const Share& share : plan.shares) shares.push_back(to_string(share));
  return {{"gpu", plan.gpu},
          {"models", plan.models},
          {"hogs", plan.hogs},
          {"batches", plan.batches},
          {"shares", shares},
          {"pairs", pairs},
          {"repetitions", plan.repetitions},
          {"min_time_s", plan.min_time_s}};
}

}  // namespace tangram
