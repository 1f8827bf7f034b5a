// Where the Python package of the figures is.
#pragma once

#include <filesystem>

namespace tangram::cli {

// The folder that holds tangram_plots/: $TANGRAM_PLOTS, else plots/ beside the command, else
// ../share/tangram/plots of an installed one, else the source tree. Throws ConfigError when
// TANGRAM_PLOTS names a folder without it, SystemError when there is none.
std::filesystem::path plots_folder();

}  // namespace tangram::cli
