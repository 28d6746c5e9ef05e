#include "audit/dossier.h"

#include <gtest/gtest.h>

#include "audit/audit_fixture.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

using test::Answer;

Bytes encoded(const DossierParts& parts) { return to_bytes(encode_dossier(parts).value().bytes()); }

DossierParts with_hashes(const Answer& answer) {
  DossierParts parts = answer.parts();
  parts.request = std::nullopt;
  parts.response = std::nullopt;
  parts.request_hash = answer.claims.request_hash;
  parts.response_hash = answer.claims.response_hash;
  return parts;
}

TEST(DossierFile, MakesARoundTripWithBodiesAndWithHashes) {
  const Answer answer;
  const Bytes bytes = encoded(answer.parts());
  const auto parts = decode_dossier(bytes);
  ASSERT_TRUE(parts) << parts.error().to_string();
  EXPECT_TRUE(equal(parts->receipt, answer.receipt));
  EXPECT_TRUE(equal(*parts->request, as_bytes(answer.request)));
  EXPECT_TRUE(equal(*parts->response, as_bytes(answer.response)));
  EXPECT_TRUE(equal(parts->bundle, answer.bundle));
  EXPECT_TRUE(equal(*parts->cleanup, answer.cleanup));
  EXPECT_FALSE(parts->request_hash || parts->response_hash);
  EXPECT_EQ(encoded(*parts), bytes);

  DossierParts hashes = with_hashes(answer);
  hashes.cleanup = std::nullopt;
  const Bytes small = encoded(hashes);
  const auto read = decode_dossier(small);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->request_hash, answer.claims.request_hash);
  EXPECT_EQ(read->response_hash, answer.claims.response_hash);
  EXPECT_FALSE(read->request || read->response || read->cleanup);
  EXPECT_EQ(encoded(*read), small);
}

TEST(DossierFile, IsVerifiedAfterTheRoundTrip) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  const Bytes bytes = encoded(answer.parts());
  const DossierVerdict verdict = verify_dossier(inputs_of(*decode_dossier(bytes)), test::expectations(policy));
  EXPECT_EQ(verdict.verdict, Verdict::kVerified) << test::failed_ids(verdict);
}

TEST(DossierFile, RefusesEveryTruncationAndATrailingByte) {
  const Answer answer;
  Bytes bytes = encoded(answer.parts());
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_dossier(ByteView(bytes).first(n))) << n;
  bytes.push_back(0);
  EXPECT_EQ(decode_dossier(bytes).error().code(), kCborTrailingBytes);
}

TEST(DossierFile, IsNeverVerifiedWithOneByteFlipped) {
  const Answer answer;
  const Policy policy = answer.tee.policy();
  const Bytes bytes = encoded(answer.parts());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes bad = bytes;
    bad[i] ^= 1;
    const auto parts = decode_dossier(bad);
    if (!parts) continue;
    EXPECT_NE(verify_dossier(inputs_of(*parts), test::expectations(policy)).verdict, Verdict::kVerified) << i;
  }
}

TEST(DossierFile, TakesEachBodyOnceByBytesOrByHash) {
  const Answer answer;
  DossierParts parts = answer.parts();
  parts.request_hash = Hash32{};
  EXPECT_EQ(encode_dossier(parts).error().code(), kDossierMalformed);
  parts = answer.parts();
  parts.response = std::nullopt;
  EXPECT_EQ(encode_dossier(parts).error().code(), kDossierMalformed);
}

TEST(DossierFile, RefusesEmptyAndOversizedParts) {
  const Answer answer;
  const auto code_with = [&](auto&& change) {
    DossierParts parts = answer.parts();
    change(parts);
    const auto result = encode_dossier(parts);
    return result ? std::string() : std::string(result.error().code().name);
  };
  const Bytes large(kCoseSign1Max + 1);
  const Bytes huge(kDossierRequestMax + 1);
  EXPECT_EQ(code_with([](DossierParts& p) { p.receipt = {}; }), kDossierMalformed.name);
  EXPECT_EQ(code_with([](DossierParts& p) { p.request = ByteView(); }), kDossierMalformed.name);
  EXPECT_EQ(code_with([](DossierParts& p) { p.bundle = {}; }), kDossierMalformed.name);
  EXPECT_EQ(code_with([](DossierParts& p) { p.cleanup = ByteView(); }), kDossierMalformed.name);
  EXPECT_EQ(code_with([&](DossierParts& p) { p.receipt = large; }), kDossierTooLarge.name);
  EXPECT_EQ(code_with([&](DossierParts& p) { p.cleanup = large; }), kDossierTooLarge.name);
  EXPECT_EQ(code_with([&](DossierParts& p) { p.request = huge; }), kDossierTooLarge.name);
  EXPECT_EQ(code_with([&](DossierParts& p) { p.bundle = huge; }), kDossierTooLarge.name);
}

TEST(DossierFile, RefusesWhatIsTooLargeBeforeItReadsIt) {
  const Bytes bytes(kDossierBytesMax + 1);
  EXPECT_EQ(decode_dossier(bytes).error().code(), kDossierTooLarge);
}

// A dossier with the pairs of a good one after `change` was made to them.
template <typename Change>
std::string code_after(Change&& change) {
  const Answer answer;
  const Bytes bytes = encoded(answer.parts());
  CborReader in(bytes);
  std::vector<std::pair<Bytes, Bytes>> pairs;
  const std::size_t count = *in.map();
  for (std::size_t i = 0; i < count; ++i) {
    Bytes key = to_bytes(*in.item());
    pairs.emplace_back(std::move(key), to_bytes(*in.item()));
  }
  change(pairs);
  Bytes changed = {static_cast<std::uint8_t>(0xa0 + pairs.size())};
  for (const auto& [key, value] : pairs) {
    changed.insert(changed.end(), key.begin(), key.end());
    changed.insert(changed.end(), value.begin(), value.end());
  }
  const auto result = decode_dossier(changed);
  return result ? std::string() : std::string(result.error().code().name);
}

using Pairs = std::vector<std::pair<Bytes, Bytes>>;

TEST(DossierFile, HasEachKeyOnceInOrderAndOfItsType) {
  EXPECT_EQ(code_after([](Pairs&) {}), "");
  for (std::size_t i = 0; i < 6; ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    const bool optional = i == 5;
    EXPECT_EQ(code_after([&](Pairs& p) { p.erase(p.begin() + at); }) == "", optional) << i;
    EXPECT_EQ(code_after([&](Pairs& p) { p.insert(p.begin() + at, p[i]); }), kCborDuplicateKey.name) << i;
    EXPECT_EQ(code_after([&](Pairs& p) { p[i].second = {0xf5}; }), kCborWrongType.name) << i;
    if (i > 0) EXPECT_EQ(code_after([&](Pairs& p) { std::swap(p[i - 1], p[i]); }), kCborUnsortedKey.name) << i;
  }
}

TEST(DossierFile, RefusesUnknownKeysAndTheOneKeptForALogProof) {
  EXPECT_EQ(code_after([](Pairs& p) { p.emplace_back(Bytes{0x09}, Bytes{0x41, 0x00}); }), kCborUnknownKey.name);
  EXPECT_EQ(code_after([](Pairs& p) { p.emplace_back(Bytes{0x61, 'x'}, Bytes{0x00}); }), kCborUnknownKey.name);
}

TEST(DossierFile, RefusesAMapOfManyPairsBeforeItReadsThem) {
  CborWriter many;
  many.map(100000);
  for (std::uint64_t i = 0; i < 100000; ++i) many.uint(i).uint(0);
  EXPECT_EQ(decode_dossier(many.take()).error().code(), kDossierMalformed);
}

TEST(DossierFile, RefusesAnotherVersion) {
  const Bytes version = CborWriter().text("eml-dossier/2").take();
  EXPECT_EQ(code_after([&](Pairs& p) { p[0].second = version; }), kDossierVersion.name);
}

TEST(DossierFile, IsToldFromOtherFilesByItsFirstBytes) {
  const Answer answer;
  EXPECT_EQ(sniff_file(answer.receipt), FileKind::kReceipt);
  EXPECT_EQ(sniff_file(answer.cleanup), FileKind::kStatement);
  EXPECT_EQ(sniff_file(encoded(answer.parts())), FileKind::kDossier);
  EXPECT_EQ(sniff_file(answer.bundle), FileKind::kBundle);
  EXPECT_EQ(sniff_file({}), FileKind::kUnknown);
  EXPECT_EQ(sniff_file(as_bytes("{}")), FileKind::kUnknown);
}

TEST(Dossier, AReceiptWithAnyByteDamagedIsStillAReceipt) {
  const Answer answer;
  for (std::size_t i = 0; i < answer.receipt.size(); ++i) {
    Bytes damaged = answer.receipt;
    damaged[i] ^= 0x55;
    EXPECT_EQ(sniff_file(damaged), FileKind::kReceipt) << i;
  }
}

}  // namespace
}  // namespace eml
