// Co-runs out of profiles.
#include "validate/co_runs.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace tangram {
namespace {

using SideKey = std::tuple<std::string, std::uint32_t, double>;

SideKey key_of(const CoRunSide& side) {
  return {side.model, side.batch, side.share_pct};
}

CoRunSide side_of(const std::string& model,
                  std::uint32_t batch,
                  double share_pct,
                  const Profile* profile) {
  CoRunSide side{model, batch, share_pct, {}, {}, {}, {}, {}};
  if (profile == nullptr) return side;
  const Share share{ShareKind::kPercent, share_pct};
  side.kernels = profile->kernels;
  side.solo_ms = profile->latency_ms(share, 1, batch);
  if (const auto use = profile->utilisation(share, 1, batch)) {
    side.l2 = use->l2;
    side.dram = use->dram;
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
      auto sides = std::minmax(key_of(record.victim), key_of(record.aggressor));
      const auto place = std::make_tuple(profile.gpu, sides.first, sides.second);
      record.run = runs.try_emplace(place, static_cast<std::uint32_t>(runs.size())).first->second;
      records.push_back(std::move(record));
    }
  }
  std::stable_sort(records.begin(), records.end(),
                   [](const CoRunRecord& a, const CoRunRecord& b) { return a.gpu < b.gpu; });
  return records;
}

std::string pair_name(const CoRunRecord& record) {
  const auto& [first, second] = std::minmax(record.victim.model, record.aggressor.model);
  return first + " + " + second;
}

}  // namespace tangram
