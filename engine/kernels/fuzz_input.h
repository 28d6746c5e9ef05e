// What the fuzz targets of this folder make of their bytes: numbers and finite floats, again from the start when they
// end.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace eml::kernels {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  // From `least` to `most`, both included.
  std::size_t number(std::size_t least, std::size_t most) { return least + byte() % (most - least + 1); }

  // Sums of floats of a million and more overflow, and the bits of a NaN are nobody's business: they become small
  // integers.
  std::vector<float> floats(std::size_t n) {
    std::vector<float> out(n);
    for (float& x : out) {
      const std::uint32_t bits = byte() | byte() << 8 | byte() << 16 | byte() << 24;
      x = std::bit_cast<float>(bits);
      if (!(std::fabs(x) < 1e6F)) x = static_cast<float>(bits & 0xffU);
    }
    return out;
  }

 private:
  std::uint32_t byte() { return size_ == 0 ? 0 : data_[at_++ % size_]; }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

}  // namespace eml::kernels
