// Temporary names, rename, and whole-file reading and writing.
#include "sim/core/atomic_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <utility>

#include "sim/core/error.h"

namespace tangram {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw SystemError(path + ": " + what + ": " + std::strerror(error));
}

// A pipe or a device has no old content to protect and cannot be replaced by a file.
bool is_written_in_place(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

// Creates an empty file of a name nobody else has, beside `path`, with the usual permissions.
std::string create_beside(const std::string& path) {
  for (int attempt = 0;; ++attempt) {
    std::string name = path + ".tmp" + std::to_string(::getpid()) + "-" + std::to_string(attempt);
    const int file = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0) {
      ::close(file);
      return name;
    }
    if (errno != EEXIST) fail(path, "cannot be written", errno);
  }
}

// Without it a power cut after the rename could leave an empty file under the final name.
void flush_to_disk(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(path, "cannot be read back", errno);
  const int result = ::fsync(file);
  const int error = errno;
  ::close(file);
  if (result != 0) fail(path, "cannot be flushed to disk", error);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  if (fs::is_directory(path_, ignored)) fail(path_, "cannot be written", EISDIR);
  if (fs::is_symlink(path_, ignored) && fs::exists(path_, ignored)) {
    path_ = fs::canonical(path_).string();
  }
  temporary_ = is_written_in_place(path_) ? path_ : create_beside(path_);
}

AtomicFile::~AtomicFile() {
  if (!committed_ && temporary_ != path_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
  if (temporary_ != path_) {
    flush_to_disk(temporary_);
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
      fail(path_, "cannot be replaced", errno);
    }
  }
  committed_ = true;
}

void write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  errno = 0;
  std::ofstream stream(file.temporary_path(), std::ios::binary);
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (!stream) fail(path, "cannot be written", errno == 0 ? EIO : errno);
  file.commit();
}

std::string read_file(const std::string& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw ConfigError(path, "is a folder, not a file");
  errno = 0;
  const std::ifstream stream(path, std::ios::binary);
  std::ostringstream content;
  if (stream) content << stream.rdbuf();
  if (!stream) {
    throw ConfigError(path,
                      std::string("cannot be read: ") + std::strerror(errno == 0 ? EIO : errno));
  }
  return std::move(content).str();
}

}  // namespace tangram
