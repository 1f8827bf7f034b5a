// Printing.
#include "cli/output.h"

#include <cstdio>
#include <filesystem>

#include "sim/core/atomic_file.h"
#include "sim/core/error.h"

namespace tangram::cli {
namespace {

void print_line(const std::string& kind, const std::string& text) {
  const std::string line = kind + ": " + text + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw SystemError("standard output cannot be written");
  }
}

void print_note(const std::string& text) {
  print_line("note", text);
}

void print_error(const std::string& text) {
  print_line("error", text);
}

std::string command_line() {
  std::string text;
  std::string word;
  for (const char c : read_file("/proc/self/cmdline")) {
    if (c != '\0') {
      word += c;
      continue;
    }
    if (text.empty()) word = std::filesystem::path(word).filename().string();
    const bool is_plain = word.find_first_of(" \t\n'\"\\") == std::string::npos && !word.empty();
    text += (text.empty() ? "" : " ") + (is_plain ? word : '\'' + word + '\'');
    word.clear();
  }
  return text;
}

}  // namespace tangram::cli
