#include "tests/support/signer.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <map>
#include <stdexcept>

#include "encoding/base64.h"
#include "encoding/der.h"

namespace eml::test {
namespace {

void must(int returned) {
  if (returned <= 0) throw std::runtime_error("OpenSSL failed in a test");
}

EVP_PKEY* generate(TestKey kind) {
  switch (kind) {
    case TestKey::kP256:
      return EVP_EC_gen("P-256");
    case TestKey::kP384:
      return EVP_EC_gen("P-384");
    case TestKey::kP521:
      return EVP_EC_gen("P-521");
    case TestKey::kRsa1024:
      return EVP_RSA_gen(1024);
    case TestKey::kRsa2048:
      return EVP_RSA_gen(2048);
    case TestKey::kEd25519:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

const EVP_MD* md_of(int hash) { return hash == 256 ? EVP_sha256() : hash == 384 ? EVP_sha384() : EVP_sha512(); }

EVP_PKEY* pkey(const std::shared_ptr<void>& key) { return static_cast<EVP_PKEY*>(key.get()); }

Bytes oid_element(std::string_view oid) { return der_element(der::kOid, der_oid(oid)); }
Bytes null() { return der_element(der::kNull, {}); }
Bytes sequence(ByteView contents) { return der_element(der::kSequence, contents); }
Bytes integer(ByteView contents) { return der_element(der::kInteger, contents); }

Bytes hash_algorithm(int hash) {
  const char* const last = hash == 256 ? "1" : hash == 384 ? "2" : "3";
  return sequence(concat(oid_element(std::string("2.16.840.1.101.3.4.2.") + last), null()));
}

Bytes pss_algorithm(int hash) {
  const Bytes mask = sequence(concat(oid_element("1.2.840.113549.1.1.8"), hash_algorithm(hash)));
  const Bytes salt = integer(Bytes{static_cast<std::uint8_t>(hash / 8)});
  const Bytes parameters = sequence(concat(der_element(der::context(0), hash_algorithm(hash)),
                                           der_element(der::context(1), mask), der_element(der::context(2), salt)));
  return sequence(concat(oid_element("1.2.840.113549.1.1.10"), parameters));
}

Bytes signature_algorithm(const Signer& signer, int hash, TestPadding padding) {
  switch (signer.kind()) {
    case TestKey::kEd25519:
      return sequence(oid_element("1.3.101.112"));
    case TestKey::kRsa1024:
    case TestKey::kRsa2048: {
      if (padding == TestPadding::kPss) return pss_algorithm(hash);
      const char* const last = hash == 256 ? "11" : hash == 384 ? "12" : "13";
      return sequence(concat(oid_element(std::string("1.2.840.113549.1.1.") + last), null()));
    }
    default:
      break;
  }
  const char* const last = hash == 256 ? "2" : hash == 384 ? "3" : "4";
  return sequence(oid_element(std::string("1.2.840.10045.4.3.") + last));
}

Bytes name_of(std::string_view common_name) {
  if (common_name.empty()) return sequence({});
  const Bytes attribute =
      sequence(concat(oid_element("2.5.4.3"), der_element(der::kUtf8String, as_bytes(common_name))));
  return sequence(der_element(der::kSet, attribute));
}

Bytes time_of(const std::string& text) { return der_element(der::kGeneralizedTime, as_bytes(text)); }

Bytes boolean_true() { return der_element(der::kBoolean, Bytes{0xff}); }

Bytes extension_list(const std::vector<TestExtension>& extensions) {
  Bytes out;
  for (const TestExtension& extension : extensions) {
    const Bytes critical = extension.critical ? boolean_true() : Bytes{};
    const Bytes one =
        sequence(concat(oid_element(extension.oid), critical, der_element(der::kOctetString, extension.value)));
    out.insert(out.end(), one.begin(), one.end());
  }
  return sequence(out);
}

Bytes signed_by(const Signer& issuer, ByteView fields, int hash, TestPadding padding) {
  const Bytes signed_bytes = sequence(fields);
  const Bytes signature = concat(Bytes{0}, issuer.sign(signed_bytes, hash, padding));
  return sequence(
      concat(signed_bytes, signature_algorithm(issuer, hash, padding), der_element(der::kBitString, signature)));
}

}  // namespace

Signer::Signer(TestKey kind)
    : kind_(kind), key_(generate(kind), [](void* key) { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }) {
  if (key_ == nullptr) throw std::runtime_error("a test key could not be made");
}

Bytes Signer::spki() const {
  std::uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(pkey(key_), &der);
  must(size);
  Bytes out(der, der + size);
  OPENSSL_free(der);
  return out;
}

Bytes Signer::sign(ByteView message, int hash, TestPadding padding) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> ctx(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* key_ctx = nullptr;
  const EVP_MD* const md = kind_ == TestKey::kEd25519 ? nullptr : md_of(hash);
  must(EVP_DigestSignInit(ctx.get(), &key_ctx, md, nullptr, pkey(key_)));
  if (padding == TestPadding::kPss) {
    must(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING));
    must(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST));
  }
  std::size_t size = 0;
  must(EVP_DigestSign(ctx.get(), nullptr, &size, message.data(), message.size()));
  Bytes out(size);
  must(EVP_DigestSign(ctx.get(), out.data(), &size, message.data(), message.size()));
  out.resize(size);
  return out;
}

Bytes Signer::sign_raw(ByteView message, int hash) const {
  const Bytes der = sign(message, hash);
  const std::uint8_t* in = der.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> parsed(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())), ECDSA_SIG_free);
  if (parsed == nullptr) throw std::runtime_error("no ECDSA signature");
  const int size = (EVP_PKEY_get_bits(pkey(key_)) + 7) / 8;
  Bytes out(static_cast<std::size_t>(2 * size));
  must(BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out.data(), size));
  must(BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out.data() + size, size));
  return out;
}

const Signer& shared_rsa_signer(int number) {
  static std::map<int, Signer> signers;
  return signers.try_emplace(number, TestKey::kRsa2048).first->second;
}

TestExtension basic_constraints(bool is_ca, std::optional<std::uint8_t> path_length, bool critical) {
  Bytes inside = is_ca ? boolean_true() : Bytes{};
  if (path_length) inside = concat(inside, integer(Bytes{*path_length}));
  return {.oid = "2.5.29.19", .critical = critical, .value = sequence(inside)};
}

TestExtension key_usage(bool digital_signature, bool key_cert_sign, bool crl_sign) {
  const auto bits =
      static_cast<std::uint8_t>((digital_signature ? 0x80 : 0) | (key_cert_sign ? 0x04 : 0) | (crl_sign ? 0x02 : 0));
  return {.oid = "2.5.29.15", .critical = true, .value = der_element(der::kBitString, Bytes{1, bits})};
}

TestExtension subject_key_id(ByteView id) { return {.oid = "2.5.29.14", .value = der_element(der::kOctetString, id)}; }

TestExtension authority_key_id(ByteView id) {
  return {.oid = "2.5.29.35", .value = sequence(der_element(der::context_primitive(0), id))};
}

std::vector<TestExtension> ca_extensions(std::string_view name, std::string_view issuer,
                                         std::optional<std::uint8_t> path_length) {
  return {basic_constraints(true, path_length), key_usage(false, true, true), subject_key_id(as_bytes(name)),
          authority_key_id(as_bytes(issuer))};
}

std::vector<TestExtension> leaf_extensions(std::string_view name, std::string_view issuer) {
  return {basic_constraints(false), key_usage(true, false), subject_key_id(as_bytes(name)),
          authority_key_id(as_bytes(issuer))};
}

Bytes make_certificate(const CertificateSpec& spec, ByteView subject_spki, const Signer& issuer) {
  Bytes fields = der_element(der::context(0), integer(Bytes{spec.version}));
  fields =
      concat(fields, integer(spec.serial), signature_algorithm(issuer, spec.hash, spec.padding), name_of(spec.issuer),
             sequence(concat(time_of(spec.not_before), time_of(spec.not_after))), name_of(spec.subject), subject_spki);
  if (!spec.extensions.empty()) fields = concat(fields, der_element(der::context(3), extension_list(spec.extensions)));
  return signed_by(issuer, fields, spec.hash, spec.padding);
}

Bytes make_crl(const CrlSpec& spec, const Signer& issuer) {
  Bytes entries;
  for (const Bytes& serial : spec.serials)
    entries = concat(entries, sequence(concat(integer(serial), time_of(spec.this_update))));
  Bytes fields = concat(integer(Bytes{1}), signature_algorithm(issuer, spec.hash, spec.padding), name_of(spec.issuer),
                        time_of(spec.this_update));
  if (!spec.next_update.empty()) fields = concat(fields, time_of(spec.next_update));
  if (!entries.empty()) fields = concat(fields, sequence(entries));
  if (!spec.extensions.empty()) fields = concat(fields, der_element(der::context(0), extension_list(spec.extensions)));
  return signed_by(issuer, fields, spec.hash, spec.padding);
}

std::string pem_certificate(ByteView der) {
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  const std::string body = base64(der);
  for (std::size_t i = 0; i < body.size(); i += 64) out += body.substr(i, 64) + '\n';
  return out + "-----END CERTIFICATE-----\n";
}

}  // namespace eml::test
