// verify_dossier judges one answer offline: the receipt by AIR's four layers, the evidence bundle by its six checks,
// and the eleven links between them. Nothing that it is given vouches for itself: roots, publishers and what is
// acceptable come from the policy. Source: docs/spec/dossier.md, "Verification".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "attestation/bundle.h"
#include "attestation/policy.h"
#include "audit/dossier.h"
#include "base/check.h"
#include "base/clock.h"
#include "crypto/signed_model.h"
#include "receipt/air.h"

namespace eml {

// 1: attestation_doc_hash is not the hash of the bundle's evidence.
inline constexpr ErrorCode kLinkEvidenceHash{ErrorClass::kUnauthentic, "link-evidence-hash"};
// 3: the signer is not binding key 8.
inline constexpr ErrorCode kLinkSigner{ErrorClass::kUnauthentic, "link-signer-not-in-binding"};
// 4: the receipt's model hash is not in binding key 7.
inline constexpr ErrorCode kLinkModelNotBound{ErrorClass::kUnauthentic, "link-model-not-in-binding"};
// 4: no manifest of the bundle hashes to the receipt's model, or the one given beside it does not.
inline constexpr ErrorCode kLinkManifestHash{ErrorClass::kUnauthentic, "link-manifest-hash"};
// 4: the manifest gives that model another id or version than the receipt.
inline constexpr ErrorCode kLinkModelName{ErrorClass::kUnauthentic, "link-model-name"};
// 4: the receipt's hash is not one of a manifest, so it covers less than all files.
inline constexpr ErrorCode kLinkModelScheme{ErrorClass::kRejected, "link-model-scheme"};
// 5: a measurement in the receipt differs from the evidence's, or the evidence has no such one.
inline constexpr ErrorCode kLinkMeasurements{ErrorClass::kUnauthentic, "link-measurements"};
// 6: the receipt says production, the evidence is below the floor.
inline constexpr ErrorCode kLinkMode{ErrorClass::kRejected, "link-mode"};
// 7: iat lies before the evidence.
inline constexpr ErrorCode kLinkTimeEarly{ErrorClass::kRejected, "link-time-before-evidence"};
// 7: iat lies after it.
inline constexpr ErrorCode kLinkTimeLate{ErrorClass::kRejected, "link-time-after-evidence"};
// 8: policy_version does not name binding key 6.
inline constexpr ErrorCode kLinkConfiguration{ErrorClass::kUnauthentic, "link-configuration"};
// 9: the request is another.
inline constexpr ErrorCode kLinkRequestHash{ErrorClass::kUnauthentic, "link-request-hash"};
// 9: the response is another.
inline constexpr ErrorCode kLinkResponseHash{ErrorClass::kUnauthentic, "link-response-hash"};
// 10: the nonce is not the one that the request asked for.
inline constexpr ErrorCode kLinkNonce{ErrorClass::kRejected, "link-nonce"};
// 11: the statement is genuine and about another receipt.
inline constexpr ErrorCode kLinkCleanupReceipt{ErrorClass::kUnauthentic, "link-cleanup-of-another-receipt"};
// 11: it reports no request or no response buffer.
inline constexpr ErrorCode kLinkCleanupEmpty{ErrorClass::kRejected, "link-cleanup-empty"};
// The evidence is below the production floor, and the policy does not accept evaluation.
inline constexpr ErrorCode kEvaluationEvidence{ErrorClass::kRejected, "evaluation-evidence"};

// Link 7: a receipt may be issued this long after its epoch's evidence ended, because a channel finishes what it began.
inline constexpr UnixSeconds kReceiptAfterEvidenceSeconds = 600;
inline constexpr UnixSeconds kReceiptBeforeEvidenceSeconds = 60;

// DossierInputs views what there is to judge; it owns nothing.
struct DossierInputs {
  ByteView receipt;
  std::optional<Ed25519PublicKey> key;  // who must have signed; absent: the key in the evidence's binding
  std::optional<ByteView> request;
  std::optional<ByteView> response;
  std::optional<Hash32> request_hash;  // only if the body itself is not there
  std::optional<Hash32> response_hash;
  std::optional<ByteView> bundle;
  std::optional<ByteView> cleanup;
  std::optional<ByteView> manifest;  // checked in addition to the bundle's own
};

DossierInputs inputs_of(const DossierParts& parts);

// Expectations are the verifier's own.
struct Expectations {
  const Policy* policy = nullptr;  // not owned; without one the evidence cannot be judged
  ManifestVerifier verify_manifest = nullptr;
  std::optional<Bytes> given_root;  // as BundleExpectation::given_root
  std::optional<UnixSeconds> time;  // "now"; needed by max_age_s
  std::optional<std::uint64_t> max_age_s;
  std::optional<Bytes> nonce;
  std::optional<Hash32> model_hash;
  std::optional<MeasurementType> platform;
};

enum class Verdict : std::uint8_t {
  kVerified,     // every required check passed, all eleven links among them
  kReceiptOnly,  // a key was given, no evidence: AIR's own four layers passed; nothing says where it ran. Never green
  kNotVerified,  // a check failed
  kNotJudged,    // nothing failed, but a required check could not be made
};
std::string_view to_string(Verdict verdict);  // "verified", "receipt only", "not verified", "not judged"

// exit_code: 0 for kVerified and kReceiptOnly, 1 for kNotVerified, 2 for kNotJudged.
int exit_code(Verdict verdict);

// DossierVerdict is the whole report. `checks` are in the order of docs/spec/dossier.md, one line each, always all of
// them; `required[i]` says whether checks[i] had to pass.
struct DossierVerdict {
  Verdict verdict = Verdict::kNotJudged;
  Checks checks;
  std::vector<bool> required;
  std::optional<VerifiedReceipt> receipt;  // set once layers 1 to 3 passed
  std::optional<TrustedPeer> peer;         // set once the bundle's six checks passed
  bool evaluation = false;                 // accepted only because the policy says that evaluation is acceptable
};

// verify_dossier never fails as such: what cannot be read is a failed or unchecked line.
DossierVerdict verify_dossier(const DossierInputs& inputs, const Expectations& expectations);

}  // namespace eml
