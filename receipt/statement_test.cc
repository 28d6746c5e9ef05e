#include "receipt/statement.h"

#include <gtest/gtest.h>

#include "receipt/receipt_fixture.h"

namespace eml {
namespace {

using test::encoded_int;
using test::encoded_text;
using test::key_of;
using test::Pair;
using test::pairs_of;
using test::set_value;

const Ed25519Key& signer() {
  static const Ed25519Key key = key_of(0x2a);
  return key;
}

RefusalStatement refusal() {
  return {.issuer = "example.org",
          .issued_at = 1795600000,
          .cti = {1},
          .status = 413,
          .reason = "request-too-large",
          .request_hash = test::hash_of(1),
          .response_hash = test::hash_of(2),
          .attestation_doc_hash = test::hash_of(3)};
}

CleanupStatement cleanup() {
  return {.issuer = "example.org",
          .issued_at = 1795600001,
          .cti = {2},
          .receipt_cti = {3},
          .receipt_hash = test::hash_of(4),
          .wiped = {.request = 4096, .parsed_text = 8192, .token_ids = 0, .activations = 1 << 20, .response = 16384}};
}

Bytes payload_of(ByteView statement) { return to_bytes(UnverifiedSign1::decode(statement)->payload()); }

CoseHeader header(std::string_view type) { return {.type = std::string(type)}; }

// accepts says whether a payload of that type, properly signed, verifies.
bool accepts(std::string_view type, const std::vector<Pair>& pairs) {
  const Bytes bytes = sign1(signer(), header(type), test::map_of(pairs));
  if (type == kRefusalType) return verify_refusal(bytes, signer().public_key()).has_value();
  return verify_cleanup(bytes, signer().public_key()).has_value();
}

std::vector<Pair> good_pairs(std::string_view type) {
  const Bytes bytes = type == kRefusalType ? *issue_refusal(signer(), refusal()) : *issue_cleanup(signer(), cleanup());
  return pairs_of(payload_of(bytes));
}

TEST(Statement, ARefusalVerifiesAndReadsBack) {
  const auto read = verify_refusal(issue_refusal(signer(), refusal()).value(), signer().public_key());
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, refusal());
}

TEST(Statement, ACleanupVerifiesAndReadsBack) {
  const auto read = verify_cleanup(issue_cleanup(signer(), cleanup()).value(), signer().public_key());
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_EQ(*read, cleanup());
}

TEST(Statement, NonePassesForAnother) {
  const Bytes a_receipt = issue_receipt(signer(), test::local_claims()).value();
  const Bytes a_refusal = issue_refusal(signer(), refusal()).value();
  const Bytes a_cleanup = issue_cleanup(signer(), cleanup()).value();
  const Ed25519PublicKey& key = signer().public_key();
  EXPECT_EQ(verify_refusal(a_receipt, key).error().code(), kCoseWrongType);
  EXPECT_EQ(verify_refusal(a_cleanup, key).error().code(), kCoseWrongType);
  EXPECT_EQ(verify_cleanup(a_receipt, key).error().code(), kCoseWrongType);
  EXPECT_EQ(verify_cleanup(a_refusal, key).error().code(), kCoseWrongType);
  EXPECT_EQ(verify_receipt(a_refusal, key).error().code(), kCoseWrongType);
  EXPECT_EQ(verify_receipt(a_cleanup, key).error().code(), kCoseWrongType);
}

TEST(Statement, TheClaimsOfOneUnderTheHeaderOfAnotherAreRefused) {
  const Bytes refusal_claims = payload_of(issue_refusal(signer(), refusal()).value());
  const Bytes cleanup_claims = payload_of(issue_cleanup(signer(), cleanup()).value());
  const Bytes receipt_claims = encode_air_claims(test::local_claims());
  const Ed25519PublicKey& key = signer().public_key();
  for (const Bytes& claims : {cleanup_claims, receipt_claims}) {
    EXPECT_FALSE(verify_refusal(sign1(signer(), header(kRefusalType), claims), key));
  }
  for (const Bytes& claims : {refusal_claims, receipt_claims}) {
    EXPECT_FALSE(verify_cleanup(sign1(signer(), header(kCleanupType), claims), key));
  }
  for (const Bytes& claims : {refusal_claims, cleanup_claims}) {
    EXPECT_FALSE(verify_receipt(sign1(signer(), CoseHeader{}, claims), key));
  }
}

TEST(Statement, RefusesAnotherKey) {
  const Ed25519PublicKey other = key_of(0x2b).public_key();
  EXPECT_EQ(verify_refusal(*issue_refusal(signer(), refusal()), other).error().code(), kSignatureInvalid);
  EXPECT_EQ(verify_cleanup(*issue_cleanup(signer(), cleanup()), other).error().code(), kSignatureInvalid);
}

TEST(Statement, RefusesEveryTruncationAndEveryFlippedByte) {
  const Bytes a_refusal = issue_refusal(signer(), refusal()).value();
  const Bytes a_cleanup = issue_cleanup(signer(), cleanup()).value();
  for (const Bytes& good : {a_refusal, a_cleanup}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      Bytes bad = good;
      bad[i] ^= 0x20;
      EXPECT_FALSE(verify_refusal(bad, signer().public_key())) << i;
      EXPECT_FALSE(verify_cleanup(bad, signer().public_key())) << i;
      EXPECT_FALSE(verify_refusal(ByteView(good).first(i), signer().public_key())) << i;
      EXPECT_FALSE(verify_cleanup(ByteView(good).first(i), signer().public_key())) << i;
    }
  }
}

TEST(Statement, EveryClaimIsRequiredOnceInOrderAndOfItsType) {
  for (const std::string_view type : {kRefusalType, kCleanupType}) {
    const auto pairs = good_pairs(type);
    ASSERT_TRUE(accepts(type, pairs));
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto at = static_cast<std::ptrdiff_t>(i);
      auto bad = pairs;
      bad.erase(bad.begin() + at);
      EXPECT_FALSE(accepts(type, bad)) << type << " without " << i;
      bad = pairs;
      bad.insert(bad.begin() + at, pairs[i]);
      EXPECT_FALSE(accepts(type, bad)) << type << " twice " << i;
      bad = pairs;
      bad[i].value = CborWriter().boolean(true).take();
      EXPECT_FALSE(accepts(type, bad)) << type << " type of " << i;
      if (i == 0) continue;
      bad = pairs;
      std::swap(bad[i - 1], bad[i]);
      EXPECT_FALSE(accepts(type, bad)) << type << " order at " << i;
    }
    auto more = pairs;
    more.push_back({encoded_text("zzzzzzzzzzzzzzzzzzzzzzz"), encoded_int(0)});
    EXPECT_FALSE(accepts(type, more));
  }
}

TEST(Statement, ARefusalsReasonIsOneShortCodeAndItsStatusOneOfARefusal) {
  for (const char* reason : {"", "Too large", "a_b", "A", "caf\xc3\xa9"}) {
    auto pairs = good_pairs(kRefusalType);
    set_value(pairs, encoded_text("reason"), encoded_text(reason));
    EXPECT_FALSE(accepts(kRefusalType, pairs)) << reason;
  }
  RefusalStatement statement = refusal();
  statement.reason = std::string(kRefusalReasonMax, 'a');
  EXPECT_TRUE(issue_refusal(signer(), statement));
  statement.reason += 'a';
  EXPECT_EQ(issue_refusal(signer(), statement).error().code(), kStatementMalformed);
  for (const std::uint16_t status : std::initializer_list<std::uint16_t>{0, 200, 399, 600}) {
    statement = refusal();
    statement.status = status;
    EXPECT_FALSE(issue_refusal(signer(), statement)) << status;
  }
}

TEST(Statement, ACleanupCountsWholeBuffersOnly) {
  for (std::uint64_t WipedBytes::* member : {&WipedBytes::request, &WipedBytes::parsed_text, &WipedBytes::token_ids,
                                             &WipedBytes::activations, &WipedBytes::response}) {
    CleanupStatement statement = cleanup();
    statement.wiped.*member = 4097;
    EXPECT_EQ(issue_cleanup(signer(), statement).error().code(), kStatementMalformed);
    statement.wiped.*member = (std::uint64_t{1} << 40) + 4096;
    EXPECT_FALSE(issue_cleanup(signer(), statement));
    statement.wiped.*member = 3 * 4096;
    EXPECT_TRUE(issue_cleanup(signer(), statement));
  }
}

TEST(Statement, ACleanupSaysWhatItIsNot) {
  auto pairs = good_pairs(kCleanupType);
  set_value(pairs, encoded_text("meaning"), encoded_text("proof of deletion"));
  EXPECT_FALSE(accepts(kCleanupType, pairs));
}

TEST(Statement, RefusesATimeOfZeroAndAnEmptyIssuer) {
  RefusalStatement statement = refusal();
  statement.issued_at = 0;
  EXPECT_FALSE(issue_refusal(signer(), statement));
  CleanupStatement other = cleanup();
  other.issuer.clear();
  EXPECT_FALSE(issue_cleanup(signer(), other));
}

TEST(Statement, BuffersGrowInPowersOfTwoFromOnePage) {
  EXPECT_EQ(wiped_buffer_bytes(0), 0U);
  EXPECT_EQ(wiped_buffer_bytes(1), 4096U);
  EXPECT_EQ(wiped_buffer_bytes(4096), 4096U);
  EXPECT_EQ(wiped_buffer_bytes(4097), 8192U);
  EXPECT_EQ(wiped_buffer_bytes(100000), 131072U);
  EXPECT_EQ(wiped_buffer_bytes(~std::uint64_t{0}), ~std::uint64_t{0});
}

}  // namespace
}  // namespace eml
