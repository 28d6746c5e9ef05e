#include "channel/handshake.h"

#include <gtest/gtest.h>

#include "channel/handshake_messages.h"
#include "tests/support/channel_pair.h"

namespace eml::test {
namespace {

std::string_view name_of(const Error& error) { return error.code().name; }

// Messages of one handshake, each as a frame, and who made them.
struct Handshake {
  explicit Handshake(const TestEpoch& test_epoch, std::string_view seed = "handshake")
      : epoch(test_epoch), random(seed), server(epoch.identity()), client({.expectation = epoch.expectation()}) {
    client_hello = *client.start(random);
  }
  void answer() { server_hello = *server.on_client_hello(raw_frame(client_hello), random); }
  Result<ClientHandshake::Finished> finish(ByteView hello) { return client.on_server_hello(raw_frame(hello), random); }

  const TestEpoch& epoch;
  SeededRandom random;
  ServerHandshake server;
  ClientHandshake client;
  Bytes client_hello;
  Bytes server_hello;
};

TEST(Handshake, LeavesBothEndsWithTheSameKeysAndATrustedPeer) {
  const TestEpoch epoch;
  Handshake h(epoch);
  h.answer();
  auto done = h.finish(h.server_hello);
  ASSERT_TRUE(done) << done.error().to_string();
  auto keys = h.server.on_client_finish(raw_frame(done->client_finish));
  ASSERT_TRUE(keys) << keys.error().to_string();
  EXPECT_EQ(keys->channel_id, done->keys.channel_id);
  EXPECT_EQ(done->peer.binding.channel_key, epoch.tee.channel_key().public_key());
  EXPECT_EQ(done->bundle, epoch.bundle);
  EXPECT_TRUE(done->peer.evaluation);
}

TEST(Handshake, ListsWhatItChecked) {
  const TestEpoch epoch;
  Handshake h(epoch);
  h.answer();
  Checks checks;
  ASSERT_TRUE(h.client.on_server_hello(raw_frame(h.server_hello), h.random, &checks));
  ASSERT_EQ(checks.size(), 7U);
  EXPECT_EQ(checks.back().id, "channel-signature");
  EXPECT_EQ(checks.back().outcome, Outcome::kPassed);
}

// client_hello, by table.

struct BadHello {
  const char* name;
  std::string body;  // hex
  std::string_view code;
};
class BadHellos : public testing::TestWithParam<BadHello> {};

const std::string kRandomHex(64, 'a');

TEST_P(BadHellos, AreRefusedByTheServer) {
  const TestEpoch epoch;
  SeededRandom random("x");
  ServerHandshake server(epoch.identity());
  const Bytes frame = frame_bytes(1, *from_hex(GetParam().body));
  const auto answer = server.on_client_hello(raw_frame(frame), random);
  ASSERT_FALSE(answer) << GetParam().name;
  EXPECT_EQ(name_of(answer.error()), GetParam().code);
  const Bytes good = *ClientHandshake({.expectation = epoch.expectation()}).start(random);
  EXPECT_FALSE(server.on_client_hello(raw_frame(good), random)) << "after an error it answers nothing any more";
}

INSTANTIATE_TEST_SUITE_P(
    Handshake, BadHellos,
    testing::Values(BadHello{"empty", "", "hello-malformed"},
                    BadHello{"version 0", "0000" + kRandomHex + "010020", "hello-version"},
                    BadHello{"version 2", "0002" + kRandomHex + "010020", "hello-version"},
                    BadHello{"no KEM", "0001" + kRandomHex + "00", "hello-malformed"},
                    BadHello{"nine KEMs", "0001" + kRandomHex + "09" + "002000200020002000200020002000200020",
                             "hello-malformed"},
                    BadHello{"half a KEM", "0001" + kRandomHex + "0100", "hello-malformed"},
                    BadHello{"fewer KEMs than said", "0001" + kRandomHex + "020020", "hello-malformed"},
                    BadHello{"a byte more", "0001" + kRandomHex + "01002000", "hello-malformed"},
                    BadHello{"KEM P-256 only", "0001" + kRandomHex + "010010", "hello-no-common-kem"},
                    BadHello{"KEM 0 only", "0001" + kRandomHex + "010000", "hello-no-common-kem"}));

TEST(Handshake, RefusesAClientHelloCutAnywhere) {
  const TestEpoch epoch;
  SeededRandom random("x");
  const Bytes good = *ClientHandshake({.expectation = epoch.expectation()}).start(random);
  for (std::size_t size = 0; size + kFrameHeaderSize < good.size(); ++size) {
    ServerHandshake server(epoch.identity());
    const Bytes frame = frame_bytes(1, ByteView(good).subspan(kFrameHeaderSize, size));
    const auto answer = server.on_client_hello(raw_frame(frame), random);
    ASSERT_FALSE(answer) << size;
    EXPECT_EQ(answer.error().code(), kHelloMalformed);
  }
}

TEST(Handshake, TakesTheServersKemFromAnyPlaceInTheOffer) {
  const TestEpoch epoch;
  for (const std::vector<std::uint16_t>& offer : {std::vector<std::uint16_t>{0x647a, 0x0020},
                                                  {0x0020, 0x647a},
                                                  {1, 2, 3, 4, 5, 6, 7, 0x0020},
                                                  {0x0020, 0x0020}}) {
    SeededRandom random("x");
    ServerHandshake server(epoch.identity());
    ClientHandshake client({.kem_ids = offer, .expectation = epoch.expectation()});
    const Bytes hello = *client.start(random);
    const Bytes answer = *server.on_client_hello(raw_frame(hello), random);
    EXPECT_TRUE(client.on_server_hello(raw_frame(answer), random));
  }
}

TEST(Handshake, OffersOneToEightKems) {
  const TestEpoch epoch;
  SeededRandom random("x");
  for (const std::size_t n : {0UL, 9UL}) {
    ClientHandshake client({.kem_ids = std::vector<std::uint16_t>(n, 0x0020), .expectation = epoch.expectation()});
    const auto hello = client.start(random);
    ASSERT_FALSE(hello);
    EXPECT_EQ(hello.error().code(), kChannelState);
  }
}

// What a third party can do to the bytes.

TEST(Handshake, FailsAtTheClientIfAnyByteOfTheClientHelloWasChanged) {
  const TestEpoch epoch;
  for (std::size_t at = 0;; ++at) {
    Handshake h(epoch);
    if (at == h.client_hello.size()) break;
    Bytes changed = h.client_hello;
    changed[at] ^= 1;
    Frame frame = raw_frame(changed);
    frame.type = FrameType::kClientHello;
    const auto answer = h.server.on_client_hello(frame, h.random);
    if (!answer) continue;  // the server saw it itself
    const auto done = h.finish(*answer);
    ASSERT_FALSE(done) << at;
    EXPECT_EQ(done.error().code(), kHelloSignature);
  }
}

TEST(Handshake, FailsAtTheClientIfTheOfferWasDowngraded) {
  const TestEpoch epoch;
  SeededRandom random("x");
  ClientHandshake client({.kem_ids = {0x647a, 0x0020}, .expectation = epoch.expectation()});
  const ClientHello sent = *decode_client_hello(ByteView(*client.start(random)).subspan(kFrameHeaderSize));
  const Bytes downgraded = encode_client_hello({.random = sent.random, .kem_ids = {0x0020}});
  ServerHandshake server(epoch.identity());
  const Bytes answer = *server.on_client_hello(raw_frame(downgraded), random);
  const auto done = client.on_server_hello(raw_frame(answer), random);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), kHelloSignature);
}

TEST(Handshake, FailsAtTheClientIfAnyByteOfTheServerHelloWasChanged) {
  const TestEpoch epoch;
  Handshake sample(epoch);
  sample.answer();
  for (std::size_t at = 0; at < sample.server_hello.size(); ++at) {
    Handshake h(epoch);
    Bytes changed = sample.server_hello;
    changed[at] ^= 0x80;
    Frame frame = raw_frame(changed);
    frame.type = FrameType::kServerHello;
    const auto done = h.client.on_server_hello(frame, h.random);
    ASSERT_FALSE(done) << at;
  }
  Handshake h(epoch);
  EXPECT_TRUE(h.finish(sample.server_hello)) << "the same bytes unchanged pass";
}

TEST(Handshake, RefusesAServerHelloCutAnywhere) {
  const TestEpoch epoch;
  Handshake sample(epoch);
  sample.answer();
  for (std::size_t size = 0; size + kFrameHeaderSize < sample.server_hello.size(); ++size) {
    Handshake h(epoch);
    const auto done = h.finish(frame_bytes(2, ByteView(sample.server_hello).subspan(kFrameHeaderSize, size)));
    ASSERT_FALSE(done) << size;
    EXPECT_EQ(done.error().code(), kHelloMalformed);
  }
}

TEST(Handshake, RefusesAServerHelloOfAnotherConnection) {
  const TestEpoch epoch;
  Handshake one(epoch, "one");
  Handshake two(epoch, "two");
  one.answer();
  const auto done = two.finish(one.server_hello);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), kHelloSignature);
}

TEST(Handshake, GivesOtherKeysToAClientFinishOfAnotherConnection) {
  const TestEpoch epoch;
  Handshake one(epoch, "one");
  Handshake two(epoch, "two");
  one.answer();
  two.answer();
  auto done = one.finish(one.server_hello);
  ASSERT_TRUE(done);
  auto replayed = two.server.on_client_finish(raw_frame(done->client_finish));
  ASSERT_TRUE(replayed) << "it is a valid enc; nothing that was sealed for the first opens under it";
  EXPECT_NE(replayed->channel_id, done->keys.channel_id);
  RawPeer peer(std::move(done->keys));
  const Bytes record = peer.data(1, "x");
  Bytes plain(record.size() - kFrameHeaderSize - kAeadTagSize);
  const auto opened = replayed->opener.open(plain, raw_frame(record));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), kRecordUnauthentic);
}

TEST(Handshake, GivesOtherKeysIfAnyByteOfTheClientFinishWasChanged) {
  const TestEpoch epoch;
  Handshake sample(epoch);
  sample.answer();
  const auto done = sample.finish(sample.server_hello);
  for (std::size_t at = kFrameHeaderSize; at < done->client_finish.size(); ++at) {
    Handshake h(epoch);
    h.answer();
    ASSERT_EQ(h.server_hello, sample.server_hello);
    Bytes changed = done->client_finish;
    changed[at] ^= 1;
    const auto keys = h.server.on_client_finish(raw_frame(changed));
    EXPECT_TRUE(!keys || keys->channel_id != done->keys.channel_id) << at;
  }
}

TEST(Handshake, TakesEachMessageOnceAndInOrder) {
  const TestEpoch epoch;
  Handshake h(epoch);
  ServerHandshake fresh(epoch.identity());
  const Bytes finish = frame_bytes(3, Bytes(32, 9));
  EXPECT_EQ(fresh.on_client_finish(raw_frame(finish)).error().code(), kChannelState) << "finish before hello";
  EXPECT_EQ(h.client.start(h.random).error().code(), kChannelState) << "hello twice";
  h.answer();
  EXPECT_EQ(h.server.on_client_hello(raw_frame(h.client_hello), h.random).error().code(), kChannelState);
  Handshake other(epoch);
  other.answer();
  const auto done = other.finish(other.server_hello);
  ASSERT_TRUE(done);
  EXPECT_EQ(other.finish(other.server_hello).error().code(), kChannelState) << "server_hello twice";
  ASSERT_TRUE(other.server.on_client_finish(raw_frame(done->client_finish)));
  EXPECT_EQ(other.server.on_client_finish(raw_frame(done->client_finish)).error().code(), kChannelState)
      << "finish twice";
  ClientHandshake idle({.expectation = epoch.expectation()});
  EXPECT_EQ(idle.on_server_hello(raw_frame(h.server_hello), h.random).error().code(), kChannelState);
}

// A man in the middle, and the four steps of the client one by one.

TEST(Handshake, RefusesAManInTheMiddleWithGenuineEvidenceOfHisOwn) {
  const TestEpoch epoch("machine a");
  const TestEpoch attacker("machine b");
  SeededRandom random("x");
  ClientHandshake client({.expectation = epoch.expectation()});
  ServerHandshake middle(attacker.identity());
  const Bytes answer = *middle.on_client_hello(raw_frame(*client.start(random)), random);
  const auto done = client.on_server_hello(raw_frame(answer), random);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().code(), kHelloSignature) << "his signature is good; his evidence is not acceptable";
  EXPECT_TRUE(done.error().error_class() == ErrorClass::kRejected ||
              done.error().error_class() == ErrorClass::kUnauthentic);
  ClientHandshake his_friend({.expectation = attacker.expectation()});
  ServerHandshake again(attacker.identity());
  const Bytes hello = *his_friend.start(random);
  EXPECT_TRUE(his_friend.on_server_hello(raw_frame(*again.on_client_hello(raw_frame(hello), random)), random));
}

TEST(Handshake, RefusesAManInTheMiddleWithTheServersEvidenceAndHisOwnKey) {
  const TestEpoch epoch("machine a");
  const TestEpoch attacker("machine b");
  SeededRandom random("x");
  ClientHandshake client({.expectation = epoch.expectation()});
  ServerHandshake middle({.bundle = epoch.bundle, .channel_key = &attacker.tee.channel_key(), .owner = {}});
  const Bytes answer = *middle.on_client_hello(raw_frame(*client.start(random)), random);
  const auto done = client.on_server_hello(raw_frame(answer), random);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), kHelloSignature);
}

// forge makes a server_hello that is signed as it should be, after `change` did its work.
template <typename Change>
Bytes forge(const Handshake& h, Change change) {
  static const KemKeyPair kem = *KemKeyPair::derive(kKemX25519HkdfSha256, copy_to_secret(Bytes(32, 5)));
  ServerHello hello{.kem_id = kKemX25519HkdfSha256,
                    .random = {},
                    .kem_public_key = kem.public_key(),
                    .bundle = h.epoch.bundle,
                    .signature = {}};
  change(hello);
  hello.signature = h.epoch.tee.channel_key().sign(hello_to_sign(h.client_hello, encode_server_hello(hello)));
  return encode_server_hello(hello);
}

TEST(Handshake, PassesAForgedHelloWithoutAChange) {
  const TestEpoch epoch;
  Handshake h(epoch);
  EXPECT_TRUE(h.finish(forge(h, [](ServerHello&) {})));
}

TEST(Handshake, FailsAtStep1ForAKemThatWasNotOffered) {
  const TestEpoch epoch;
  Handshake h(epoch);
  const auto done = h.finish(forge(h, [](ServerHello& hello) { hello.kem_id = 0x647a; }));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), kHelloKemNotOffered);
}

TEST(Handshake, FailsAtStep1ForAnotherVersion) {
  const TestEpoch epoch;
  Handshake h(epoch);
  Bytes hello = forge(h, [](ServerHello&) {});
  hello[kFrameHeaderSize + 1] = 2;
  const Ed25519Signature signature = epoch.tee.channel_key().sign(hello_to_sign(h.client_hello, hello));
  std::ranges::copy(signature, hello.end() - 64);
  const auto done = h.finish(hello);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), kHelloVersion);
}

TEST(Handshake, FailsAtStep1ForAPublicKeyOfAnotherSize) {
  const TestEpoch epoch;
  for (const std::size_t size : {0UL, 31UL, 33UL, 1216UL}) {
    Handshake h(epoch);
    const Bytes key(size, 9);
    const auto done = h.finish(forge(h, [&](ServerHello& hello) { hello.kem_public_key = key; }));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code(), kHelloMalformed);
  }
}

TEST(Handshake, FailsAtStep2ForABundleOutOfItsTime) {
  const TestEpoch epoch;
  struct Time {
    UnixSeconds time;
    std::string_view code;
  };
  for (const Time& t : {Time{kFakeNow + 3501, "bundle-expired"}, Time{kFakeNow - 100 - 61, "bundle-not-yet-valid"}}) {
    SeededRandom random("x");
    BundleExpectation expectation = epoch.expectation();
    expectation.time = t.time;
    ClientHandshake client({.expectation = expectation});
    ServerHandshake server(epoch.identity());
    const Bytes answer = *server.on_client_hello(raw_frame(*client.start(random)), random);
    const auto done = client.on_server_hello(raw_frame(answer), random);
    ASSERT_FALSE(done);
    EXPECT_EQ(name_of(done.error()), t.code);
  }
}

TEST(Handshake, FailsAtStep2ForABundleThatIsNone) {
  const TestEpoch epoch;
  for (const Bytes& bundle : {Bytes{}, Bytes{0xa0}, Bytes(1000, 0xff)}) {
    Handshake h(epoch);
    EXPECT_FALSE(h.finish(forge(h, [&](ServerHello& hello) { hello.bundle = bundle; })));
  }
}

TEST(Handshake, FailsAtStep3ForASignatureThatIsNotStrict) {
  const TestEpoch epoch;
  Handshake h(epoch);
  Bytes hello = forge(h, [](ServerHello&) {});
  // S + L is the same number modulo L, and many verifiers take it.
  static constexpr std::uint8_t kL[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                          0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                          0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    std::uint8_t& byte = hello[hello.size() - 32 + i];
    const unsigned sum = unsigned{byte} + kL[i] + carry;
    byte = static_cast<std::uint8_t>(sum);
    carry = sum >> 8;
  }
  const auto done = h.finish(hello);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), kHelloSignature);
}

// Points of small order, and their twins above p: every one gives an all-zero shared secret.
const std::vector<std::string>& small_order_points() {
  static const std::vector<std::string> points = {"0000000000000000000000000000000000000000000000000000000000000000",
                                                  "0100000000000000000000000000000000000000000000000000000000000000",
                                                  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                                  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                                                  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                                  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                                  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
  return points;
}

TEST(Handshake, FailsAtStep4ForAPublicKeyOfSmallOrder) {
  const TestEpoch epoch;
  for (const std::string& point : small_order_points()) {
    Handshake h(epoch);
    const Bytes key = *from_hex(point);
    const auto done = h.finish(forge(h, [&](ServerHello& hello) { hello.kem_public_key = key; }));
    ASSERT_FALSE(done) << point;
    EXPECT_EQ(done.error().code(), kHpkeBadPublicKey);
  }
}

TEST(Handshake, RefusesAnEncOfSmallOrder) {
  const TestEpoch epoch;
  for (const std::string& point : small_order_points()) {
    Handshake h(epoch);
    h.answer();
    const auto keys = h.server.on_client_finish(raw_frame(frame_bytes(3, *from_hex(point))));
    ASSERT_FALSE(keys) << point;
    EXPECT_EQ(keys.error().code(), kHpkeBadPublicKey);
  }
}

TEST(Handshake, RefusesAnEncOfAnotherSize) {
  const TestEpoch epoch;
  for (const std::size_t size : {1UL, 31UL, 33UL, 64UL, 1120UL}) {
    Handshake h(epoch);
    h.answer();
    const auto keys = h.server.on_client_finish(raw_frame(frame_bytes(3, Bytes(size, 9))));
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code(), kFinishMalformed);
  }
}

// Remembered bundles.

TEST(BundleCache, SparesTheSecondVerificationAndNothingElse) {
  const TestEpoch epoch;
  VerifiedBundleCache cache;
  const auto connect = [&](UnixSeconds time, Checks& checks) {
    SeededRandom random("x");
    BundleExpectation expectation = epoch.expectation();
    expectation.time = time;
    ClientHandshake client({.expectation = expectation, .cache = &cache});
    ServerHandshake server(epoch.identity());
    const Bytes answer = *server.on_client_hello(raw_frame(*client.start(random)), random);
    return client.on_server_hello(raw_frame(answer), random, &checks).has_value();
  };
  Checks first;
  EXPECT_TRUE(connect(kFakeNow, first));
  EXPECT_EQ(first.front().id, "bundle-form");
  EXPECT_EQ(cache.size(), 1U);
  Checks second;
  EXPECT_TRUE(connect(kFakeNow + 300, second));
  EXPECT_EQ(second.front().id, "bundle-remembered");
  EXPECT_EQ(second.back().id, "channel-signature");
  Checks late;
  EXPECT_TRUE(connect(kFakeNow + 301, late));
  EXPECT_EQ(late.front().id, "bundle-form");
  Checks expired;
  EXPECT_FALSE(connect(kFakeNow + 3501, expired));
}

TEST(BundleCache, FindsOnlyTheSameBundlePolicyAndTime) {
  const TestEpoch epoch;
  const TestEpoch other("machine b");
  VerifiedBundleCache cache(2);
  const TrustedPeer peer = *check_bundle(epoch.bundle, epoch.expectation());
  cache.remember(peer, epoch.expectation());
  EXPECT_TRUE(cache.find(peer.bundle_hash, epoch.expectation()));
  EXPECT_FALSE(cache.find(sha256(other.bundle), epoch.expectation()));
  EXPECT_FALSE(cache.find(peer.bundle_hash, other.expectation()));
  BundleExpectation changed = epoch.expectation();
  changed.time = kFakeNow - 1;
  EXPECT_FALSE(cache.find(peer.bundle_hash, changed));
  changed = epoch.expectation();
  changed.challenge = Hash32{};
  EXPECT_FALSE(cache.find(peer.bundle_hash, changed));
  changed = epoch.expectation();
  changed.purpose = Purpose::kRelease;
  EXPECT_FALSE(cache.find(peer.bundle_hash, changed));
  changed = epoch.expectation();
  changed.verify_manifest = nullptr;
  EXPECT_FALSE(cache.find(peer.bundle_hash, changed));
}

TEST(BundleCache, KeepsAsManyAsItMayAndForgetsTheOldest) {
  VerifiedBundleCache cache(2);
  const TestEpoch epoch;
  TrustedPeer peer = *check_bundle(epoch.bundle, epoch.expectation());
  for (std::uint8_t i = 0; i < 5; ++i) {
    peer.bundle_hash[0] = i;
    cache.remember(peer, epoch.expectation());
    EXPECT_LE(cache.size(), 2U);
  }
  EXPECT_TRUE(cache.find(peer.bundle_hash, epoch.expectation()));
  peer.bundle_hash[0] = 2;
  EXPECT_FALSE(cache.find(peer.bundle_hash, epoch.expectation()));
}

}  // namespace
}  // namespace eml::test
