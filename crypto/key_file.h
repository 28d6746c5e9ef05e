// Key files of `keygen`: an Ed25519 key that signs for one purpose, as text. No file is read or written here.
//
//     {"schema":"eml-key/1","purpose":"publisher","created":"2026-11-25T13:08:00Z","public_key":"<64 hex digits>",
//      "seed":"<43 characters of base64url>"}
//     {"schema":"eml-public-key/1","purpose":"publisher","public_key":"<64 hex digits>"}
//
// Both are JSON with exactly these members in this order; white space between them is allowed, escapes are not. The
// private file is written with mode 0600 (WriteMode::kNewPrivate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/user_text.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kKeyFileMalformed{ErrorClass::kMalformed, "key-file-malformed"};
inline constexpr ErrorCode kKeyFileMismatch{ErrorClass::kMalformed, "key-file-mismatch"};
inline constexpr ErrorCode kKeyFileUnsupported{ErrorClass::kUnsupported, "key-file-unsupported"};
inline constexpr ErrorCode kKeyFileWrongPurpose{ErrorClass::kUnsupported, "key-file-wrong-purpose"};
inline constexpr ErrorCode kKeyFileTooLarge{ErrorClass::kLimit, "key-file-too-large"};

inline constexpr std::size_t kKeyFileMax = 1024;  // four times the longer form

// KeyPurpose separates keys: one that signs models never signs policies.
enum class KeyPurpose : std::uint8_t { kPublisher, kBroker, kPolicy, kLocalRoot };

// to_string gives "publisher", "broker", "policy", "local-root"; key_purpose reads them back.
std::string_view to_string(KeyPurpose purpose);
std::optional<KeyPurpose> key_purpose(std::string_view text);

struct PrivateKeyFile {
  UnixSeconds created = 0;
  Ed25519Key key;
};

// encode_private_key_file returns the text of a private key file, in memory that wipes itself.
WipingVector<std::uint8_t> encode_private_key_file(KeyPurpose purpose, UnixSeconds created, const Ed25519Key& key);

// decode_private_key_file reads a private key file and wipes `text`, whatever the outcome.
// Errors: kKeyFileTooLarge; kKeyFileMalformed (offset); kKeyFileUnsupported for another schema, a public key file
// included; kKeyFileWrongPurpose; kKeyFileMismatch if the public key is not the seed's.
Result<PrivateKeyFile> decode_private_key_file(MutableByteView text, KeyPurpose wanted);

// encode_public_key_file and decode_public_key_file are the same for the public half; the errors are the same too.
std::string encode_public_key_file(KeyPurpose purpose, const Ed25519PublicKey& key);
Result<Ed25519PublicKey> decode_public_key_file(ByteView text, KeyPurpose wanted);

}  // namespace eml
