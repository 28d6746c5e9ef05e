// Encoder is the forward pass of a BERT-family model over a packed batch: token ids in, one unit vector a text out.
//
// The result is a function of the numerics profile (docs/spec/numerics.md), the weights and a text's own ids. It does
// not depend on the instruction set, the thread, the other texts of the batch or their order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/crew.h"
#include "engine/huge_buffer.h"
#include "engine/kernels/profile.h"
#include "engine/model_config.h"
#include "engine/safetensors.h"
#include "engine/token.h"

namespace eml {

inline constexpr ErrorCode kWeightsNotFinite{ErrorClass::kMalformed, "weights-not-finite"};
inline constexpr ErrorCode kWeightsShape{ErrorClass::kMalformed, "weights-shape"};
inline constexpr ErrorCode kWeightsType{ErrorClass::kUnsupported, "weights-type"};
inline constexpr ErrorCode kWeightsExtra{ErrorClass::kUnsupported, "weights-extra-tensor"};
inline constexpr ErrorCode kTokenOutOfRange{ErrorClass::kMalformed, "token-out-of-range"};
inline constexpr ErrorCode kSequenceLength{ErrorClass::kLimit, "sequence-length"};
inline constexpr ErrorCode kBatchTooLarge{ErrorClass::kLimit, "batch-too-large"};
inline constexpr ErrorCode kEmbeddingNotFinite{ErrorClass::kInternal, "embedding-not-finite"};
inline constexpr ErrorCode kKernelsSelfCheck{ErrorClass::kInternal, "kernels-self-check"};

// ModelWeights is a safetensors file in memory. The encoder packs the layers into its own buffers and reads the word
// embeddings in place, so it keeps `owner`.
struct ModelWeights {
  ByteView bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` mapped
  // Called with ranges of `bytes` that will not be read again, as soon as that is so: madvise(MADV_DONTNEED) on the
  // whole pages inside keeps the peak near one copy of the weights. May be empty. Never called for what is still read.
  std::function<void(std::size_t offset, std::size_t size)> release;
};

// Workspace is one thread's memory for activations, sized once. Not thread-safe.
class Workspace {
 public:
  // tokens_max is what the workspace has room for in one pass.
  std::size_t tokens_max() const { return tokens_max_; }

  // wiped is what the last pass wiped of each of its texts' own rows, in bytes and in the order of the texts, counted
  // by the code that wiped. Empty if the pass was refused before it computed.
  std::span<const std::size_t> wiped() const { return wiped_; }

 private:
  friend class Encoder;
  std::size_t wipe_rows(std::size_t begin, std::size_t end);  // of x_, y_ and wide_; returns the bytes

  std::size_t tokens_max_ = 0;
  std::size_t ld_ = 0;       // floats from row to row of x_ and y_
  std::size_t ld_wide_ = 0;  // and of wide_
  HugeBuffer memory_;
  float* x_ = nullptr;        // the residual stream
  float* y_ = nullptr;        // the feed-forward layer's sum
  float* wide_ = nullptr;     // q, k, v; then the context in q's place; then a chunk of the feed-forward layer
  float* scratch_ = nullptr;  // attention
  // Activations in the profile's own format: of x_ or the context, and of a chunk of the feed-forward layer.
  float* operand_ = nullptr;
  float* operand_wide_ = nullptr;
  float* end_ = nullptr;
  std::vector<std::size_t> wiped_;
};

// Encoder is immutable after load and shared between threads.
class Encoder {
 public:
  // A pass is best at this many tokens: more of them overflow the second-level cache with activations.
  static constexpr std::size_t kTokensPerPass = 256;

  // load checks every tensor's name, type, shape and values against `config`, packs the layers for `profile`, and runs
  // the profile's self-test.
  // Errors: those of Safetensors::decode and find; kWeightsShape, kWeightsType, kWeightsExtra, kWeightsNotFinite (or
  // not in the profile's range; the integer is the tensor's place in the file); kEngineMemory; kKernelsSelfCheck.
  static Result<std::unique_ptr<const Encoder>> load(const ModelConfig& config, ModelWeights weights,
                                                     const kernels::Profile& profile);

  const ModelConfig& config() const { return config_; }
  const kernels::Profile& profile() const { return profile_; }

  // weights_bytes is what the weights hold in memory: the packed layers and the tables of embeddings.
  std::size_t weights_bytes() const {
    return packed_.size() * sizeof(float) + std::size_t{config_.vocab_size} * config_.hidden * sizeof(float);
  }

  // make_workspace allocates for passes of up to `tokens` tokens (at least config().tokens_max).
  Result<Workspace> make_workspace(std::size_t tokens = kTokensPerPass) const;

  // embed runs one pass: `out` receives config().hidden floats a text, in the order of `texts`. Before it returns, on
  // every path, all activations in `workspace` are wiped, and workspace.wiped() says how many bytes of each text.
  // Allocates nothing.
  // Errors: kSequenceLength (empty or over tokens_max), kTokenOutOfRange, kBatchTooLarge; kEmbeddingNotFinite.
  Status embed(Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const;

  // check refuses what embed would; the workspace forgets what its last pass wiped.
  Status check(Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const;

  // embed_part computes part `part` of a crew whose pass has been checked. All parts have to run at the same time, each
  // once, on threads of their own; `own` is the thread's workspace, for part 0 the crew's. Part 0 returns last, with
  // what embed returns; the others return success. Activations are wiped as by embed.
  Status embed_part(Crew& crew, std::uint32_t part, Workspace& own) const;

 private:
  // Linear is a matrix as the profile packs it.
  struct Linear {
    kernels::MatrixShape shape;
    const void* packed = nullptr;
    const float* bias = nullptr;
  };
  struct Layer {
    Linear qkv;  // query, key and value side by side
    Linear output;
    const float *norm1_weight, *norm1_bias;
    Linear up, down;
    const float *norm2_weight, *norm2_bias;
    kernels::NextPanel next;  // the layer after this one's; nothing after the last
  };
  friend class EncoderLoader;

  Encoder(const ModelConfig& config, const kernels::Profile& profile)
      : config_(config), profile_(profile), kernels_(*profile.rows) {}
  struct Share;
  Share share_of(Crew& crew, std::uint32_t part, Workspace& own) const;
  void embed_tokens(const Share& share) const;
  void multiply(const Share& share, const kernels::MatrixArgs& args) const;
  void attention_input(const Share& share, const Layer& layer) const;
  void attention_block(const Share& share, const Layer& layer) const;
  void attend(const Share& share) const;
  void feed_forward_block(const Share& share, const Layer& layer) const;
  void norm(const Share& share, const float* in, const float* weight, const float* bias) const;
  Status pool(const Workspace& workspace, std::span<const TokenSpan> texts, std::span<float> out) const;
  void wipe_activations(Workspace& workspace, std::span<const TokenSpan> texts) const;
  void wipe_from(Workspace& workspace, std::size_t row, std::size_t tokens) const;

  ModelConfig config_;
  kernels::Profile profile_;
  const kernels::KernelTable& kernels_;  // what runs between the matrices
  ModelWeights weights_;
  HugeBuffer packed_;
  HugeBuffer converted_words_;        // only for 16-bit word embeddings
  const float* words_ = nullptr;      // vocab x hidden; may be unaligned
  const float* positions_ = nullptr;  // tokens_max x hidden: position plus token type 0
  const float* norm0_weight_ = nullptr;
  const float* norm0_bias_ = nullptr;
  std::vector<Layer> layers_;
};

}  // namespace eml
