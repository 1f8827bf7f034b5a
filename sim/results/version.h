// Which build made a result.
#pragma once

#include <string>

namespace tangram {

// "0.1.0".
std::string version();
// The commit that was built, "-dirty" appended where files differed from it; "unknown" outside git.
std::string git_hash();

}  // namespace tangram
