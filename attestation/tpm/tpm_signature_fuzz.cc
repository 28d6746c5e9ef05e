// Properties: what decodes for a key has a scheme of that key's kind and a strong hash; and no such signature is one of
// a key whose private half nobody used.
#include <cstdlib>

#include "attestation/tpm/structures.h"
#include "crypto/tpm_hash.h"

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

// The generator of P-256 (SEC 2, 2.4.2), and a modulus that is no product of two primes that anybody knows.
const eml::PublicKey& ec_key() {
  static const eml::PublicKey key =
      eml::PublicKey::from_point(eml::KeyKind::kP256,
                                 *eml::from_hex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342"
                                                "e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"))
          .value();
  return key;
}
const eml::PublicKey& rsa_key() {
  static const eml::PublicKey key = eml::PublicKey::from_rsa(eml::Bytes(256, 0xd7), *eml::from_hex("010001")).value();
  return key;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const eml::ByteView bytes(data, size);
  for (const eml::PublicKey* const key : {&ec_key(), &rsa_key()}) {
    const auto signature = eml::decode_tpm_signature(bytes, *key);
    if (!signature) continue;
    must(signature->hash != eml::kTpmSha1 && eml::tpm_hash_size(signature->hash) >= 32);
    must(!signature->raw || size == key->modulus().size());
    const auto status = key->verify(signature->scheme, eml::as_bytes("message"), signature->bytes);
    must(!status && status.error().code() != eml::kPublicKeyUnsupported);
  }
  return 0;
}
