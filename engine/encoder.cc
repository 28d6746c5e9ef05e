// The forward pass. Loading is in encoder_load.cc.
#include "engine/encoder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <thread>

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
// between the two matrices. It is the only width at which every profile lets a chain be cut.
constexpr std::size_t kFeedForwardChunk = kernels::kDepthRange;

std::size_t count_tokens(std::span<const TokenSpan> texts) {
  std::size_t tokens = 0;
  for (const TokenSpan& text : texts) tokens += text.size();
  return tokens;
}

std::size_t chunk_width(const ModelConfig& config) {
  return std::min<std::size_t>(config.intermediate, kFeedForwardChunk);
}

// q, k and v, or two chunks of the feed-forward layer: a crew that cuts columns writes one while a part still reads the
// one before.
std::size_t wide_width(const ModelConfig& config) {
  return std::max<std::size_t>(std::size_t{3} * config.hidden, 2 * chunk_width(config));
}

// Buffers begin on pages, which every profile's alignment divides.
std::size_t whole_pages(std::size_t bytes) {
  constexpr std::size_t page = 4096;
  return (bytes + page - 1) / page * page;
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
  const std::size_t rows = out.tokens_max_;
  const std::size_t chunk = chunk_width(config_);
  const std::size_t operand = whole_pages(profile_.operand_bytes(rows, config_.hidden));
  const std::size_t operand_wide = whole_pages(profile_.operand_bytes(rows, chunk));
  const std::size_t activations = whole_pages(rows * (2 * out.ld_ + out.ld_wide_) * sizeof(float));
  const std::size_t scratch =
      whole_pages(profile_.attention_scratch(config_.tokens_max, config_.head_size()) * sizeof(float));
  EML_TRY(out.memory_, HugeBuffer::allocate((activations + operand + operand_wide + scratch) / sizeof(float)));
  out.x_ = out.memory_.data();
  out.y_ = out.x_ + rows * out.ld_;
  out.wide_ = out.y_ + rows * out.ld_;
  out.operand_ = out.x_ + activations / sizeof(float);
  out.operand_wide_ = out.operand_ + operand / sizeof(float);
  out.scratch_ = out.operand_wide_ + operand_wide / sizeof(float);
  out.end_ = out.scratch_ + scratch / sizeof(float);
  out.wiped_.reserve(rows);  // no text is empty
  return out;
}

Status Encoder::check(Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const {
  workspace.wiped_.clear();
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

// Share is one part of a crew: what it computes, and the memory that it works in.
struct Encoder::Share {
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  Crew& crew;
  Workspace& own;  // operands and scratch memory; if columns are cut, a residual stream of its own, too
  bool by_columns;
  Range row, head;
  std::uint32_t part;
  float *x, *y, *wide;  // the first of its rows

  std::size_t rows() const { return row.end - row.begin; }
  static Range cut(std::size_t n, std::uint32_t part, std::uint32_t parts) {
    return {n * part / parts, n * (part + 1) / parts};
  }
  // Of a matrix's columns, those that this part computes.
  Range columns(std::size_t begin, std::size_t end) const {
    if (!by_columns) return {begin, end};
    const Range steps = cut((end - begin) / kernels::kWidthStep, part, crew.parts_);
    return {begin + steps.begin * kernels::kWidthStep, begin + steps.end * kernels::kWidthStep};
  }
  void meet() const { crew.barrier_.arrive_and_wait(); }
  // What follows reads columns of all parts.
  void meet_if_columns() const {
    if (by_columns) meet();
  }
};

Encoder::Share Encoder::share_of(Crew& crew, std::uint32_t part, Workspace& own) const {
  const std::size_t tokens = count_tokens(crew.texts_);
  Workspace& shared = crew.shared_;
  const bool by_columns = crew.cut_ == Crew::Cut::kColumns;
  const Share::Range row = by_columns ? Share::Range{0, tokens} : Share::cut(tokens, part, crew.parts_);
  return {.crew = crew,
          .own = own,
          .by_columns = by_columns,
          .row = row,
          .head = Share::cut(config_.heads, part, crew.parts_),
          .part = part,
          .x = (by_columns ? own : shared).x_ + row.begin * shared.ld_,
          .y = shared.y_ + row.begin * shared.ld_,
          .wide = shared.wide_ + row.begin * shared.ld_wide_};
}

void Encoder::norm(const Share& share, const float* in, const float* weight, const float* bias) const {
  kernels_.layer_norm({.in = in,
                       .ldi = share.own.ld_,
                       .rows = share.rows(),
                       .width = config_.hidden,
                       .weight = weight,
                       .bias = bias,
                       .epsilon = config_.layer_norm_epsilon,
                       .out = share.x,
                       .ldo = share.own.ld_});
}

void Encoder::embed_tokens(const Share& share) const {
  const std::size_t hidden = config_.hidden;
  float* to = share.x;
  std::size_t row = 0;
  for (const TokenSpan& text : share.crew.texts_) {
    for (std::size_t i = 0; i < text.size(); ++i, ++row) {
      if (row < share.row.begin || row >= share.row.end) continue;
      kernels_.add(to, words_ + text[i] * hidden, positions_ + i * hidden, hidden);
      to += share.own.ld_;
    }
  }
  norm(share, share.x, norm0_weight_, norm0_bias_);
}

// Its heads of every text of the pass, whose q, k and v all parts have written.
void Encoder::attend(const Share& share) const {
  const std::size_t size = config_.head_size();
  if (share.head.begin == share.head.end) return;
  float* qkv = share.crew.shared_.wide_ + share.head.begin * size;
  for (const TokenSpan& text : share.crew.texts_) {
    profile_.attention(kernels_, {.qkv = qkv,
                                  .ld = share.own.ld_wide_,
                                  .tokens = text.size(),
                                  .heads = config_.heads,
                                  .head_size = size,
                                  .scale_log2 = scale_log2(size),
                                  .out = qkv,
                                  .ldo = share.own.ld_wide_,
                                  .scratch = share.own.scratch_,
                                  .heads_of_part = share.head.end - share.head.begin});
    qkv += text.size() * share.own.ld_wide_;
  }
}

void Encoder::multiply(const Share& share, const kernels::MatrixArgs& args) const {
  if (args.column_begin == args.column_end) return;  // more parts than steps of columns
  kernels::MatrixArgs all = args;
  all.rows = share.rows();
  profile_.linear(kernels_, all);
}

// Queries, keys and values; of columns, those of the part's own heads, so that it need not wait for others.
void Encoder::attention_input(const Share& share, const Layer& layer) const {
  const std::size_t hidden = config_.hidden;
  const std::size_t size = config_.head_size();
  const kernels::Operand a = profile_.prepare(
      {.a = share.x, .lda = share.own.ld_, .rows = share.rows(), .depth = hidden, .buffer = share.own.operand_});
  const auto product = [&](std::size_t begin, std::size_t end, const kernels::NextPanel& next) {
    multiply(share, {.a = a,
                     .packed = layer.qkv.packed,
                     .shape = layer.qkv.shape,
                     .depth_end = hidden,
                     .column_begin = begin,
                     .column_end = end,
                     .bias = layer.qkv.bias,
                     .out = share.wide + begin,
                     .ldo = share.own.ld_wide_,
                     .next = next});
  };
  const kernels::NextPanel output{
      .packed = layer.output.packed, .shape = layer.output.shape, .column_begin = share.columns(0, hidden).begin};
  if (!share.by_columns) return product(0, 3 * hidden, output);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t begin = i * hidden + share.head.begin * size;
    const kernels::NextPanel more{.packed = layer.qkv.packed, .shape = layer.qkv.shape, .column_begin = begin + hidden};
    product(begin, i * hidden + share.head.end * size, i < 2 ? more : output);
  }
}

void Encoder::attention_block(const Share& share, const Layer& layer) const {
  const std::size_t hidden = config_.hidden;
  attention_input(share, layer);
  if (!share.by_columns) share.meet();
  attend(share);
  share.meet();
  const auto [begin, end] = share.columns(0, hidden);
  float* sum = share.by_columns ? share.y : share.x;  // others still read nothing of it
  multiply(share, {.a = profile_.prepare({.a = share.wide,
                                          .lda = share.own.ld_wide_,
                                          .rows = share.rows(),
                                          .depth = hidden,
                                          .buffer = share.own.operand_}),
                   .packed = layer.output.packed,
                   .shape = layer.output.shape,
                   .depth_end = hidden,
                   .column_begin = begin,
                   .column_end = end,
                   .bias = layer.output.bias,
                   .epilogue = Epilogue::kResidual,
                   .residual = share.x + begin,
                   .ldr = share.own.ld_,
                   .out = sum + begin,
                   .ldo = share.own.ld_,
                   .next = {.packed = layer.up.packed,
                            .shape = layer.up.shape,
                            .column_begin = share.columns(0, chunk_width(config_)).begin}});
  share.meet_if_columns();
  norm(share, sum, layer.norm1_weight, layer.norm1_bias);
}

void Encoder::feed_forward_block(const Share& share, const Layer& layer) const {
  const std::size_t hidden = config_.hidden;
  const std::size_t intermediate = config_.intermediate;
  const kernels::Operand x = profile_.prepare(
      {.a = share.x, .lda = share.own.ld_, .rows = share.rows(), .depth = hidden, .buffer = share.own.operand_});
  const auto [down_begin, down_end] = share.columns(0, hidden);
  for (std::size_t begin = 0; begin < intermediate; begin += kFeedForwardChunk) {
    const std::size_t end = std::min(begin + kFeedForwardChunk, intermediate);
    const auto [up_begin, up_end] = share.columns(begin, end);
    float* h = share.wide + (share.by_columns ? begin / kFeedForwardChunk % 2 * kFeedForwardChunk : 0);
    multiply(share, {.a = x,
                     .packed = layer.up.packed,
                     .shape = layer.up.shape,
                     .depth_end = hidden,
                     .column_begin = up_begin,
                     .column_end = up_end,
                     .bias = layer.up.bias,
                     .epilogue = Epilogue::kGelu,
                     .out = h + (up_begin - begin),
                     .ldo = share.own.ld_wide_,
                     .next = {.packed = layer.down.packed,
                              .shape = layer.down.shape,
                              .column_begin = down_begin,
                              .depth_begin = begin}});
    share.meet_if_columns();
    const kernels::NextPanel more{
        .packed = layer.up.packed,
        .shape = layer.up.shape,
        .column_begin = share.columns(end, std::min(end + kFeedForwardChunk, intermediate)).begin};
    multiply(share, {.a = profile_.prepare({.a = h,
                                            .lda = share.own.ld_wide_,
                                            .rows = share.rows(),
                                            .depth = end - begin,
                                            .buffer = share.own.operand_wide_}),
                     .packed = layer.down.packed,
                     .shape = layer.down.shape,
                     .depth_begin = begin,
                     .depth_end = end,
                     .column_begin = down_begin,
                     .column_end = down_end,
                     .bias = layer.down.bias,
                     .resume = begin != 0,
                     .epilogue = end == intermediate ? Epilogue::kResidual : Epilogue::kStore,
                     .residual = share.x + down_begin,
                     .ldr = share.own.ld_,
                     .out = share.y + down_begin,
                     .ldo = share.own.ld_,
                     .next = end == intermediate ? layer.next : more});
  }
  share.meet_if_columns();
  norm(share, share.y, layer.norm2_weight, layer.norm2_bias);
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

void Encoder::wipe_activations(Workspace& workspace, std::span<const TokenSpan> texts) const {
  std::size_t row = 0;
  for (const TokenSpan& text : texts) {
    workspace.wiped_.push_back(workspace.wipe_rows(row, row + text.size()));
    row += text.size();
  }
  wipe_from(workspace, row, row);
}

// What belongs to no text: rows that a kernel may have filled up a tile with, what the profile packed of all rows
// together, and the scratch that all texts used.
void Encoder::wipe_from(Workspace& workspace, std::size_t row, std::size_t tokens) const {
  const std::size_t rows = std::min(std::bit_ceil(tokens), workspace.tokens_max_);
  workspace.wipe_rows(row, rows);
  const std::size_t chunk = chunk_width(config_);
  wipe(workspace.operand_, profile_.operand_bytes(rows, config_.hidden));
  wipe(workspace.operand_wide_, profile_.operand_bytes(rows, chunk));
  wipe(workspace.scratch_, static_cast<std::size_t>(workspace.end_ - workspace.scratch_) * sizeof(float));
}

Status Encoder::embed(Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const {
  EML_CHECK(check(workspace, texts, out));
  Crew alone(workspace, texts, out, {});
  return embed_part(alone, 0, workspace);
}

Status Encoder::embed_part(Crew& crew, std::uint32_t part, Workspace& own) const {
  const std::size_t tokens = count_tokens(crew.texts_);
  if (tokens == 0) return {};
  Workspace& shared = crew.shared_;
  const Share share = share_of(crew, part, own);
  embed_tokens(share);
  for (const Layer& layer : layers_) {
    attention_block(share, layer);
    feed_forward_block(share, layer);
  }
  if (!share.by_columns) share.meet();
  if (part != 0) {
    crew.left_.fetch_add(1, std::memory_order_release);
    wipe_from(own, 0, tokens);
    return {};
  }
  const Status pooled = pool(shared, crew.texts_, crew.out_);
  // They have only to leave the barrier: the crew ends with this call.
  while (crew.left_.load(std::memory_order_acquire) + 1 != crew.parts_) std::this_thread::yield();
  wipe_activations(shared, crew.texts_);
  return pooled;
}

}  // namespace eml
