// The six checks of docs/spec/evidence.md, in their order.
#include <algorithm>

#include "attestation/bundle.h"
#include "attestation/kinds.h"
#include "attestation/local/local.h"
#include "crypto/hash.h"

namespace eml {
namespace {

struct Line {
  std::string_view id;
  Literal title;
};

constexpr Line kForm{"bundle-form", "the bundle and its binding are well formed"};
constexpr Line kGenuine{"bundle-genuine", "the evidence is genuine up to a root that the verifier pins"};
constexpr Line kSignedValue{"bundle-signed-value", "the evidence signs this binding"};
constexpr Line kValidity{"bundle-validity", "purpose, challenge and time fit"};
constexpr Line kContents{"bundle-contents", "configuration, manifests and devices are those of the binding"};
constexpr Line kAccepted{"bundle-policy", "the policy accepts it"};
constexpr std::array kLines{kForm, kGenuine, kSignedValue, kValidity, kContents, kAccepted};

// Recorder writes one line a check; finish fills in those that were not reached.
class Recorder {
 public:
  explicit Recorder(Checks* checks) : checks_(checks) {}

  void passed(const Line& line, Voucher voucher, std::string detail = {}) {
    if (checks_ != nullptr) pass(*checks_, line.id, line.title, voucher, std::move(detail));
  }
  std::unexpected<Error> failed(const Line& line, const Error& error, std::string detail = {}) {
    if (checks_ != nullptr) {
      fail_check(*checks_, line.id, line.title, Voucher::kVerifiedHere, error, std::move(detail));
      bool after = false;
      for (const Line& other : kLines) {
        if (after) skip(*checks_, other.id, other.title, Voucher::kVerifiedHere, "an earlier check failed");
        after = after || other.id == line.id;
      }
    }
    return std::unexpected(error);
  }

 private:
  Checks* checks_;
};

// Hardware vouches if a vendor's own root stands behind it; a root that was given does not.
Voucher voucher_of(const VerifiedEvidence& evidence) {
  const auto roots = kind_profile(evidence.kind).vendor_roots;
  return std::ranges::find(roots, evidence.root) == roots.end() ? Voucher::kNobody : Voucher::kHardware;
}

struct Formed {
  EvidenceBundle bundle;
  Binding binding;
};

Result<Formed> check_form(ByteView bytes) {
  EML_TRY(EvidenceBundle bundle, decode_bundle(bytes));
  EML_TRY(Binding binding, decode_binding(bundle.binding));
  return Formed{.bundle = std::move(bundle), .binding = std::move(binding)};
}

// Endorsements by the names of the kind's page; what nobody judges must not ride along.
Result<Collateral> collateral_of(const EvidenceBundle& bundle, std::span<const std::string_view> names) {
  Collateral out;
  for (const Endorsement& endorsement : bundle.endorsements) {
    if (std::ranges::find(names, endorsement.name) == names.end()) {
      return fail(kBundleMalformed, "an endorsement that evidence of this kind does not have");
    }
    out.emplace(endorsement.name, endorsement.bytes);
  }
  return out;
}

Result<VerifiedEvidence> check_genuine(const EvidenceBundle& bundle, const BundleExpectation& expectation,
                                       const TrustRoots& roots) {
  if (bundle.kind == EvidenceKind::kLocal) {
    EML_TRY(const Collateral none, collateral_of(bundle, {}));
    return verify_local_evidence(bundle.evidence, roots.local);
  }
  const KindVerifier* verifier = kind_verifier(to_string(bundle.kind));
  if (verifier == nullptr) return fail(kBundleKindUnsupported, "this program cannot verify evidence of this kind");
  EML_TRY(const Collateral collateral, collateral_of(bundle, verifier->collateral));
  EvidenceVerdict verdict = verifier->judge({.evidence = bundle.evidence,
                                             .collateral = &collateral,
                                             .time = expectation.time,
                                             .root = expectation.given_root});
  if (verdict.error) return std::unexpected(*verdict.error);
  // A TPM's quote may be genuine under a key that nobody but the bundle itself names.
  if (verdict.evidence.root.empty()) return fail(kBundleNoRoot, "no root vouches for the key of this evidence");
  verdict.evidence.meets = [verifier, evidence = bundle.evidence, collateral, time = expectation.time,
                            root = expectation.given_root](const Json& requirements) -> Status {
    const EvidenceVerdict again = verifier->judge(
        {.evidence = evidence, .collateral = &collateral, .time = time, .requirements = &requirements, .root = root});
    if (again.error) return std::unexpected(*again.error);
    return {};
  };
  return std::move(verdict.evidence);
}

Status check_signed_value(const VerifiedEvidence& evidence, const Binding& binding, ByteView binding_bytes) {
  const Bytes expected = expected_signed_value(evidence.kind, binding, binding_bytes);
  if (!equal(evidence.signed_value, expected)) {
    return fail(kBundleSignedValue, "the evidence signs another value than this binding's");
  }
  return evidence.binds ? evidence.binds(binding) : Status();
}

Status check_validity(const Binding& binding, const BundleExpectation& expectation) {
  if (binding.purpose != expectation.purpose) return fail(kBundlePurpose, "the binding is for another purpose");
  if (binding.challenge != expectation.challenge) {
    return fail(kBundleChallenge, "the binding answers another challenge, or one that was not asked");
  }
  if (expectation.time < binding.issued_at - kBindingClockSkewSeconds) {
    return fail(kBundleNotYetValid, "the binding was issued later than the time of the check",
                static_cast<std::uint64_t>(binding.issued_at));
  }
  if (expectation.time > binding.not_after) {
    return fail(kBundleExpired, "the binding has expired", static_cast<std::uint64_t>(binding.not_after));
  }
  return {};
}

Status check_model(const SignedModel& model, const Hash32& bound, const PublicConfiguration& configuration) {
  if (model.model_hash != bound) return fail(kBundleManifestHash, "a manifest is not that of the bound model");
  const bool known = std::ranges::any_of(model.publishers, [&](const Ed25519PublicKey& key) {
    return std::ranges::find(configuration.publishers, key) != configuration.publishers.end();
  });
  if (!known) return fail(kBundlePublisher, "a manifest is not signed by a publisher of the configuration");
  for (const auto& [id, minimum] : configuration.minimum_serials) {
    if (id == model.id && model.serial < minimum) {
      return fail(kBundleModelSerial, "a model's serial is below the configuration's minimum", minimum, model.serial);
    }
  }
  return {};
}

Result<std::vector<SignedModel>> check_models(const Formed& formed, const PublicConfiguration& configuration,
                                              ManifestVerifier verify_manifest) {
  const auto& bound = formed.binding.model_hashes;
  if (formed.bundle.manifests.size() != bound.size()) {
    return fail(kBundleManifestHash, "not one manifest for each bound model", bound.size(),
                formed.bundle.manifests.size());
  }
  std::vector<SignedModel> models;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    EML_TRY(SignedModel model, verify_manifest(formed.bundle.manifests[i]));
    EML_CHECK(check_model(model, bound[i], configuration));
    models.push_back(std::move(model));
  }
  return models;
}

Status check_devices(const Formed& formed) {
  const auto& devices = formed.bundle.devices;
  const auto& bound = formed.binding.devices_hash;
  if (devices.empty() != !bound.has_value() || (bound && *bound != devices_digest(devices))) {
    return fail(kBundleDevicesHash, "the device evidence is not that of the binding");
  }
  if (!devices.empty()) return fail(kBundleKindUnsupported, "this program cannot verify device evidence yet");
  return {};
}

struct Contents {
  PublicConfiguration configuration;
  std::vector<SignedModel> models;
};

Result<Contents> check_contents(const Formed& formed, ManifestVerifier verify_manifest) {
  if (sha256(formed.bundle.configuration) != formed.binding.configuration_hash) {
    return fail(kBundleConfigurationHash, "the configuration is not that of the binding");
  }
  Contents out;
  EML_TRY(out.configuration, decode_configuration(formed.bundle.configuration));
  EML_TRY(out.models, check_models(formed, out.configuration, verify_manifest));
  EML_CHECK(check_devices(formed));
  return out;
}

// What the entries said, for the detail of check 6: "name: field; name: field".
std::string reasons(const Checks& entries) {
  std::string out;
  for (const Check& entry : entries) out += (out.empty() ? "" : "; ") + entry.detail;
  return out;
}

}  // namespace

Result<GenuinePeer> verify_bundle(ByteView bundle, const BundleExpectation& expectation, const TrustRoots& roots,
                                  Checks* checks) {
  Recorder lines(checks);
  if (expectation.verify_manifest == nullptr) return fail(kInternalError, "verify_bundle needs a manifest verifier");
  auto formed = check_form(bundle);
  if (!formed) return lines.failed(kForm, formed.error());
  lines.passed(kForm, Voucher::kVerifiedHere);
  auto evidence = check_genuine(formed->bundle, expectation, roots);
  if (!evidence) return lines.failed(kGenuine, evidence.error());
  lines.passed(kGenuine, voucher_of(*evidence), std::string(to_string(evidence->kind)) + " root " + evidence->root);
  if (auto status = check_signed_value(*evidence, formed->binding, formed->bundle.binding); !status) {
    return lines.failed(kSignedValue, status.error());
  }
  lines.passed(kSignedValue, voucher_of(*evidence));
  if (auto status = check_validity(formed->binding, expectation); !status) {
    return lines.failed(kValidity, status.error());
  }
  lines.passed(kValidity, Voucher::kWorkload,
               "from " + rfc3339(formed->binding.issued_at) + " to " + rfc3339(formed->binding.not_after));
  auto contents = check_contents(*formed, expectation.verify_manifest);
  if (!contents) return lines.failed(kContents, contents.error());
  lines.passed(kContents, Voucher::kVerifiedHere);
  return GenuinePeer{.binding = std::move(formed->binding),
                     .binding_bytes = std::move(formed->bundle.binding),
                     .configuration = std::move(contents->configuration),
                     .models = std::move(contents->models),
                     .evidence = *std::move(evidence),
                     .evidence_hash = sha256(formed->bundle.evidence),
                     .bundle_hash = sha256(bundle)};
}

Result<TrustedPeer> appraise_peer(const GenuinePeer& peer, const Policy& policy, UnixSeconds time, Checks* checks) {
  Recorder lines(checks);
  const auto& operator_key = peer.configuration.operator_key;
  Checks entries;
  auto decision = policy.appraise(peer.evidence, peer.binding, operator_key ? hex(*operator_key) : std::string(),
                                  peer.models, time, &entries);
  if (!decision) return lines.failed(kAccepted, decision.error(), reasons(entries));
  lines.passed(kAccepted, Voucher::kVerifiedHere, decision->rule);
  return TrustedPeer{.kind = peer.evidence.kind,
                     .binding = peer.binding,
                     .configuration = peer.configuration,
                     .models = peer.models,
                     .measurements = peer.evidence.measurements,
                     .rule = std::move(decision->rule),
                     .evaluation = decision->evaluation,
                     .evidence_hash = peer.evidence_hash,
                     .bundle_hash = peer.bundle_hash,
                     .claims = std::move(decision->claims)};
}

Result<TrustedPeer> check_bundle(ByteView bundle, const BundleExpectation& expectation, Checks* checks) {
  if (expectation.policy == nullptr) return fail(kInternalError, "check_bundle needs a policy");
  const TrustRoots roots{.local = expectation.policy->local_roots()};
  auto peer = verify_bundle(bundle, expectation, roots, checks);
  if (!peer) return std::unexpected(peer.error());
  return appraise_peer(*peer, *expectation.policy, expectation.time, checks);
}

}  // namespace eml
