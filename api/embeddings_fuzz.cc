// A request body that is accepted has texts, and all of its memory is wiped with it; a response body that is accepted
// carries its numbers to the same bits through our own encoder.
#include <bit>
#include <cstdlib>

#include "api/embeddings.h"
#include "encoding/wiping_resource.h"

namespace {

void request(eml::ByteView body) {
  eml::WipingResource memory;
  {
    const auto decoded = eml::decode_embedding_request(body, &memory, 384, 1U << 20);
    if (decoded && (decoded->inputs.empty() || decoded->inputs.size() > eml::kEmbeddingInputsMax)) std::abort();
  }
  if (memory.buffers_allocated() != memory.buffers_wiped()) std::abort();
}

void response(eml::ByteView body) {
  const auto answer = eml::decode_embedding_response(body);
  if (!answer || answer->embeddings.size() != 1 || answer->embeddings[0].empty()) return;
  const auto& numbers = answer->embeddings[0];
  const eml::UserText again = eml::encode_embedding_response(
      "m", numbers, numbers.size(), eml::EmbeddingFormat::kBase64, answer->prompt_tokens, {}, answer->facts);
  const auto second = eml::decode_embedding_response(again.bytes());
  if (!second || second->embeddings[0].size() != numbers.size()) std::abort();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(second->embeddings[0][i]) != std::bit_cast<std::uint32_t>(numbers[i]))
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  request({data, size});
  response({data, size});
  return 0;
}
