// The claims of AIR v1 as bytes: encode_air_claims and decode_air_claims (layer 3). Internal to receipt/.
#pragma once

#include "receipt/air.h"

namespace eml {

// The keys of the claims map. AIR v1, "claim-mapping", sections 2 and 3.
inline constexpr std::int64_t kClaimIss = 1;
inline constexpr std::int64_t kClaimIat = 6;
inline constexpr std::int64_t kClaimCti = 7;
inline constexpr std::int64_t kClaimNonce = 10;
inline constexpr std::int64_t kClaimProfile = 265;
inline constexpr std::int64_t kClaimModelId = -65537;
inline constexpr std::int64_t kClaimModelVersion = -65538;
inline constexpr std::int64_t kClaimModelHash = -65539;
inline constexpr std::int64_t kClaimRequestHash = -65540;
inline constexpr std::int64_t kClaimResponseHash = -65541;
inline constexpr std::int64_t kClaimEvidenceHash = -65542;
inline constexpr std::int64_t kClaimMeasurements = -65543;
inline constexpr std::int64_t kClaimPolicyVersion = -65544;
inline constexpr std::int64_t kClaimSequence = -65545;
inline constexpr std::int64_t kClaimExecutionMs = -65546;
inline constexpr std::int64_t kClaimMemoryMb = -65547;
inline constexpr std::int64_t kClaimMode = -65548;
inline constexpr std::int64_t kClaimScheme = -65549;

// encode_air_claims gives the deterministic map. It judges nothing: what it makes goes through decode_air_claims
// before it is signed.
Bytes encode_air_claims(const AirClaims& claims);

// decode_air_claims is AIR's layer 3, in AIR's order.
Result<AirClaims> decode_air_claims(ByteView payload);

}  // namespace eml
