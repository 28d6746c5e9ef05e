// One test for each step of docs/spec/evidence.md, section 4; and that no altered byte of local evidence is accepted.
#include "attestation/local/local.h"

#include <gtest/gtest.h>

#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;

struct LocalTest : testing::Test {
  FakeTee tee;
  Hash32 digest{7};
  Bytes evidence = test::fake_local_evidence(tee.root(), digest, tee.binary);
  std::vector<Ed25519PublicKey> roots{test::fake_key("other").public_key(), tee.root().public_key()};

  std::string judge(ByteView bytes) {
    const auto verified = verify_local_evidence(bytes, roots);
    return verified ? "ok" : std::string(verified.error().code().name);
  }
  // signed_as is evidence with any payload and header, signed by the right root.
  std::string judge_signed(const CoseHeader& header, ByteView payload) {
    return judge(sign1(tee.root(), header, payload));
  }
  CborWriter payload_of(const Ed25519PublicKey& root) {
    CborWriter out;
    out.map(3).uint(1).bytes(digest).uint(2).bytes(tee.binary).uint(3).bytes(root);
    return out;
  }
};

TEST_F(LocalTest, YieldsTheDigestTheBinaryAndItsRoot) {
  const auto verified = verify_local_evidence(evidence, roots);
  ASSERT_TRUE(verified) << verified.error().to_string();
  EXPECT_EQ(verified->kind, EvidenceKind::kLocal);
  EXPECT_EQ(verified->signed_value, to_bytes(ByteView(digest)));
  EXPECT_EQ(verified->measurements, (Measurements{{"binary", to_bytes(ByteView(tee.binary))}}));
  EXPECT_EQ(verified->root, hex(tee.root().public_key()));
  EXPECT_TRUE(verified->platform_identity.empty());
  EXPECT_FALSE(above_production_floor(*verified));
}

TEST_F(LocalTest, Step1RejectsTruncationAtEveryLength) {
  for (std::size_t size = 0; size < evidence.size(); ++size) {
    EXPECT_EQ(judge(ByteView(evidence).first(size)), "local-malformed") << size;
  }
}

TEST_F(LocalTest, Step1RejectsAnotherHeader) {
  const Bytes payload = payload_of(tee.root().public_key()).take();
  EXPECT_EQ(judge_signed(local_evidence_header(), payload), "ok");
  EXPECT_EQ(judge_signed(CoseHeader{}, payload), "local-malformed");  // a receipt's
  CoseHeader statement;
  statement.type = "application/vnd.ephemeralml.cleanup+cwt";
  EXPECT_EQ(judge_signed(statement, payload), "local-malformed");
  CoseHeader with_content_type = local_evidence_header();
  with_content_type.content_type = kCwtContentFormat;
  EXPECT_EQ(judge_signed(with_content_type, payload), "local-malformed");
}

TEST_F(LocalTest, Step1RejectsAnotherPayload) {
  const auto judge_payload = [&](CborWriter& out) { return judge_signed(local_evidence_header(), out.view()); };
  CborWriter none;
  none.null();
  EXPECT_EQ(judge_payload(none), "local-malformed");
  CborWriter two;
  two.map(2).uint(1).bytes(digest).uint(2).bytes(tee.binary);
  EXPECT_EQ(judge_payload(two), "local-malformed");
  CborWriter four;
  four.map(4).uint(1).bytes(digest).uint(2).bytes(tee.binary).uint(3).bytes(tee.root().public_key()).uint(4).null();
  EXPECT_EQ(judge_payload(four), "local-malformed");
  CborWriter short_binary;
  short_binary.map(3).uint(1).bytes(digest).uint(2).bytes(digest).uint(3).bytes(tee.root().public_key());
  EXPECT_EQ(judge_payload(short_binary), "local-malformed");
}

TEST_F(LocalTest, Step2RejectsARootThatIsNotPinned) {
  roots.pop_back();
  EXPECT_EQ(judge(evidence), "local-root-unknown");
  roots.clear();
  EXPECT_EQ(judge(evidence), "local-root-unknown");
}

TEST_F(LocalTest, Step3RejectsASignatureByAnotherRootThanTheNamedOne) {
  const Ed25519Key other = test::fake_key("other");  // it is pinned too
  EXPECT_EQ(judge(sign1(other, local_evidence_header(), payload_of(tee.root().public_key()).view())),
            "local-signature");
}

TEST_F(LocalTest, NoAlteredByteIsAccepted) {
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    for (const std::uint8_t flip : std::initializer_list<std::uint8_t>{0x01, 0x80, 0xff}) {
      Bytes bad = evidence;
      bad[i] ^= flip;
      EXPECT_NE(judge(bad), "ok") << i;
    }
  }
}

}  // namespace
}  // namespace eml
