# Writes the table of built-in policies at configure time, so that a policy is one file and one name
# in a list: no registrar objects, which a linker drops from static libraries, and no order of
# initialisation.

# tangram_registry(OUTPUT PLANNERS name ... DISPATCHERS name ... STAGE_DISPATCHERS name ... SLO_SPLITS name ...
# REPLAN_RULES name ...) writes OUTPUT into the current binary folder: planners() calls NAME_planner() for each planner,
# dispatchers() NAME_dispatcher(), and so on.
function(tangram_registry output)
  cmake_parse_arguments(ARG "" "" "PLANNERS;DISPATCHERS;STAGE_DISPATCHERS;SLO_SPLITS;REPLAN_RULES" ${ARGN})
  set(declarations "")
  set(planner_type PlannerEntry)
  set(dispatcher_type DispatcherEntry)
  set(stage_dispatcher_type StageDispatcherEntry)
  set(slo_split_type SloSplitEntry)
  set(replan_rule_type ReplanRuleEntry)
  foreach(kind planner dispatcher stage_dispatcher slo_split replan_rule)
    string(TOUPPER "${kind}S" list)
    set(type "${${kind}_type}")
    set(seen "")
    set(calls "")
    foreach(name IN LISTS ARG_${list})
      if(NOT name MATCHES "^[a-z][a-z0-9_]*$")
        message(FATAL_ERROR "${kind} \"${name}\": a policy's name is lower_snake_case")
      endif()
      if(name IN_LIST seen)
        message(FATAL_ERROR "${kind} \"${name}\" is listed twice; names are unique within a kind")
      endif()
      list(APPEND seen "${name}")
      string(APPEND declarations "${type} ${name}_${kind}();\n")
      string(APPEND calls "      ${name}_${kind}(),\n")
    endforeach()
    set(${kind}_calls "${calls}")
  endforeach()
  file(
    CONFIGURE
    OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${output}"
    CONTENT
      [[// Written by cmake/TangramRegistry.cmake from the lists in policies/CMakeLists.txt.
#include "policies/registry.h"

namespace tangram {

@declarations@
const std::vector<PlannerEntry>& planners() {
  static const std::vector<PlannerEntry> entries{
@planner_calls@  };
  return entries;
}

const std::vector<DispatcherEntry>& dispatchers() {
  static const std::vector<DispatcherEntry> entries{
@dispatcher_calls@  };
  return entries;
}

const std::vector<StageDispatcherEntry>& stage_dispatchers() {
  static const std::vector<StageDispatcherEntry> entries{
@stage_dispatcher_calls@  };
  return entries;
}

const std::vector<SloSplitEntry>& slo_splits() {
  static const std::vector<SloSplitEntry> entries{
@slo_split_calls@  };
  return entries;
}

const std::vector<ReplanRuleEntry>& replan_rules() {
  static const std::vector<ReplanRuleEntry> entries{
@replan_rule_calls@  };
  return entries;
}

}  // namespace tangram
]]
    @ONLY)
endfunction()
