// A tokenizer.json that is accepted encodes any text to ids of its own vocabulary.
#include <cstdlib>

#include "engine/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tokenizer = eml::Tokenizer::decode({data, size});
  if (!tokenizer) return 0;
  eml::TokenizerScratch scratch;
  eml::TokenIds ids;
  if (!tokenizer->encode(ids, scratch, "Hello, [SEP] w\xc3\xb6rld! abc", 64)) std::abort();
  for (const eml::TokenId id : ids) {
    if (id >= tokenizer->vocab_size()) std::abort();
  }
  return 0;
}
