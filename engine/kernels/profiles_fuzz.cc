// Every profile on every instruction set gives the definition's bits for a product (whole and in ranges) and for
// attention, over values that the input chooses: the first bytes are the shape, the rest finite floats.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/kernels/profile.h"
#include "engine/kernels/profile_check.h"

namespace {

using namespace eml::kernels;
using Floats = std::vector<float>;

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  std::size_t number(std::size_t least, std::size_t most) { return least + byte() % (most - least + 1); }
  Floats floats(std::size_t n, float largest) {
    Floats out(n);
    for (float& x : out) {
      const std::uint32_t bits = byte() | byte() << 8 | byte() << 16 | byte() << 24;
      x = std::bit_cast<float>(bits);
      if (!(std::fabs(x) < largest)) x = static_cast<float>(bits & 0xffU);
    }
    return out;
  }

 private:
  std::uint32_t byte() { return size_ == 0 ? 0 : data_[at_++ % size_]; }  // again from the start when it ends
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

// Sums of larger ones overflow, and the bits of a NaN are nobody's business.
constexpr float kLargest = 1e6F;

Floats run(const Profile& profile, Input input) {
  const ProductShape shape{.rows = input.number(1, 20),
                           .depth = kWidthStep * input.number(1, 14),
                           .columns = kWidthStep * input.number(1, 3),
                           .epilogue = static_cast<Epilogue>(input.number(0, 2))};
  const HeadsShape heads{
      .tokens = input.number(1, 70), .heads = input.number(1, 2), .size = kWidthStep * input.number(1, 2)};
  const Floats a = input.floats(shape.rows * shape.depth, kLargest);
  const Floats weight = input.floats(shape.columns * shape.depth, kLargest);
  const Floats bias = input.floats(shape.columns, kLargest);
  const Floats residual = input.floats(shape.rows * shape.columns, kLargest);
  const ProductInputs in{.a = a, .weight = weight, .bias = bias, .residual = residual};
  Floats out = run_product(profile, shape, in, false);
  const Floats in_ranges = run_product(profile, shape, in, true);
  const Floats context = run_heads(profile, heads, input.floats(heads.tokens * 3 * heads.heads * heads.size, kLargest));
  out.insert(out.end(), in_ranges.begin(), in_ranges.end());
  out.insert(out.end(), context.begin(), context.end());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Input input(data, size);
  for (const std::string_view name : numerics_profiles()) {
    const Floats want = run(*find_profile(name, "scalar"), input);
    if (std::ranges::any_of(want, [](float x) { return std::isnan(x); })) continue;
    for (const Profile& profile : profiles(name)) {
      const Floats got = run(profile, input);
      if (std::memcmp(want.data(), got.data(), want.size() * sizeof(float)) != 0) std::abort();
    }
  }
  return 0;
}
