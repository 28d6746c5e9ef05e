// Any text gives [CLS], ids of the vocabulary, [SEP], within the length; a shorter length gives a prefix of it; invalid
// UTF-8 gives an error. The first byte chooses the length.
#include <cstdlib>
#include <string>

#include "encoding/utf8.h"
#include "engine/tokenizer.h"

namespace {

const eml::Tokenizer& tokenizer() {
  static const eml::Tokenizer out = [] {
    std::string vocab =
        R"("[UNK]":0,"[CLS]":1,"[SEP]":2,"##ing":3,"the":4,"\u4e00":5,"##\u0301":6,"\u1100":7,"##\u1161":8)";
    std::size_t size = 9;
    for (char c = '!'; c <= '~'; ++c) {
      if (c == '"' || c == '\\' || (c >= 'A' && c <= 'Z')) continue;
      vocab += ",\"" + std::string(1, c) + "\":" + std::to_string(size++);
      vocab += ",\"##" + std::string(1, c) + "\":" + std::to_string(size++);
    }
    const std::string json =
        R"({"added_tokens":[{"id":2,"content":"[SEP]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false}],)"
        R"("normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"lowercase":true},)"
        R"("pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},)"
        R"("model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,)"
        R"("vocab":{)" +
        vocab + "}}}";
    auto decoded = eml::Tokenizer::decode(eml::as_bytes(json));
    if (!decoded) std::abort();
    return *std::move(decoded);
  }();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t tokens_max = 2 + data[0];
  const std::string_view text = eml::as_text({data + 1, size - 1});
  static eml::TokenizerScratch scratch;
  eml::TokenIds ids;
  const bool is_done = tokenizer().encode(ids, scratch, text, tokens_max).has_value();
  if (is_done != eml::is_utf8(text)) std::abort();
  if (!is_done) return 0;
  if (ids.size() < 2 || ids.size() > tokens_max || ids.front() != 1 || ids.back() != 2) std::abort();
  for (const eml::TokenId id : ids) {
    if (id >= tokenizer().vocab_size()) std::abort();
  }
  eml::TokenIds longer;
  if (!tokenizer().encode(longer, scratch, text, 300)) std::abort();
  ids.pop_back();
  if (longer.size() < ids.size() + 1 || !std::equal(ids.begin(), ids.end(), longer.begin())) std::abort();
  return 0;
}
