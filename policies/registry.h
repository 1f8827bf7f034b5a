// The policies that the product is built with. One file and one line in policies/CMakeLists.txt add
// one: the line compiles NAME.cpp and puts NAME_planner() or NAME_dispatcher() into the table.
#pragma once

#include <string>
#include <vector>

#include "policies/dispatcher.h"
#include "policies/planner.h"

namespace tangram {

// In the order of policies/CMakeLists.txt. Names are unique within a kind.
const std::vector<PlannerEntry>& planners();
const std::vector<DispatcherEntry>& dispatchers();

// nullptr when there is none of that name.
const PlannerEntry* find_planner(const std::string& name);
const DispatcherEntry* find_dispatcher(const std::string& name);

std::vector<std::string> planner_names();
std::vector<std::string> dispatcher_names();

}  // namespace tangram
