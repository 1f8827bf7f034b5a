// Look-ups in the generated table of policies.
#include "policies/registry.h"

namespace tangram {
namespace {

template <typename Entry>
const Entry* find_by_name(const std::vector<Entry>& entries, const std::string& name) {
  for (const Entry& entry : entries) {
    if (entry.info.name == name) return &entry;
  }
  return nullptr;
}

template <typename Entry>
std::vector<std::string> names_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const Entry& entry : entries) names.push_back(entry.info.name);
  return names;
}

}  // namespace

const PlannerEntry* find_planner(const std::string& name) {
  return find_by_name(planners(), name);
}

const DispatcherEntry* find_dispatcher(const std::string& name) {
  return find_by_name(dispatchers(), name);
}

const StageDispatcherEntry* find_stage_dispatcher(const std::string& name) {
  return find_by_name(stage_dispatchers(), name);
}

const SloSplitEntry* find_slo_split(const std::string& name) {
  return find_by_name(slo_splits(), name);
}

const ReplanRuleEntry* find_replan_rule(const std::string& name) {
  return find_by_name(replan_rules(), name);
}

std::vector<std::string> planner_names() {
  return names_of(planners());
}

std::vector<std::string> dispatcher_names() {
  return names_of(dispatchers());
}

std::vector<std::string> stage_dispatcher_names() {
  return names_of(stage_dispatchers());
}

std::vector<std::string> slo_split_names() {
  return names_of(slo_splits());
}

std::vector<std::string> replan_rule_names() {
  return names_of(replan_rules());
}

}  // namespace tangram
