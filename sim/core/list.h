// A list of plain values that is filled and emptied again and again: it keeps its memory, emptying
// it is one store, and appending needs no more than the pointer and two counts.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>

namespace tangram {

template <typename T>
class List {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const T* begin() const { return items_.get(); }
  const T* end() const { return items_.get() + size_; }
  // Requires: i < size().
  const T& operator[](std::size_t i) const { return items_[i]; }
  const T& front() const { return items_[0]; }
  const T& back() const { return items_[size_ - 1]; }

  void clear() { size_ = 0; }
  void push_back(const T& value) {
    if (size_ == capacity_) [[unlikely]] {
      const T copy = value;  // may be one of our own
      grow(1);
      items_[size_++] = copy;
    } else {
      items_[size_++] = value;
    }
  }
  // Makes room for n more and returns the first of them, to be written by the caller.
  T* extend(std::uint32_t n) {
    if (capacity_ - size_ < n) [[unlikely]]
      grow(n);
    T* const added = items_.get() + size_;
    size_ += n;
    return added;
  }
  void append(std::span<const T> values) {
    std::copy(values.begin(), values.end(), extend(static_cast<std::uint32_t>(values.size())));
  }

 private:
  [[gnu::noinline]] void grow(std::uint32_t n) {
    const std::uint32_t capacity = std::max({2 * capacity_, size_ + n, std::uint32_t{8}});
    auto larger = std::make_unique<T[]>(capacity);
    std::copy(begin(), end(), larger.get());
    items_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<T[]> items_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace tangram
