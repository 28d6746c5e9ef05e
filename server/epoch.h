// Epoch is a receipt key, a channel key, a binding and its evidence. Channels hold the epoch that they began with; when
// the last one lets go, both private keys are wiped, so that a stolen key cannot sign the past.
// Source: docs/spec/evidence.md, "Epochs".
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "attestation/bundle.h"
#include "attester/attester.h"
#include "base/clock.h"
#include "crypto/ed25519.h"
#include "receipt/air.h"
#include "server/config.h"
#include "server/metrics.h"
#include "server/served_model.h"

namespace eml {

inline constexpr ErrorCode kNotAboveFloor{ErrorClass::kRejected, "not-above-production-floor"};
inline constexpr ErrorCode kSelfAppraisal{ErrorClass::kInternal, "self-appraisal-failed"};

// Epoch is immutable and shared between threads.
struct Epoch {
  Ed25519Key receipt_key;
  Ed25519Key channel_key;
  Binding binding;
  Bytes bundle;
  Hash32 evidence_hash{};
  ReceiptMeasurements measurements;
  SecurityMode mode = SecurityMode::kEvaluation;
  std::string policy_version;
  std::shared_ptr<const void> counted;  // keeps metrics.epochs
};

// EpochMaker makes epochs for one process: one boot id, one configuration, one model. Thread-safe as its attester is.
class EpochMaker {
 public:
  // All references outlive the maker.
  EpochMaker(const ServeConfig& config, const ServedModel& model, const BootId& boot_id, Attester& attester,
             Random& random, const Clock& clock, Metrics& metrics);

  // make asks for new evidence and appraises it with the verifier's own code. Errors: the attester's; kSelfAppraisal if
  // what we made does not verify; kNotAboveFloor in production mode without hardware.
  Result<std::shared_ptr<const Epoch>> make() const;

  // fresh_bundle gives evidence over `epoch`'s keys, models and configuration with a challenge (channel.md, 2.6).
  Result<Bytes> fresh_bundle(const Epoch& epoch, const Hash32& challenge) const;

 private:
  Result<Bytes> bundle_of(const Binding& binding) const;
  Result<GenuinePeer> appraise_self(ByteView bundle, const Binding& binding) const;

  const ServeConfig& config_;
  const ServedModel& model_;
  Attester& attester_;
  Random& random_;
  const Clock& clock_;
  Metrics& metrics_;
  BootId boot_id_;
  Bytes configuration_;
};

// local_root_of gives the root key that a local attester signs with, for the self-appraisal and for `--write-bundle`.
std::optional<Ed25519PublicKey> local_root_of(const Attester& attester);

}  // namespace eml
