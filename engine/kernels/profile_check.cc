#include "engine/kernels/profile_check.h"

#include <algorithm>
#include <memory>
#include <new>

namespace eml::kernels {
namespace {

// Zero-filled memory as profiles want it.
class Aligned {
 public:
  explicit Aligned(std::size_t bytes)
      : lines_((bytes + sizeof(Line) - 1) / sizeof(Line)), memory_(std::make_unique<Line[]>(lines_)) {}
  void* data() { return memory_.get(); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::size_t lines_;
  std::unique_ptr<Line[]> memory_;
};

}  // namespace

std::vector<float> run_product(const Profile& profile, const ProductShape& shape, const ProductInputs& in,
                               bool in_ranges) {
  const MatrixShape matrix{.columns = shape.columns, .depth = shape.depth};
  Aligned packed(profile.packed_bytes(*profile.rows, matrix));
  static_cast<void>(profile.pack(
      *profile.rows, {.weight = in.weight.data(), .columns = shape.columns, .shape = matrix, .packed = packed.data()}));
  const std::size_t step = in_ranges ? kDepthRange : shape.depth;
  Aligned operand(profile.operand_bytes(shape.rows, std::min(step, shape.depth)));
  // As in the encoder, a product of one range may be added in place.
  const bool in_place = shape.epilogue == Epilogue::kResidual && shape.depth <= step;
  std::vector<float> out = in_place ? in.residual : std::vector<float>(shape.rows * shape.columns);
  for (std::size_t begin = 0; begin < shape.depth; begin += step) {
    const std::size_t end = std::min(begin + step, shape.depth);
    const Operand a = profile.prepare({.a = in.a.data() + begin,
                                       .lda = shape.depth,
                                       .rows = shape.rows,
                                       .depth = end - begin,
                                       .buffer = operand.data()});
    profile.linear(*profile.rows, {.a = a,
                                   .rows = shape.rows,
                                   .packed = packed.data(),
                                   .shape = matrix,
                                   .depth_begin = begin,
                                   .depth_end = end,
                                   .column_end = shape.columns,
                                   .bias = in.bias.data(),
                                   .resume = begin != 0,
                                   .epilogue = end == shape.depth ? shape.epilogue : Epilogue::kStore,
                                   .residual = in_place ? out.data() : in.residual.data(),
                                   .ldr = shape.columns,
                                   .out = out.data(),
                                   .ldo = shape.columns});
  }
  return out;
}

std::vector<float> run_heads(const Profile& profile, const HeadsShape& shape, const std::vector<float>& qkv) {
  const std::size_t width = shape.heads * shape.size;
  Aligned scratch(profile.attention_scratch(shape.tokens, shape.size) * sizeof(float));
  std::vector<float> out(shape.tokens * width);
  profile.attention(*profile.rows, {.qkv = qkv.data(),
                                    .ld = 3 * width,
                                    .tokens = shape.tokens,
                                    .heads = shape.heads,
                                    .head_size = shape.size,
                                    .scale_log2 = 0.2550348F,
                                    .out = out.data(),
                                    .ldo = width,
                                    .scratch = static_cast<float*>(scratch.data())});
  return out;
}

}  // namespace eml::kernels
