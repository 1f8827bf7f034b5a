// The finished items of a running sweep, one line each, so that a kill loses only what ran.
#pragma once

#include <string>
#include <vector>

#include "sim/sweep/sweep_row.h"

namespace tangram {

class Journal {
 public:
  // `identity` says which sweep the lines belong to. With `resume`, reads what is there and cuts a
  // broken last line off; without, an existing journal is an error, so that nothing is lost by
  // accident. Throws ConfigError for a journal of another sweep, SystemError when it cannot be
  // written.
  Journal(std::string path, const std::string& identity, bool resume);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The items that were there.
  const std::vector<SweepItem>& items() const { return items_; }
  // Appends an item. Whole lines reach the system before this returns. Throws SystemError.
  void add(const SweepItem& item);

 private:
  void append(const std::string& line);

  std::string path_;
  int file_ = -1;
  std::vector<SweepItem> items_;
};

}  // namespace tangram
