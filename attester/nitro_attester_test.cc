#include "attester/nitro_attester.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <deque>

#include "attester/as_nobody_testing.h"
#include "base/files.h"
#include "encoding/cbor.h"
#include "tests/support/fake_tee.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

Bytes answer_of(std::string_view request, std::string_view member, ByteView value) {
  CborWriter out;
  out.map(1).text(request).map(1).text(member).bytes(value);
  return out.take();
}

Bytes error_of(std::string_view name) {
  CborWriter out;
  out.map(1).text("Error").text(name);
  return out.take();
}

// FakeNsm answers as the driver and the NSM behind it do.
struct FakeNsm {
  Bytes random_answer = answer_of("GetRandom", "random", Bytes(256, 4));
  Bytes answer = answer_of("Attestation", "document", as_bytes("a signed document"));
  std::optional<std::size_t> said_length;  // instead of the answer's
  std::deque<int> errors;                  // errno of the calls to come; 0 lets one pass
  std::vector<Bytes> requests;

  int call(NsmMessage& message) {
    const auto* request = static_cast<const std::uint8_t*>(message.request.iov_base);
    EXPECT_LE(message.request.iov_len, kNsmRequestMax);
    EXPECT_EQ(message.response.iov_len, kNsmResponseMax);
    requests.emplace_back(request, request + message.request.iov_len);
    const int error = errors.empty() ? 0 : errors.front();
    if (!errors.empty()) errors.pop_front();
    if (error != 0) return error;
    const Bytes& said = requests.back() == from_hex("6947657452616e646f6d") ? random_answer : answer;
    const std::size_t size = std::min(said.size(), message.response.iov_len);
    std::copy_n(said.begin(), size, static_cast<std::uint8_t*>(message.response.iov_base));
    message.response.iov_len = said_length.value_or(size);
    return 0;
  }
};

struct NitroAttesterTest : testing::Test {
  FakeNsm nsm;
  test::FakeTee tee;
  test::TempDir directory;
  std::string device = "/dev/null";  // a character device, whatever it is
  std::vector<int> pauses_ms;

  Result<std::unique_ptr<NitroAttester>> open() {
    return NitroAttester::open({.device = device,
                                .ioctl = [this](int, NsmMessage& message) { return nsm.call(message); },
                                .retry = {.pause = [this](std::chrono::milliseconds time) {
                                  pauses_ms.push_back(static_cast<int>(time.count()));
                                }}});
  }
  Result<MadeEvidence> attest(const Binding& binding) {
    auto attester = open();
    if (!attester) return std::unexpected(attester.error());
    if (!armed.empty()) nsm.errors = armed;
    return (*attester)->attest(binding, encode_binding(binding));
  }
  std::string error() {
    const auto made = attest(tee.serve_binding());
    return made ? "ok" : std::string(made.error().code().name);
  }
  std::string open_error() {
    const auto opened = open();
    return opened ? "ok" : std::string(opened.error().code().name);
  }
  std::deque<int> armed;  // errors of the calls after the greeting
};

TEST_F(NitroAttesterTest, GivesTheDocumentAsItCame) {
  const auto made = attest(tee.serve_binding());
  ASSERT_TRUE(made) << made.error().to_string();
  EXPECT_EQ(made->evidence, to_bytes("a signed document"));
  EXPECT_TRUE(made->endorsements.empty());
  EXPECT_EQ((*open())->kind(), EvidenceKind::kNitro);
}

TEST_F(NitroAttesterTest, AsksForTheBindingInTheDocumentedForm) {
  Binding binding = tee.serve_binding();
  const auto wanted = [&](const std::string& nonce, const std::string& key) {
    const Hash32 digest = binding_digest(binding.purpose, encode_binding(binding));
    return *from_hex(
        "a16b4174746573746174696f6e"
        "a3"
        "656e6f6e6365" +
        nonce +
        "69757365725f64617461"
        "5820" +
        hex(digest) + "6a7075626c69635f6b6579" + key);
  };
  ASSERT_TRUE(attest(binding));
  EXPECT_EQ(nsm.requests.back(), wanted("f6", "5820" + hex(binding.receipt_key)));
  binding.challenge = Hash32{1, 2, 3};
  ASSERT_TRUE(attest(binding));
  EXPECT_EQ(nsm.requests.back(), wanted("5820" + hex(*binding.challenge), "5820" + hex(binding.receipt_key)));
  binding.purpose = Purpose::kRelease;
  ASSERT_TRUE(attest(binding));
  EXPECT_EQ(nsm.requests.back(), wanted("5820" + hex(*binding.challenge), "f6"));
}

TEST_F(NitroAttesterTest, RefusesToSignBytesThatAreNotTheBindings) {
  auto attester = open();
  const Binding binding = tee.serve_binding();
  Bytes bytes = encode_binding(binding);
  bytes.back() ^= 1;
  EXPECT_EQ((*attester)->attest(binding, bytes).error().code(), kInternalError);
  EXPECT_EQ(nsm.requests.size(), 1U) << "the greeting alone";
}

TEST_F(NitroAttesterTest, AMachineWithoutTheDeviceIsNoEnclave) {
  device = directory.path() / "nsm";
  EXPECT_EQ(open_error(), "attester-not-here");
  device = directory.write("regular", "");
  EXPECT_EQ(open_error(), "attester-not-here");
  device += "/nsm";
  EXPECT_EQ(open_error(), "attester-not-here");
  EXPECT_TRUE(nsm.requests.empty());
}

TEST_F(NitroAttesterTest, SaysThatTheDeviceMayNotBeOpened) {
  device = directory.write("nsm", "");
  ASSERT_EQ(::chmod(device.c_str(), 0), 0);
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  const test::AsNobody nobody(directory.path());
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), kAttesterDevice);
  EXPECT_EQ(opened.error().first(), static_cast<std::uint64_t>(EACCES));
}

TEST_F(NitroAttesterTest, ADeviceThatDoesNotSpeakTheProtocolIsRefusedAtOpen) {
  EXPECT_EQ(open_error(), "ok");
  nsm.random_answer = error_of("InvalidOperation");
  EXPECT_EQ(open_error(), "nsm-refused");
  nsm.random_answer = answer_of("GetRandom", "random", {});
  EXPECT_EQ(open_error(), "attester-answer-malformed");
  nsm.random_answer = {};
  EXPECT_EQ(open_error(), "attester-answer-malformed");
}

TEST_F(NitroAttesterTest, TheRealIoctlOnAnotherDeviceIsAFailure) {
  const auto opened = NitroAttester::open({.device = "/dev/null"});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), kAttesterDevice);
  EXPECT_EQ(opened.error().first(), static_cast<std::uint64_t>(ENOTTY));
}

TEST_F(NitroAttesterTest, ADriverThatIsBusyForAMomentIsAskedAgain) {
  for (const int busy : {EINTR, EAGAIN, EBUSY}) {
    armed = {busy, busy};
    EXPECT_EQ(error(), "ok") << busy;
  }
  EXPECT_EQ(pauses_ms, (std::vector{10, 20, 10, 20, 10, 20}));
}

TEST_F(NitroAttesterTest, ADriverThatStaysBusyIsGivenUp) {
  armed = std::deque<int>(100, EBUSY);
  EXPECT_EQ(error(), "attester-busy");
  EXPECT_EQ(nsm.requests.size(), 9U) << "the greeting and eight tries";
}

TEST_F(NitroAttesterTest, AFailureOfTheDriverIsSaidWithItsErrno) {
  for (const int errno_value : {EIO, ETIMEDOUT, ENODEV, ENOMEM}) {
    armed = {errno_value};
    const auto made = attest(tee.serve_binding());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code(), kAttesterDevice);
    EXPECT_EQ(made.error().first(), static_cast<std::uint64_t>(errno_value));
  }
  armed = {EMSGSIZE};
  EXPECT_EQ(error(), "attester-answer-too-large");
}

TEST_F(NitroAttesterTest, EveryErrorOfTheNsmIsARefusal) {
  for (const char* name : {"InvalidArgument", "InvalidIndex", "InvalidResponse", "ReadOnlyIndex", "InvalidOperation",
                           "BufferTooSmall", "InputTooLarge", "InternalError"}) {
    nsm.answer = error_of(name);
    EXPECT_EQ(error(), "nsm-refused") << name;
  }
  for (const char* name : {"", "Success", "Other", "internalerror"}) {
    nsm.answer = error_of(name);
    EXPECT_EQ(error(), "attester-answer-malformed") << name;
  }
}

TEST_F(NitroAttesterTest, RefusesAnswersThatAreNone) {
  const Bytes document = answer_of("Attestation", "document", as_bytes("d"));
  const std::pair<const char*, std::string> bad[] = {
      {"nothing", ""},
      {"not a map", "80"},
      {"an empty map", "a0"},
      {"a bare name", "6b4174746573746174696f6e"},
      {"another request's answer", hex(answer_of("GetRandom", "random", Bytes(1)))},
      {"another member", hex(answer_of("Attestation", "text", Bytes(1)))},
      {"an empty document", hex(answer_of("Attestation", "document", {}))},
      {"a text for a document", "a16b4174746573746174696f6ea168646f63756d656e746164"},
      {"null for a document", "a16b4174746573746174696f6ea168646f63756d656e74f6"},
      {"no members", "a16b4174746573746174696f6ea0"},
      {"two answers", "a2654572726f72616161" + hex(document).substr(2)},
      {"two members", "a16b4174746573746174696f6ea26161f668646f63756d656e744164"},
      {"bytes behind it", hex(document) + "00"},
      {"an integer error", "a1654572726f7201"},
      {"not the shortest length", "a16b4174746573746174696f6ea168646f63756d656e74580164"},
      {"not CBOR", "ffffffff"}};
  for (const auto& [what, answer] : bad) {
    nsm.answer = *from_hex(answer);
    EXPECT_EQ(error(), "attester-answer-malformed") << what;
  }
}

TEST_F(NitroAttesterTest, RefusesEveryTruncationOfAnAnswer) {
  const Bytes whole = nsm.answer;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(decode_nsm_document(ByteView(whole).first(size)).error().code(), kAttesterAnswer) << size;
  }
  EXPECT_EQ(decode_nsm_document(whole).value(), to_bytes("a signed document"));
}

TEST_F(NitroAttesterTest, ALengthBeyondTheSpaceIsRefusedBeforeAnythingIsRead) {
  const auto opened = open();
  const Binding binding = tee.serve_binding();
  nsm.said_length = kNsmResponseMax + 1;
  EXPECT_EQ((*opened)->attest(binding, encode_binding(binding)).error().code(), kAttesterAnswerTooLarge);
  nsm.said_length = ~std::size_t{0};
  EXPECT_EQ((*opened)->attest(binding, encode_binding(binding)).error().code(), kAttesterAnswerTooLarge);
  nsm.said_length = 3;  // cut
  EXPECT_EQ((*opened)->attest(binding, encode_binding(binding)).error().code(), kAttesterAnswer);
}

TEST_F(NitroAttesterTest, TakesADocumentThatFillsTheSpace) {
  const std::size_t frame = answer_of("Attestation", "document", Bytes(1000)).size() - 1000;
  nsm.answer = answer_of("Attestation", "document", Bytes(kNsmResponseMax - frame, 8));
  ASSERT_EQ(nsm.answer.size(), kNsmResponseMax);
  EXPECT_EQ(attest(tee.serve_binding())->evidence, Bytes(kNsmResponseMax - frame, 8));
  nsm.answer = answer_of("Attestation", "document", Bytes(kNsmResponseMax - frame + 1, 8));
  EXPECT_EQ(error(), "attester-answer-malformed") << "the driver cut it";
}

}  // namespace
}  // namespace eml
