// A fixed-size set of indices with O(1) set and clear and a two-level search for the next member.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tangram {

class BitSet {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};

  BitSet() = default;
  explicit BitSet(std::size_t size)
      : size_(size), words_((size + 63) / 64), summary_((words_.size() + 63) / 64) {}

  std::size_t size() const { return size_; }
  bool test(std::size_t i) const { return (words_[i / 64] >> (i % 64)) & 1; }
  void set(std::size_t i) {
    words_[i / 64] |= std::uint64_t{1} << (i % 64);
    summary_[i / 4096] |= std::uint64_t{1} << (i / 64 % 64);
  }
  void clear(std::size_t i) {
    words_[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    if (words_[i / 64] == 0) summary_[i / 4096] &= ~(std::uint64_t{1} << (i / 64 % 64));
  }
  bool any() const {
    for (const std::uint64_t block : summary_) {
      if (block != 0) return true;
    }
    return false;
  }
  // The smallest member, or kNone.
  std::size_t first() const {
    for (std::size_t block = 0; block < summary_.size(); ++block) {
      if (summary_[block] != 0) return first_in_block(block);
    }
    return kNone;
  }
  // The smallest member >= i, or kNone.
  std::size_t from(std::size_t i) const {
    if (i >= size_) return kNone;
    const std::size_t word = i / 64;
    const std::uint64_t here = words_[word] >> (i % 64);
    if (here != 0) return i + static_cast<std::size_t>(std::countr_zero(here));
    return from_word(word + 1);
  }
  std::size_t count() const {
    std::size_t n = 0;
    for (const std::uint64_t word : words_) n += static_cast<std::size_t>(std::popcount(word));
    return n;
  }

 private:
  std::size_t from_word(std::size_t word) const {
    if (word >= words_.size()) return kNone;
    std::size_t block = word / 64;
    std::uint64_t here = summary_[block] >> (word % 64);
    if (here != 0) {
      word += static_cast<std::size_t>(std::countr_zero(here));
    } else {
      do {
        if (++block == summary_.size()) return kNone;
      } while (summary_[block] == 0);
      return first_in_block(block);
    }
    return word * 64 + static_cast<std::size_t>(std::countr_zero(words_[word]));
  }
  // Requires: the block of 64 words has a member.
  std::size_t first_in_block(std::size_t block) const {
    const std::size_t word =
        block * 64 + static_cast<std::size_t>(std::countr_zero(summary_[block]));
    return word * 64 + static_cast<std::size_t>(std::countr_zero(words_[word]));
  }
  std::size_t size_ = 0;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> summary_;
};

}  // namespace tangram
