// A signer and issuer for tests: keys made on the spot, signatures in every form, X.509 certificates and revocation
// lists with any defect that a test wants. It never is part of the product.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace eml::test {

enum class TestKey { kP256, kP384, kP521, kRsa1024, kRsa2048, kEd25519 };
// kEcdsa and kPkcs1 and kPss need a hash; Ed25519 has none.
enum class TestPadding { kNone, kPss };

class Signer {
 public:
  explicit Signer(TestKey kind);
  TestKey kind() const { return kind_; }
  Bytes spki() const;
  // sign gives DER for ECDSA. `hash` is 256, 384 or 512; ignored for Ed25519.
  Bytes sign(ByteView message, int hash, TestPadding padding = TestPadding::kNone) const;
  // sign_raw is r || s of an ECDSA signature, as JWS, COSE and the TEEs write it.
  Bytes sign_raw(ByteView message, int hash) const;

 private:
  TestKey kind_;
  std::shared_ptr<void> key_;
};

// shared_rsa_signer is one RSA-2048 key for the whole test program: making one takes a second with sanitizers.
const Signer& shared_rsa_signer(int number = 0);

struct TestExtension {
  std::string oid;
  bool critical = false;
  Bytes value;
};

// CertificateSpec is what a certificate says; the defaults are those of a good leaf.
struct CertificateSpec {
  std::string subject = "leaf";
  std::string issuer = "root";
  std::string not_before = "20250101000000Z";
  std::string not_after = "20350101000000Z";
  Bytes serial = {0x01};
  std::vector<TestExtension> extensions;
  std::uint8_t version = 2;
  int hash = 256;
  TestPadding padding = TestPadding::kNone;
};

TestExtension basic_constraints(bool is_ca, std::optional<std::uint8_t> path_length = std::nullopt,
                                bool critical = true);
TestExtension key_usage(bool digital_signature, bool key_cert_sign, bool crl_sign = false);
TestExtension subject_key_id(ByteView id);
TestExtension authority_key_id(ByteView id);
// ca_extensions and leaf_extensions are what RFC 5280 asks for; key identifiers are the names' bytes.
std::vector<TestExtension> ca_extensions(std::string_view name, std::string_view issuer,
                                         std::optional<std::uint8_t> path_length = std::nullopt);
std::vector<TestExtension> leaf_extensions(std::string_view name, std::string_view issuer);

Bytes make_certificate(const CertificateSpec& spec, ByteView subject_spki, const Signer& issuer);

struct CrlSpec {
  std::string issuer = "root";
  std::string this_update = "20250101000000Z";
  std::string next_update = "20350101000000Z";  // empty: none
  std::vector<Bytes> serials;
  std::vector<TestExtension> extensions;
  int hash = 256;
  TestPadding padding = TestPadding::kNone;
};
Bytes make_crl(const CrlSpec& spec, const Signer& issuer);

std::string pem_certificate(ByteView der);

}  // namespace eml::test
