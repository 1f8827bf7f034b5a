// Output files that are never half written: write beside the target, then rename.
#pragma once

#include <string>
#include <string_view>

namespace tangram {

// Owns a temporary name beside `path`. commit() renames it to `path`; the destructor removes it
// when commit() was not reached. Throws SystemError when the folder cannot be written or the rename
// fails.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::string& temporary_path() const { return temporary_; }
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

// Writes the whole file, or throws SystemError and leaves what was there.
void write_file(const std::string& path, std::string_view content);

// Reads a whole file; throws ConfigError("PATH", reason) when it cannot.
std::string read_file(const std::string& path);

}  // namespace tangram
