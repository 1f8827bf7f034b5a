// Look-ups in a profile: binary search over its sorted points, interpolation between batches, and
// the sentences that say what is known when something is not.
#include "profiles/profile.h"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include <fmt/format.h>

#include "profiles/profile_limits.h"
#include "sim/core/check.h"
#include "sim/core/error.h"

namespace tangram {
namespace {

// One setting's points, ascending in batch.
using Row = std::span<const LatencyPoint>;

constexpr double kAllMigSlices = 7;

// The three ways to say "all of it". Measured under one of them, asked for under another.
constexpr std::array<Share, 3> kAllOfIt{Share{ShareKind::kWhole, 1},
                                        Share{ShareKind::kPercent, 100},
                                        Share{ShareKind::kMig, kAllMigSlices}};

bool is_all_of_it(const Share& share) {
  return std::find(kAllOfIt.begin(), kAllOfIt.end(), share) != kAllOfIt.end();
}

Row exact_row(const std::vector<LatencyPoint>& points,
              const Share& share,
              std::uint32_t processes) {
  const auto key = std::tuple(share.kind, share.amount, processes);
  const auto of = [](const LatencyPoint& p) {
    return std::tuple(p.share.kind, p.share.amount, p.processes);
  };
  const auto first =
      std::lower_bound(points.begin(), points.end(), key,
                       [&](const LatencyPoint& p, const auto& k) { return of(p) < k; });
  const auto last = std::upper_bound(
      first, points.end(), key, [&](const auto& k, const LatencyPoint& p) { return k < of(p); });
  return {first, last};
}

Row row_of(const std::vector<LatencyPoint>& points, const Share& share, std::uint32_t processes) {
  Row row = exact_row(points, share, processes);
  if (!row.empty() || !is_all_of_it(share)) return row;
  for (const Share& same : kAllOfIt) {
    row = exact_row(points, same, processes);
    if (!row.empty()) return row;
  }
  return row;
}

// The first point of at least this batch, or the end.
Row::iterator at_least(Row row, std::uint32_t batch) {
  return std::lower_bound(row.begin(), row.end(), batch,
                          [](const LatencyPoint& p, std::uint32_t b) { return p.batch < b; });
}

double between(double x, double x0, double y0, double x1, double y1) {
  return y0 + (y1 - y0) * ((x - x0) / (x1 - x0));
}

std::optional<double> interpolated(Row row, Interpolation kind, std::uint32_t batch) {
  const auto next = at_least(row, batch);
  if (next == row.end() || batch == 0) return std::nullopt;
  if (next->batch == batch) return next->latency_ms;
  if (kind == Interpolation::kRoundUp) return next->latency_ms;
  if (kind == Interpolation::kNone || next == row.begin()) return std::nullopt;
  const LatencyPoint& before = *(next - 1);
  return between(batch, before.batch, before.latency_ms, next->batch, next->latency_ms);
}

// The largest batch that iGniter's formula answers for there.
std::uint32_t formula_batch(const Profile& profile, const Share& share, std::uint32_t processes) {
  const bool is_covered = profile.interpolation == Interpolation::kIgniter && profile.igniter &&
                          processes == 1 &&
                          (share.kind == ShareKind::kPercent || is_all_of_it(share));
  return is_covered ? profile.igniter->max_batch : 0;
}

std::optional<double> by_formula(const Profile& profile,
                                 const Share& share,
                                 std::uint32_t processes,
                                 std::uint32_t batch) {
  if (batch < 1 || batch > formula_batch(profile, share, processes)) return std::nullopt;
  const double share_pct = share.kind == ShareKind::kPercent ? share.amount : 100;
  const double latency_ms = igniter_alone_ms(*profile.igniter, batch, share_pct);
  // A fit may fail outside its grid; what is no time is not known.
  if (!(latency_ms > 0 && latency_ms <= kLongestLatencyMs)) return std::nullopt;
  return latency_ms;
}

template <typename Values>
std::string listed(const Values& values) {
  return fmt::format("{}", fmt::join(values, ", "));
}

// Says what is known around a setting or batch that is not.
std::string explain(const Profile& profile,
                    const Share& share,
                    std::uint32_t processes,
                    std::uint32_t batch) {
  const std::string head = fmt::format("profile of {} on {}: ", profile.model, profile.gpu);
  if (profile.interpolation == Interpolation::kIgniter && profile.igniter) {
    return head + fmt::format(
                      "nothing known for batch {} on {} with {} process{}; iGniter's formula holds "
                      "for percentages, 1 process, batches 1 to {}",
                      batch, to_string(share), processes, processes == 1 ? "" : "es",
                      profile.igniter->max_batch);
  }
  const Row row = row_of(profile.points, share, processes);
  if (!row.empty()) {
    std::vector<std::uint32_t> batches;
    for (const LatencyPoint& point : row) batches.push_back(point.batch);
    return head + fmt::format(
                      "nothing known for batch {} on {} with {} process{}; batches: {}; "
                      "interpolation: {}",
                      batch, to_string(share), processes, processes == 1 ? "" : "es",
                      listed(batches),
                      interpolation_names()[static_cast<std::size_t>(profile.interpolation)]);
  }
  std::vector<std::uint32_t> counts;
  std::vector<std::string> shares;
  for (const Profile::Setting& setting : profile.settings()) {
    const bool same =
        setting.share == share || (is_all_of_it(setting.share) && is_all_of_it(share));
    if (same) counts.push_back(setting.processes);
    const std::string name = to_string(setting.share);
    if (shares.empty() || shares.back() != name) shares.push_back(name);
  }
  if (!counts.empty()) {
    return head + fmt::format("nothing known for {} processes on {}; process counts: {}", processes,
                              to_string(share), listed(counts));
  }
  return head + fmt::format("nothing known for the share {}; shares: {}", to_string(share),
                            shares.empty() ? "none" : listed(shares));
}

std::string explain_linear(const Profile& profile,
                           const Share& share,
                           std::uint32_t processes,
                           std::uint32_t batch) {
  return fmt::format(
      "profile of {} on {}: nothing known for batch {} on {} with {} process{}; it holds for the "
      "whole GPU, 1 process, batches 1 to {}",
      profile.model, profile.gpu, batch, to_string(share), processes, processes == 1 ? "" : "es",
      profile.linear->max_batch);
}

}  // namespace

std::string to_string(const Share& share) {
  switch (share.kind) {
    case ShareKind::kWhole:
      return "whole";
    case ShareKind::kMig:
      return fmt::format("mig {}", share.amount);
    case ShareKind::kPercent:
      return fmt::format("{} %", share.amount);
    case ShareKind::kSms:
      return fmt::format("{} SMs", share.amount);
  }
  return "";
}

const std::vector<std::string>& interpolation_names() {
  static const std::vector<std::string> names{"none", "linear", "round_up", "igniter"};
  return names;
}

bool point_before(const LatencyPoint& a, const LatencyPoint& b) {
  return std::tuple(a.share.kind, a.share.amount, a.processes, a.batch) <
         std::tuple(b.share.kind, b.share.amount, b.processes, b.batch);
}

std::uint32_t Profile::max_batch(const Share& share, std::uint32_t processes) const {
  const Row row = row_of(points, share, processes);
  const std::uint32_t formula = formula_batch(*this, share, processes);
  if (!row.empty()) return std::max(row.back().batch, formula);
  if (formula > 0) return formula;
  return linear && processes == 1 && is_all_of_it(share) ? linear->max_batch : 0;
}

std::optional<double> Profile::latency_ms(const Share& share,
                                          std::uint32_t processes,
                                          std::uint32_t batch,
                                          std::string* why_not) const {
  if (linear) {
    if (batch >= 1 && batch <= max_batch(share, processes)) {
      return linear->fixed_ms + linear->per_item_ms * batch;
    }
    if (why_not != nullptr) *why_not = explain_linear(*this, share, processes, batch);
    return std::nullopt;
  }
  std::optional<double> found =
      interpolated(row_of(points, share, processes), interpolation, batch);
  if (!found) found = by_formula(*this, share, processes, batch);
  if (!found && why_not != nullptr) *why_not = explain(*this, share, processes, batch);
  return found;
}

const LatencyPoint* Profile::point(const Share& share,
                                   std::uint32_t processes,
                                   std::uint32_t batch) const {
  const Row row = row_of(points, share, processes);
  const auto found = at_least(row, batch);
  return found != row.end() && found->batch == batch ? &*found : nullptr;
}

std::optional<Profile::Utilisation> Profile::utilisation(const Share& share,
                                                         std::uint32_t processes,
                                                         std::uint32_t batch) const {
  const LatencyPoint* below = nullptr;
  const LatencyPoint* above = nullptr;
  for (const LatencyPoint& p : row_of(points, share, processes)) {
    if (!p.l2_utilisation || !p.dram_utilisation) continue;
    if (p.batch <= batch) below = &p;
    if (p.batch >= batch && above == nullptr) above = &p;
  }
  if (below == nullptr) below = above;
  if (above == nullptr) above = below;
  if (below == nullptr) return std::nullopt;
  if (below == above) return Utilisation{*below->l2_utilisation, *below->dram_utilisation};
  return Utilisation{
      between(batch, below->batch, *below->l2_utilisation, above->batch, *above->l2_utilisation),
      between(batch, below->batch, *below->dram_utilisation, above->batch,
              *above->dram_utilisation)};
}

std::vector<Profile::Setting> Profile::settings() const {
  std::vector<Setting> found;
  const bool is_formula = points.empty() && interpolation == Interpolation::kIgniter;
  if (linear || is_formula) found.push_back({Share{}, 1});
  for (const LatencyPoint& p : points) {
    const Setting setting{p.share, p.processes};
    if (found.empty() || !(found.back() == setting)) found.push_back(setting);
  }
  return found;
}

void ProfileSet::add(Profile profile) {
  TANGRAM_CHECK(std::is_sorted(profile.points.begin(), profile.points.end(), point_before),
                "points out of order; profile of ", profile.model);
  const auto [entry, is_new] =
      index_.try_emplace(std::pair(profile.model, profile.gpu), profiles_.size());
  if (!is_new) {
    throw ConfigError("profiles", fmt::format("two profiles of model \"{}\" on GPU type \"{}\"; "
                                              "give at most one",
                                              profile.model, profile.gpu));
  }
  profiles_.push_back(std::move(profile));
}

const Profile* ProfileSet::find(const std::string& model, const std::string& gpu) const {
  const auto entry = index_.find(std::pair(model, gpu));
  return entry == index_.end() ? nullptr : &profiles_[entry->second];
}

std::vector<std::string> ProfileSet::models() const {
  std::vector<std::string> names;
  for (const auto& [key, position] : index_) {
    if (names.empty() || names.back() != key.first) names.push_back(key.first);
  }
  return names;
}

}  // namespace tangram
