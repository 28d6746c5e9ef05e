// The operations of numerics profile fp32, one table of functions per instruction set.
//
// Every table computes the same bits: docs/spec/numerics.md defines each operation's order and rounding, scalar.cc is
// that page in C++, and the others are judged by it. All functions assume the default floating-point environment
// (round to nearest even, denormals kept) and finite inputs. None allocates, throws or keeps a pointer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace eml::kernels {

// kWidthStep divides every width that the kernels see (hidden size, intermediate size, head size): the widest panel.
inline constexpr std::size_t kWidthStep = 32;

// kKeyStep rounds the number of keys up in the attention's scratch memory: a multiple of every table's panel.
inline constexpr std::size_t kKeyStep = 32;

// kQueryRowsMax is the largest number of query rows that any table treats at once.
inline constexpr std::size_t kQueryRowsMax = 16;

// Epilogue is what happens to an element after its chain: nothing, GELU, or the addition of `residual`.
enum class Epilogue : std::uint8_t { kStore, kGelu, kResidual };

// LinearArgs describes out[r][n] = epilogue(bias[n] + sum over k of a[r][k] * w[n][k]) for a range of columns and of k.
// A chain may be cut in k: a call with `resume` goes on from what `out` holds, to the same bits as one call.
struct LinearArgs {
  const float* a = nullptr;  // rows x (depth_end - depth_begin), first element is k = depth_begin
  std::size_t lda = 0;
  std::size_t rows = 0;
  const float* packed = nullptr;  // pack_panels of the whole matrix
  std::size_t depth = 0;          // of the whole matrix
  std::size_t depth_begin = 0;
  std::size_t depth_end = 0;
  std::size_t column_begin = 0;  // multiples of kWidthStep
  std::size_t column_end = 0;
  const float* bias = nullptr;  // of the whole matrix; read if not `resume`
  bool resume = false;
  Epilogue epilogue = Epilogue::kStore;
  const float* residual = nullptr;  // like out; may be out itself
  std::size_t ldr = 0;
  float* out = nullptr;  // out[0] is row 0, column `column_begin`
  std::size_t ldo = 0;
  const float* next = nullptr;  // the packed weights that the next call will read first, or null: a hint
};

// AttentionArgs describes one sequence: for each head, softmax(q k^T) v.
struct AttentionArgs {
  const float* qkv = nullptr;  // tokens x ld; q of all heads, then k, then v, each heads * head_size wide
  std::size_t ld = 0;
  std::size_t tokens = 0;
  std::size_t heads = 0;
  std::size_t head_size = 0;
  float scale_log2 = 0;  // log2(e) / sqrt(head_size), rounded once
  float* out = nullptr;  // tokens x ldo; may be the q part of qkv
  std::size_t ldo = 0;
  float* scratch = nullptr;  // attention_scratch_floats(), 64-byte aligned
  // Some of the heads only: `qkv` and `out` then point at the first of them. 0: all.
  std::size_t heads_of_part = 0;

  std::size_t heads_here() const { return heads_of_part == 0 ? heads : heads_of_part; }
};

// LayerNormArgs describes out[r] = (in[r] - mean) / sqrt(variance + epsilon) * weight + bias, row by row.
struct LayerNormArgs {
  const float* in = nullptr;
  std::size_t ldi = 0;
  std::size_t rows = 0;
  std::size_t width = 0;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float epsilon = 0;
  float* out = nullptr;  // may be `in`
  std::size_t ldo = 0;
};

// PeakLoop is some multiply-adds on registers and nothing else: what the processor reaches at most. For
// benchmarks.
struct PeakLoop {
  static constexpr std::size_t kValues = 512;  // floats that `run` reads

  double operations = 0;                        // of one call; a multiply-add is two
  float (*run)(const float* values) = nullptr;  // of no use but to whoever would leave the loop out
};

struct KernelTable {
  std::string_view name;      // "scalar", "avx2", "avx512": what a response reports
  std::size_t panel_columns;  // columns of a panel in the packed weights; divides kWidthStep

  void (*linear)(const LinearArgs&);
  void (*attention)(const AttentionArgs&);
  void (*layer_norm)(const LayerNormArgs&);
  // out[i] = a[i] + b[i]; a need not be aligned to its type's size.
  void (*add)(float* out, const float* a, const float* b, std::size_t n);
  // out[i] = sum over the rows of in[r][i], in ascending r.
  void (*sum_rows)(float* out, const float* in, std::size_t ld, std::size_t rows, std::size_t n);
  // Divides v by its Euclidean norm; a null vector stays null. Returns the sum of squares.
  float (*normalize)(float* v, std::size_t n);

  PeakLoop peak;
};

// attention_scratch_floats is the size of AttentionArgs::scratch for up to `tokens` tokens.
constexpr std::size_t attention_scratch_floats(std::size_t tokens, std::size_t head_size) {
  const std::size_t keys = (tokens + kKeyStep - 1) / kKeyStep * kKeyStep;
  return (head_size + kQueryRowsMax) * keys;
}

// pack_panels copies a matrix of `columns` rows of `depth` (a weight as the model stores it: one row per output) into
// panels: element (n, k) goes to [n / panel][k][n % panel]. `columns` is a multiple of `panel`.
void pack_panels(float* out, const float* weight, std::size_t columns, std::size_t depth, std::size_t panel);

// The tables. A table that the build does not have (another processor family) is null.
const KernelTable& scalar();
const KernelTable* avx2();
const KernelTable* avx512();

// available returns the tables that this processor can run, the best first; scalar is always the last.
std::vector<const KernelTable*> available();

// find returns the table of that name if this processor can run it.
const KernelTable* find(std::string_view name);

}  // namespace eml::kernels
