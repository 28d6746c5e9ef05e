#include "server/epoch.h"

#include "attester/local_attester.h"
#include "crypto/hash.h"
#include "package/manifest.h"
#include "server/collateral.h"

namespace eml {

std::optional<Ed25519PublicKey> local_root_of(const Attester& attester) {
  const auto* local = dynamic_cast<const LocalAttester*>(&attester);
  return local == nullptr ? std::nullopt : std::optional(local->root());
}

EpochMaker::EpochMaker(const ServeConfig& config, const ServedModel& model, const BootId& boot_id, Attester& attester,
                       Random& random, const Clock& clock, Metrics& metrics)
    : config_(config),
      model_(model),
      attester_(attester),
      random_(random),
      clock_(clock),
      metrics_(metrics),
      boot_id_(boot_id),
      configuration_(encode_configuration(public_configuration(config))) {}

Result<Bytes> EpochMaker::bundle_of(const Binding& binding) const {
  EvidenceBundle bundle;
  bundle.kind = attester_.kind();
  bundle.binding = encode_binding(binding);
  EML_TRY(MadeEvidence made, attester_.attest(binding, bundle.binding));
  bundle.evidence = std::move(made.evidence);
  bundle.endorsements = std::move(made.endorsements);
  EML_CHECK(add_collateral(bundle.endorsements, config_.collateral, bundle.kind));
  bundle.configuration = configuration_;
  bundle.manifests = {model_.manifest};
  if (!model_.release_record.empty()) bundle.release_records = {model_.release_record};
  return encode_bundle(bundle);
}

Result<GenuinePeer> EpochMaker::appraise_self(ByteView bundle, const Binding& binding) const {
  TrustRoots roots;
  if (const auto root = local_root_of(attester_)) roots.local.push_back(*root);
  const BundleExpectation expectation{.purpose = Purpose::kServe,
                                      .time = binding.issued_at,
                                      .challenge = binding.challenge,
                                      .policy = nullptr,
                                      .verify_manifest = verify_manifest,
                                      .given_root = config_.given_root};
  return verify_bundle(bundle, expectation, roots);
}

Result<std::shared_ptr<const Epoch>> EpochMaker::make() const {
  Ed25519Key receipt_key = Ed25519Key::generate(random_);
  Ed25519Key channel_key = Ed25519Key::generate(random_);
  Binding binding;
  binding.purpose = Purpose::kServe;
  binding.boot_id = boot_id_;
  binding.issued_at = clock_.now();
  binding.not_after = binding.issued_at + config_.evidence_valid_s;
  binding.configuration_hash = sha256(configuration_);
  binding.model_hashes = {model_.identity.model_hash};
  binding.receipt_key = receipt_key.public_key();
  binding.channel_key = channel_key.public_key();
  EML_TRY(Bytes bundle, bundle_of(binding));
  EML_TRY(const GenuinePeer self, appraise_self(bundle, binding));

  const bool floor = above_production_floor(self.evidence) && !model_.dek_from_file;
  if (config_.mode == ServeMode::kProduction && !floor) {
    return fail(kNotAboveFloor, "production mode needs hardware evidence of a vendor's root, without debug");
  }
  EML_TRY(ReceiptMeasurements measurements,
          receipt_measurements(measurement_type_of_kind(to_string(self.evidence.kind)), self.evidence.measurements));

  metrics_.epochs.fetch_add(1);
  std::shared_ptr<Metrics> counted(&metrics_, [](Metrics* metrics) { metrics->epochs.fetch_sub(1); });
  const bool production = floor && config_.mode == ServeMode::kProduction;
  return std::make_shared<const Epoch>(Epoch{.receipt_key = std::move(receipt_key),
                                             .channel_key = std::move(channel_key),
                                             .binding = binding,
                                             .bundle = std::move(bundle),
                                             .evidence_hash = self.evidence_hash,
                                             .measurements = std::move(measurements),
                                             .mode = production ? SecurityMode::kProduction : SecurityMode::kEvaluation,
                                             .policy_version = policy_version_of(binding.configuration_hash),
                                             .counted = std::move(counted)});
}

Result<Bytes> EpochMaker::fresh_bundle(const Epoch& epoch, const Hash32& challenge) const {
  Binding binding = epoch.binding;
  binding.issued_at = clock_.now();
  binding.not_after = epoch.binding.not_after;
  if (binding.issued_at >= binding.not_after) return fail(kSelfAppraisal, "the epoch's evidence has ended");
  binding.challenge = challenge;
  EML_TRY(Bytes bundle, bundle_of(binding));
  metrics_.attestations_total.fetch_add(1);
  return bundle;
}

}  // namespace eml
