// The messages of key release: request and signed statement. Source: docs/spec/key_release.md, 3 and 5.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "attestation/bundle.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/cose/sign1.h"
#include "keys/nonce_store.h"
#include "package/manifest.h"

namespace eml {

inline constexpr ErrorCode kReleaseRequestMalformed{ErrorClass::kMalformed, "release-request-malformed"};
inline constexpr ErrorCode kReleaseAnswerMalformed{ErrorClass::kMalformed, "release-answer-malformed"};

inline constexpr std::string_view kChallengePath = "/v1/challenge";
inline constexpr std::string_view kReleasePath = "/v1/release";
inline constexpr std::string_view kReleaseType = "application/vnd.ephemeralml.release+cwt";
// A bundle is below 1 MiB; the rest is room for what clouds wrap a DEK into.
inline constexpr std::size_t kReleaseRequestMax = 2U << 20;
inline constexpr std::size_t kReleaseWrappedDekMax = 1024;
inline constexpr std::size_t kSealedDekSize = 80;  // enc 32 || ct 48

// ReleaseRequest is the body of POST /v1/release.
struct ReleaseRequest {
  Nonce nonce{};
  Bytes bundle;
  Bytes wrapped_dek;
};
Bytes encode_release_request(const ReleaseRequest& request);
// decode_release_request: any other form is kReleaseRequestMalformed or a CBOR error.
Result<ReleaseRequest> decode_release_request(ByteView bytes);

// ReleaseStatement is what a broker signs. What it did not come to know before it refused is absent.
struct ReleaseStatement {
  std::string issuer;
  UnixSeconds time = 0;
  Nonce nonce{};
  std::string rule;
  bool released = false;
  std::optional<std::string> key_id;
  std::optional<PackageId> package_id;
  std::optional<Hash32> model_hash;
  std::optional<Hash32> evidence_hash;
  Hash32 policy_hash{};
  std::uint64_t log_seq = 0;
  Hash32 log_hash{};
  std::optional<ByteArray<kSealedDekSize>> sealed;  // exactly if released
};

CoseHeader release_header();
Bytes encode_release_statement(const ReleaseStatement& statement);
// decode_release_statement reads the signed payload: closed, and a released one has all members.
// kReleaseAnswerMalformed or a CBOR error.
Result<ReleaseStatement> decode_release_statement(ByteView payload);

// release_info is the HPKE info of the sealed DEK: L("eml release v1") || D.
Bytes release_info(const Hash32& binding_digest);

}  // namespace eml
