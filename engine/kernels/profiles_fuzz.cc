// Every profile on every instruction set gives the definition's bits for a product (whole and in ranges) and for
// attention, over values that the input chooses: the first bytes are the shape, the rest finite floats.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/kernels/fuzz_input.h"
#include "engine/kernels/profile.h"
#include "engine/kernels/profile_check.h"

namespace {

using namespace eml::kernels;
using Floats = std::vector<float>;

Floats run(const Profile& profile, FuzzInput input) {
  const ProductShape shape{.rows = input.number(1, 20),
                           .depth = kWidthStep * input.number(1, 14),
                           .columns = kWidthStep * input.number(1, 3),
                           .epilogue = static_cast<Epilogue>(input.number(0, 2))};
  const HeadsShape heads{
      .tokens = input.number(1, 70), .heads = input.number(1, 2), .size = kWidthStep * input.number(1, 2)};
  const Floats a = input.floats(shape.rows * shape.depth);
  const Floats weight = input.floats(shape.columns * shape.depth);
  const Floats bias = input.floats(shape.columns);
  const Floats residual = input.floats(shape.rows * shape.columns);
  const ProductInputs in{.a = a, .weight = weight, .bias = bias, .residual = residual};
  Floats out = run_product(profile, shape, in, false);
  const Floats in_ranges = run_product(profile, shape, in, true);
  const Floats context = run_heads(profile, heads, input.floats(heads.tokens * 3 * heads.heads * heads.size));
  out.insert(out.end(), in_ranges.begin(), in_ranges.end());
  out.insert(out.end(), context.begin(), context.end());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
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
