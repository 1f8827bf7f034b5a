// tangram plot and tangram report: hand over to the Python package, which owns their options. The
// process is replaced, so that exit codes and Ctrl-C are the package's own.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/plots_folder.h"
#include "sim/core/error.h"

namespace tangram::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPackages = "python3-matplotlib python3-h5py python3-pandas";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool has_package(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "tangram_plots" / "__main__.py", ignored);
}

[[noreturn]] void start(const std::string& command, const std::vector<std::string>& arguments) {
  std::string python = environment("TANGRAM_PYTHON");
  if (python.empty()) python = "/usr/bin/python3";
  std::string path = plots_folder().string();
  if (const std::string more = environment("PYTHONPATH"); !more.empty()) path += ':' + more;
  ::setenv("PYTHONPATH", path.c_str(), 1);
  // Else a json.py in the user's folder would stand in for Python's own.
  ::setenv("PYTHONSAFEPATH", "1", 1);
  std::vector<std::string> words{python, "-m", "tangram_plots", command};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(python.c_str(), argv.data());
  throw SystemError(python + " cannot be started: " + std::strerror(errno) +
                    "; plots need Python 3.9 or later with the Debian packages " + kPackages +
                    ", or another Python named in TANGRAM_PYTHON");
}

Action add_python_command(CLI::App& app, const char* name) {
  // Every word, --help included, is the package's to understand.
  app.set_help_flag();
  app.prefix_command();
  return [&app, name]() -> int { start(name, app.remaining()); };
}

}  // namespace

fs::path plots_folder() {
  if (const std::string named = environment("TANGRAM_PLOTS"); !named.empty()) {
    if (!has_package(named)) throw ConfigError("TANGRAM_PLOTS " + named, "has no tangram_plots");
    return named;
  }
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path beside = here / "plots";
  const fs::path installed = (here / "../share/tangram/plots").lexically_normal();
  for (const fs::path& folder : {beside, installed, fs::path(TANGRAM_PLOTS_SOURCE)}) {
    if (has_package(folder)) return folder;
  }
  throw SystemError("the Python package of the figures is neither in " + beside.string() + ", " +
                    installed.string() +
                    " nor in " TANGRAM_PLOTS_SOURCE "; name its folder in TANGRAM_PLOTS");
}

Action add_plot(CLI::App& app) {
  return add_python_command(app, "plot");
}

Action add_report(CLI::App& app) {
  return add_python_command(app, "report");
}

}  // namespace tangram::cli
