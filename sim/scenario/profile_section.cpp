// Reads "profiles": files of the store or profiles written out, one per model and GPU type.
#include <algorithm>

#include <fmt/format.h>

#include "profiles/profile_io.h"
#include "sim/scenario/detail/sections.h"

namespace tangram {

ProfileSection::ProfileSection(const std::vector<JsonNode>& nodes,
                               const Cluster& cluster,
                               const std::string& base,
                               ProfileFiles& files)
    : cluster_(cluster), files_(files), is_complete_(!nodes.empty() && !cluster.gpus.empty()) {
  for (const JsonNode& node : nodes) {
    const std::size_t before = node.faults().size();
    if (node.value().is_string()) {
      read_file(node, base);
      is_complete_ = is_complete_ && node.faults().size() == before;
      continue;
    }
    if (const auto profile = read_profile(node, cluster.own_types)) {
      add(*profile, node);
    } else if (node.value().is_object() && node.value().value("model", Json()).is_string()) {
      known_.insert(node.value()["model"].get<std::string>());
    } else {
      is_complete_ = false;
    }
  }
}

void ProfileSection::read_file(const JsonNode& node, const std::string& base) {
  const auto given = node.string();
  if (!given) return;
  const auto path = find_profile_file(*given, base, node.where(), node.faults());
  if (!path) return;
  const ProfileFiles::Profiles profiles = files_.read(*path, node.faults(), cluster_.own_types);
  for (const Profile& profile : *profiles) add(profile, node);
}

void ProfileSection::add(const Profile& profile, const JsonNode& node) {
  if (profiles_.find(profile.model, profile.gpu) != nullptr) {
    node.fault(fmt::format("a profile of \"{}\" on {} is there already; one per model and GPU type",
                           profile.model, profile.gpu));
    return;
  }
  profiles_.add(profile);
  if (in_cluster(profile.gpu)) {
    known_.insert(profile.model);
  } else {
    std::string& gpus = elsewhere_[profile.model];
    gpus += (gpus.empty() ? "" : ", ") + profile.gpu;
  }
}

bool ProfileSection::in_cluster(const std::string& gpu) const {
  return std::any_of(cluster_.gpus.begin(), cluster_.gpus.end(),
                     [&](const GpuGroup& group) { return group.type == gpu; });
}

void ProfileSection::check_model(const std::string& model, const JsonNode& node) const {
  if (known_.contains(model)) return;
  const std::vector<std::string> known(known_.begin(), known_.end());
  const auto elsewhere = elsewhere_.find(model);
  if (elsewhere != elsewhere_.end()) {
    if (!is_complete_) return;
    node.fault(
        fmt::format("the model \"{}\" has a profile on {}, but on no GPU type of the cluster",
                    model, elsewhere->second));
  } else if (is_complete_ || !nearest_name(model, known).empty()) {
    node.fault(unknown_name("model", model, known) + " (with a profile on the cluster)");
  }
}

}  // namespace tangram
