// Streams of one client: the one used last is used again first, as pools of CUDA streams do.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace tangram {

class StreamPool {
 public:
  explicit StreamPool(std::uint32_t most = ~std::uint32_t{0}) : most_(most) {}
  // nullopt when all are in use.
  std::optional<std::uint32_t> take() {
    if (!free_.empty()) {
      const std::uint32_t stream = free_.back();
      free_.pop_back();
      return stream;
    }
    if (made_ == most_) return std::nullopt;
    return made_++;
  }
  void give(std::uint32_t stream) { free_.push_back(stream); }

 private:
  std::uint32_t most_;
  std::uint32_t made_ = 0;
  std::vector<std::uint32_t> free_;
};

}  // namespace tangram
