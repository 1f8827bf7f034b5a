// tangram describe --pages: one page per policy, whose first part is made from the same tables that
// `tangram describe NAME` prints.
#pragma once

#include <string>
#include <vector>

namespace tangram::cli {

// Brings FOLDER/NAME.md of every registered policy and FOLDER/README.md, the list of them, up to
// date: a missing page is begun, of one that is there only the part between its two marker lines
// is replaced. Returns the paths that changed, pages ascending. Throws ConfigError, before anything
// is written and for all pages at once, when the folder does not exist, a page lacks a marker, or a
// page describes a policy that is not registered.
std::vector<std::string> write_policy_pages(const std::string& folder);

}  // namespace tangram::cli
