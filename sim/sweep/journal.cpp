#include "sim/sweep/journal.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <utility>

#include "sim/core/atomic_file.h"

namespace tangram {
namespace {

std::string head_line(const std::string& identity) {
  return Json{{"format", "tangram sweep journal"}, {"sweep", identity}}.dump();
}

[[noreturn]] void fail(const std::string& path, const std::string& what) {
  throw SystemError(path + ": cannot " + what + ": " + std::strerror(errno));
}

}  // namespace

Journal::Journal(std::string path, const std::string& identity, bool resume)
    : path_(std::move(path)) {
  const bool exists = std::filesystem::exists(path_);
  if (exists && !resume) {
    throw ConfigError(path_,
                      "an unfinished sweep left this journal: go on with it (--resume), or remove "
                      "the file");
  }
  std::size_t whole = 0;  // bytes of whole lines
  if (exists) {
    const std::string text = read_file(path_);
    const std::string head = head_line(identity) + '\n';
    // A kill in the very first write leaves a part of the head.
    const bool is_begun = text.size() >= head.size();
    if (text.compare(0, std::min(text.size(), head.size()), head, 0,
                     std::min(text.size(), head.size())) != 0) {
      throw ConfigError(path_,
                        "belongs to another sweep, scenario or build: remove it to start anew");
    }
    whole = is_begun ? head.size() : 0;
    for (std::size_t end = 0; is_begun && (end = text.find('\n', whole)) != std::string::npos;) {
      Faults faults;
      const auto json =
          parse_json(std::string_view(text).substr(whole, end - whole), path_, faults);
      if (!json) faults.throw_if_any();
      items_.push_back(sweep_item_from(*json));
      whole = end + 1;
    }
  }
  file_ = ::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  if (file_ < 0) fail(path_, "write the journal");
  if (::ftruncate(file_, static_cast<off_t>(whole)) != 0) fail(path_, "cut the journal");
  if (::lseek(file_, 0, SEEK_END) < 0) fail(path_, "go to the end of the journal");
  if (whole == 0) append(head_line(identity));
}

Journal::~Journal() {
  if (file_ >= 0) ::close(file_);
}

void Journal::add(const SweepItem& item) {
  append(to_json(item).dump(-1, ' ', false, Json::error_handler_t::replace));
}

void Journal::append(const std::string& line) {
  const std::string text = line + '\n';
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(file_, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path_, "write the journal");
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace tangram
