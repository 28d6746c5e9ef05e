// The forward pass. Loading is in encoder_load.cc.
#include "engine/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "base/secret.h"

namespace eml {
namespace {

using kernels::Epilogue;

// Floats from one row to the next: an odd number of cache lines, so that the rows of a tile fall into different sets.
std::size_t leading_dimension(std::size_t width) {
  constexpr std::size_t line = 16;
  const std::size_t lines = (width + line - 1) / line;
  return (lines | 1U) * line;
}

// The feed-forward layer runs in chunks of its width, so that a chunk's activations stay in the second-level cache
// between the two matrices. A chain cut in k gives the same bits (numerics.md).
constexpr std::size_t kFeedForwardChunk = 384;

std::size_t count_tokens(std::span<const TokenSpan> texts) {
  std::size_t tokens = 0;
  for (const TokenSpan& text : texts) tokens += text.size();
  return tokens;
}

std::size_t wide_width(const ModelConfig& config) {
  return std::max<std::size_t>(std::size_t{3} * config.hidden,
                               std::min<std::size_t>(config.intermediate, kFeedForwardChunk));
}

float scale_log2(std::size_t head_size) {
  return static_cast<float>(std::numbers::log2e / std::sqrt(static_cast<double>(head_size)));
}

}  // namespace

Result<Workspace> Encoder::make_workspace(std::size_t tokens) const {
  Workspace out;
  out.tokens_max_ = std::bit_ceil(std::max<std::size_t>({tokens, config_.tokens_max, 16}));
  out.ld_ = leading_dimension(config_.hidden);
  out.ld_wide_ = leading_dimension(wide_width(config_));
  out.scratch_floats_ = kernels::attention_scratch_floats(config_.tokens_max, config_.head_size());
  const std::size_t rows = out.tokens_max_;
  EML_TRY(out.memory_, HugeBuffer::allocate(rows * (2 * out.ld_ + out.ld_wide_) + out.scratch_floats_));
  out.x_ = out.memory_.data();
  out.y_ = out.x_ + rows * out.ld_;
  out.wide_ = out.y_ + rows * out.ld_;
  out.scratch_ = out.wide_ + rows * out.ld_wide_;
  out.wiped_.reserve(rows);  // no text is empty
  return out;
}

Status Encoder::check(const Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const {
  if (count_tokens(texts) > workspace.tokens_max_) {
    return fail(kBatchTooLarge, "a pass has more tokens than its workspace", workspace.tokens_max_,
                count_tokens(texts));
  }
  if (out.size() != texts.size() * config_.hidden) {
    return fail(kBatchTooLarge, "the output does not fit the batch", texts.size() * config_.hidden, out.size());
  }
  for (const TokenSpan& text : texts) {
    if (text.empty() || text.size() > config_.tokens_max) {
      return fail(kSequenceLength, "a text has no token or too many", config_.tokens_max, text.size());
    }
    // The value stays out of the error: it is user text.
    const bool known = std::all_of(text.begin(), text.end(), [&](TokenId id) { return id < config_.vocab_size; });
    if (!known) return fail(kTokenOutOfRange, "a token id is not in the vocabulary", config_.vocab_size);
  }
  return {};
}

void Encoder::embed_tokens(Workspace& workspace, std::span<const TokenSpan> texts) const {
  const std::size_t hidden = config_.hidden;
  float* row = workspace.x_;
  for (const TokenSpan& text : texts) {
    for (std::size_t i = 0; i < text.size(); ++i, row += workspace.ld_) {
      kernels_.add(row, words_ + text[i] * hidden, positions_ + i * hidden, hidden);
    }
  }
  kernels_.layer_norm({.in = workspace.x_,
                       .ldi = workspace.ld_,
                       .rows = count_tokens(texts),
                       .width = hidden,
                       .weight = norm0_weight_,
                       .bias = norm0_bias_,
                       .epsilon = config_.layer_norm_epsilon,
                       .out = workspace.x_,
                       .ldo = workspace.ld_});
}

void Encoder::attention_block(Workspace& workspace, const Layer& layer, std::span<const TokenSpan> texts,
                              std::size_t tokens) const {
  const std::size_t hidden = config_.hidden;
  kernels_.linear({.a = workspace.x_,
                   .lda = workspace.ld_,
                   .rows = tokens,
                   .packed = layer.qkv,
                   .depth = hidden,
                   .depth_end = hidden,
                   .column_end = 3 * hidden,
                   .bias = layer.qkv_bias,
                   .out = workspace.wide_,
                   .ldo = workspace.ld_wide_});
  float* qkv = workspace.wide_;
  for (const TokenSpan& text : texts) {
    kernels_.attention({.qkv = qkv,
                        .ld = workspace.ld_wide_,
                        .tokens = text.size(),
                        .heads = config_.heads,
                        .head_size = config_.head_size(),
                        .scale_log2 = scale_log2(config_.head_size()),
                        .out = qkv,
                        .ldo = workspace.ld_wide_,
                        .scratch = workspace.scratch_});
    qkv += text.size() * workspace.ld_wide_;
  }
  kernels_.linear({.a = workspace.wide_,
                   .lda = workspace.ld_wide_,
                   .rows = tokens,
                   .packed = layer.output,
                   .depth = hidden,
                   .depth_end = hidden,
                   .column_end = hidden,
                   .bias = layer.output_bias,
                   .epilogue = Epilogue::kResidual,
                   .residual = workspace.x_,
                   .ldr = workspace.ld_,
                   .out = workspace.x_,
                   .ldo = workspace.ld_});
  kernels_.layer_norm({.in = workspace.x_,
                       .ldi = workspace.ld_,
                       .rows = tokens,
                       .width = hidden,
                       .weight = layer.norm1_weight,
                       .bias = layer.norm1_bias,
                       .epsilon = config_.layer_norm_epsilon,
                       .out = workspace.x_,
                       .ldo = workspace.ld_});
}

void Encoder::feed_forward_block(Workspace& workspace, const Layer& layer, std::size_t tokens) const {
  const std::size_t hidden = config_.hidden;
  const std::size_t intermediate = config_.intermediate;
  for (std::size_t begin = 0; begin < intermediate; begin += kFeedForwardChunk) {
    const std::size_t end = std::min(begin + kFeedForwardChunk, intermediate);
    kernels_.linear({.a = workspace.x_,
                     .lda = workspace.ld_,
                     .rows = tokens,
                     .packed = layer.up,
                     .depth = hidden,
                     .depth_end = hidden,
                     .column_begin = begin,
                     .column_end = end,
                     .bias = layer.up_bias,
                     .epilogue = Epilogue::kGelu,
                     .out = workspace.wide_,
                     .ldo = workspace.ld_wide_});
    kernels_.linear({.a = workspace.wide_,
                     .lda = workspace.ld_wide_,
                     .rows = tokens,
                     .packed = layer.down,
                     .depth = intermediate,
                     .depth_begin = begin,
                     .depth_end = end,
                     .column_end = hidden,
                     .bias = layer.down_bias,
                     .resume = begin != 0,
                     .epilogue = end == intermediate ? Epilogue::kResidual : Epilogue::kStore,
                     .residual = workspace.x_,
                     .ldr = workspace.ld_,
                     .out = workspace.y_,
                     .ldo = workspace.ld_});
  }
  kernels_.layer_norm({.in = workspace.y_,
                       .ldi = workspace.ld_,
                       .rows = tokens,
                       .width = hidden,
                       .weight = layer.norm2_weight,
                       .bias = layer.norm2_bias,
                       .epsilon = config_.layer_norm_epsilon,
                       .out = workspace.x_,
                       .ldo = workspace.ld_});
}

Status Encoder::pool(const Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const {
  const std::size_t hidden = config_.hidden;
  const float* row = workspace.x_;
  float* to = out.data();
  for (const TokenSpan& text : texts) {
    const std::size_t rows = config_.pooling == Pooling::kMean ? text.size() : 1;
    kernels_.sum_rows(to, row, workspace.ld_, rows, hidden);
    const float squares = kernels_.normalize(to, hidden);
    if (!std::isfinite(squares)) return fail(kEmbeddingNotFinite, "an embedding overflowed");
    row += text.size() * workspace.ld_;
    to += hidden;
  }
  return {};
}

std::size_t Workspace::wipe_rows(std::size_t begin, std::size_t end) {
  const std::size_t rows = end - begin;
  return wipe(x_ + begin * ld_, rows * ld_ * sizeof(float)) + wipe(y_ + begin * ld_, rows * ld_ * sizeof(float)) +
         wipe(wide_ + begin * ld_wide_, rows * ld_wide_ * sizeof(float));
}

void Encoder::wipe_activations(Workspace& workspace, std::span<const TokenSpan> texts) {
  std::size_t row = 0;
  for (const TokenSpan& text : texts) {
    workspace.wiped_.push_back(workspace.wipe_rows(row, row + text.size()));
    row += text.size();
  }
  // What belongs to no text: rows that a kernel may have filled up a tile with, and the scratch that all texts used.
  workspace.wipe_rows(row, std::min(std::bit_ceil(row), workspace.tokens_max_));
  wipe(workspace.scratch_, workspace.scratch_floats_ * sizeof(float));
}

Status Encoder::embed(Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const {
  workspace.wiped_.clear();
  EML_CHECK(check(workspace, texts, out));
  const std::size_t tokens = count_tokens(texts);
  if (tokens == 0) return {};
  embed_tokens(workspace, texts);
  for (const Layer& layer : layers_) {
    attention_block(workspace, layer, texts, tokens);
    feed_forward_block(workspace, layer, tokens);
  }
  const Status pooled = pool(workspace, texts, out);
  wipe_activations(workspace, texts);
  return pooled;
}

}  // namespace eml
