// EvidenceBundle carries evidence and all that is needed to judge it, as one CBOR map.
// Source: docs/spec/evidence.md, "Bundle" and its six checks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attestation/binding.h"
#include "attestation/configuration.h"
#include "attestation/policy.h"
#include "base/check.h"
#include "crypto/signed_model.h"

namespace eml {

inline constexpr ErrorCode kBundleMalformed{ErrorClass::kMalformed, "bundle-malformed"};
inline constexpr ErrorCode kBundleTooLarge{ErrorClass::kLimit, "bundle-too-large"};
inline constexpr ErrorCode kBundleKindUnsupported{ErrorClass::kUnsupported, "bundle-kind-unsupported"};
inline constexpr ErrorCode kBundleNoRoot{ErrorClass::kUnauthentic, "bundle-no-root"};
inline constexpr ErrorCode kBundleSignedValue{ErrorClass::kUnauthentic, "bundle-signed-value"};
inline constexpr ErrorCode kBundlePurpose{ErrorClass::kRejected, "bundle-purpose"};
inline constexpr ErrorCode kBundleNotYetValid{ErrorClass::kRejected, "bundle-not-yet-valid"};
inline constexpr ErrorCode kBundleExpired{ErrorClass::kRejected, "bundle-expired"};
inline constexpr ErrorCode kBundleConfigurationHash{ErrorClass::kUnauthentic, "bundle-configuration-hash"};
inline constexpr ErrorCode kBundleManifestHash{ErrorClass::kUnauthentic, "bundle-manifest-hash"};
inline constexpr ErrorCode kBundleDevicesHash{ErrorClass::kUnauthentic, "bundle-devices-hash"};
inline constexpr ErrorCode kBundleChallenge{ErrorClass::kUnauthentic, "bundle-challenge"};

inline constexpr ErrorCode kBundlePublisher{ErrorClass::kUnauthentic, "bundle-publisher"};
inline constexpr ErrorCode kBundleModelSerial{ErrorClass::kRejected, "bundle-model-serial"};

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

// encode_bundle gives the deterministic CBOR map; endorsements are sorted by name. Empty members 4, 5, 8 are absent.
Bytes encode_bundle(const EvidenceBundle& bundle);

// decode_bundle: kBundleTooLarge, kBundleMalformed, kBundleKindUnsupported for a kind's name that we do not know.
Result<EvidenceBundle> decode_bundle(ByteView bytes);

// devices_digest is binding key 11: H of the CBOR array of device evidence, exactly as bundle member 5 encodes it.
Hash32 devices_digest(const std::vector<Bytes>& devices);

// BundleExpectation is all that the verifier brings itself. Nothing of it comes from the bundle.
struct BundleExpectation {
  Purpose purpose = Purpose::kServe;
  UnixSeconds time = 0;             // T of the checks
  std::optional<Hash32> challenge;  // demanded exactly; nullopt: the binding must have none (serve)
  const Policy* policy = nullptr;   // not owned
  ManifestVerifier verify_manifest = nullptr;
  // Root certificates in place of the vendor's built-in ones, for evaluation and tests: such evidence is never above
  // the production floor, and only an entry that names this root accepts it.
  std::optional<Bytes> given_root;
};

// TrustRoots are the verifier's own roots. A policy's local_roots() are the usual source; vendors' roots are built in.
struct TrustRoots {
  std::vector<Ed25519PublicKey> local;
};

// GenuinePeer passed checks 1 to 5: its evidence is genuine and all of the bundle hangs on it. Nobody has said yet that
// it is acceptable, so nothing secret is sent to it. For the server's appraisal of itself and for the broker's steps.
struct GenuinePeer {
  Binding binding;
  Bytes binding_bytes;
  PublicConfiguration configuration;
  std::vector<SignedModel> models;  // in the binding's order
  VerifiedEvidence evidence;
  Hash32 evidence_hash{};  // H(evidence)
  Hash32 bundle_hash{};    // H(bundle bytes)
};

// verify_bundle runs checks 1 to 5; expectation.policy is not read and may be null.
Result<GenuinePeer> verify_bundle(ByteView bundle, const BundleExpectation& expectation, const TrustRoots& roots,
                                  Checks* checks = nullptr);

// TrustedPeer exists only after all six checks passed.
struct TrustedPeer {
  EvidenceKind kind = EvidenceKind::kLocal;
  Binding binding;
  PublicConfiguration configuration;
  std::vector<SignedModel> models;  // in the binding's order
  Measurements measurements;
  std::string rule;        // the policy entry that decided
  bool evaluation = true;  // true unless the evidence is above the built-in production floor
  Hash32 evidence_hash{};  // H(evidence)
  Hash32 bundle_hash{};    // H(bundle bytes)
  Checks claims;           // what is known, and who vouches
};

// appraise_peer is check 6. kPolicyNoEntry if no entry of `policy` accepts `peer` at `time`.
Result<TrustedPeer> appraise_peer(const GenuinePeer& peer, const Policy& policy, UnixSeconds time,
                                  Checks* checks = nullptr);

// check_bundle runs the six checks of docs/spec/evidence.md in order and stops at the first failure. `checks`, if
// given, receives one line per check with ids "bundle-form", "bundle-genuine", "bundle-signed-value",
// "bundle-validity", "bundle-contents", "bundle-policy"; those after a failure are not checked. The roots are the
// policy's.
Result<TrustedPeer> check_bundle(ByteView bundle, const BundleExpectation& expectation, Checks* checks = nullptr);

}  // namespace eml
