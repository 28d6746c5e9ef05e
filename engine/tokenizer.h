// Tokenizer turns text into the ids that the official tokenizer gives for an uncased BERT vocabulary (WordPiece).
//
// The reference is the Rust library `tokenizers`. What tokenizer.json says about truncation and padding is ignored: the
// caller gives the length, and nothing is padded. A literal special token in the text ("[SEP]", this case only) becomes
// that token, as in the reference.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/token.h"
#include "engine/word_trie.h"

namespace eml {

inline constexpr ErrorCode kTokenizerMalformed{ErrorClass::kMalformed, "tokenizer-malformed"};
inline constexpr ErrorCode kTokenizerUnsupported{ErrorClass::kUnsupported, "tokenizer-unsupported"};
inline constexpr ErrorCode kTextNotUtf8{ErrorClass::kMalformed, "text-not-utf8"};

// TokenizerScratch is the memory that one encoding at a time needs: the word in work and a run of marks. It holds user
// text until the next call or wipe(); the destructor wipes.
class TokenizerScratch {
 public:
  static constexpr std::size_t kCharsMax = 128;  // above every max_input_chars_per_word that we accept

  TokenizerScratch() = default;
  ~TokenizerScratch() { wipe(); }
  TokenizerScratch(const TokenizerScratch&) = delete;
  TokenizerScratch& operator=(const TokenizerScratch&) = delete;

  // wipe returns the bytes wiped: always the whole buffers.
  std::size_t wipe();

 private:
  friend class TokenizerRun;
  std::array<std::uint8_t, 4 * kCharsMax> word_{};
  std::array<std::uint32_t, kCharsMax> marks_{};
};

// Tokenizer is immutable after decode and shared between threads.
class Tokenizer {
 public:
  // decode reads tokenizer.json.
  // Errors: Malformed or Limit (JSON; a member missing, of a wrong type or out of range; ids that are not 0 to n-1 once
  // each), Unsupported (another model, normalizer, pre-tokenizer, template, or added tokens that strip or normalize).
  static Result<Tokenizer> decode(ByteView json);

  // encode replaces `ids` by [CLS], at most tokens_max - 2 ids, [SEP]. Allocates only if `ids` has too little capacity.
  // Errors: kTextNotUtf8 (the integer is the offset). Precondition: tokens_max >= 2.
  Status encode(TokenIds& ids, TokenizerScratch& scratch, std::string_view text, std::size_t tokens_max) const;

  std::uint32_t vocab_size() const { return vocab_size_; }

 private:
  friend class TokenizerRun;
  friend class TokenizerReader;
  struct Special {
    std::string content;
    TokenId id;
  };

  Tokenizer(WordTrie words, WordTrie pieces) : words_(std::move(words)), pieces_(std::move(pieces)) {}

  std::uint32_t vocab_size_ = 0;
  std::size_t word_chars_max_ = 100;
  TokenId unknown_ = 0;
  TokenId cls_ = 0;
  TokenId sep_ = 0;
  std::vector<Special> specials_;           // the longest first
  std::array<bool, 256> starts_special_{};  // by first byte
  WordTrie words_;                          // entries that start a word
  WordTrie pieces_;                         // entries that go on with one, without their ##
};

}  // namespace eml
