// What the commands write: standard output, errors, and checks of output paths.
#pragma once

#include <string>
#include <vector>

#include "sim/core/error.h"

namespace tangram::cli {

// Prints to standard output; throws SystemError when that fails (a full disk, a closed pipe).
void print(const std::string& text);
// Prints "note: TEXT" on standard error.
void print_note(const std::string& text);
// Prints "error: PLACE: WHAT" on standard error, a line for each fault.
void print_faults(const ConfigError& error);
void print_error(const std::string& text);

// The command line of this process, for the record: words with blanks or quotes are quoted.
std::string command_line();

// A file that an option asks for; no path: not asked for.
struct OutputPath {
  std::string option;  // "--out"
  std::string path;
};
// Adds a fault for each path that cannot be written, before any work is done: no such folder, no
// permission, a folder itself, one of the `inputs`, or named twice.
void check_outputs(const std::vector<OutputPath>& outputs,
                   const std::vector<std::string>& inputs,
                   Faults& faults);

}  // namespace tangram::cli
