// For the fuzz targets: a reader may refuse its input with ConfigError, and with nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "sim/core/error.h"

namespace tangram::fuzz {

// Runs `read`; any exception but ConfigError leaves it and ends the process, which is a finding.
template <typename Read>
int accept_or_refuse(Read read) {
  try {
    read();
  } catch (const ConfigError&) {
  }
  return 0;
}

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A file in a private folder for readers that take a path; removed with the object.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& name);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  // Replaces what the file holds.
  void write(std::string_view content) const;
  const std::string& path() const { return path_; }

 private:
  std::filesystem::path folder_;
  std::string path_;
};

}  // namespace tangram::fuzz
