// HugeBuffer is a large block of floats in pages of 2 MiB where the system gives them: weights are streamed from memory
// once a pass, and small pages cost a third of that bandwidth.
#pragma once

#include <cstddef>
#include <utility>

#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kEngineMemory{ErrorClass::kUnavailable, "engine-memory"};

// Zero-filled, aligned to 2 MiB, not dumped into core files. Moves, never copies. Not wiped on destruction: its owner
// knows what must be.
class HugeBuffer {
 public:
  // allocate fails with kEngineMemory if the system refuses.
  static Result<HugeBuffer> allocate(std::size_t floats);

  HugeBuffer() = default;
  HugeBuffer(HugeBuffer&& other) noexcept
      : base_(std::exchange(other.base_, nullptr)),
        mapped_(std::exchange(other.mapped_, 0)),
        data_(std::exchange(other.data_, nullptr)),
        floats_(std::exchange(other.floats_, 0)) {}
  HugeBuffer& operator=(HugeBuffer&& other) noexcept {
    std::swap(base_, other.base_);
    std::swap(mapped_, other.mapped_);
    std::swap(data_, other.data_);
    std::swap(floats_, other.floats_);
    return *this;
  }
  HugeBuffer(const HugeBuffer&) = delete;
  HugeBuffer& operator=(const HugeBuffer&) = delete;
  ~HugeBuffer();

  float* data() { return data_; }
  const float* data() const { return data_; }
  std::size_t size() const { return floats_; }

 private:
  void* base_ = nullptr;
  std::size_t mapped_ = 0;
  float* data_ = nullptr;
  std::size_t floats_ = 0;
};

}  // namespace eml
