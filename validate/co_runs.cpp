// Co-runs out of profiles.
#include "validate/co_runs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "profiles/gpu_type.h"

namespace tangram {
namespace {

using SideKey = std::tuple<std::string, std::uint32_t, double>;

SideKey side_key(const CoRunSide& side) {
  return {side.model, side.batch, side.share_pct};
}

// The share as the profile was measured: percent, or SMs where there are no points in percent.
Share share_of(const Profile& profile, double share_pct) {
  const auto is_percent = [](const LatencyPoint& p) { return p.share.kind == ShareKind::kPercent; };
  const GpuType* gpu = find_gpu_type(profile.gpu);
  const bool in_percent = std::any_of(profile.points.begin(), profile.points.end(), is_percent);
  if (in_percent || gpu == nullptr || gpu->sms == 0) return {ShareKind::kPercent, share_pct};
  return {ShareKind::kSms, std::round(share_pct / 100 * gpu->sms)};
}

CoRunSide side_of(const std::string& model,
                  std::uint32_t batch,
                  double share_pct,
                  const Profile* profile) {
  CoRunSide side{model, batch, share_pct, {}, {}, {}, {}, {}, {}};
  if (profile == nullptr) return side;
  const Share share = share_of(*profile, share_pct);
  side.kernels = profile->launches;
  side.igniter = profile->igniter;
  side.solo_ms = profile->latency_ms(share, 1, batch);
  if (const auto use = profile->utilisation(share, 1, batch)) {
    side.l2 = use->l2;
    side.dram = use->dram;
  } else if (const auto whole = profile->utilisation(Share{}, 1, batch)) {
    // gpulet's reading of a profile of the whole GPU: use in proportion to the share.
    side.l2 = whole->l2 * share_pct / 100;
    side.dram = whole->dram * share_pct / 100;
  }
  if (const LatencyPoint* point = profile->point(share, 1, batch)) side.power_w = point->power_w;
  return side;
}

}  // namespace

std::vector<CoRunRecord> co_run_records(const std::vector<Profile>& profiles) {
  std::map<std::pair<std::string, std::string>, const Profile*> known;  // (GPU type, model)
  for (const Profile& profile : profiles) known[{profile.gpu, profile.model}] = &profile;
  const auto find = [&](const std::string& gpu, const std::string& model) -> const Profile* {
    const auto found = known.find({gpu, model});
    return found == known.end() ? nullptr : found->second;
  };
  std::map<std::tuple<std::string, SideKey, SideKey>, std::uint32_t> runs;
  std::vector<CoRunRecord> records;
  for (const Profile& profile : profiles) {
    for (const CoRun& run : profile.co_runs) {
      CoRunRecord record;
      record.gpu = profile.gpu;
      record.victim = side_of(profile.model, run.batch, run.share_pct, &profile);
      record.aggressor =
          side_of(run.other, run.other_batch, run.other_share_pct, find(profile.gpu, run.other));
      record.slowdown = run.slowdown;
      const SideKey victim = side_key(record.victim);
      const SideKey aggressor = side_key(record.aggressor);
      const auto place =
          std::make_tuple(profile.gpu, std::min(victim, aggressor), std::max(victim, aggressor));
      record.run = runs.try_emplace(place, static_cast<std::uint32_t>(runs.size())).first->second;
      records.push_back(std::move(record));
    }
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const CoRunRecord& a, const CoRunRecord& b) { return a.gpu < b.gpu; });
  return records;
}

std::string pair_name(const CoRunRecord& record) {
  const std::string& victim = record.victim.model;
  const std::string& aggressor = record.aggressor.model;
  return std::min(victim, aggressor) + " + " + std::max(victim, aggressor);
}

CoRunPlace place_of(const CoRunRecord& r) {
  return place_of(r.victim.batch, r.aggressor.batch, r.victim.share_pct, r.aggressor.share_pct);
}

}  // namespace tangram
