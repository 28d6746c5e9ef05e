// HPKE (RFC 9180), base mode: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, ChaCha20-Poly1305 0x0003.
//
// The names are the RFC's. Contexts export secrets (the channel's only use) or seal and open in sequence (key
// release). The 2^64 message limit of the RFC is enforced at 2^32.
#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/aead.h"

namespace eml {

inline constexpr ErrorCode kHpkeUnsupportedKem{ErrorClass::kUnsupported, "hpke-unsupported-kem"};
inline constexpr ErrorCode kHpkeBadPublicKey{ErrorClass::kUnauthentic, "hpke-bad-public-key"};
inline constexpr ErrorCode kHpkeBadPrivateKey{ErrorClass::kMalformed, "hpke-bad-private-key"};
inline constexpr ErrorCode kHpkeOpenFailed{ErrorClass::kUnauthentic, "hpke-open-failed"};
inline constexpr ErrorCode kHpkeLimit{ErrorClass::kLimit, "hpke-limit"};

inline constexpr std::uint16_t kKemX25519HkdfSha256 = 0x0020;

// KemSizes gives Npk and Nenc of a KEM in bytes; kHpkeUnsupportedKem for one that we do not have.
struct KemSizes {
  std::size_t public_key;
  std::size_t enc;
};
Result<KemSizes> kem_sizes(std::uint16_t kem_id);

// KemKeyPair is a receiver's skR and pkR. Single-use in the channel: one decapsulation, then it is destroyed.
class KemKeyPair {
 public:
  static Result<KemKeyPair> generate(std::uint16_t kem_id, Random& random);
  // derive is the RFC's DeriveKeyPair(ikm), for tests with its vectors.
  static Result<KemKeyPair> derive(std::uint16_t kem_id, const SecretBytes& ikm);
  // from_private takes skR as its raw 32 bytes (kHpkeBadPrivateKey for another size): a broker's key that lasts, and
  // the RFC's vectors.
  static Result<KemKeyPair> from_private(std::uint16_t kem_id, const SecretBytes& sk);
  ~KemKeyPair();
  KemKeyPair(KemKeyPair&&) noexcept;
  KemKeyPair& operator=(KemKeyPair&&) noexcept;
  std::uint16_t kem_id() const;
  ByteView public_key() const;

 private:
  friend class HpkeReceiver;
  friend class HpkeSender;
  struct State;
  explicit KemKeyPair(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// HpkeSender is the context of SetupBaseS.
class HpkeSender {
 public:
  // setup encapsulates to pkR. kHpkeBadPublicKey for a wrong size or an all-zero shared secret.
  static Result<HpkeSender> setup(std::uint16_t kem_id, ByteView pkR, ByteView info, Random& random);
  // setup_with_ephemeral is setup with a given skE: for the RFC's vectors.
  static Result<HpkeSender> setup_with_ephemeral(std::uint16_t kem_id, ByteView pkR, ByteView info, KemKeyPair skE);
  ~HpkeSender();
  HpkeSender(HpkeSender&&) noexcept;
  HpkeSender& operator=(HpkeSender&&) noexcept;
  ByteView enc() const;
  Result<Bytes> seal(ByteView aad, ByteView plaintext);
  Result<Bytes> seal(ByteView aad, const SecretBytes& plaintext);
  SecretBytes export_secret(ByteView exporter_context, std::size_t size) const;

 private:
  struct State;
  explicit HpkeSender(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// HpkeReceiver is the context of SetupBaseR.
class HpkeReceiver {
 public:
  // setup decapsulates enc. kHpkeBadPublicKey for a wrong size or an all-zero shared secret.
  static Result<HpkeReceiver> setup(const KemKeyPair& skR, ByteView enc, ByteView info);
  ~HpkeReceiver();
  HpkeReceiver(HpkeReceiver&&) noexcept;
  HpkeReceiver& operator=(HpkeReceiver&&) noexcept;
  // open returns the plaintext as a secret; kHpkeOpenFailed leaves the sequence where it was.
  Result<SecretBytes> open(ByteView aad, ByteView ciphertext);
  SecretBytes export_secret(ByteView exporter_context, std::size_t size) const;

 private:
  struct State;
  explicit HpkeReceiver(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace eml
