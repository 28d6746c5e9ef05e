#include "attestation/kind.h"

#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

constexpr std::array kAllKinds{EvidenceKind::kLocal, EvidenceKind::kTdx, EvidenceKind::kSevSnp,
                               EvidenceKind::kNitro, EvidenceKind::kTpm, EvidenceKind::kConfidentialSpace};

TEST(EvidenceKind, NamesReadBack) {
  for (const EvidenceKind kind : kAllKinds) EXPECT_EQ(parse_evidence_kind(to_string(kind)), kind);
  EXPECT_FALSE(parse_evidence_kind("TDX"));
  EXPECT_FALSE(parse_evidence_kind(""));
}

TEST(SignedValue, IsTheOneOfTheTableForEachKind) {
  const test::FakeTee tee;
  const Binding serve = tee.serve_binding();
  const Bytes serve_bytes = encode_binding(serve);
  const Hash32 d = sha256_of({as_bytes(std::string_view("eml serve binding v1\0", 21)), serve_bytes});
  const Binding release = tee.release_binding(Hash32{1}, {2});
  const Bytes release_bytes = encode_binding(release);
  const Hash32 r = sha256_of({as_bytes(std::string_view("eml release binding v1\0", 23)), release_bytes});

  for (const auto kind : {EvidenceKind::kLocal, EvidenceKind::kNitro, EvidenceKind::kTpm}) {
    EXPECT_EQ(expected_signed_value(kind, serve, serve_bytes), to_bytes(ByteView(d)));
    EXPECT_EQ(expected_signed_value(kind, release, release_bytes), to_bytes(ByteView(r)));
  }
  for (const auto kind : {EvidenceKind::kTdx, EvidenceKind::kSevSnp}) {
    EXPECT_EQ(expected_signed_value(kind, serve, serve_bytes), concat(sha256(serve.receipt_key), d));
    EXPECT_EQ(expected_signed_value(kind, release, release_bytes), concat(Hash32{}, r));
  }
  EXPECT_EQ(expected_signed_value(EvidenceKind::kConfidentialSpace, serve, serve_bytes), to_bytes(hex(d)));
}

TEST(ProductionFloor, WantsAVendorsRootAndNoDebugMode) {
  VerifiedEvidence evidence{.kind = EvidenceKind::kTdx,
                            .root = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"};
  EXPECT_TRUE(above_production_floor(evidence));
  evidence.debug = true;
  EXPECT_FALSE(above_production_floor(evidence));
  evidence.debug = false;
  evidence.kind = EvidenceKind::kSevSnp;  // Intel's root under an AMD report
  EXPECT_FALSE(above_production_floor(evidence));
  evidence.kind = EvidenceKind::kTdx;
  for (const char* root : {"", "44a0196b", "44A0196B2B99F889B8E149E95B807A350E7424964399E885A7CBB8CCFAB674D3"}) {
    evidence.root = root;
    EXPECT_FALSE(above_production_floor(evidence)) << root;
  }
}

TEST(ProductionFloor, IsNeverReachedByLocalOrTpm) {
  for (const EvidenceKind kind : kAllKinds) {
    for (const std::string_view root : kind_profile(kind).vendor_roots) {
      EXPECT_EQ(root.size(), 64U);
      for (const auto soft : {EvidenceKind::kLocal, EvidenceKind::kTpm}) {
        EXPECT_FALSE(above_production_floor({.kind = soft, .root = std::string(root)}));
      }
    }
  }
  EXPECT_FALSE(above_production_floor({.kind = EvidenceKind::kLocal}));
}

}  // namespace
}  // namespace eml
