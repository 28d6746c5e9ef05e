#include "engine/tokenizer.h"

#include <gtest/gtest.h>

#include "encoding/json.h"
#include "engine/test_model.h"

namespace eml {
namespace {

class SmallTokenizer : public testing::Test {
 protected:
  std::vector<TokenId> ids(std::string_view text, std::size_t tokens_max = 64) {
    TokenIds out;
    const auto done = tokenizer_.encode(out, scratch_, text, tokens_max);
    EXPECT_TRUE(done) << done.error().to_string();
    return {out.begin(), out.end()};
  }
  TokenId id(std::string_view word) {
    const auto out = ids(word);
    EXPECT_EQ(out.size(), 3U) << word;
    return out[1];
  }

  Tokenizer tokenizer_ = *Tokenizer::decode(as_bytes(test::TestModel().tokenizer));
  TokenizerScratch scratch_;
};

constexpr TokenId kUnknown = 1;
constexpr TokenId kCls = 2;
constexpr TokenId kSep = 3;

TEST_F(SmallTokenizer, EmptyAndBlankTextsAreTheTwoSpecialTokens) {
  EXPECT_EQ(ids(""), (std::vector<TokenId>{kCls, kSep}));
  EXPECT_EQ(ids(" \t\n\x01"), (std::vector<TokenId>{kCls, kSep}));
}

TEST_F(SmallTokenizer, TakesTheLongestPieceFirst) {
  EXPECT_EQ(ids("Hello WORLD testing"), (std::vector<TokenId>{kCls, 4, 5, 8, 7, kSep}));
}

TEST_F(SmallTokenizer, AWordWithAPieceThatIsNotThereIsUnknownAsAWhole) {
  EXPECT_EQ(ids("hello1 9 +"), (std::vector<TokenId>{kCls, kUnknown, kUnknown, kUnknown, kSep}));
}

TEST_F(SmallTokenizer, PunctuationIsAWordOfItsOwn) {
  EXPECT_EQ(ids("hello-world"), (std::vector<TokenId>{kCls, 4, id("-"), 5, kSep}));
}

TEST_F(SmallTokenizer, ALiteralSpecialTokenIsThatTokenInItsCaseOnly) {
  EXPECT_EQ(ids("hello[SEP]world"), (std::vector<TokenId>{kCls, 4, kSep, 5, kSep}));
  const auto lower = ids("[sep]");  // a bracket, s ##e ##p, a bracket
  EXPECT_EQ(lower.size(), 7U);
  EXPECT_EQ(lower[1], kUnknown);
}

TEST_F(SmallTokenizer, AccentsAndControlCharactersVanish) {
  EXPECT_EQ(ids("h\xc3\xa9llo"), ids("hello"));
  EXPECT_EQ(ids("he\xcc\x81llo"), ids("hello"));
  EXPECT_EQ(ids("hel\xe2\x80\x8blo"), ids("hello"));
}

TEST_F(SmallTokenizer, AWordOfAHundredCharactersIsKnownAndOfOneMoreIsNot) {
  EXPECT_EQ(ids(std::string(100, 'a'), 200).size(), 102U);
  EXPECT_EQ(ids(std::string(101, 'a'), 200), (std::vector<TokenId>{kCls, kUnknown, kSep}));
  EXPECT_EQ(ids(std::string(1 << 20, 'a'), 200), (std::vector<TokenId>{kCls, kUnknown, kSep}));
}

TEST_F(SmallTokenizer, TruncationKeepsTheFirstIdsAndTheEnd) {
  EXPECT_EQ(ids("hello world the test", 4), (std::vector<TokenId>{kCls, 4, 5, kSep}));
  EXPECT_EQ(ids("abcdef", 5), (std::vector<TokenId>{kCls, id("a"), ids("ab")[2], ids("ac")[2], kSep}));
  EXPECT_EQ(ids("hello", 2), (std::vector<TokenId>{kCls, kSep}));
}

TEST_F(SmallTokenizer, AMillionCombiningMarksAreBounded) {
  std::string marks;
  for (int i = 0; i < 1000000; ++i) marks += "\xe3\x80\xae";  // U+302E: a mark that is not stripped
  EXPECT_EQ(ids(marks), (std::vector<TokenId>{kCls, kUnknown, kSep}));
  EXPECT_EQ(ids("hello " + marks + " world"), (std::vector<TokenId>{kCls, 4, kUnknown, 5, kSep}));
}

TEST_F(SmallTokenizer, InvalidUtf8IsAnErrorAtItsOffsetEvenBehindTheCut) {
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"}) {
    TokenIds out;
    const auto done = tokenizer_.encode(out, scratch_, "hello world " + std::string(bad), 3);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), kTextNotUtf8);
    EXPECT_EQ(done.error().first(), 12U);
  }
}

TEST_F(SmallTokenizer, ScratchIsWipedWhole) {
  ids("hello");
  const std::size_t bytes = scratch_.wipe();
  EXPECT_EQ(bytes, 4 * TokenizerScratch::kCharsMax + 4 * TokenizerScratch::kCharsMax);
}

std::string with(const std::string& from, const std::string& to) {
  std::string out = test::TestModel().tokenizer;
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

TEST(TokenizerFile, RefusesEachDefectByItsName) {
  struct Bad {
    const char* defect;
    std::string json;
    ErrorCode code;
  };
  const std::vector<Bad> cases = {
      {"empty", "", kJsonSyntax},
      {"not an object", "[]", kTokenizerMalformed},
      {"no normalizer", with("\"normalizer\"", "\"other\""), kJsonMissingMember},
      {"another normalizer", with("\"BertNormalizer\"", "\"NFC\""), kTokenizerUnsupported},
      {"a cased normalizer", with("\"lowercase\":true", "\"lowercase\":false"), kTokenizerUnsupported},
      {"kept accents", with("\"strip_accents\":null", "\"strip_accents\":false"), kTokenizerUnsupported},
      {"another pre-tokenizer", with("\"BertPreTokenizer\"", "\"ByteLevel\""), kTokenizerUnsupported},
      {"another model", with("\"WordPiece\"", "\"BPE\""), kTokenizerUnsupported},
      {"another prefix", with("\"continuing_subword_prefix\":\"##\"", "\"continuing_subword_prefix\":\"@\""),
       kTokenizerUnsupported},
      {"longer words", with(":100,", ":101,"), kTokenizerUnsupported},
      {"an unknown token that is unknown", with("\"unk_token\":\"[UNK]\"", "\"unk_token\":\"x9\""),
       kTokenizerMalformed},
      {"an id twice", with("\"hello\":4", "\"hello\":5"), kTokenizerMalformed},
      {"an id too large", with("\"hello\":4", "\"hello\":4000"), kTokenizerMalformed},
      {"a negative id", with("\"hello\":4", "\"hello\":-4"), kTokenizerMalformed},
      {"an id of text", with("\"hello\":4", "\"hello\":\"4\""), kTokenizerMalformed},
      {"a token twice", with("\"world\":5", "\"hello\":5"), kJsonDuplicateName},
      {"an empty token", with("\"hello\":4", "\"\":4"), kTokenizerMalformed},
      {"another post-processor", with("\"BertProcessing\"", "\"RobertaProcessing\""), kTokenizerUnsupported},
      {"a special id out of range", with("[\"[SEP]\",3]", "[\"[SEP]\",300]"), kTokenizerMalformed},
      {"an added token that strips", with("\"lstrip\":false", "\"lstrip\":true"), kTokenizerUnsupported},
      {"an added token with another id", with("{\"id\":2", "{\"id\":7"), kTokenizerMalformed},
      {"no added tokens", with("\"added_tokens\"", "\"other\""), kJsonMissingMember},
  };
  for (const Bad& bad : cases) {
    const auto tokenizer = Tokenizer::decode(as_bytes(bad.json));
    ASSERT_FALSE(tokenizer) << bad.defect;
    EXPECT_EQ(tokenizer.error().code(), bad.code) << bad.defect << ": " << tokenizer.error().to_string();
  }
}

TEST(TokenizerFile, RefusesAFileThatIsCutAnywhere) {
  const std::string good = test::TestModel().tokenizer;
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(Tokenizer::decode(as_bytes(good.substr(0, n)))) << n;
}

TEST(RealTokenizer, GivesTheOfficialIdsOfEveryReferenceText) {
  EML_SHARED_FILE_OR_SKIP(lines, "vectors/minilm/all-minilm-l6-v2.jsonl");
  EML_REAL_MODEL_OR_SKIP(model);
  TokenizerScratch scratch;
  TokenIds ids;
  std::size_t texts = 0;
  for (std::size_t begin = 0, end = 0; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto json = parse_json(as_bytes(std::string_view(lines).substr(begin, end - begin)));
    ASSERT_TRUE(json);
    const JsonObject& line = json->as_object();
    ASSERT_EQ(line.size(), 3U);
    ASSERT_TRUE(model.tokenize(ids, scratch, std::string_view(line.at("text").as_string())));
    const JsonArray& want = line.at("ids").as_array();
    ASSERT_EQ(ids.size(), want.size()) << "line " << texts;
    for (std::size_t i = 0; i < ids.size(); ++i)
      EXPECT_EQ(std::int64_t{ids[i]}, want[i].as_int64()) << "line " << texts;
    ++texts;
  }
  EXPECT_EQ(texts, 79U);
}

}  // namespace
}  // namespace eml
