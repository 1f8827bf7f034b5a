// What the commands print.
#pragma once

#include <string>

namespace tangram::cli {

// Prints to standard output; throws SystemError when that fails (a full disk, a closed pipe).
void print(const std::string& text);
// Prints "note: TEXT" on standard error.
void print_note(const std::string& text);
// Prints "error: TEXT" on standard error.
void print_error(const std::string& text);

// The command line of this process, for the record: words with blanks or quotes are quoted.
std::string command_line();

}  // namespace tangram::cli
