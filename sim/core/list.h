// A list of plain values that is filled and emptied again and again: it keeps its memory, and
// emptying it is one store.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace tangram {

template <typename T>
class List {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  using value_type = T;
  using const_iterator = const T*;

  List() = default;
  List(List&& other) noexcept
      : items_(std::move(other.items_)),
        end_(std::exchange(other.end_, nullptr)),
        limit_(std::exchange(other.limit_, nullptr)) {}
  List& operator=(List&&) = delete;

  bool empty() const { return end_ == items_.get(); }
  std::size_t size() const { return static_cast<std::size_t>(end_ - items_.get()); }
  const T* begin() const { return items_.get(); }
  const T* end() const { return end_; }
  // Requires: i < size().
  const T& operator[](std::size_t i) const { return items_[i]; }
  const T& front() const { return items_[0]; }
  const T& back() const { return end_[-1]; }

  void clear() { end_ = items_.get(); }
  // By value: it may be one of our own.
  void push_back(T value) {
    if (end_ == limit_) [[unlikely]]
      grow(1);
    *end_++ = value;
  }
  // Makes room for n more and returns the first of them, for the caller to write.
  T* extend(std::size_t n) {
    if (static_cast<std::size_t>(limit_ - end_) < n) [[unlikely]]
      grow(n);
    end_ += n;
    return end_ - n;
  }
  void append(std::span<const T> values) {
    std::copy(values.begin(), values.end(), extend(values.size()));
  }

 private:
  [[gnu::noinline]] void grow(std::size_t n) {
    const std::size_t used = size();
    const std::size_t capacity = std::max({2 * used, used + n, std::size_t{8}});
    auto larger = std::make_unique<T[]>(capacity);
    std::copy(begin(), end(), larger.get());
    items_ = std::move(larger);
    end_ = items_.get() + used;
    limit_ = items_.get() + capacity;
  }

  std::unique_ptr<T[]> items_;
  T* end_ = nullptr;
  T* limit_ = nullptr;
};

}  // namespace tangram
