// The data-encryption key (DEK) of a package, and its form at rest: sealed to whoever may release it.
// Source: docs/spec/package.md, 4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hpke.h"
#include "package/manifest.h"

namespace eml {

inline constexpr ErrorCode kDekMalformed{ErrorClass::kMalformed, "dek-malformed"};
inline constexpr ErrorCode kDekKeyId{ErrorClass::kUnsupported, "dek-key-id"};
inline constexpr ErrorCode kDekWrongRecipient{ErrorClass::kRejected, "dek-wrong-recipient"};
inline constexpr ErrorCode kDekUnwrap{ErrorClass::kUnauthentic, "dek-unwrap"};

inline constexpr std::size_t kDekSize = 32;
inline constexpr std::size_t kWrappedDekSize = 88;

// random_dek makes a DEK; random_package_id an id. One of each for every package.
SecretBytes random_dek(Random& random);
PackageId random_package_id(Random& random);

// x25519_key_id is `x25519:` and the public key in hex: a key id that names its key, so that none can be mistaken.
// parse_x25519_key_id fails with kDekKeyId for any other key id (a cloud's, say).
std::string x25519_key_id(ByteView public_key);
Result<ByteArray<32>> parse_x25519_key_id(std::string_view key_id);

// dek_info is L("eml dek v1") || package id || key_id: the HPKE info here, the AAD or encryption context at a cloud.
Bytes dek_info(const PackageId& package_id, std::string_view key_id);

// wrap_dek seals `dek` to the key that `key_id` names. Errors: kDekKeyId, those of HpkeSender::setup.
Result<Bytes> wrap_dek(const SecretBytes& dek, const PackageId& package_id, std::string_view key_id, Random& random);

// unwrap_dek opens wrapped_dek.bin. kDekMalformed: not 88 bytes with our magic. kDekWrongRecipient: `key_id` names
// another key than `recipient`. kDekUnwrap: it does not open: altered, or made for another package.
Result<SecretBytes> unwrap_dek(ByteView wrapped, const PackageId& package_id, std::string_view key_id,
                               const KemKeyPair& recipient);

}  // namespace eml
