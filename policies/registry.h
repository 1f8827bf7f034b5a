// The policies that the product is built with. One file and one line in policies/CMakeLists.txt add
// one: the line compiles NAME.cpp and puts NAME_planner(), NAME_dispatcher(),
// NAME_stage_dispatcher(), NAME_slo_split() or NAME_replan_rule() into the table.
#pragma once

#include <string>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/planner.h"
#include "policies/replan_rule.h"
#include "policies/slo_split.h"
#include "policies/stage_dispatcher.h"

namespace tangram {

// In the order of policies/CMakeLists.txt. Names are unique within a kind.
const std::vector<PlannerEntry>& planners();
const std::vector<DispatcherEntry>& dispatchers();
const std::vector<SloSplitEntry>& slo_splits();
const std::vector<StageDispatcherEntry>& stage_dispatchers();
const std::vector<ReplanRuleEntry>& replan_rules();

// nullptr when there is none of that name.
const PlannerEntry* find_planner(const std::string& name);
const DispatcherEntry* find_dispatcher(const std::string& name);
const StageDispatcherEntry* find_stage_dispatcher(const std::string& name);
const SloSplitEntry* find_slo_split(const std::string& name);
const ReplanRuleEntry* find_replan_rule(const std::string& name);

std::vector<std::string> planner_names();
std::vector<std::string> dispatcher_names();
std::vector<std::string> stage_dispatcher_names();
std::vector<std::string> slo_split_names();
std::vector<std::string> replan_rule_names();

}  // namespace tangram
