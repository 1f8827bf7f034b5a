// How parameters of policies are printed, on the terminal and in pages alike.
#pragma once

#include <string>

#include "policies/policy_info.h"

namespace tangram::cli {

// As a user would write it in a scenario, strings without their quotes.
std::string value_text(const ParamValue& value);
// The values that a parameter may take: "integer, 1 to 1024".
std::string range_text(const ParamInfo& param);

}  // namespace tangram::cli
