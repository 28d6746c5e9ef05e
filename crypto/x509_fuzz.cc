// Properties: a certificate or list that decodes is what it was given, and no single one is trusted under another root;
// PEM of what decodes decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/x509.h"
#include "encoding/base64.h"

namespace {

void expect(bool property) {
  if (!property) std::abort();
}

void check_certificate(const eml::Certificate& certificate, eml::ByteView der) {
  expect(eml::equal(certificate.der(), der));
  const std::string pem = "-----BEGIN CERTIFICATE-----" + eml::base64(der) + "-----END CERTIFICATE-----";
  const auto again = eml::decode_pem_certificates(eml::as_bytes(pem));
  expect(again && again->size() == 1 && again->front().fingerprint() == certificate.fingerprint());
  expect(eml::PublicKey::decode_spki(certificate.public_key().spki()).has_value());
  const eml::Certificate chain[] = {certificate};
  (void)eml::verify_chain(chain, certificate, certificate.not_before());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes{data, size};
  if (const auto certificate = eml::Certificate::decode_der(bytes)) check_certificate(*certificate, bytes);
  if (const auto list = eml::RevocationList::decode_der(bytes)) expect(!list->revokes(eml::Bytes(100, 0xff)));
  if (const auto key = eml::PublicKey::decode_spki(bytes)) expect(eml::equal(key->spki(), bytes));
  (void)eml::decode_pem_certificates(bytes);
  return 0;
}
