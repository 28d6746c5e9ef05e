// Every kernel table gives the definition's bits for a linear layer, attention and a norm over values that the input
// chooses: the first bytes are the shape, the rest finite floats.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/kernels/fuzz_input.h"
#include "engine/kernels/kernel_table.h"

namespace {

using namespace eml::kernels;
using Floats = std::vector<float>;

void demand_equal(const Floats& a, const Floats& b) {
  if (std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) != 0) std::abort();
}

Floats run(const KernelTable& table, FuzzInput input) {
  const std::size_t rows = input.number(1, 20);
  const std::size_t depth = input.number(1, 40);
  const auto epilogue = static_cast<Epilogue>(input.number(0, 2));
  const Floats a = input.floats(rows * depth);
  const Floats weight = input.floats(96 * depth);
  const Floats bias = input.floats(96);
  Floats packed(weight.size());
  pack_panels(packed.data(), weight.data(), 96, depth, table.panel_columns);
  Floats out = input.floats(rows * 96);
  table.linear({.a = a.data(),
                .lda = depth,
                .rows = rows,
                .packed = packed.data(),
                .depth = depth,
                .depth_end = depth,
                .column_end = 96,
                .bias = bias.data(),
                .epilogue = epilogue,
                .residual = out.data(),
                .ldr = 96,
                .out = out.data(),
                .ldo = 96});
  Floats all = out;
  // Three groups of 32: q, k and v of one head. Bounded, as behind a norm, so that scores stay finite.
  Floats qkv = out;
  for (float& x : qkv) x = std::fmin(std::fmax(x, -1e6F), 1e6F);
  Floats scratch(attention_scratch_floats(rows, 32));
  Floats context(rows * 32);
  table.attention({.qkv = qkv.data(),
                   .ld = 96,
                   .tokens = rows,
                   .heads = 1,
                   .head_size = 32,
                   .scale_log2 = 0.25F,
                   .out = context.data(),
                   .ldo = 32,
                   .scratch = scratch.data()});
  all.insert(all.end(), context.begin(), context.end());
  table.layer_norm({.in = context.data(),
                    .ldi = 32,
                    .rows = rows,
                    .width = 32,
                    .weight = bias.data(),
                    .bias = bias.data() + 32,
                    .epsilon = 1e-12F,
                    .out = context.data(),
                    .ldo = 32});
  all.insert(all.end(), context.begin(), context.end());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const FuzzInput input(data, size);
  const Floats want = run(scalar(), input);
  for (const float x : want) {
    if (std::isnan(x)) return 0;
  }
  for (const KernelTable* table : available()) demand_equal(want, run(*table, input));
  return 0;
}
