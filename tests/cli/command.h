// Runs the real command in a folder of its own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tangram::cli_test {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
  std::vector<std::string> err_lines() const;
};

// An empty folder that goes away with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& content) const;
  std::string read(const std::string& name) const;
  // Every name in it, ascending.
  std::vector<std::string> names() const;
  // Runs `tangram ARGUMENTS...` with this as the current folder.
  Outcome tangram(const std::vector<std::string>& arguments) const;
  // Runs a program; its standard output and error end up in the outcome.
  Outcome run(const std::string& program, const std::vector<std::string>& arguments) const;

 private:
  std::filesystem::path path_;
};

}  // namespace tangram::cli_test
