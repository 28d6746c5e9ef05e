#include "api/embeddings.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "api/status.h"
#include "encoding/base64.h"
#include "encoding/wiping_resource.h"

namespace eml {
namespace {

constexpr std::size_t kDimensions = 4;
constexpr std::size_t kBodyMax = 1U << 20;

Result<EmbeddingRequest> decode(std::string_view body) {
  return decode_embedding_request(as_bytes(body), {}, kDimensions, kBodyMax);
}

TEST(EmbeddingRequest, ReadsOneTextAndItsDefaults) {
  const auto request = decode(R"({"model":"m","input":"hello"})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->model, "m");
  ASSERT_EQ(request->inputs.size(), 1U);
  EXPECT_EQ(request->inputs[0], "hello");
  EXPECT_EQ(request->format, EmbeddingFormat::kFloat);
  EXPECT_FALSE(request->nonce);
}

TEST(EmbeddingRequest, ReadsSeveralTextsFormatAndNonce) {
  const auto request =
      decode(R"({"model":"m","input":["a","","c"],"encoding_format":"base64","user":"u","dimensions":4,)"
             R"("eml-nonce":"AAECAwQFBgc","eml":{"salt":"AAAAAAAAAAAAAAAAAAAAAA"}})");
  ASSERT_TRUE(request) << request.error().to_string();
  EXPECT_EQ(request->inputs, (std::vector<std::string_view>{"a", "", "c"}));
  EXPECT_EQ(request->format, EmbeddingFormat::kBase64);
  EXPECT_EQ(request->nonce, (Bytes{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(EmbeddingRequest, ItsTextsLiveInTheGivenMemoryAndAreWipedWithIt) {
  WipingResource memory;
  const std::string text(1000, 'x');
  {
    const auto request =
        decode_embedding_request(as_bytes(R"({"model":"m","input":")" + text + "\"}"), &memory, kDimensions, kBodyMax);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->inputs[0], text);
    EXPECT_LT(memory.bytes_wiped(), text.size());
  }
  EXPECT_GE(memory.bytes_wiped(), text.size());
  EXPECT_EQ(memory.buffers_allocated(), memory.buffers_wiped());
}

struct BadRequest {
  const char* name;
  const char* body;
};

class BadEmbeddingRequest : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadEmbeddingRequest, IsAnErrorOfTheClientsOwn) {
  const auto request = decode(GetParam().body);
  ASSERT_FALSE(request);
  EXPECT_EQ(http_status(request.error()), 400) << request.error().to_string();
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadEmbeddingRequest,
    ::testing::Values(BadRequest{"Empty", ""}, BadRequest{"NotJson", "hello"}, BadRequest{"NotAnObject", "[]"},
                      BadRequest{"NoModel", R"({"input":"a"})"}, BadRequest{"NoInput", R"({"model":"m"})"},
                      BadRequest{"ModelIsNumber", R"({"model":1,"input":"a"})"},
                      BadRequest{"InputIsNumber", R"({"model":"m","input":1})"},
                      BadRequest{"InputIsEmptyArray", R"({"model":"m","input":[]})"},
                      BadRequest{"InputOfNumbers", R"({"model":"m","input":[1]})"},
                      BadRequest{"InputOfArrays", R"({"model":"m","input":[["a"]]})"},
                      BadRequest{"UnknownMember", R"({"model":"m","input":"a","x":1})"},
                      BadRequest{"DuplicateMember", R"({"model":"m","input":"a","input":"b"})"},
                      BadRequest{"OtherFormat", R"({"model":"m","input":"a","encoding_format":"hex"})"},
                      BadRequest{"OtherDimensions", R"({"model":"m","input":"a","dimensions":3})"},
                      BadRequest{"ShortNonce", R"({"model":"m","input":"a","eml-nonce":"AAECAwQFBg"})"},
                      BadRequest{"PaddedNonce", R"({"model":"m","input":"a","eml-nonce":"AAECAwQFBgc="})"},
                      BadRequest{"NonceIsNumber", R"({"model":"m","input":"a","eml-nonce":1})"},
                      BadRequest{"ShortSalt", R"({"model":"m","input":"a","eml":{"salt":"AAAA"}})"},
                      BadRequest{"SaltIsMissing", R"({"model":"m","input":"a","eml":{}})"},
                      BadRequest{"EmlHasMore",
                                 R"({"model":"m","input":"a","eml":{"salt":"AAAAAAAAAAAAAAAAAAAAAA","x":1}})"},
                      BadRequest{"BadUtf8", "{\"model\":\"m\",\"input\":\"\xff\"}"},
                      BadRequest{"TrailingBytes", R"({"model":"m","input":"a"}x)"}),
    [](const auto& info) { return info.param.name; });

TEST(EmbeddingRequest, HasABoundOnItsTexts) {
  auto body = [](std::size_t n) {
    std::string out = R"({"model":"m","input":[)";
    for (std::size_t i = 0; i < n; ++i) out += i == 0 ? "\"\"" : ",\"\"";
    return out + "]}";
  };
  EXPECT_TRUE(decode(body(kEmbeddingInputsMax)));
  const auto over = decode(body(kEmbeddingInputsMax + 1));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code(), kApiTooManyInputs);
  EXPECT_EQ(http_status(over.error()), 400);
}

TEST(EmbeddingRequest, WhatAClientWritesTheServerReads) {
  const std::string awkward = "quote\" back\\slash \n\t\x01 \xc3\xa9 \xf0\x9f\x98\x80";
  const std::string_view texts[] = {awkward, "second"};
  const UserText body = encode_embedding_request(
      {.model = "m/x", .inputs = texts, .format = EmbeddingFormat::kBase64, .nonce = Bytes(8, 7), .salt = {1, 2}});
  const auto request = decode(body.text());
  ASSERT_TRUE(request) << request.error().to_string();
  EXPECT_EQ(request->model, "m/x");
  EXPECT_EQ(request->inputs, (std::vector<std::string_view>{awkward, "second"}));
  EXPECT_EQ(request->nonce, Bytes(8, 7));
}

class EmbeddingResponse : public ::testing::TestWithParam<EmbeddingFormat> {};

TEST_P(EmbeddingResponse, CarriesEveryNumberToTheSameBits) {
  const std::vector<float> numbers = {
      0.1F,      -0.0F,       1e-45F, std::numeric_limits<float>::max(), std::numeric_limits<float>::min(),
      -1.0F / 3, 16777216.0F, 1e10F};
  const UserText body = encode_embedding_response("m", numbers, kDimensions, GetParam(), 9, {},
                                                  {.engine = "e/1", .kernels = "k", .numerics = "fp32"});
  const auto answer = decode_embedding_response(body.bytes());
  ASSERT_TRUE(answer) << answer.error().to_string();
  EXPECT_EQ(answer->model, "m");
  EXPECT_EQ(answer->prompt_tokens, 9U);
  EXPECT_EQ(answer->facts.numerics, "fp32");
  ASSERT_EQ(answer->embeddings.size(), 2U);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(answer->embeddings[i / kDimensions][i % kDimensions]),
              std::bit_cast<std::uint32_t>(numbers[i]))
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EmbeddingResponse,
                         ::testing::Values(EmbeddingFormat::kFloat, EmbeddingFormat::kBase64),
                         [](const auto& info) { return info.param == EmbeddingFormat::kFloat ? "Float" : "Base64"; });

TEST(EmbeddingResponse, TwoAnswersWithTheSameNumbersDifferByTheirSalt) {
  const std::vector<float> numbers(kDimensions, 0.5F);
  const EngineFacts facts{.engine = "e", .kernels = "k", .numerics = "n"};
  const UserText a = encode_embedding_response("m", numbers, kDimensions, EmbeddingFormat::kFloat, 1, {1}, facts);
  const UserText b = encode_embedding_response("m", numbers, kDimensions, EmbeddingFormat::kFloat, 1, {2}, facts);
  EXPECT_NE(a.text(), b.text());
}

class BadEmbeddingResponse : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadEmbeddingResponse, IsRefused) { EXPECT_FALSE(decode_embedding_response(as_bytes(GetParam().body))); }

#define TAIL R"(,"model":"m","usage":{"prompt_tokens":1},"eml":{"engine":"e","kernels":"k","numerics":"n"}})"
INSTANTIATE_TEST_SUITE_P(
    Table, BadEmbeddingResponse,
    ::testing::Values(BadRequest{"Empty", ""}, BadRequest{"NotAnObject", "1"}, BadRequest{"NoData", R"({"x":1)" TAIL},
                      BadRequest{"DataOfNumbers", R"({"data":[1])" TAIL},
                      BadRequest{"WrongIndex", R"({"data":[{"index":1,"embedding":[1]}])" TAIL},
                      BadRequest{"NoEmbedding", R"({"data":[{"index":0}])" TAIL},
                      BadRequest{"EmbeddingOfTexts", R"({"data":[{"index":0,"embedding":["a"]}])" TAIL},
                      BadRequest{"NoFloat", R"({"data":[{"index":0,"embedding":[1e39]}])" TAIL},
                      BadRequest{"Base64OfThreeBytes", R"({"data":[{"index":0,"embedding":"AAAA"}])" TAIL},
                      BadRequest{"NotBase64", R"({"data":[{"index":0,"embedding":"*"}])" TAIL},
                      BadRequest{"AnEngineThatMovesTheCursor",
                                 R"({"data":[],"model":"m","usage":{"prompt_tokens":1},)"
                                 R"("eml":{"engine":"\u001b[2J","kernels":"k","numerics":"n"}})"}),
    [](const auto& info) { return info.param.name; });
#undef TAIL

TEST(Status, EachClassHasItsStatusAndCodesOfTheirOwnWin) {
  struct Row {
    ErrorClass error_class;
    std::uint16_t status;
  };
  for (const Row& row :
       {Row{ErrorClass::kMalformed, 400}, Row{ErrorClass::kUnsupported, 400}, Row{ErrorClass::kUnauthentic, 401},
        Row{ErrorClass::kRejected, 403}, Row{ErrorClass::kLimit, 429}, Row{ErrorClass::kUnavailable, 503},
        Row{ErrorClass::kInternal, 500}}) {
    EXPECT_EQ(http_status(Error(ErrorCode{row.error_class, "x"}, "x")), row.status);
  }
  EXPECT_EQ(http_status(Error(kApiUnknownModel, "x")), 404);
  EXPECT_EQ(http_status(Error(kApiWrongMethod, "x")), 405);
  EXPECT_EQ(http_status(Error(kApiBodyTooLarge, "x")), 413);
}

TEST(Status, ABoundThatARequestCanNeverMeetIsNot429) {
  const auto deep = decode(R"({"model":"m","input":[[[[[[[[[["a"]]]]]]]]]]})");
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code(), kJsonTooDeep);
  EXPECT_EQ(http_status(deep.error()), 400);
  EXPECT_EQ(http_status(Error(kJsonTooLarge, "x")), 413);
}

TEST(Status, TheErrorBodyIsOpenAisForm) {
  EXPECT_EQ(error_body(Error(kApiOverloaded, "busy")),
            R"({"error":{"message":"busy","type":"rate_limit_error","param":null,"code":"api-overloaded"}})");
}

}  // namespace
}  // namespace eml
