// tangram version
#include "sim/results/version.h"

#include "cli/commands.h"
#include "cli/output.h"

namespace tangram::cli {

Action add_version(CLI::App&) {
  return [] {
    print("tangram " + version() + " (git " + git_hash() + ")\n");
    return kDone;
  };
}

}  // namespace tangram::cli
