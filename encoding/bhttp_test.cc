#include "encoding/bhttp.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace eml {
namespace {

Bytes unhex(std::string_view text) { return from_hex(text).value(); }

// RFC 9292, figures 8, 9, 11 and 13.
constexpr std::string_view kFigure8 =
    "0003474554056874747073000a2f68656c6c6f2e747874406c0a757365722d6167656e74346375726c2f372e31362e33206c69626375726c2f"
    "372e31362e33204f70656e53534c2f302e392e376c207a6c69622f312e322e3304686f73740f7777772e6578616d706c652e636f6d0f616363"
    "6570742d6c616e677561676506656e2c206d690000";
constexpr std::string_view kFigure9WithoutPadding =
    "0203474554056874747073000a2f68656c6c6f2e7478740a757365722d6167656e74346375726c2f372e31362e33206c69626375726c2f372e"
    "31362e33204f70656e53534c2f302e392e376c207a6c69622f312e322e3304686f73740f7777772e6578616d706c652e636f6d0f6163636570"
    "742d6c616e677561676506656e2c206d69000000";
constexpr std::string_view kFigure11Informational =
    "40660772756e6e696e670a22736c65657020313522004067046c696e6b233c2f7374796c652e6373733e3b2072656c3d7072656c6f61643b20"
    "61733d7374796c65046c696e6b243c2f7363726970742e6a733e3b2072656c3d7072656c6f61643b2061733d73637269707400";
constexpr std::string_view kFigure11Final =
    "40c804646174651d4d6f6e2c203237204a756c20323030392031323a32383a353320474d5406736572766572064170616368650d6c6173742d"
    "6d6f6469666965641d5765642c203232204a756c20323030392031393a31353a353620474d5404657461671422333461613338372d642d3135"
    "363865623030220d6163636570742d72616e6765730562797465730e636f6e74656e742d6c656e67746802353104766172790f416363657074"
    "2d456e636f64696e670c636f6e74656e742d747970650a746578742f706c61696e003348656c6c6f20576f726c6421204d7920636f6e74656e"
    "7420696e636c75646573206120747261696c696e672043524c462e0d0a0000";
constexpr std::string_view kFigure13 =
    "0140c8001d5468697320636f6e74656e7420636f6e7461696e732043524c462e0d0a0d07747261696c65720474657874";

std::string_view name_of(const auto& result) { return result ? "none" : result.error().code().name; }

void expect_figure_7(const Result<HttpRequest>& request) {
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "GET");
  EXPECT_EQ(request->scheme, "https");
  EXPECT_EQ(request->authority, "");
  EXPECT_EQ(request->path, "/hello.txt");
  ASSERT_EQ(request->fields.size(), 3U);
  EXPECT_EQ(field(request->fields, "user-agent"), "curl/7.16.3 libcurl/7.16.3 OpenSSL/0.9.7l zlib/1.2.3");
  EXPECT_EQ(field(request->fields, "host"), "www.example.com");
  EXPECT_EQ(field(request->fields, "accept-language"), "en, mi");
  EXPECT_TRUE(request->content.empty());
}

TEST(Bhttp, ReadsTheRequestOfTheSpecificationInBothForms) {
  expect_figure_7(decode_request(unhex(kFigure8)));
  expect_figure_7(decode_request(unhex(kFigure9WithoutPadding)));
}

TEST(Bhttp, WritesTheRequestOfTheSpecification) {
  const auto request = decode_request(unhex(kFigure9WithoutPadding));
  ASSERT_TRUE(request);
  EXPECT_EQ(hex(encode_request(*request).bytes()), kFigure8);
}

TEST(Bhttp, RejectsPaddingAndTruncationThatTheSpecificationAllows) {
  const Bytes padded = concat(unhex(kFigure9WithoutPadding), Bytes(10));
  EXPECT_EQ(name_of(decode_request(padded)), kBhttpMalformed.name);
  EXPECT_EQ(name_of(decode_request(unhex("00034745540568747470730b6578616d706c652e636f6d012f"))), kBhttpMalformed.name);
  EXPECT_EQ(name_of(decode_response(unhex("0140c8"))), kBhttpMalformed.name);
}

TEST(Bhttp, ReadsTheFinalResponseOfTheSpecificationAndRefusesTheInformationalOnes) {
  const auto response = decode_response(concat(Bytes{3}, unhex(kFigure11Final)));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->fields.size(), 8U);
  EXPECT_EQ(field(response->fields, "content-type"), "text/plain");
  EXPECT_EQ(response->content.text(), "Hello World! My content includes a trailing CRLF.\r\n");
  const Bytes whole = concat(Bytes{3}, unhex(kFigure11Informational), unhex(kFigure11Final));
  EXPECT_EQ(name_of(decode_response(whole)), kBhttpUnsupported.name);
}

TEST(Bhttp, RefusesTheTrailersOfTheSpecification) {
  EXPECT_EQ(name_of(decode_response(unhex(kFigure13))), kBhttpUnsupported.name);
  std::string without(kFigure13.substr(0, kFigure13.size() - 28));
  const auto response = decode_response(unhex(without + "00"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->content.text(), "This content contains CRLF.\r\n");
}

HttpRequest embeddings() {
  HttpRequest request;
  request.method = "POST";
  request.authority = "127.0.0.1:443";
  request.path = "/v1/embeddings";
  request.fields = {{"content-type", "application/json"}, {"x-empty", ""}};
  request.content = UserText(std::string(20'000, 'x'));
  return request;
}

TEST(Bhttp, RoundTripsRequestsAndResponses) {
  const UserText encoded = encode_request(embeddings());
  const auto request = decode_request(encoded.bytes());
  ASSERT_TRUE(request);
  EXPECT_EQ(request->authority, "127.0.0.1:443");
  EXPECT_EQ(request->content.size(), 20'000U);
  EXPECT_TRUE(equal(encode_request(*request).bytes(), encoded.bytes()));

  HttpResponse response;
  response.status = 503;
  response.fields = {{"retry-after", "1"}};
  response.content = UserText("{}");
  const UserText answer = encode_response(response);
  const auto back = decode_response(answer.bytes());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->status, 503);
  EXPECT_EQ(field(back->fields, "retry-after"), "1");
  EXPECT_EQ(back->content.text(), "{}");
}

TEST(Bhttp, RoundTripsContentAtEveryWidthOfItsLength) {
  for (const std::size_t size : {0U, 63U, 64U, 16383U, 16384U, 70000U}) {
    HttpResponse response;
    response.status = 200;
    response.content = UserText(std::string(size, 'y'));
    const auto back = decode_response(encode_response(response).bytes());
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(back->content.size(), size);
  }
}

TEST(Bhttp, JoinsTheChunksOfAnIndeterminateMessage) {
  const auto response =
      decode_response(unhex("0340c8"
                            "00"
                            "026162"
                            "0163"
                            "00"
                            "00"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->content.text(), "abc");
}

TEST(Bhttp, RejectsEveryTruncation) {
  const Bytes known = to_bytes(encode_request(embeddings()).bytes());
  const Bytes indeterminate = unhex(kFigure9WithoutPadding);
  for (const Bytes& good : {Bytes(known.begin(), known.begin() + 90), known, indeterminate}) {
    for (std::size_t n = 0; n < good.size(); n += good.size() > 1000 && n > 100 ? 997 : 1) {
      const Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_EQ(name_of(decode_request(cut)), kBhttpMalformed.name) << n;
    }
  }
  const Bytes response = concat(Bytes{3}, unhex(kFigure11Final));
  for (std::size_t n = 0; n < response.size(); ++n) {
    EXPECT_EQ(name_of(decode_response(ByteView(response).first(n))), kBhttpMalformed.name) << n;
  }
}

struct BadRequest {
  const char* name;
  std::function<void(HttpRequest&)> break_it;
  ErrorCode code;
};

const std::vector<BadRequest>& bad_requests() {
  static const std::vector<BadRequest> table = {
      {"empty method", [](auto& r) { r.method = ""; }, kBhttpMalformed},
      {"space in the method", [](auto& r) { r.method = "PO ST"; }, kBhttpMalformed},
      {"line feed in the method", [](auto& r) { r.method = "POST\n"; }, kBhttpMalformed},
      {"empty scheme", [](auto& r) { r.scheme = ""; }, kBhttpMalformed},
      {"capital scheme", [](auto& r) { r.scheme = "HTTPS"; }, kBhttpMalformed},
      {"space in the authority", [](auto& r) { r.authority = "a b"; }, kBhttpMalformed},
      {"empty path", [](auto& r) { r.path = ""; }, kBhttpMalformed},
      {"path without slash", [](auto& r) { r.path = "v1"; }, kBhttpMalformed},
      {"space in the path", [](auto& r) { r.path = "/v1 HTTP/1.1"; }, kBhttpMalformed},
      {"path that is not ASCII", [](auto& r) { r.path = "/\xc3\xa9"; }, kBhttpMalformed},
      {"empty field name", [](auto& r) { r.fields[0].name = ""; }, kBhttpMalformed},
      {"capital field name", [](auto& r) { r.fields[0].name = "Accept"; }, kBhttpMalformed},
      {"space in a field name", [](auto& r) { r.fields[0].name = "a b"; }, kBhttpMalformed},
      {"colon in a field name", [](auto& r) { r.fields[0].name = "a:"; }, kBhttpMalformed},
      {"pseudo-field", [](auto& r) { r.fields[0].name = ":path"; }, kBhttpMalformed},
      {"line feed in a value", [](auto& r) { r.fields[0].value = "a\nb: c"; }, kBhttpMalformed},
      {"carriage return in a value", [](auto& r) { r.fields[0].value = "a\rb"; }, kBhttpMalformed},
      {"zero byte in a value", [](auto& r) { r.fields[0].value = std::string("a\0b", 3); }, kBhttpMalformed},
      {"tab in a value", [](auto& r) { r.fields[0].value = "a\tb"; }, kBhttpMalformed},
      {"delete in a value", [](auto& r) { r.fields[0].value = "a\x7f"; }, kBhttpMalformed},
      {"space before a value", [](auto& r) { r.fields[0].value = " a"; }, kBhttpMalformed},
      {"space after a value", [](auto& r) { r.fields[0].value = "a "; }, kBhttpMalformed},
      {"content-encoding", [](auto& r) { r.fields[0] = {"content-encoding", "gzip"}; }, kBhttpUnsupported},
      {"65 fields", [](auto& r) { r.fields.assign(65, {"a", "b"}); }, kBhttpLimit},
      {"a value over the limit", [](auto& r) { r.fields[0].value = std::string(16 * 1024, 'a'); }, kBhttpLimit},
      {"many values over the limit", [](auto& r) { r.fields.assign(40, {"a", std::string(500, 'b')}); }, kBhttpLimit},
      {"a path over the limit", [](auto& r) { r.path = "/" + std::string(16 * 1024, 'a'); }, kBhttpLimit},
  };
  return table;
}

TEST(Bhttp, RejectsEachDefectOfARequestByItsName) {
  ASSERT_TRUE(decode_request(encode_request(embeddings()).bytes()));
  for (const BadRequest& bad : bad_requests()) {
    HttpRequest request = embeddings();
    bad.break_it(request);
    EXPECT_EQ(name_of(decode_request(encode_request(request).bytes())), bad.code.name) << bad.name;
  }
}

TEST(Bhttp, AcceptsExactlyTheLimits) {
  HttpRequest request = embeddings();
  request.fields.assign(64, {"a", "b"});
  EXPECT_TRUE(decode_request(encode_request(request).bytes()));
  const std::size_t control =
      request.method.size() + request.scheme.size() + request.authority.size() + request.path.size();
  request.fields = {{"a", std::string(kBhttpFieldBytesMax - control - 1, 'b')}};
  EXPECT_TRUE(decode_request(encode_request(request).bytes()));
  request.fields[0].value += 'b';
  EXPECT_EQ(name_of(decode_request(encode_request(request).bytes())), kBhttpLimit.name);
}

TEST(Bhttp, RejectsEachDefectOfTheFraming) {
  const std::vector<std::pair<std::string, ErrorCode>> responses = {
      {"", kBhttpMalformed},                                // nothing
      {"0040c8000000", kBhttpMalformed},                    // a request's indicator
      {"0240c8000000", kBhttpMalformed},                    // a request's indicator, indeterminate
      {"0440c8000000", kBhttpUnsupported},                  // an unknown indicator
      {"01 4065 000000", kBhttpUnsupported},                // status 101
      {"01 4063 000000", kBhttpMalformed},                  // status 99
      {"01 4258 000000", kBhttpMalformed},                  // status 600
      {"01 c0000000ffffffff 000000", kBhttpMalformed},      // a status of many bits
      {"01 40c8 bfffffff 0000", kBhttpMalformed},           // fields longer than the message
      {"01 40c8 00 ffffffffffffffff 00", kBhttpMalformed},  // content longer than the message
      {"01 40c8 03 0161 02 0000", kBhttpMalformed},         // a value that reaches out of its section
      {"01 40c8 00 00 00 01", kBhttpMalformed},             // a byte after the end
      {"01 40c8 00 00 00 00", kBhttpMalformed},             // padding
      {"01 40c8 00 00 02 0161", kBhttpUnsupported},         // trailers
      {"03 40c8 00 00 0161 00 00", kBhttpUnsupported},      // trailers, indeterminate
  };
  for (const auto& [text, code] : responses) {
    std::string digits = text;
    std::erase(digits, ' ');
    EXPECT_EQ(name_of(decode_response(unhex(digits))), code.name) << text;
  }
}

TEST(Bhttp, AcceptsLengthsThatAreNotShortest) {
  const auto response =
      decode_response(unhex("4001"
                            "40c8"
                            "4000"
                            "80000001"
                            "61"
                            "00"));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->content.text(), "a");
}

TEST(HttpFields, FindTheOnlyFieldOfAName) {
  const std::vector<HttpField> fields = {{"a", "1"}, {"b", "2"}, {"b", "3"}};
  EXPECT_EQ(field(fields, "a"), "1");
  EXPECT_EQ(field(fields, "b"), "");
  EXPECT_EQ(field(fields, "c"), "");
}

}  // namespace
}  // namespace eml
