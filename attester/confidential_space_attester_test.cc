#include "attester/confidential_space_attester.h"

#include <gtest/gtest.h>

#include "attester/unix_peer_testing.h"
#include "encoding/base64.h"
#include "encoding/json.h"
#include "tests/support/fake_tee.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::UnixPeer;

std::string http(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Type: text/html\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

std::string body_of(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }

// What the launcher's handler does with POST /v1/token: closed JSON, token_type required, then the service's token,
// here one whose payload is the request.
std::string launcher(const std::string& request) {
  if (!request.starts_with("POST /v1/token HTTP/1.1\r\n"))
    return http(400, "TEE server received an invalid HTTP method");
  const auto json = parse_json(as_bytes(body_of(request)));
  if (!json || !json->is_object()) return http(400, "failed to parse POST body as TokenOptions");
  const JsonObject& options = json->get_object();
  if (!expect_members(options, {"audience", "token_type", "nonces", "aws_principal_tag_options"})) {
    return http(400, "failed to parse POST body as TokenOptions: json: unknown field");
  }
  if (!json_text(options, "token_type") || json_text(options, "token_type")->empty()) {
    return http(400, "token_type is a required parameter");
  }
  return http(200, "eyJhbGciOiJSUzI1NiJ9." + base64url(as_bytes(body_of(request))) + ".c2ln");
}

struct ConfidentialSpaceTest : testing::Test {
  test::TempDir directory;
  std::string socket = directory.path() / "teeserver.sock";
  test::FakeTee tee;
  std::vector<int> pauses_ms;
  std::chrono::milliseconds idle = std::chrono::minutes(1);  // no test waits for it but those of silence

  Result<std::unique_ptr<ConfidentialSpaceAttester>> open() {
    return ConfidentialSpaceAttester::open(
        {.socket = socket,
         .retry = {.pause =
                       [this](std::chrono::milliseconds time) { pauses_ms.push_back(static_cast<int>(time.count())); }},
         .limits = {.idle = idle, .total = std::chrono::minutes(2), .body_bytes_max = kLauncherTokenMax}});
  }
  Result<MadeEvidence> attest(const Binding& binding) {
    EML_TRY(const auto attester, open());
    return attester->attest(binding, encode_binding(binding));
  }
  // The error's name for a launcher that answers with `answer`.
  std::string error(const UnixPeer::Answer& answer) {
    ::unlink(socket.c_str());
    const UnixPeer peer(socket, [&](const std::string&) { return answer; });
    const auto made = attest(tee.serve_binding());
    requests = peer.requests().size();
    return made ? "ok" : std::string(made.error().code().name);
  }
  std::string error(const std::string& bytes) { return error(UnixPeer::Answer{bytes}); }
  std::size_t requests = 0;  // of the last error()
};

TEST_F(ConfidentialSpaceTest, GivesTheTokenAsItCame) {
  const UnixPeer peer(socket, [](const std::string&) { return UnixPeer::Answer{http(200, "aa.bb.cc")}; });
  const auto made = attest(tee.serve_binding());
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(made->evidence, to_bytes("aa.bb.cc"));
  EXPECT_TRUE(made->endorsements.empty());
  EXPECT_EQ((*open())->kind(), EvidenceKind::kConfidentialSpace);
}

TEST_F(ConfidentialSpaceTest, AsksForAPkiTokenWithOneNonceForThePurpose) {
  const UnixPeer peer(socket, [](const std::string& request) { return UnixPeer::Answer{launcher(request)}; });
  Binding binding = tee.serve_binding();
  const auto asked = [&](std::string_view audience) {
    const auto made = attest(binding);
    ASSERT_TRUE(made) << made.error().to_string();
    const std::string_view token = as_text(made->evidence);
    const std::string_view payload = token.substr(token.find('.') + 1);
    const Hash32 digest = binding_digest(binding.purpose, encode_binding(binding));
    EXPECT_EQ(
        as_text(*from_base64url(payload.substr(0, payload.find('.')))),
        R"({"audience":")" + std::string(audience) + R"(","token_type":"PKI","nonces":[")" + hex(digest) + "\"]}");
  };
  asked("eml serve v1");
  binding.purpose = Purpose::kRelease;
  binding.challenge = Hash32{};
  asked("eml release v1");
  const std::string request = peer.requests().at(0);
  EXPECT_NE(request.find("\r\nHost: localhost\r\n"), std::string::npos);
  EXPECT_NE(request.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
}

TEST_F(ConfidentialSpaceTest, RefusesToSignBytesThatAreNotTheBindings) {
  const UnixPeer peer(socket, [](const std::string&) { return UnixPeer::Answer{}; });
  const Binding binding = tee.serve_binding();
  Bytes bytes = encode_binding(binding);
  bytes.back() ^= 1;
  EXPECT_EQ((*open())->attest(binding, bytes).error().code(), kInternalError);
  EXPECT_TRUE(peer.requests().empty());
}

TEST_F(ConfidentialSpaceTest, WithoutTheSocketThereIsNoLauncher) {
  EXPECT_EQ(open().error().code(), kAttesterNotHere);
  directory.write("teeserver.sock", "");
  EXPECT_EQ(open().error().code(), kAttesterNotHere);
  socket += "/x";
  EXPECT_EQ(open().error().code(), kAttesterNotHere);
}

TEST_F(ConfidentialSpaceTest, SaysThatTheSocketCannotBeSeen) {
  socket = directory.path() / "loop";
  ASSERT_EQ(::symlink(socket.c_str(), socket.c_str()), 0);
  EXPECT_EQ(open().error().code(), kAttesterDevice);
  EXPECT_EQ(open().error().first(), static_cast<std::uint64_t>(ELOOP));
}

TEST_F(ConfidentialSpaceTest, ALauncherThatIsGoneIsSaid) {
  {
    const UnixPeer peer(socket, [](const std::string&) { return UnixPeer::Answer{}; });
  }
  const auto made = attest(tee.serve_binding());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), kConnectFailed);
  EXPECT_EQ(made.error().first(), static_cast<std::uint64_t>(ECONNREFUSED));
}

TEST_F(ConfidentialSpaceTest, AQuotaOrAFailureOfTheServiceIsTriedAgain) {
  std::vector<std::string> answers{http(429, "quota"), http(500, "failed"), http(503, ""), http(200, "a.b.c")};
  const UnixPeer peer(socket, [&](const std::string&) {
    UnixPeer::Answer answer{answers.front()};
    answers.erase(answers.begin());
    return answer;
  });
  EXPECT_TRUE(attest(tee.serve_binding()));
  EXPECT_EQ(pauses_ms, (std::vector{10, 20, 40}));
}

TEST_F(ConfidentialSpaceTest, AnEndlessQuotaIsGivenUp) {
  EXPECT_EQ(error(http(429, "quota")), "attester-busy");
  EXPECT_EQ(requests, 8U);
}

TEST_F(ConfidentialSpaceTest, ARefusalIsNotTriedAgain) {
  for (const int status : {204, 301, 400, 401, 404, 412}) {
    EXPECT_EQ(error(http(status, status == 204 ? "" : "no")), "launcher-refused") << status;
    EXPECT_EQ(requests, 1U);
  }
}

TEST_F(ConfidentialSpaceTest, ASilentLauncherIsGivenUp) {
  idle = std::chrono::milliseconds(50);
  EXPECT_EQ(error(UnixPeer::Answer{.bytes = "", .hold = true}), "net-timeout");
  EXPECT_EQ(error(UnixPeer::Answer{.bytes = "HTTP/1.1 200 OK\r\nContent-Le", .hold = true}), "net-timeout");
  EXPECT_EQ(error(UnixPeer::Answer{.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na.b", .hold = true}),
            "net-timeout");
}

TEST_F(ConfidentialSpaceTest, ALauncherThatClosesEarlyIsSaid) {
  EXPECT_EQ(error(std::string()), "net-closed");
  EXPECT_EQ(error(std::string("HTTP/1.1 200")), "net-closed");
  EXPECT_EQ(error(std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na.b.c")), "net-closed");
}

TEST_F(ConfidentialSpaceTest, APeerThatIsNotHttpIsSaid) {
  EXPECT_EQ(error(std::string("SSH-2.0-something\r\n\r\n")), "http-malformed");
  EXPECT_EQ(error(std::string(100, '\0')), "http-malformed");
}

TEST_F(ConfidentialSpaceTest, AHugeAnswerIsNotRead) {
  EXPECT_EQ(error(http(200, std::string(kLauncherTokenMax + 1, 'a'))), "attester-answer-too-large");
  EXPECT_EQ(error(std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")), "attester-answer-too-large");
  EXPECT_EQ(error("HTTP/1.1 200 OK\r\n\r\n" + std::string(kLauncherTokenMax + 1, 'a')), "attester-answer-too-large")
      << "without a length";
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x');
  EXPECT_EQ(error(endless), "attester-answer-too-large");
}

TEST_F(ConfidentialSpaceTest, GarbageIsNoToken) {
  for (const char* bad : {"", ".", "..", "a.b", "a.b.c.d", "a..c", ".b.c", "a.b.", "a.b.c\n", " a.b.c", "a.b+.c",
                          "a.b=.c", "<html>", "{\"token\":\"a.b.c\"}"}) {
    EXPECT_EQ(error(http(200, bad)), "attester-answer-malformed") << bad;
  }
  EXPECT_EQ(error(http(200, "a-_9.b.c")), "ok");
}

}  // namespace
}  // namespace eml
