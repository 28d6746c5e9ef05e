// Reading tokenizer.json: everything that changes ids must be what encode() does, or the file is refused.
#include <algorithm>

#include "encoding/json.h"
#include "engine/tokenizer.h"

namespace eml {
namespace {

constexpr JsonLimits kLimits{.bytes_max = 16U << 20, .depth_max = 16};
constexpr std::size_t kEntryBytesMax = 400;  // a hundred characters of four bytes
constexpr std::size_t kAddedTokensMax = 64;

bool is_text(const JsonObject& object, std::string_view member, std::string_view wanted) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_string() && std::string_view(value->get_string()) == wanted;
}

bool is_flag(const JsonObject& object, std::string_view member, bool wanted) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_bool() && value->get_bool() == wanted;
}

Result<const JsonObject*> object_of_type(const JsonObject& root, std::string_view member, std::string_view type) {
  EML_TRY(const JsonObject* object, json_object(root, member));
  if (!is_text(*object, "type", type)) {
    return fail(kTokenizerUnsupported, "a part of tokenizer.json is of another type than an uncased BERT has");
  }
  return object;
}

}  // namespace

class TokenizerReader {
 public:
  static Result<Tokenizer> read(const JsonObject& root) {
    EML_CHECK(check_normalizer(root));
    EML_CHECK(object_of_type(root, "pre_tokenizer", "BertPreTokenizer"));
    EML_TRY(const JsonObject* model, object_of_type(root, "model", "WordPiece"));
    if (!is_text(*model, "continuing_subword_prefix", "##")) {
      return fail(kTokenizerUnsupported, "the continuing prefix is not ##");
    }
    EML_TRY(const JsonObject* vocab, json_object(*model, "vocab"));
    EML_TRY(Tokenizer out, read_vocab(*vocab));
    EML_TRY(const std::uint64_t chars, json_uint(*model, "max_input_chars_per_word"));
    if (chars == 0 || chars > 100) return fail(kTokenizerUnsupported, "words of over 100 characters are not supported");
    out.word_chars_max_ = chars;
    EML_TRY(const std::string_view unknown, json_text(*model, "unk_token"));
    EML_TRY(out.unknown_, look_up(*vocab, unknown));
    EML_CHECK(read_template(root, out));
    EML_CHECK(read_added(root, *vocab, out));
    return out;
  }

 private:
  static Status check_normalizer(const JsonObject& root) {
    EML_TRY(const JsonObject* normalizer, object_of_type(root, "normalizer", "BertNormalizer"));
    const Json* strip = normalizer->if_contains("strip_accents");
    const bool strips = strip == nullptr || strip->is_null() || (strip->is_bool() && strip->get_bool());
    if (!strips || !is_flag(*normalizer, "clean_text", true) || !is_flag(*normalizer, "handle_chinese_chars", true) ||
        !is_flag(*normalizer, "lowercase", true)) {
      return fail(kTokenizerUnsupported, "only the uncased normalizer that strips accents is supported");
    }
    return {};
  }

  static Result<TokenId> look_up(const JsonObject& vocab, std::string_view token) {
    const Json* id = vocab.if_contains(token);
    if (id == nullptr || !id->is_int64()) return fail(kTokenizerMalformed, "a special token is not in the vocabulary");
    return static_cast<TokenId>(id->get_int64());  // read_vocab checked the range
  }

  static Result<Tokenizer> read_vocab(const JsonObject& vocab) {
    std::vector<std::pair<std::string_view, std::uint32_t>> words;
    std::vector<std::pair<std::string_view, std::uint32_t>> pieces;
    std::vector<bool> seen(vocab.size());
    if (vocab.empty() || vocab.size() > (1U << 20)) return fail(kTokenizerMalformed, "the vocabulary has an odd size");
    for (const auto& entry : vocab) {
      const std::string_view text(entry.key());
      const Json& value = entry.value();
      if (!value.is_int64() || value.get_int64() < 0 || static_cast<std::uint64_t>(value.get_int64()) >= vocab.size()) {
        return fail(kTokenizerMalformed, "an id is not an integer below the size of the vocabulary", vocab.size());
      }
      const auto id = static_cast<std::uint32_t>(value.get_int64());
      if (seen[id]) return fail(kTokenizerMalformed, "two tokens have the same id", id);
      seen[id] = true;
      if (text.empty() || text.size() > kEntryBytesMax)
        return fail(kTokenizerMalformed, "a token is empty or too long", id);
      if (text.starts_with("##") && text.size() > 2) {
        pieces.emplace_back(text.substr(2), id);
      } else {
        words.emplace_back(text, id);
      }
    }
    Tokenizer out{WordTrie(std::move(words)), WordTrie(std::move(pieces))};
    out.vocab_size_ = static_cast<std::uint32_t>(vocab.size());
    return out;
  }

  // One sequence must become [CLS] A [SEP], said as a template or as BertProcessing.
  static Status read_template(const JsonObject& root, Tokenizer& out) {
    EML_TRY(const JsonObject* processor, json_object(root, "post_processor"));
    if (is_text(*processor, "type", "BertProcessing")) {
      EML_TRY(out.cls_, pair_id(*processor, "cls", out.vocab_size_));
      EML_TRY(out.sep_, pair_id(*processor, "sep", out.vocab_size_));
      return {};
    }
    if (!is_text(*processor, "type", "TemplateProcessing")) {
      return fail(kTokenizerUnsupported, "the post-processor is neither a template nor BertProcessing");
    }
    EML_TRY(const JsonArray* single, json_array(*processor, "single"));
    EML_TRY(const JsonObject* specials, json_object(*processor, "special_tokens"));
    if (single->size() != 3 || !is_sequence((*single)[1])) {
      return fail(kTokenizerUnsupported, "the template is not one token, the text, one token");
    }
    EML_TRY(out.cls_, template_id((*single)[0], *specials, out.vocab_size_));
    EML_TRY(out.sep_, template_id((*single)[2], *specials, out.vocab_size_));
    return {};
  }

  static bool is_sequence(const Json& step) {
    if (!step.is_object()) return false;
    const Json* sequence = step.get_object().if_contains("Sequence");
    return sequence != nullptr && sequence->is_object() && is_text(sequence->get_object(), "id", "A");
  }

  static Result<TokenId> checked_id(const Json& value, std::uint32_t vocab_size) {
    if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() >= vocab_size) {
      return fail(kTokenizerMalformed, "a special token's id is out of range", vocab_size);
    }
    return static_cast<TokenId>(value.get_int64());
  }

  static Result<TokenId> pair_id(const JsonObject& processor, std::string_view member, std::uint32_t vocab_size) {
    EML_TRY(const JsonArray* pair, json_array(processor, member));
    if (pair->size() != 2) return fail(kTokenizerMalformed, "a special token is not a pair of text and id");
    return checked_id((*pair)[1], vocab_size);
  }

  static Result<TokenId> template_id(const Json& step, const JsonObject& specials, std::uint32_t vocab_size) {
    if (!step.is_object()) return fail(kTokenizerMalformed, "a step of the template is not an object");
    EML_TRY(const JsonObject* special, json_object(step.get_object(), "SpecialToken"));
    EML_TRY(const std::string_view name, json_text(*special, "id"));
    EML_TRY(const JsonObject* entry, json_object(specials, name));
    EML_TRY(const JsonArray* ids, json_array(*entry, "ids"));
    if (ids->size() != 1) return fail(kTokenizerUnsupported, "a step of the template is not one token");
    return checked_id((*ids)[0], vocab_size);
  }

  static Status read_added(const JsonObject& root, const JsonObject& vocab, Tokenizer& out) {
    EML_TRY(const JsonArray* added, json_array(root, "added_tokens"));
    if (added->size() > kAddedTokensMax) return fail(kTokenizerUnsupported, "there are too many added tokens");
    for (const Json& item : *added) {
      if (!item.is_object()) return fail(kTokenizerMalformed, "an added token is not an object");
      const JsonObject& token = item.get_object();
      EML_TRY(const std::string_view content, json_text(token, "content"));
      if (content.empty()) return fail(kTokenizerMalformed, "an added token is empty");
      for (const std::string_view flag : {"single_word", "lstrip", "rstrip", "normalized"}) {
        if (!is_flag(token, flag, false)) {
          return fail(kTokenizerUnsupported,
                      "added tokens that strip, normalize or need a whole word are not supported");
        }
      }
      EML_TRY(const TokenId id, look_up(vocab, content));
      const Json* stated = token.if_contains("id");
      if (stated == nullptr || !stated->is_int64() || stated->get_int64() != std::int64_t{id}) {
        return fail(kTokenizerMalformed, "an added token has another id than in the vocabulary", id);
      }
      out.specials_.push_back({.content = std::string(content), .id = id});
      out.starts_special_[static_cast<std::uint8_t>(content[0])] = true;
    }
    std::sort(out.specials_.begin(), out.specials_.end(),
              [](const auto& a, const auto& b) { return a.content.size() > b.content.size(); });
    return {};
  }
};

Result<Tokenizer> Tokenizer::decode(ByteView json) {
  EML_TRY(const Json root, parse_json(json, kLimits));
  if (!root.is_object()) return fail(kTokenizerMalformed, "tokenizer.json is not an object");
  return TokenizerReader::read(root.get_object());
}

}  // namespace eml
