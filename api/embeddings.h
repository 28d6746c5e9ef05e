// The OpenAI embeddings API, POST /v1/embeddings: request bodies in both directions, response bodies in both.
//
// Members beyond OpenAI's: "eml-nonce" (base64url, 8 to 64 bytes; becomes the receipt's eat_nonce) and "eml"
// {"salt"} (16 bytes base64url: keeps a short text's hash from being guessed). A response always carries "eml"
// {"salt","engine","kernels","numerics","seed"}.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/user_text.h"
#include "encoding/json.h"

namespace eml {

inline constexpr std::size_t kEmbeddingInputsMax = 2048;  // OpenAI's own limit; 8,192 texts are refused with 400

enum class EmbeddingFormat : std::uint8_t { kFloat, kBase64 };

// EmbeddingRequest views texts that live in `document`, whose memory is the resource given to the parser.
struct EmbeddingRequest {
  Json document;
  std::string model;
  std::vector<std::string_view> inputs;
  EmbeddingFormat format = EmbeddingFormat::kFloat;
  std::optional<Bytes> nonce;
};

// decode_embedding_request parses and checks a body. `storage` receives all user text. Unknown members are refused;
// "user" and "dimensions" equal to `dimensions` are accepted.
Result<EmbeddingRequest> decode_embedding_request(ByteView body, boost::json::storage_ptr storage,
                                                  std::size_t dimensions, std::size_t body_bytes_max);

struct EmbeddingAsk {
  std::string_view model;
  std::span<const std::string_view> inputs;
  EmbeddingFormat format = EmbeddingFormat::kBase64;
  std::optional<Bytes> nonce;
  ByteArray<16> salt{};
};

// encode_embedding_request writes the body that a client of ours sends.
UserText encode_embedding_request(const EmbeddingAsk& ask);

struct EngineFacts {
  std::string engine;    // "ephemeralml/0.1.0"
  std::string kernels;   // "avx512"
  std::string numerics;  // "fp32"
};

// encode_embedding_response writes the answer: `embeddings` is inputs x dimensions, row by row.
UserText encode_embedding_response(std::string_view model, std::span<const float> embeddings, std::size_t dimensions,
                                   EmbeddingFormat format, std::uint64_t prompt_tokens, const ByteArray<16>& salt,
                                   const EngineFacts& facts);

struct EmbeddingAnswer {
  std::string model;
  std::vector<std::vector<float>> embeddings;
  std::uint64_t prompt_tokens = 0;
  EngineFacts facts;
};

// decode_embedding_response is the client's side; numbers are recovered to the same bits in both formats.
Result<EmbeddingAnswer> decode_embedding_response(ByteView body, boost::json::storage_ptr storage = {});

}  // namespace eml
