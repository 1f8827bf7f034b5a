#include "validate/measure_journal.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "sim/core/atomic_file.h"

namespace tangram {
namespace {

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace

MeasureJournal::MeasureJournal(std::string path, const Json& key) : path_(std::move(path)) {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) throw SystemError(path_ + ": cannot be opened: " + std::strerror(errno));
  try {
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      throw ConfigError(path_, "another measurement writes it");
    }
    read(key);
  } catch (...) {
    ::close(file_);
    throw;
  }
}

MeasureJournal::~MeasureJournal() {
  ::close(file_);
}

void MeasureJournal::read(const Json& key) {
  const std::string text = read_file(path_);
  const std::string head = line_of({{"format", "tangram measurement"}, {"key", key}});
  // Without its line feed a line was cut short by whatever ended the measurement.
  const std::size_t whole = text.rfind('\n') + 1;
  if (whole == 0) {
    if (::ftruncate(file_, 0) != 0) throw SystemError(path_ + ": cannot be cut");
    append(head);
    return;
  }
  if (!text.starts_with(head)) {
    throw ConfigError(path_ + ":1",
                      "is the journal of another measurement that did not finish; give the same "
                      "command again to go on with it, or remove the file");
  }
  Faults faults;
  std::size_t line = 2;
  for (std::size_t begin = head.size(); begin < whole; ++line) {
    const std::size_t end = text.find('\n', begin);
    const std::string place = path_ + ':' + std::to_string(line);
    const auto json = parse_json(text.substr(begin, end - begin), place, faults);
    begin = end + 1;
    if (!json) continue;
    JsonObject object(JsonNode(*json, place, faults));
    const auto visit = object.require("visit");
    const auto samples = object.require("ms");
    object.finish();
    if (!visit || !samples) continue;
    const auto name = visit->string();
    std::vector<double> values;
    for (const JsonNode& item : samples->items())
      values.push_back(item.number(0, 1e12).value_or(0));
    if (name && !visits_.emplace(*name, values).second) visit->fault("is there twice");
  }
  faults.throw_if_any();
  if (whole < text.size() && ::ftruncate(file_, static_cast<off_t>(whole)) != 0) {
    throw SystemError(path_ + ": cannot be cut");
  }
}

const std::vector<double>* MeasureJournal::find(const std::string& visit) const {
  const auto found = visits_.find(visit);
  return found == visits_.end() ? nullptr : &found->second;
}

void MeasureJournal::add(const std::string& visit, const std::vector<double>& samples) {
  append(line_of({{"visit", visit}, {"ms", samples}}));
  visits_.emplace(visit, samples);
}

void MeasureJournal::append(const std::string& line) const {
  const ssize_t written = ::write(file_, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size()) || ::fsync(file_) != 0) {
    throw SystemError(path_ + ": cannot be written: " + std::strerror(errno));
  }
}

void MeasureJournal::remove() {
  ::unlink(path_.c_str());
}

}  // namespace tangram
