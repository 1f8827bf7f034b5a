// What writer and reader of recordings agree on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policies/message_log.h"

namespace tangram::recording {

inline constexpr const char* kFormat = "tangram recording";
inline constexpr int kSchema = 1;

// "too_late", "lost", in the order of Refusal.
inline const std::vector<std::string>& refusal_names() {
  static const std::vector<std::string> kNames{"too_late", "lost"};
  return kNames;
}

// FNV-1a, 64 bits (Fowler, Noll, Vo), over all lines so far without their sums.
class LineSum {
 public:
  void add(std::string_view line) {
    for (const char c : line) {
      value_ = (value_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
  }
  std::uint64_t value() const { return value_; }
  // Goes on from a line whose sum is given.
  void set(std::uint64_t value) { value_ = value; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

struct Counts {
  std::uint64_t instants = 0, messages = 0, decisions = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};
inline Counts count(const MessageLog& log) {
  Counts counts{log.instants.size(), 0, 0};
  for (const Instant& instant : log.instants) {
    counts.messages += instant.messages.size();
    counts.decisions += instant.decisions.size();
  }
  return counts;
}

}  // namespace tangram::recording
