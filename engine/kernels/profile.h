// Profile is the matrix arithmetic of one numerics profile on one instruction set. What happens between the matrices
// (norms, sums, pooling) is fp32's in every profile and comes from a KernelTable.
//
// All profiles of one name compute the same bits: docs/spec/numerics.md defines them, and the ones whose kernels are
// "scalar" are that page in C++. The rules of kernel_table.h hold: finite inputs, default floating-point environment,
// no allocation, no exceptions.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/kernels/kernel_table.h"

namespace eml::kernels {

// MatrixShape is a weight as the model stores it: `columns` outputs of `depth` inputs. Both are multiples of
// kWidthStep.
struct MatrixShape {
  std::size_t columns = 0;
  std::size_t depth = 0;
};

// Operand is rows of activations in the profile's own format (fp32: the floats themselves).
struct Operand {
  const void* data = nullptr;
  std::size_t stride = 0;  // bytes from row to row
};

// PrepareArgs are rows of floats to be turned into an operand.
struct PrepareArgs {
  const float* a = nullptr;
  std::size_t lda = 0;
  std::size_t rows = 0;
  std::size_t depth = 0;   // of these rows: the whole matrix's, or one range of MatrixArgs
  void* buffer = nullptr;  // operand_bytes(rows, depth), 64-byte aligned
};

// kDepthRange divides every depth at which a product may be cut: the int8 profile scales activations in groups of it.
inline constexpr std::size_t kDepthRange = 384;

// NextPanel says which weights the next call will read first, so that they come into the cache meanwhile. A hint, which
// changes no result; null says nothing.
struct NextPanel {
  const void* packed = nullptr;  // of a whole matrix
  MatrixShape shape;
  std::size_t column_begin = 0;
  std::size_t depth_begin = 0;
};

// MatrixArgs is LinearArgs for a packed matrix and an operand of any profile: out = epilogue(bias + a w^T) for a range
// of columns and of k. Calls for ascending ranges of k, each but the first with `resume`, give the bits of one call.
struct MatrixArgs {
  Operand a;  // `rows` rows; the first element is k = depth_begin
  std::size_t rows = 0;
  const void* packed = nullptr;  // of the whole matrix
  MatrixShape shape;             // of the whole matrix
  std::size_t depth_begin = 0;   // a multiple of kDepthRange
  std::size_t depth_end = 0;     // the same, or shape.depth
  std::size_t column_begin = 0;  // multiples of kWidthStep
  std::size_t column_end = 0;
  const float* bias = nullptr;  // of the whole matrix; profiles differ in when they add it
  bool resume = false;          // `out` holds what the ranges before this one gave
  Epilogue epilogue = Epilogue::kStore;
  const float* residual = nullptr;  // like out; may be out itself
  std::size_t ldr = 0;
  float* out = nullptr;  // out[0] is row 0, column `column_begin`
  std::size_t ldo = 0;
  NextPanel next;
};

// PackArgs are some of a matrix's rows (outputs), to be packed at their place. Calls come in ascending order.
struct PackArgs {
  const float* weight = nullptr;  // columns x shape.depth
  std::size_t column_begin = 0;   // multiples of kWidthStep
  std::size_t columns = 0;
  MatrixShape shape;
  void* packed = nullptr;  // packed_bytes(shape), 64-byte aligned, zero-filled before the first call
};

struct Profile {
  std::string_view numerics;  // "fp32", "bf16", "int8": what a response reports
  std::string_view kernels;   // "scalar", "avx2", "avx512", "amx": the same
  const KernelTable* rows;    // what runs between the matrices

  std::size_t (*packed_bytes)(const KernelTable& rows, const MatrixShape& shape);
  // False if a weight is out of the profile's range (it would round to an infinity).
  bool (*pack)(const KernelTable& rows, const PackArgs& args);
  std::size_t (*operand_bytes)(std::size_t rows, std::size_t depth);
  Operand (*prepare)(const PrepareArgs& args);
  void (*linear)(const KernelTable& rows, const MatrixArgs& args);
  // AttentionArgs::scratch in floats, for up to `tokens` tokens.
  std::size_t (*attention_scratch)(std::size_t tokens, std::size_t head_size);
  void (*attention)(const KernelTable& rows, const AttentionArgs& args);

  PeakLoop peak;  // of the instruction that its linear layers are made of
};

// numerics_profiles are the names of all profiles, whatever this processor has.
std::span<const std::string_view> numerics_profiles();

// profiles returns those of that name that this processor can run, the best first; scalar is always the last. Empty for
// a name that is none.
std::vector<Profile> profiles(std::string_view numerics);

// find_profile returns the profile of that name with those kernels, if this processor can run it.
std::optional<Profile> find_profile(std::string_view numerics, std::string_view kernels);

}  // namespace eml::kernels
