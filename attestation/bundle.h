// EvidenceBundle carries evidence and all that is needed to judge it, as one CBOR map.
// Source: docs/spec/evidence.md, "Bundle" and its six checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/binding.h"
#include "attestation/policy.h"
#include "base/check.h"
#include "crypto/signed_model.h"

namespace eml {

inline constexpr ErrorCode kBundleMalformed{ErrorClass::kMalformed, "bundle-malformed"};
inline constexpr ErrorCode kBundleTooLarge{ErrorClass::kLimit, "bundle-too-large"};
inline constexpr ErrorCode kBundleKindUnsupported{ErrorClass::kUnsupported, "bundle-kind-unsupported"};
inline constexpr ErrorCode kBundleSignedValue{ErrorClass::kUnauthentic, "bundle-signed-value"};
inline constexpr ErrorCode kBundlePurpose{ErrorClass::kRejected, "bundle-purpose"};
inline constexpr ErrorCode kBundleNotYetValid{ErrorClass::kRejected, "bundle-not-yet-valid"};
inline constexpr ErrorCode kBundleExpired{ErrorClass::kRejected, "bundle-expired"};
inline constexpr ErrorCode kBundleConfigurationHash{ErrorClass::kUnauthentic, "bundle-configuration-hash"};
inline constexpr ErrorCode kBundleManifestHash{ErrorClass::kUnauthentic, "bundle-manifest-hash"};
inline constexpr ErrorCode kBundleDevicesHash{ErrorClass::kUnauthentic, "bundle-devices-hash"};
inline constexpr ErrorCode kBundleChallenge{ErrorClass::kUnauthentic, "bundle-challenge"};

inline constexpr std::size_t kBundleBytesMax = (1U << 20) - 2048;  // fits into a server_hello of 1 MiB

struct Endorsement {
  std::string name;
  UnixSeconds fetched_at = 0;
  Bytes bytes;
};

// EvidenceBundle is decoded and nothing more; every member is as it arrived.
struct EvidenceBundle {
  EvidenceKind kind = EvidenceKind::kLocal;
  Bytes evidence;
  Bytes binding;
  std::vector<Endorsement> endorsements;
  std::vector<Bytes> devices;
  Bytes configuration;  // JCS JSON
  std::vector<Bytes> manifests;
  std::vector<Bytes> release_records;
};

Bytes encode_bundle(const EvidenceBundle& bundle);
Result<EvidenceBundle> decode_bundle(ByteView bytes);

// PublicConfiguration is the decoded binding key 6 document: what the process was told, without addresses and secrets.
struct PublicConfiguration {
  std::string issuer;
  std::optional<Ed25519PublicKey> operator_key;
  std::vector<Ed25519PublicKey> publishers;
  std::vector<std::pair<std::string, std::uint64_t>> minimum_serials;  // model id to serial
  std::string numerics;
  std::string log_level;
  Bytes limits;  // JCS of the limits object
};
Result<PublicConfiguration> decode_configuration(ByteView jcs);
Bytes encode_configuration(const PublicConfiguration& configuration);

// BundleExpectation is all that the verifier brings itself. Nothing of it comes from the bundle.
struct BundleExpectation {
  Purpose purpose = Purpose::kServe;
  UnixSeconds time = 0;                 // T of the checks
  std::optional<Hash32> challenge;      // demanded exactly; nullopt: the binding must have none (serve)
  const Policy* policy = nullptr;       // not owned
  ManifestVerifier verify_manifest = nullptr;
};

// TrustedPeer exists only after all six checks passed.
struct TrustedPeer {
  EvidenceKind kind = EvidenceKind::kLocal;
  Binding binding;
  PublicConfiguration configuration;
  std::vector<SignedModel> models;   // in the binding's order
  Measurements measurements;
  std::string rule;                  // the policy entry that decided
  bool evaluation = true;            // true unless the evidence is above the built-in production floor
  Hash32 evidence_hash{};            // H(evidence)
  Hash32 bundle_hash{};              // H(bundle bytes)
  Checks claims;                     // what is known, and who vouches
};

// check_bundle runs the six checks of docs/spec/evidence.md in order and stops at the first failure. `checks`, if
// given, receives one line per check with ids "bundle-form", "bundle-genuine", "bundle-signed-value",
// "bundle-validity", "bundle-contents", "bundle-policy"; those after a failure are not checked.
Result<TrustedPeer> check_bundle(ByteView bundle, const BundleExpectation& expectation, Checks* checks = nullptr);

}  // namespace eml
