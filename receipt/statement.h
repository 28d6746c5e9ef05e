// Statements that are not receipts: the refusal of a request, and the report of what was wiped after an answer. They
// are COSE_Sign1 by the receipt key with a `typ` header, so none passes for a receipt or for the other.
// Source: docs/spec/receipt.md, "Statements".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/ed25519.h"

namespace eml {

inline constexpr ErrorCode kStatementMalformed{ErrorClass::kMalformed, "statement-malformed"};

inline constexpr std::string_view kRefusalType = "application/vnd.ephemeralml.refusal+cwt";
inline constexpr std::string_view kCleanupType = "application/vnd.ephemeralml.cleanup+cwt";
// kCleanupMeaning is a claim of every cleanup statement, so that nobody reads more into it.
inline constexpr std::string_view kCleanupMeaning = "report by attested code, not proof of deletion";

inline constexpr std::size_t kRefusalReasonMax = 64;

// RefusalStatement: a request was read whole and refused.
struct RefusalStatement {
  std::string issuer;
  UnixSeconds issued_at = 0;
  ByteArray<16> cti{};
  std::uint16_t status = 0;  // the HTTP status that the client got: 400 to 599
  std::string reason;        // one kebab-case code, at most kRefusalReasonMax characters; never text of the user's
  Hash32 request_hash{};
  Hash32 response_hash{};  // H(the error body)
  Hash32 attestation_doc_hash{};
  friend bool operator==(const RefusalStatement&, const RefusalStatement&) = default;
};

// WipedBytes are counted by the code that wiped, after it did, as whole buffers (wiped_buffer_bytes): a count must
// not tell a length. Zero means that this run had no such buffer of its own.
struct WipedBytes {
  std::uint64_t request = 0;
  std::uint64_t parsed_text = 0;
  std::uint64_t token_ids = 0;
  std::uint64_t activations = 0;
  std::uint64_t response = 0;
  friend bool operator==(const WipedBytes&, const WipedBytes&) = default;
};

inline constexpr std::uint64_t kWipedBufferMin = 4096;  // one page: below it a size would tell short texts apart

// wiped_buffer_bytes is the size to allocate, and then to count, for a buffer of `bytes`: the next power of two, at
// least kWipedBufferMin; 0 for 0.
std::uint64_t wiped_buffer_bytes(std::uint64_t bytes);

// CleanupStatement: what was wiped after the answer that the named receipt is about.
struct CleanupStatement {
  std::string issuer;
  UnixSeconds issued_at = 0;
  ByteArray<16> cti{};  // its own, random
  ByteArray<16> receipt_cti{};
  Hash32 receipt_hash{};  // H(receipt)
  WipedBytes wiped;
  friend bool operator==(const CleanupStatement&, const CleanupStatement&) = default;
};

// issue_* sign a statement; kStatementMalformed for what a verifier would refuse (a status outside 400 to 599, a reason
// with other characters than a-z, 0-9 and '-', a count that is not whole buffers, an empty issuer).
Result<Bytes> issue_refusal(const Ed25519Key& key, const RefusalStatement& statement);
Result<Bytes> issue_cleanup(const Ed25519Key& key, const CleanupStatement& statement);

// verify_* check size, form, header with its type (kCoseWrongType for another statement or a receipt), signature, then
// claims: closed, deterministic, complete (kStatementMalformed or a CBOR code).
Result<RefusalStatement> verify_refusal(ByteView bytes, const Ed25519PublicKey& key);
Result<CleanupStatement> verify_cleanup(ByteView bytes, const Ed25519PublicKey& key);

}  // namespace eml
