#include "crypto/x509.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/shared.h"

namespace eml {
namespace {

std::vector<Certificate> chain_of(const std::string& pem) {
  auto chain = decode_pem_certificates(as_bytes(pem));
  EXPECT_TRUE(chain) << chain.error().to_string();
  return chain ? *std::move(chain) : std::vector<Certificate>{};
}

constexpr UnixSeconds kSummer2025 = 1751328000;  // 2025-07-01

TEST(X509, AmdsGenuineChainVerifiesUnderItsRootAndNotUnderAnother) {
  EML_SHARED_FILE_OR_SKIP(milan, "corpus/roots/amd/ask_ark_milan.pem");
  EML_SHARED_FILE_OR_SKIP(genoa, "corpus/roots/amd/ask_ark_genoa.pem");
  EML_SHARED_FILE_OR_SKIP(vcek, "corpus/open/sevsnp/milan_v2_virtee_vek.der");
  std::vector<Certificate> chain = chain_of(milan);
  const Certificate leaf = Certificate::decode_der(as_bytes(vcek)).value();
  chain.insert(chain.begin(), leaf);
  ASSERT_EQ(chain.size(), 3U);
  EXPECT_TRUE(verify_chain(chain, chain[2], kSummer2025, {.strict = false}));
  EXPECT_EQ(verify_chain(chain, chain[2], kSummer2025).error().code(), kChainInvalid) << "OpenSSL's error 85";
  const Certificate other = chain_of(genoa).back();
  EXPECT_EQ(verify_chain(chain, other, kSummer2025, {.strict = false}).error().code(), kChainNotTrusted);
  EXPECT_EQ(hex(chain[2].fingerprint()), "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd");
  EXPECT_EQ(leaf.subject_common_name(), "SEV-VCEK");
}

TEST(X509, AmdsGenuineRevocationListIsSignedByItsRootAndRevokesOneSerial) {
  EML_SHARED_FILE_OR_SKIP(genoa, "corpus/roots/amd/ask_ark_genoa.pem");
  EML_SHARED_FILE_OR_SKIP(list, "corpus/roots/amd/crl_genoa_20251024.der");
  const Certificate root = chain_of(genoa).back();
  const RevocationList crl = RevocationList::decode_der(as_bytes(list)).value();
  EXPECT_EQ(crl.issuer(), root.subject());
  EXPECT_TRUE(crl.signed_by(root.public_key()));
  EXPECT_TRUE(crl.revokes(Bytes{0x02, 0x00, 0x01}));
  EXPECT_FALSE(crl.revokes(Bytes{0x02, 0x00, 0x00}));
  EXPECT_TRUE(crl.has_crl_number());
  EXPECT_TRUE(crl.has_authority_key_identifier());
  EXPECT_EQ(rfc3339(crl.next_update().value()), "2026-10-31T20:30:00Z");
}

}  // namespace
}  // namespace eml
