// Changes to a scenario's JSON before it is read, as `--set /pointer=value` and sweeps give them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/core/json_reader.h"

namespace tangram {

// A JSON pointer (RFC 6901) and the JSON text of its new value; text that does not look like JSON
// is a string: `edf` means "edf". The token * stands for every item of an array:
// /workloads/*/slo_ms is that of all workloads.
using Override = std::pair<std::string, std::string>;

// Splits "/pointer=value" at the first '='. Throws ConfigError when there is no pointer or no '='.
Override parse_override(const std::string& text);

// Applies the overrides in order. The last token of a pointer may be a new key, or "-" or the size
// of an array to append; objects on the way that are not there are made, so that /dispatcher/name
// can be set in a scenario that leaves the dispatcher to its default. Whether a new key is legal is
// for the reader to say. Adds a fault with the place "--set /pointer" for each override that cannot
// be applied. Returns, for each override, the pointer of the first node that it made or replaced
// (with its * as given); "" where it could not be applied.
std::vector<std::string> apply_overrides(Json& document,
                                         const std::vector<Override>& overrides,
                                         Faults& faults);

// Whether a pointer names the node of an anchor (as apply_overrides returns them), or one inside
// it.
bool is_inside(const std::string& pointer, const std::string& anchor);

}  // namespace tangram
