// The sections of a scenario that have readers of their own.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/scenario/profile_files.h"
#include "sim/scenario/scenario.h"

namespace tangram {

// An absent section gives the defaults. GPU types that are unknown are left out, after their fault.
Cluster read_cluster(const std::optional<JsonNode>& node);
// "/device/blocks".
BlockSpec read_blocks(const std::optional<JsonNode>& node);
DeviceSpec read_device(const std::optional<JsonNode>& node);
// "stages". Workloads are read already.
StageSpec read_stages(const std::optional<JsonNode>& node,
                      const std::vector<Workload>& workloads,
                      Faults& faults);
// Adds a fault for every part of the scenario that its device model cannot do. `keys`: of the
// scenario, for the places.
void check_device_model(const Scenario& scenario, const JsonNode& root);

// For each of the scenario's workloads, its share of the rate of "popularity", in requests/s;
// nullopt for those that do not take one (takes_share), and for all without "popularity".
std::vector<std::optional<double>> read_popularity(const std::optional<JsonNode>& node,
                                                   const std::vector<JsonNode>& workloads);

// "network".
NetworkDelay read_network(const std::optional<JsonNode>& node);

// The scenario's own applications, by name; those with faults are there too, so that one mistake is
// told once: is_sound says of which nothing more should be said.
struct ReadApplication {
  Application application;
  bool is_sound = true;
};
class ProfileSection;
std::vector<ReadApplication> read_applications(const std::optional<JsonNode>& node,
                                               const ProfileSection& profiles);
// Enters a workload of an application: its stages into the workloads, itself into the applications.
// `place` is the workload's node; `load` has name, SLO and arrivals. The SLO is split and the
// models of a known application are looked up; call it when the profiles are complete.
struct ApplicationEntry {
  JsonNode place;
  JsonNode name;                  // "application"
  std::optional<JsonNode> split;  // "slo_split"
  Workload load;
};
void enter_application(const ApplicationEntry& entry,
                       const std::vector<ReadApplication>& own,
                       const ProfileSection& profiles,
                       Scenario& scenario);

// The profiles of a scenario and what is known about models whose profiles have faults, so that one
// mistake is told once.
class ProfileSection {
 public:
  // `nodes` are the items of "profiles"; `base` is where relative paths start.
  ProfileSection(const std::vector<JsonNode>& nodes,
                 const Cluster& cluster,
                 const std::string& base,
                 ProfileFiles& files);
  const ProfileSet& profiles() const { return profiles_; }
  // Adds a fault when no GPU of the cluster can run the model of that node.
  void check_model(const std::string& model, const JsonNode& node) const;

 private:
  void read_file(const JsonNode& node, const std::string& base);
  void add(const Profile& profile, const JsonNode& node);
  bool in_cluster(const std::string& gpu) const;

  const Cluster& cluster_;
  ProfileFiles& files_;
  ProfileSet profiles_;
  std::set<std::string> known_;  // models that the cluster can run, or whose profile has a fault
  std::map<std::string, std::string> elsewhere_;  // model -> GPU types that the cluster lacks
  bool is_complete_;  // false: some file could not be read, or there is no cluster
};

}  // namespace tangram
