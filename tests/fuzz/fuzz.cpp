// The scratch file of fuzz.h.
#include "tests/fuzz/fuzz.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace tangram::fuzz {

ScratchFile::ScratchFile(const std::string& name) {
  std::string pattern = std::filesystem::temp_directory_path() / "tangram-fuzz-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  path_ = folder_ / name;
}

ScratchFile::~ScratchFile() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ScratchFile::write(std::string_view content) const {
  // A new file: some file systems write a truncated one to the disk when it is closed.
  std::filesystem::remove(path_);
  std::ofstream file(path_, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path_);
}

}  // namespace tangram::fuzz
