// What a measurement has so far, in a file beside its output: a line per visit, on the disk before
// the next begins. Whatever kills the measurement costs the visit that was running.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/core/json_reader.h"

namespace tangram {

class MeasureJournal {
 public:
  // Opens or makes the file. `key` says what is measured. Throws ConfigError for a journal of
  // another measurement or a damaged one (a last line cut short is none), SystemError.
  MeasureJournal(std::string path, const Json& key);
  ~MeasureJournal();
  MeasureJournal(const MeasureJournal&) = delete;
  MeasureJournal& operator=(const MeasureJournal&) = delete;

  // The samples of a visit, ms; nullptr when it is still to be made.
  const std::vector<double>* find(const std::string& visit) const;
  // Adds a visit that is not there; returns when it is on the disk.
  void add(const std::string& visit, const std::vector<double>& samples);
  std::size_t size() const { return visits_.size(); }
  // The measurement is complete and stored elsewhere: removes the file.
  void remove();

 private:
  void read(const Json& key);
  void append(const std::string& line) const;

  std::string path_;
  int file_ = -1;
  std::map<std::string, std::vector<double>> visits_;
};

}  // namespace tangram
