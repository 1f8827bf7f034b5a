// The report of a validation: one HTML page that needs nothing else.
#pragma once

#include <string>

#include "validate/validation.h"

namespace tangram {

// Tables of errors, the figures of validate/figures.h, and where the numbers come from.
std::string report_of(const Validation& validation);

}  // namespace tangram
