// The eleven links of a dossier, one function each, in the order of docs/spec/dossier.md. verify_dossier and the client
// are their callers: links are given what was verified before, and none looks at another link's result.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "attestation/bundle.h"
#include "audit/verify_dossier.h"
#include "base/check.h"
#include "receipt/air.h"

namespace eml {

// LinkResult is how a link ended: passed or not checked with a detail, failed with an error.
class LinkResult {
 public:
  static LinkResult passed(std::string detail = {}) { return {Outcome::kPassed, std::nullopt, std::move(detail)}; }
  static LinkResult not_checked(Literal reason) {
    return {Outcome::kNotChecked, std::nullopt, std::string(reason.view())};
  }
  static LinkResult failed(const Error& error) { return {Outcome::kFailed, error, {}}; }
  static LinkResult failed(const ErrorCode& code, Literal what) { return failed(Error(code, what)); }

  Outcome outcome() const { return outcome_; }
  const std::optional<Error>& error() const { return error_; }
  const std::string& detail() const { return detail_; }

 private:
  LinkResult(Outcome outcome, std::optional<Error> error, std::string detail)
      : outcome_(outcome), error_(error), detail_(std::move(detail)) {}
  Outcome outcome_;
  std::optional<Error> error_;
  std::string detail_;
};

// 1: attestation_doc_hash is H(evidence).
LinkResult check_link_evidence(const AirClaims& claims, const Hash32& evidence_hash);
// 2 is check_bundle at bundle_time.
UnixSeconds bundle_time(UnixSeconds receipt_iat, UnixSeconds not_after);
// 3: the signer is the receipt key of the binding.
LinkResult check_link_signer(const VerifiedReceipt& receipt, const Binding& binding);
// 4: model_hash is in the binding, a verified manifest hashes to it, the names agree. `extra` is a manifest that came
// beside the bundle.
LinkResult check_link_model(const AirClaims& claims, const TrustedPeer& peer, const std::optional<ByteView>& extra,
                            ManifestVerifier verify_manifest);
// 5: the measurements are those of the evidence.
LinkResult check_link_measurements(const AirClaims& claims, const TrustedPeer& peer);
// 6: mode production only with evidence above the production floor.
LinkResult check_link_mode(const AirClaims& claims, const TrustedPeer& peer);
// 7: iat within the evidence's time.
LinkResult check_link_time(const AirClaims& claims, const Binding& binding);
// 8: policy_version names the configuration that the binding holds.
LinkResult check_link_configuration(const AirClaims& claims, const Binding& binding);
// 9: the bodies hash to request_hash and response_hash.
LinkResult check_link_bodies(const AirClaims& claims, const DossierInputs& inputs);
// 10: the receipt's nonce is the one that the request asked for.
LinkResult check_link_nonce(const AirClaims& claims, const std::optional<ByteView>& request);
// 11: the cleanup statement is by the same key and about this receipt.
LinkResult check_link_cleanup(const VerifiedReceipt& receipt, const std::optional<ByteView>& cleanup);

}  // namespace eml
