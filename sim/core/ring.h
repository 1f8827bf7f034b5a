// A growable first-in first-out ring of plain values: contiguous, indexable, no allocation once it
// has reached its largest size.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "sim/core/check.h"

namespace tangram {

template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  // The i-th oldest. Requires: i < size().
  const T& operator[](std::size_t i) const { return items_[(head_ + i) & mask_]; }
  const T& front() const { return items_[head_ & mask_]; }
  const T& back() const { return (*this)[size_ - 1]; }

  void push_back(const T& value) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    items_[(head_ + size_) & mask_] = value;
    ++size_;
  }
  void push_front(const T& value) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    --head_;
    items_[head_ & mask_] = value;
    ++size_;
  }
  void pop_front(std::size_t n = 1) {
    head_ += n;
    size_ -= n;
  }
  // Moves the n oldest to `out`.
  void pop_front(std::size_t n, T* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = items_[(head_ + i) & mask_];
    pop_front(n);
  }
  void pop_back(std::size_t n = 1) { size_ -= n; }
  // Moves n from the first-th oldest on to `out`, keeping the order of the others; O(n + the
  // shorter of what is in front and what is behind). Requires: first + n <= size().
  void extract(std::size_t first, std::size_t n, T* out) {
    for (std::size_t i = 0; i < n; ++i) out[i] = (*this)[first + i];
    if (first <= size_ - first - n) {
      for (std::size_t i = first; i-- > 0;) at(i + n) = at(i);
      head_ += n;
    } else {
      for (std::size_t i = first + n; i < size_; ++i) at(i - n) = at(i);
    }
    size_ -= n;
  }
  // Inserts before the first element for which before(value, element); O(size).
  template <typename Before>
  void insert_ordered(const T& value, Before before) {
    push_back(value);
    std::size_t i = size_ - 1;
    while (i > 0 && before(value, (*this)[i - 1])) {
      at(i) = at(i - 1);
      --i;
    }
    at(i) = value;
  }
  // Removes the i-th oldest, keeping the order of the others; O(size).
  void erase(std::size_t i) {
    TANGRAM_CHECK(i < size_, "index ", i, ", size ", size_);
    for (; i + 1 < size_; ++i) at(i) = at(i + 1);
    --size_;
  }

 private:
  T& at(std::size_t i) { return items_[(head_ + i) & mask_]; }
  void grow() {
    std::vector<T> larger(items_.empty() ? 8 : items_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    items_ = std::move(larger);
    capacity_ = items_.size();
    mask_ = capacity_ - 1;
    head_ = 0;
  }
  std::vector<T> items_;
  std::size_t head_ = 0;  // counts up without bound; masked at use
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // a power of two, or 0
  std::size_t mask_ = 0;
};

}  // namespace tangram
