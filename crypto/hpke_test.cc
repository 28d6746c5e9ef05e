// RFC 9180's own vectors, and OpenSSL's HPKE as an independent peer.
#include "crypto/hpke.h"

#include <gtest/gtest.h>
#include <openssl/hpke.h>

#include <charconv>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "crypto/hpke_suite.h"
#include "crypto/openssl.h"
#include "crypto/testing.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::access;
using test::CountingRandom;
using test::reveal;
using test::secret_of;
using test::unhex;

constexpr std::uint16_t kKemP256 = 0x0010;

// One encryption or export of a vector: its attributes in order of appearance.
using Attributes = std::map<std::string, std::string, std::less<>>;

struct Vector {
  Attributes head;
  std::vector<Attributes> encryptions;
  std::vector<Attributes> exports;
};

// take removes an attribute, so that what was never read is still there at the end.
std::string take(Attributes& attributes, std::string_view name) {
  const auto found = attributes.find(name);
  if (found == attributes.end()) {
    ADD_FAILURE() << "attribute '" << name << "' is missing";
    return {};
  }
  std::string value = found->second;
  attributes.erase(found);
  return value;
}

Bytes take_bytes(Attributes& attributes, std::string_view name) { return unhex(take(attributes, name)); }

std::uint16_t take_number(Attributes& attributes, std::string_view name) {
  const std::string text = take(attributes, name);
  std::uint16_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) ADD_FAILURE() << name;
  return value;
}

void expect_all_read(const Attributes& attributes) {
  for (const auto& [name, value] : attributes) ADD_FAILURE() << "attribute '" << name << "' was not read";
}

// The flat format of BoringSSL's tests: "name = value" lines, comments that begin a part, an empty line between
// vectors.
std::vector<Vector> parse(const std::string& text) {
  std::vector<Vector> vectors;
  Attributes* into = nullptr;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.empty()) {
      into = nullptr;
      continue;
    }
    if (into == nullptr) into = &vectors.emplace_back().head;
    if (line.starts_with("# encryptions")) {
      into = &vectors.back().encryptions.emplace_back();
    } else if (line.starts_with("# exports")) {
      into = &vectors.back().exports.emplace_back();
    } else {
      const std::size_t equals = line.find('=');
      EXPECT_NE(equals, std::string::npos) << line;
      const std::string name = line.substr(0, line.find(' '));
      const std::string value = equals + 2 <= line.size() ? line.substr(equals + 2) : "";
      EXPECT_TRUE(into->emplace(name, value).second) << "twice: " << line;
    }
  }
  return vectors;
}

std::string describe(const Vector& v) {
  return "mode " + v.head.at("mode") + ", kem " + v.head.at("kem_id") + ", aead " + v.head.at("aead_id");
}

struct SetupInput {
  AeadId aead;
  Bytes info, enc, skR, pkR, ikmR, skE;
};

void check_encryptions(std::vector<Attributes>& encryptions, hpke::Context& sender, hpke::Context& receiver) {
  for (Attributes& e : encryptions) {
    const Bytes aad = take_bytes(e, "aad");
    const Bytes pt = take_bytes(e, "pt");
    const Bytes ct = take_bytes(e, "ct");
    EXPECT_EQ(hex(sender.seal(aad, pt).value()), hex(ct));
    EXPECT_EQ(hex(reveal(receiver.open(aad, ct).value())), hex(pt));
    expect_all_read(e);
  }
}

void check_exports(std::vector<Attributes>& exports, const hpke::Context& sender, const hpke::Context& receiver) {
  for (Attributes& e : exports) {
    const Bytes context = take_bytes(e, "exporter_context");
    const std::size_t size = take_number(e, "L");
    const std::string value = take(e, "exported_value");
    EXPECT_EQ(hex(reveal(sender.export_secret(context, size))), value);
    EXPECT_EQ(hex(reveal(receiver.export_secret(context, size))), value);
    expect_all_read(e);
  }
}

SetupInput take_setup(Attributes& head) {
  EXPECT_EQ(take_number(head, "kdf_id"), 1);
  return {.aead = AeadId{take_number(head, "aead_id")},
          .info = take_bytes(head, "info"),
          .enc = take_bytes(head, "enc"),
          .skR = take_bytes(head, "skRm"),
          .pkR = take_bytes(head, "pkRm"),
          .ikmR = take_bytes(head, "ikmR"),
          .skE = take_bytes(head, "sender_seed")};
}

// Ours: every attribute of the vector is produced or consumed by crypto/hpke_suite.
void run_with_ours(Vector v) {
  SCOPED_TRACE(describe(v));
  EXPECT_EQ(take_number(v.head, "mode"), 0);
  EXPECT_EQ(take_number(v.head, "kem_id"), kKemX25519HkdfSha256);
  const SetupInput s = take_setup(v.head);
  expect_all_read(v.head);

  const X25519Key skE = X25519Key::from_private(copy_to_secret(s.skE));
  const X25519Key skR = hpke::derive_key_pair(copy_to_secret(s.ikmR));
  EXPECT_EQ(hex(skR.public_key()), hex(s.pkR));
  EXPECT_EQ(hex(X25519Key::from_private(copy_to_secret(s.skR)).public_key()), hex(s.pkR));
  EXPECT_EQ(hex(skE.public_key()), hex(s.enc));
  hpke::Context sender(s.aead, hpke::encap(skE, s.pkR).value(), s.info);
  hpke::Context receiver(s.aead, hpke::decap(s.enc, skR).value(), s.info);
  ASSERT_GE(v.encryptions.size(), 250U);
  check_encryptions(v.encryptions, sender, receiver);
  check_exports(v.exports, sender, receiver);
}

struct CtxDeleter {
  void operator()(OSSL_HPKE_CTX* ctx) const { OSSL_HPKE_CTX_free(ctx); }
};
using OsslCtx = std::unique_ptr<OSSL_HPKE_CTX, CtxDeleter>;

openssl::Pkey ossl_private_key(std::uint16_t kem, const Bytes& sk, const Bytes& pk) {
  if (kem == kKemX25519HkdfSha256) {
    return openssl::Pkey(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, sk.data(), sk.size()));
  }
  const openssl::PkeyCtx ctx(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  char group[] = "P-256";
  Bytes little(sk.rbegin(), sk.rend());
  Bytes point = pk;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("group", group, 0),
                         OSSL_PARAM_construct_BN("priv", little.data(), little.size()),
                         OSSL_PARAM_construct_octet_string("pub", point.data(), point.size()), OSSL_PARAM_END};
  EVP_PKEY* key = nullptr;
  EXPECT_EQ(EVP_PKEY_fromdata_init(ctx.get()), 1);
  EXPECT_EQ(EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_KEYPAIR, params), 1);
  return openssl::Pkey(key);
}

Bytes ossl_open(OSSL_HPKE_CTX* ctx, const Bytes& aad, const Bytes& ct) {
  Bytes pt(ct.size());
  std::size_t size = pt.size();
  EXPECT_EQ(OSSL_HPKE_open(ctx, pt.data(), &size, aad.data(), aad.size(), ct.data(), ct.size()), 1);
  pt.resize(size);
  return pt;
}

Bytes ossl_seal(OSSL_HPKE_CTX* ctx, const Bytes& aad, const Bytes& pt) {
  Bytes ct(pt.size() + 16);
  std::size_t size = ct.size();
  EXPECT_EQ(OSSL_HPKE_seal(ctx, ct.data(), &size, aad.data(), aad.size(), pt.data(), pt.size()), 1);
  ct.resize(size);
  return ct;
}

Bytes ossl_export(OSSL_HPKE_CTX* ctx, const Bytes& context, std::size_t size) {
  Bytes out(size);
  EXPECT_EQ(OSSL_HPKE_export(ctx, out.data(), size, context.data(), context.size()), 1);
  return out;
}

// The library's: the receiver's side of every suite and mode in the file, so that the vectors themselves are known
// good.
void run_with_openssl(Vector v) {
  SCOPED_TRACE(describe(v));
  const int mode = take_number(v.head, "mode");
  const std::uint16_t kem = take_number(v.head, "kem_id");
  const SetupInput s = take_setup(v.head);
  const OSSL_HPKE_SUITE suite{kem, 1, static_cast<std::uint16_t>(s.aead)};
  const OsslCtx ctx(OSSL_HPKE_CTX_new(mode, suite, OSSL_HPKE_ROLE_RECEIVER, nullptr, nullptr));
  ASSERT_NE(ctx, nullptr);
  if (mode == OSSL_HPKE_MODE_AUTH) {
    EXPECT_FALSE(take_bytes(v.head, "skSm").empty());  // the sender's side is not the library's to test
    const Bytes pkS = take_bytes(v.head, "pkSm");
    EXPECT_EQ(OSSL_HPKE_CTX_set1_authpub(ctx.get(), pkS.data(), pkS.size()), 1);
  }
  expect_all_read(v.head);
  const openssl::Pkey skR = ossl_private_key(kem, s.skR, s.pkR);
  ASSERT_EQ(OSSL_HPKE_decap(ctx.get(), s.enc.data(), s.enc.size(), skR.get(), s.info.data(), s.info.size()), 1);
  for (Attributes& e : v.encryptions) {
    const Bytes aad = take_bytes(e, "aad");
    const Bytes ct = take_bytes(e, "ct");
    EXPECT_EQ(hex(ossl_open(ctx.get(), aad, ct)), take(e, "pt"));
    expect_all_read(e);
  }
  for (Attributes& e : v.exports) {
    const Bytes context = take_bytes(e, "exporter_context");
    const std::size_t size = take_number(e, "L");
    EXPECT_EQ(hex(ossl_export(ctx.get(), context, size)), take(e, "exported_value"));
    expect_all_read(e);
  }
}

TEST(Hpke, PassesEveryBaseModeVectorOfItsKem) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/hpke/rfc9180.txt");
  std::set<std::string> suites;
  for (const Vector& v : parse(text)) {
    if (v.head.at("mode") != "0" || v.head.at("kem_id") != "32") continue;
    suites.insert(v.head.at("aead_id"));
    run_with_ours(v);
  }
  EXPECT_EQ(suites, (std::set<std::string>{"1", "2", "3"}));
}

TEST(Hpke, TheLibraryPassesEveryVectorOfTheFile) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/hpke/rfc9180.txt");
  const std::vector<Vector> vectors = parse(text);
  ASSERT_EQ(vectors.size(), 12U);
  for (const Vector& v : vectors) run_with_openssl(v);
}

TEST(Hpke, ThePublicInterfacePassesTheVectorOfOurSuite) {
  EML_SHARED_FILE_OR_SKIP(text, "vectors/hpke/rfc9180.txt");
  int found = 0;
  for (Vector v : parse(text)) {
    if (v.head.at("mode") != "0" || v.head.at("kem_id") != "32" || v.head.at("aead_id") != "3") continue;
    ++found;
    const SetupInput s = take_setup(v.head);
    auto skE = KemKeyPair::from_private(kKemX25519HkdfSha256, copy_to_secret(s.skE));
    auto skR = KemKeyPair::derive(kKemX25519HkdfSha256, copy_to_secret(s.ikmR));
    EXPECT_EQ(hex(skR->public_key()), hex(s.pkR));
    auto sender = HpkeSender::setup_with_ephemeral(kKemX25519HkdfSha256, s.pkR, s.info, *std::move(skE));
    ASSERT_TRUE(sender);
    EXPECT_EQ(hex(sender->enc()), hex(s.enc));
    auto receiver = HpkeReceiver::setup(*skR, s.enc, s.info);
    ASSERT_TRUE(receiver);
    bool secret = false;
    for (Attributes& e : v.encryptions) {
      const Bytes aad = take_bytes(e, "aad");
      const Bytes pt = take_bytes(e, "pt");
      const Bytes ct = take_bytes(e, "ct");
      EXPECT_EQ(secret ? sender->seal(aad, copy_to_secret(pt)).value() : sender->seal(aad, pt).value(), ct);
      EXPECT_EQ(reveal(receiver->open(aad, ct).value()), pt);
      secret = !secret;
    }
    for (Attributes& e : v.exports) {
      const Bytes context = take_bytes(e, "exporter_context");
      const std::size_t size = take_number(e, "L");
      const Bytes value = take_bytes(e, "exported_value");
      EXPECT_EQ(reveal(sender->export_secret(context, size)), value);
      EXPECT_EQ(reveal(receiver->export_secret(context, size)), value);
    }
  }
  EXPECT_EQ(found, 1);
}

const Bytes kInfo = to_bytes("info of both sides");

TEST(Hpke, SendsToOpenSslInEverySuite) {
  CountingRandom random(7);
  const X25519Key skR = X25519Key::generate(random);
  const X25519Key skE = X25519Key::generate(random);
  const openssl::Pkey peer = ossl_private_key(
      kKemX25519HkdfSha256, unhex("0708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526"), {});
  for (const AeadId id : {AeadId::kAes128Gcm, AeadId::kAes256Gcm, AeadId::kChaCha20Poly1305}) {
    hpke::Context sender(id, hpke::encap(skE, skR.public_key()).value(), kInfo);
    const OsslCtx ctx(OSSL_HPKE_CTX_new(OSSL_HPKE_MODE_BASE, {kKemX25519HkdfSha256, 1, static_cast<std::uint16_t>(id)},
                                        OSSL_HPKE_ROLE_RECEIVER, nullptr, nullptr));
    ASSERT_EQ(OSSL_HPKE_decap(ctx.get(), skE.public_key().data(), 32, peer.get(), kInfo.data(), kInfo.size()), 1);
    for (const std::string_view text : {"first", "second, longer than the first", "x"}) {
      EXPECT_EQ(ossl_open(ctx.get(), to_bytes("aad"), sender.seal(as_bytes("aad"), as_bytes(text)).value()),
                to_bytes(text));
    }
    EXPECT_EQ(ossl_export(ctx.get(), to_bytes("c2s"), 32), reveal(sender.export_secret(as_bytes("c2s"), 32)));
    EXPECT_EQ(ossl_export(ctx.get(), to_bytes("c2s"), 77), reveal(sender.export_secret(as_bytes("c2s"), 77)));
  }
}

TEST(Hpke, ReceivesFromOpenSslInEverySuite) {
  CountingRandom random(99);
  const X25519Key skR = X25519Key::generate(random);
  for (const AeadId id : {AeadId::kAes128Gcm, AeadId::kAes256Gcm, AeadId::kChaCha20Poly1305}) {
    const OsslCtx ctx(OSSL_HPKE_CTX_new(OSSL_HPKE_MODE_BASE, {kKemX25519HkdfSha256, 1, static_cast<std::uint16_t>(id)},
                                        OSSL_HPKE_ROLE_SENDER, nullptr, nullptr));
    Bytes enc(32);
    std::size_t size = enc.size();
    ASSERT_EQ(OSSL_HPKE_encap(ctx.get(), enc.data(), &size, skR.public_key().data(), 32, kInfo.data(), kInfo.size()),
              1);
    hpke::Context receiver(id, hpke::decap(enc, skR).value(), kInfo);
    for (const std::string_view text : {"first", "second, longer than the first", "x"}) {
      EXPECT_EQ(reveal(receiver.open(as_bytes("aad"), ossl_seal(ctx.get(), to_bytes("aad"), to_bytes(text))).value()),
                to_bytes(text));
    }
    EXPECT_EQ(ossl_export(ctx.get(), to_bytes("s2c"), 32), reveal(receiver.export_secret(as_bytes("s2c"), 32)));
  }
}

// A pair of contexts of our own.
struct Pair {
  KemKeyPair skR;
  HpkeSender sender;
  HpkeReceiver receiver;
};

Pair make_pair() {
  CountingRandom random(3);
  KemKeyPair skR = KemKeyPair::generate(kKemX25519HkdfSha256, random).value();
  HpkeSender sender = HpkeSender::setup(kKemX25519HkdfSha256, skR.public_key(), kInfo, random).value();
  HpkeReceiver receiver = HpkeReceiver::setup(skR, sender.enc(), kInfo).value();
  return {std::move(skR), std::move(sender), std::move(receiver)};
}

TEST(Hpke, AFailedOpenLeavesTheSequenceWhereItWas) {
  Pair pair = make_pair();
  const Bytes good = pair.sender.seal(as_bytes("aad"), as_bytes("text")).value();
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 1;
    const auto opened = pair.receiver.open(as_bytes("aad"), bad);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), kHpkeOpenFailed);
  }
  EXPECT_FALSE(pair.receiver.open(as_bytes("AAD"), good));
  EXPECT_FALSE(pair.receiver.open({}, good));
  EXPECT_EQ(reveal(pair.receiver.open(as_bytes("aad"), good).value()), to_bytes("text"));
  EXPECT_FALSE(pair.receiver.open(as_bytes("aad"), good)) << "a message opened twice";
}

TEST(Hpke, RefusesAMessageCutAtAnyLength) {
  Pair pair = make_pair();
  const Bytes good = pair.sender.seal({}, as_bytes("some text")).value();
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto opened = pair.receiver.open({}, ByteView(good).first(size));
    ASSERT_FALSE(opened) << size;
    EXPECT_EQ(opened.error().code(), kHpkeOpenFailed);
  }
  EXPECT_TRUE(pair.receiver.open({}, good));
}

TEST(Hpke, SealsAnEmptyMessage) {
  Pair pair = make_pair();
  const Bytes sealed = pair.sender.seal({}, ByteView{}).value();
  EXPECT_EQ(sealed.size(), 16U);
  const auto opened = pair.receiver.open({}, sealed);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

TEST(Hpke, AnotherInfoOrEncGivesOtherSecrets) {
  Pair pair = make_pair();
  const Bytes exported = reveal(pair.sender.export_secret(as_bytes("x"), 32));
  EXPECT_EQ(reveal(pair.receiver.export_secret(as_bytes("x"), 32)), exported);
  EXPECT_NE(reveal(pair.receiver.export_secret(as_bytes("y"), 32)), exported);
  const auto other_info = HpkeReceiver::setup(pair.skR, pair.sender.enc(), as_bytes("other"));
  EXPECT_NE(reveal(other_info->export_secret(as_bytes("x"), 32)), exported);
  Bytes enc = to_bytes(pair.sender.enc());
  enc[0] ^= 1;
  const auto other_enc = HpkeReceiver::setup(pair.skR, enc, kInfo);
  EXPECT_NE(reveal(other_enc->export_secret(as_bytes("x"), 32)), exported);
}

TEST(Hpke, RefusesPublicKeysOfSmallOrderAndOfOtherSizes) {
  CountingRandom random;
  const KemKeyPair skR = KemKeyPair::generate(kKemX25519HkdfSha256, random).value();
  const std::vector<Bytes> bad = {
      {},
      Bytes(31, 9),
      Bytes(33, 9),
      Bytes(65536, 9),
      Bytes(32, 0),
      unhex("0100000000000000000000000000000000000000000000000000000000000000"),
      unhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
      unhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
      unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      unhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
      unhex("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
  };
  for (const Bytes& key : bad) {
    SCOPED_TRACE(hex(ByteView(key).first(std::min<std::size_t>(key.size(), 40))));
    const auto sender = HpkeSender::setup(kKemX25519HkdfSha256, key, kInfo, random);
    ASSERT_FALSE(sender);
    EXPECT_EQ(sender.error().code(), kHpkeBadPublicKey);
    const auto receiver = HpkeReceiver::setup(skR, key, kInfo);
    ASSERT_FALSE(receiver);
    EXPECT_EQ(receiver.error().code(), kHpkeBadPublicKey);
  }
}

TEST(Hpke, RefusesKemsThatItDoesNotHave) {
  CountingRandom random;
  const SecretBytes ikm(32);
  for (const std::uint16_t kem :
       {std::uint16_t{0}, kKemP256, std::uint16_t{0x0021}, std::uint16_t{0x647a}, std::uint16_t{0xffff}}) {
    EXPECT_EQ(kem_sizes(kem).error().code(), kHpkeUnsupportedKem);
    EXPECT_EQ(KemKeyPair::generate(kem, random).error().code(), kHpkeUnsupportedKem);
    EXPECT_EQ(KemKeyPair::derive(kem, ikm).error().code(), kHpkeUnsupportedKem);
    EXPECT_EQ(KemKeyPair::from_private(kem, ikm).error().code(), kHpkeUnsupportedKem);
    EXPECT_EQ(HpkeSender::setup(kem, Bytes(32, 9), kInfo, random).error().code(), kHpkeUnsupportedKem);
    EXPECT_EQ(HpkeSender::setup_with_ephemeral(kem, Bytes(32, 9), kInfo,
                                               KemKeyPair::generate(kKemX25519HkdfSha256, random).value())
                  .error()
                  .code(),
              kHpkeUnsupportedKem);
  }
  EXPECT_EQ(kem_sizes(kKemX25519HkdfSha256)->public_key, 32U);
  EXPECT_EQ(kem_sizes(kKemX25519HkdfSha256)->enc, 32U);
  EXPECT_EQ(KemKeyPair::from_private(kKemX25519HkdfSha256, SecretBytes(31)).error().code(), kHpkeBadPrivateKey);
  EXPECT_EQ(KemKeyPair::generate(kKemX25519HkdfSha256, random)->kem_id(), kKemX25519HkdfSha256);
}

TEST(Hpke, EndsBeforeItsSequenceNumberCouldRepeatANonce) {
  CountingRandom random;
  const X25519Key skR = X25519Key::generate(random);
  const X25519Key skE = X25519Key::generate(random);
  hpke::Context sender(AeadId::kChaCha20Poly1305, hpke::encap(skE, skR.public_key()).value(), kInfo);
  hpke::Context receiver(AeadId::kChaCha20Poly1305, hpke::decap(skE.public_key(), skR).value(), kInfo);
  const std::uint64_t last = (std::uint64_t{1} << 32) - 1;
  sender.skip_to(last);
  receiver.skip_to(last);
  const Bytes sealed = sender.seal({}, as_bytes("last")).value();
  EXPECT_EQ(reveal(receiver.open({}, sealed).value()), to_bytes("last"));
  EXPECT_EQ(sender.seal({}, as_bytes("one more")).error().code(), kHpkeLimit);
  EXPECT_EQ(receiver.open({}, sealed).error().code(), kHpkeLimit);
}

}  // namespace
}  // namespace eml
