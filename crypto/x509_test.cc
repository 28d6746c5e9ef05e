#include "crypto/x509.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/shared.h"
#include "tests/support/signer.h"

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

using test::CertificateSpec;
using test::CrlSpec;
using test::make_certificate;
using test::make_crl;
using test::pem_certificate;
using test::Signer;
using test::TestExtension;
using test::TestKey;
using test::TestPadding;

Certificate decoded(ByteView der) {
  auto certificate = Certificate::decode_der(der);
  EXPECT_TRUE(certificate) << certificate.error().to_string();
  return *certificate;
}

// Pki is a chain of three: leaf, "middle", "root". A test changes one thing of it before it is made.
struct Pki {
  Signer root_key{TestKey::kP384};
  Signer middle_key{TestKey::kP256};
  Signer leaf_key{TestKey::kP256};
  CertificateSpec root{
      .subject = "root", .issuer = "root", .extensions = test::ca_extensions("root", "root"), .hash = 384};
  CertificateSpec middle{
      .subject = "middle", .issuer = "root", .extensions = test::ca_extensions("middle", "root", 0), .hash = 384};
  CertificateSpec leaf{.subject = "leaf", .issuer = "middle", .extensions = test::leaf_extensions("leaf", "middle")};

  Certificate root_certificate() const { return decoded(make_certificate(root, root_key.spki(), root_key)); }
  std::vector<Certificate> chain() const {
    return {decoded(make_certificate(leaf, leaf_key.spki(), middle_key)),
            decoded(make_certificate(middle, middle_key.spki(), root_key)), root_certificate()};
  }
  Status verify(ChainRules rules = {}, UnixSeconds time = kSummer2025) const {
    const auto certificates = chain();
    return verify_chain(certificates, certificates.back(), time, rules);
  }
};

std::vector<TestExtension> without(std::vector<TestExtension> extensions, std::string_view oid) {
  std::erase_if(extensions, [&](const TestExtension& extension) { return extension.oid == oid; });
  return extensions;
}

std::vector<TestExtension> with(std::vector<TestExtension> extensions, const TestExtension& more) {
  extensions = without(extensions, more.oid);
  extensions.push_back(more);
  return extensions;
}

void expect_failure(const Status& status, const ErrorCode& code, std::uint64_t place, const char* what) {
  ASSERT_FALSE(status) << what;
  EXPECT_EQ(status.error().code(), code) << what << ": " << status.error().to_string();
  EXPECT_EQ(status.error().first(), place) << what;
}

TEST(Chain, AGoodOneVerifiesStrictlyWithAndWithoutItsRoot) {
  const Pki pki;
  EXPECT_TRUE(pki.verify());
  auto chain = pki.chain();
  const Certificate root = chain.back();
  chain.pop_back();
  EXPECT_TRUE(verify_chain(chain, root, kSummer2025));
  EXPECT_EQ(chain[0].subject_common_name(), "leaf");
  EXPECT_EQ(chain[0].issuer_common_name(), "middle");
  EXPECT_FALSE(chain[0].is_ca());
  EXPECT_TRUE(chain[1].is_ca());
  EXPECT_EQ(chain[1].path_length(), 0U);
  EXPECT_TRUE(chain[0].key_usage().digital_signature);
  EXPECT_TRUE(chain[1].key_usage().crl_sign);
  EXPECT_EQ(chain[0].public_key().spki(), pki.leaf_key.spki());
}

TEST(Chain, AnotherRootOfTheSameNameIsNotTrusted) {
  const Pki pki;
  const Pki other;
  const auto chain = pki.chain();
  expect_failure(verify_chain(chain, other.root_certificate(), kSummer2025), kChainNotTrusted, 2, "with its root");
  expect_failure(verify_chain(std::span(chain).first(2), other.root_certificate(), kSummer2025), kChainSignature, 1,
                 "without its root");
  EXPECT_EQ(verify_chain({}, other.root_certificate(), kSummer2025).error().code(), kChainNotTrusted);
  Pki renamed;
  renamed.root.subject = renamed.root.issuer = "another";
  expect_failure(verify_chain(std::span(chain).first(2), renamed.root_certificate(), kSummer2025), kChainNotTrusted, 1,
                 "another name");
}

// A root with the same key and name but another certificate is another root: the whole is compared.
TEST(Chain, TheRootIsComparedAsAWholeCertificate) {
  Pki pki;
  const auto chain = pki.chain();
  pki.root.serial = {0x02};
  expect_failure(verify_chain(chain, pki.root_certificate(), kSummer2025), kChainNotTrusted, 2, "same key");
}

TEST(Chain, EachRuleOfAnIssuerIsKeptInBothModes) {
  for (const ChainRules rules : {ChainRules{.strict = true}, ChainRules{.strict = false}}) {
    Pki pki;
    pki.leaf.issuer = "somebody";
    expect_failure(pki.verify(rules), kChainInvalid, 1, "an issuer of another name");
    pki = Pki{};
    pki.middle.extensions = with(pki.middle.extensions, test::basic_constraints(false));
    EXPECT_EQ(pki.verify(rules).error().code(), kChainInvalid) << "an issuer that is no CA";
    pki = Pki{};
    pki.middle.extensions = without(pki.middle.extensions, "2.5.29.19");
    EXPECT_EQ(pki.verify(rules).error().code(), kChainInvalid) << "an issuer without basic constraints";
    pki = Pki{};
    pki.middle.extensions = with(pki.middle.extensions, test::key_usage(true, false));
    EXPECT_EQ(pki.verify(rules).error().code(), kChainInvalid) << "an issuer that may not sign certificates";
    pki = Pki{};
    pki.root.extensions = with(pki.root.extensions, test::basic_constraints(true, 0));
    expect_failure(pki.verify(rules), kChainInvalid, 2, "longer than the root's path length");
    pki = Pki{};
    pki.leaf.extensions = with(pki.leaf.extensions, test::authority_key_id(Bytes{1, 2, 3}));
    expect_failure(pki.verify(rules), kChainInvalid, 1, "another key identifier");
    pki = Pki{};
    pki.leaf.extensions = with(pki.leaf.extensions, {.oid = "2.5.29.30", .critical = true, .value = {0x30, 0x00}});
    expect_failure(pki.verify(rules), kChainInvalid, 0, "critical name constraints");
    pki = Pki{};
    pki.middle.extensions = with(pki.middle.extensions, {.oid = "1.2.3.4", .critical = true, .value = {0x05, 0x00}});
    expect_failure(pki.verify(rules), kChainInvalid, 1, "an unknown critical extension");
  }
}

TEST(Chain, CriticalExtensionsOfTheVendorsAreTheirReadersBusiness) {
  for (const char* oid : {"2.23.133.5.4.1", "1.2.840.113741.1.13.1", "1.3.6.1.4.1.3704.1.1"}) {
    Pki pki;
    pki.leaf.extensions = with(pki.leaf.extensions, {.oid = oid, .critical = true, .value = {0x05, 0x00}});
    EXPECT_TRUE(pki.verify()) << oid;
    const Certificate leaf = pki.chain().front();
    EXPECT_EQ(leaf.extension(oid), (Bytes{0x05, 0x00}));
    EXPECT_EQ(leaf.extension("1.2.3"), std::nullopt);
  }
}

TEST(Chain, StrictnessRefusesWhatRfc5280ForbidsAndGenuineAmdChainsDo) {
  struct Case {
    const char* what;
    void (*change)(Pki& pki);
    std::uint64_t place;
  };
  const Case cases[] = {
      {"a leaf without authority key identifier",
       [](Pki& p) { p.leaf.extensions = without(p.leaf.extensions, "2.5.29.35"); }, 0},
      {"a CA without subject key identifier",
       [](Pki& p) { p.middle.extensions = without(p.middle.extensions, "2.5.29.14"); }, 1},
      {"a CA without key usage", [](Pki& p) { p.middle.extensions = without(p.middle.extensions, "2.5.29.15"); }, 1},
      {"basic constraints that are not critical",
       [](Pki& p) { p.middle.extensions = with(p.middle.extensions, test::basic_constraints(true, 0, false)); }, 1},
      {"a leaf that may sign certificates",
       [](Pki& p) { p.leaf.extensions = with(p.leaf.extensions, test::key_usage(true, true)); }, 0},
      {"a leaf with a path length",
       [](Pki& p) { p.leaf.extensions = with(p.leaf.extensions, test::basic_constraints(false, 0)); }, 0},
      {"a critical key identifier",
       [](Pki& p) {
         TestExtension id = test::subject_key_id(as_bytes("leaf"));
         id.critical = true;
         p.leaf.extensions = with(p.leaf.extensions, id);
       },
       0},
      {"a leaf without a name", [](Pki& p) { p.leaf.subject = ""; }, 0},
  };
  for (const Case& c : cases) {
    Pki pki;
    c.change(pki);
    expect_failure(pki.verify(), kChainInvalid, c.place, c.what);
    EXPECT_TRUE(pki.verify({.strict = false})) << c.what;
  }
}

TEST(Chain, EverySignatureIsVerified) {
  Pki pki;
  const Pki other;
  auto chain = pki.chain();
  chain[0] = decoded(make_certificate(pki.leaf, pki.leaf_key.spki(), other.middle_key));
  expect_failure(verify_chain(chain, chain.back(), kSummer2025), kChainSignature, 0, "the leaf's");
  chain = pki.chain();
  chain[1] = decoded(make_certificate(pki.middle, pki.middle_key.spki(), other.root_key));
  expect_failure(verify_chain(chain, chain.back(), kSummer2025), kChainSignature, 1, "the middle's");
}

TEST(Chain, AWeakOrUnknownAlgorithmIsNoSignature) {
  Pki pki;
  pki.leaf.hash = 384;  // ECDSA with SHA-384 by a P-256 key: none of our schemes
  expect_failure(pki.verify(), kChainSignature, 0, "a P-256 key with SHA-384");
}

TEST(Chain, DatesAreInclusiveAndJudgedLastAndOnlyIfWanted) {
  const UnixSeconds first = 1735689600;  // 2025-01-01
  const UnixSeconds last = 2051222400;   // 2035-01-01
  const Pki good;
  EXPECT_TRUE(good.verify({}, first));
  EXPECT_TRUE(good.verify({}, last));
  expect_failure(good.verify({}, first - 1), kChainNotYetValid, 0, "a second before");
  expect_failure(good.verify({}, last + 1), kChainExpired, 0, "a second after");
  EXPECT_TRUE(good.verify({.judge_dates = false}, last + 1));
  Pki pki;
  pki.root.not_after = "20250601000000Z";
  expect_failure(pki.verify(), kChainExpired, 2, "an expired root");
  pki = Pki{};
  pki.middle.not_before = "20250801000000Z";
  expect_failure(pki.verify(), kChainNotYetValid, 1, "a middle of the future");
  pki.leaf.issuer = "somebody";
  EXPECT_EQ(pki.verify().error().code(), kChainInvalid) << "names come before dates";
}

TEST(Chain, RsaPssChainsVerify) {
  const Signer& key = test::shared_rsa_signer();
  const CertificateSpec spec{.subject = "root",
                             .issuer = "root",
                             .extensions = test::ca_extensions("root", "root"),
                             .hash = 384,
                             .padding = TestPadding::kPss};
  const Certificate root = decoded(make_certificate(spec, key.spki(), key));
  EXPECT_TRUE(root.signed_by(root.public_key()));
  EXPECT_EQ(root.signed_by(decoded(make_certificate(spec, test::shared_rsa_signer(1).spki(), key)).public_key())
                .error()
                .code(),
            kChainSignature);
}

TEST(Chain, OneOfSixtyCertificatesIsTooLong) {
  const Pki pki;
  const std::vector<Certificate> chain(60, pki.root_certificate());
  EXPECT_EQ(verify_chain(chain, chain.back(), kSummer2025).error().code(), kCertificatesTooMany);
  std::string pem;
  for (int i = 0; i < 60; ++i) pem += pem_certificate(chain[0].der());
  EXPECT_EQ(decode_pem_certificates(as_bytes(pem)).error().code(), kCertificatesTooMany);
}

TEST(Certificate, TruncatedExtendedOrInBerItIsMalformed) {
  const Bytes der = Pki().chain().front().der();
  for (std::size_t size = 0; size < der.size(); ++size) {
    ASSERT_EQ(Certificate::decode_der(ByteView(der).first(size)).error().code(), kCertificateMalformed) << size;
  }
  EXPECT_EQ(Certificate::decode_der(concat(der, Bytes{0})).error().code(), kCertificateMalformed);
  // The same in BER: an indefinite length and its end.
  Bytes indefinite = {0x30, 0x80};
  indefinite.insert(indefinite.end(), der.begin() + 4, der.end());
  EXPECT_EQ(Certificate::decode_der(concat(indefinite, Bytes{0, 0})).error().code(), kCertificateMalformed);
  EXPECT_EQ(Certificate::decode_der(Bytes(kCertificateBytesMax + 1)).error().code(), kCertificateMalformed);
}

TEST(Certificate, OneDefectMakesItMalformed) {
  const Signer key(TestKey::kP256);
  const CertificateSpec good{.issuer = "leaf", .extensions = test::leaf_extensions("leaf", "leaf")};
  EXPECT_TRUE(Certificate::decode_der(make_certificate(good, key.spki(), key)));
  const auto refused = [&](const char* what, const CertificateSpec& spec, const Bytes& spki) {
    EXPECT_EQ(Certificate::decode_der(make_certificate(spec, spki, key)).error().code(), kCertificateMalformed) << what;
  };
  CertificateSpec bad = good;
  bad.version = 1;
  refused("version 2", bad, key.spki());
  bad = good;
  bad.serial = {0x80};
  refused("a negative serial", bad, key.spki());
  bad = good;
  bad.not_after = "20250230000000Z";
  refused("a day that does not exist", bad, key.spki());
  bad = good;
  bad.extensions.push_back(bad.extensions.front());
  refused("an extension twice", bad, key.spki());
  bad = good;
  for (int i = 0; i < 70; ++i) bad.extensions.push_back({.oid = "1.2.3." + std::to_string(i)});
  refused("seventy extensions", bad, key.spki());
  bad = good;
  bad.extensions[0].value = {0x30, 0x80, 0x00, 0x00};
  refused("an indefinite length in an extension", bad, key.spki());
  bad = good;
  bad.extensions[1].value = {0x03, 0x01, 0x00};
  refused("a key usage without bits", bad, key.spki());
  refused("an RSA key of 1,024 bits", good, Signer(TestKey::kRsa1024).spki());
  refused("a P-521 key", good, Signer(TestKey::kP521).spki());
  refused("no key", good, {});
}

TEST(Certificate, TheSerialIsAMagnitude) {
  const Signer key(TestKey::kP256);
  CertificateSpec spec{.issuer = "leaf", .serial = {0x00, 0x80, 0x01}};
  EXPECT_EQ(decoded(make_certificate(spec, key.spki(), key)).serial(), (Bytes{0x80, 0x01}));
  spec.serial = {0x00};
  EXPECT_EQ(decoded(make_certificate(spec, key.spki(), key)).serial(), Bytes{}) << "AMD's older VCEKs have serial 0";
}

TEST(PemCertificates, AreBlocksInTheirOrderWithWhiteSpaceAndOneNul) {
  const auto chain = Pki().chain();
  std::string pem;
  for (const Certificate& certificate : chain) pem += pem_certificate(certificate.der()) + "\r\n";
  for (const std::string& good : {pem, pem + '\0', "\n" + pem}) {
    const auto read = decode_pem_certificates(as_bytes(good));
    ASSERT_TRUE(read) << read.error().to_string();
    ASSERT_EQ(read->size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*read)[i].fingerprint(), chain[i].fingerprint());
  }
  const std::string one = pem_certificate(chain[0].der());
  for (const std::string& bad : {std::string(), std::string(" "), "x" + one, one + "x", one + std::string(2, '\0'),
                                 one.substr(0, one.size() - 5), std::string("-----BEGIN CERTIFICATE-----"),
                                 std::string("-----BEGIN CERTIFICATE----------END CERTIFICATE-----")}) {
    EXPECT_EQ(decode_pem_certificates(as_bytes(bad)).error().code(), kCertificateMalformed) << bad;
  }
  EXPECT_EQ(decode_pem_certificates(as_bytes(pem), 2).error().code(), kCertificatesTooMany);
}

TEST(RevocationList, NamesItsIssuerItsDatesAndItsSerials) {
  const Signer key(TestKey::kP256);
  const CrlSpec spec{.serials = {{0x05}, {0x00, 0x80}},
                     .extensions = {{.oid = "2.5.29.20", .value = {0x02, 0x01, 0x07}}}};
  const auto crl = RevocationList::decode_der(make_crl(spec, key)).value();
  EXPECT_EQ(crl.issuer_common_name(), "root");
  EXPECT_EQ(rfc3339(crl.this_update()), "2025-01-01T00:00:00Z");
  EXPECT_TRUE(crl.revokes(Bytes{0x05}));
  EXPECT_TRUE(crl.revokes(Bytes{0x80}));
  EXPECT_FALSE(crl.revokes(Bytes{0x06}));
  EXPECT_FALSE(crl.revokes({}));
  EXPECT_TRUE(crl.has_crl_number());
  EXPECT_FALSE(crl.has_authority_key_identifier());
  EXPECT_TRUE(crl.signed_by(PublicKey::decode_spki(key.spki()).value()));
  EXPECT_EQ(crl.signed_by(PublicKey::decode_spki(Signer(TestKey::kP256).spki()).value()).error().code(),
            kChainSignature);
  EXPECT_EQ(RevocationList::decode_der(make_crl({.next_update = ""}, key)).value().next_update(), std::nullopt);
}

TEST(RevocationList, ADeltaAPartOrATruncatedOneIsMalformed) {
  const Signer key(TestKey::kP256);
  for (const char* oid : {"2.5.29.27", "2.5.29.28"}) {
    const CrlSpec spec{.extensions = {{.oid = oid, .critical = true, .value = {0x02, 0x01, 0x01}}}};
    EXPECT_EQ(RevocationList::decode_der(make_crl(spec, key)).error().code(), kCrlMalformed) << oid;
  }
  const Bytes der = make_crl({.serials = {{0x05}}}, key);
  for (std::size_t size = 0; size < der.size(); ++size) {
    ASSERT_EQ(RevocationList::decode_der(ByteView(der).first(size)).error().code(), kCrlMalformed) << size;
  }
  EXPECT_EQ(RevocationList::decode_der(concat(der, Bytes{0})).error().code(), kCrlMalformed);
}

}  // namespace
}  // namespace eml
