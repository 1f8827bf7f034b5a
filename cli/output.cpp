// Printing and the checks of output paths.
#include "cli/output.h"

#include <cstdio>
#include <filesystem>
#include <unistd.h>

#include "sim/core/atomic_file.h"

namespace tangram::cli {
namespace {

namespace fs = std::filesystem;

void print_line(const std::string& kind, const std::string& text) {
  const std::string line = kind + ": " + text + '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool is_same_file(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) ||
         fs::absolute(a, error).lexically_normal() == fs::absolute(b, error).lexically_normal();
}

std::string why_not_writable(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return "is a folder";
  if (fs::exists(path, error) && !fs::is_regular_file(path, error)) {
    return ::access(path.c_str(), W_OK) == 0 ? "" : "cannot be written";
  }
  fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!fs::is_directory(folder, error)) return "there is no folder " + folder.string();
  if (::access(folder.c_str(), W_OK) != 0)
    return "the folder " + folder.string() + " cannot be written";
  return "";
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

void print_faults(const ConfigError& error) {
  for (const Fault& fault : error.faults()) {
    print_error(fault.where.empty() ? fault.what : fault.where + ": " + fault.what);
  }
}

std::string command_line() {
  std::string text;
  std::string word;
  for (const char c : read_file("/proc/self/cmdline")) {
    if (c != '\0') {
      word += c;
      continue;
    }
    if (text.empty()) word = fs::path(word).filename().string();
    const bool is_plain = word.find_first_of(" \t\n'\"\\") == std::string::npos && !word.empty();
    text += (text.empty() ? "" : " ") + (is_plain ? word : '\'' + word + '\'');
    word.clear();
  }
  return text;
}

void check_outputs(const std::vector<OutputPath>& outputs,
                   const std::vector<std::string>& inputs,
                   Faults& faults) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& [option, path] = outputs[i];
    if (path.empty()) continue;
    const std::string where = option + ' ' + path;
    const std::string why_not = why_not_writable(path);
    if (!why_not.empty()) faults.add(where, why_not);
    for (const std::string& input : inputs) {
      if (is_same_file(path, input)) faults.add(where, "would overwrite the input");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!outputs[j].path.empty() && is_same_file(path, outputs[j].path)) {
        faults.add(where, "is also the file of " + outputs[j].option);
      }
    }
  }
}

}  // namespace tangram::cli
