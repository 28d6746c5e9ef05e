// The parts of RFC 9180, base mode, over any of its AEADs, under the RFC's own names. Internal to crypto/: hpke.h is
// the one suite that we use. Generic so that the RFC's vectors reach every line of it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/evp_aead.h"
#include "crypto/hpke.h"
#include "crypto/x25519.h"

namespace eml::hpke {

// derive_key_pair is DeriveKeyPair(ikm) of DHKEM(X25519, HKDF-SHA256). RFC 9180, 7.1.3.
X25519Key derive_key_pair(const SecretBytes& ikm);

// encap is Encap(pkR) with a given skE; enc is skE's public key. decap is Decap(enc, skR). Both return the KEM's
// shared secret, 32 bytes. kHpkeBadPublicKey for a wrong size or an all-zero Diffie-Hellman result. RFC 9180, 4.1.
Result<SecretBytes> encap(const X25519Key& skE, ByteView pkR);
Result<SecretBytes> decap(ByteView enc, const X25519Key& skR);

// Context is the RFC's context of one role: KeySchedule's result and the sequence number. RFC 9180, 5.1 and 5.2.
class Context {
 public:
  // The constructor is KeySchedule(mode_base, shared_secret, info, "", "") with KEM 0x0020 and KDF 0x0001.
  Context(AeadId aead, const SecretBytes& shared_secret, ByteView info);

  Result<Bytes> seal(ByteView aad, ByteView plaintext);
  Result<SecretBytes> open(ByteView aad, ByteView ciphertext);
  SecretBytes export_secret(ByteView exporter_context, std::size_t size) const;

  std::uint64_t sequence() const { return sequence_; }
  // skip_to moves the sequence number forward: the limit is out of a test's reach otherwise.
  void skip_to(std::uint64_t sequence) { sequence_ = sequence; }

 private:
  EvpAead& aead();
  ByteArray<kAeadNonceSize> compute_nonce() const;

  AeadId id_;
  SecretBytes key_;  // until the first message: a channel only exports and never pays for a cipher
  SecretBytes base_nonce_;
  SecretBytes exporter_secret_;
  std::optional<EvpAead> aead_;
  std::uint64_t sequence_ = 0;
};

}  // namespace eml::hpke
