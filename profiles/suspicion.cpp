// Rows of a measured table that cannot be right: found by comparing neighbours in the grid.
#include <fmt/format.h>

#include "profiles/profile_io.h"

namespace tangram {
namespace {

double items_per_second(const LatencyPoint& p) {
  return p.batch * 1000.0 / p.latency_ms;
}

// One more process cannot leave both figures unchanged to the last digit.
std::string copied_row(const Profile& profile, const LatencyPoint& p) {
  const LatencyPoint* fewer =
      p.processes > 1 ? profile.point(p.share, p.processes - 1, p.batch) : nullptr;
  const bool same = fewer != nullptr && fewer->share == p.share &&
                    fewer->latency_ms == p.latency_ms &&
                    fewer->reported_latency_ms == p.reported_latency_ms;
  if (!same) return "";
  return fmt::format("a copy of the row with {} process{}", fewer->processes,
                     fewer->processes == 1 ? "" : "es");
}

// A device whose throughput has flattened does not speed up again when the batch doubles once more.
std::string late_jump(const Profile& profile, const LatencyPoint& p) {
  constexpr double kFlat = 1.2;
  constexpr double kJump = 1.3;
  if (p.batch % 4 != 0) return "";
  const LatencyPoint* half = profile.point(p.share, p.processes, p.batch / 2);
  const LatencyPoint* quarter = profile.point(p.share, p.processes, p.batch / 4);
  if (half == nullptr || quarter == nullptr) return "";
  const double gain = items_per_second(p) / items_per_second(*half);
  const double gain_before = items_per_second(*half) / items_per_second(*quarter);
  if (!(gain > kJump && gain_before < kFlat)) return "";
  return fmt::format("throughput jumps {:.2f}x from batch {} to {}, after {:.2f}x from {} to {}",
                     gain, half->batch, p.batch, gain_before, quarter->batch, half->batch);
}

}  // namespace

std::vector<std::string> mark_suspicious(Profile& profile) {
  std::vector<std::string> sentences;
  for (LatencyPoint& p : profile.points) {
    std::string suspicion = copied_row(profile, p);
    if (suspicion.empty()) suspicion = late_jump(profile, p);
    if (suspicion.empty()) continue;
    sentences.push_back(fmt::format("{} on {}, {} process{}, batch {}: {}", profile.model,
                                    to_string(p.share), p.processes, p.processes == 1 ? "" : "es",
                                    p.batch, suspicion));
    p.suspicion = std::move(suspicion);
  }
  return sentences;
}

}  // namespace tangram
