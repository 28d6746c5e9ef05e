#include "audit/verify_dossier.h"

#include <utility>

#include "audit/links.h"
#include "crypto/hash.h"

namespace eml {
namespace {

struct Line {
  std::string_view id;
  Literal title;
  Voucher voucher;
};

constexpr Line kForm{"receipt-form", "the receipt is a well-formed AIR v1 structure", Voucher::kVerifiedHere};
constexpr Line kSignature{"receipt-signature", "the receipt's signature is right", Voucher::kVerifiedHere};
constexpr Line kClaims{"receipt-claims", "the receipt's claims are complete and valid", Voucher::kVerifiedHere};
constexpr Line kPolicy{"receipt-policy", "the receipt is what was expected", Voucher::kVerifiedHere};
constexpr Line kFreshness{"receipt-time", "the receipt is neither from the future nor too old", Voucher::kWorkload};
constexpr Line kEvidence{"link-1-evidence", "the receipt names this evidence", Voucher::kVerifiedHere};
constexpr Line kBundle{"link-2-bundle", "the evidence passed all of its checks", Voucher::kHardware};
constexpr Line kSigner{"link-3-signer", "the evidence binds the key that signed", Voucher::kHardware};
constexpr Line kModel{"link-4-model", "the evidence binds the model, and its manifest is signed", Voucher::kWorkload};
constexpr Line kMeasured{"link-5-measurements", "the measurements are those of the evidence", Voucher::kHardware};
constexpr Line kMode{"link-6-mode", "the mode fits the evidence", Voucher::kVerifiedHere};
constexpr Line kTime{"link-7-time", "the receipt was issued while the evidence held", Voucher::kWorkload};
constexpr Line kConfig{"link-8-configuration", "the configuration is the one that the evidence binds",
                       Voucher::kOperator};
constexpr Line kBodies{"link-9-bodies", "request and response are those of the receipt", Voucher::kVerifiedHere};
constexpr Line kNonce{"link-10-nonce", "the nonce is the one that was asked for", Voucher::kVerifiedHere};
constexpr Line kCleanup{"link-11-cleanup", "the server says what it wiped after this answer", Voucher::kWorkload};
constexpr Line kProduction{"evidence-production", "the evidence is from production hardware", Voucher::kHardware};

// The bundle's lines when it could not be checked at all (attestation/bundle.h).
constexpr Line kBundleLines[] = {
    {"bundle-form", "the bundle and its binding are well formed", Voucher::kVerifiedHere},
    {"bundle-genuine", "the evidence is genuine up to a root that the verifier pins", Voucher::kHardware},
    {"bundle-signed-value", "the evidence signs this binding", Voucher::kHardware},
    {"bundle-validity", "purpose, challenge and time fit", Voucher::kWorkload},
    {"bundle-contents", "configuration, manifests and devices are those of the binding", Voucher::kVerifiedHere},
    {"bundle-policy", "the policy accepts it", Voucher::kVerifiedHere},
};

constexpr Literal kNoEvidence = "there is no evidence";
constexpr Literal kNoReceipt = "the receipt did not verify";
constexpr Literal kNoPolicy = "there is no policy to judge the evidence by";
constexpr Literal kNoPeer = "the evidence did not pass its checks";

enum class Need : std::uint8_t { kRequired, kOptional };

// Judge walks through the procedure once and collects the lines.
class Judge {
 public:
  Judge(const DossierInputs& inputs, const Expectations& expectations) : in_(inputs), want_(expectations) {}

  DossierVerdict run() {
    read_evidence();
    check_receipt();
    check_evidence();
    check_links();
    check_production();
    conclude();
    return std::move(out_);
  }

 private:
  // receipt_only: whoever gives a key and no evidence asks for AIR's own four layers.
  bool receipt_only() const { return in_.key && !in_.bundle; }
  Need of_links() const { return receipt_only() ? Need::kOptional : Need::kRequired; }
  bool evaluation_accepted() const { return want_.policy != nullptr && want_.policy->accepts_evaluation(); }

  void add(const Line& line, const LinkResult& result, Need need = Need::kRequired) {
    Voucher voucher = line.voucher;
    if (voucher == Voucher::kHardware && out_.peer && out_.peer->evaluation) voucher = Voucher::kNobody;
    out_.checks.push_back({line.id, line.title, result.outcome(), voucher, result.error(), result.detail()});
    out_.required.push_back(need == Need::kRequired);
  }

  // Form only: the key and the end of the evidence's time are taken from it before it is judged, and nothing is
  // believed for that.
  void read_evidence() {
    if (!in_.bundle) return;
    auto bundle = decode_bundle(*in_.bundle);
    if (!bundle) return;
    evidence_hash_ = sha256(bundle->evidence);
    if (auto binding = decode_binding(bundle->binding)) binding_ = *std::move(binding);
  }

  std::optional<Ed25519PublicKey> signer() const {
    if (in_.key) return in_.key;
    if (binding_ && binding_->purpose == Purpose::kServe) return binding_->receipt_key;
    return std::nullopt;
  }

  void check_receipt() {
    const auto unverified = UnverifiedReceipt::decode(in_.receipt);
    add(kForm, unverified ? LinkResult::passed() : LinkResult::failed(unverified.error()));
    const auto key = signer();
    if (!unverified || !key) {
      const Literal why = unverified ? Literal("neither a key nor readable evidence is here")
                                     : Literal("the receipt is not well formed");
      for (const Line& line : {kSignature, kClaims, kPolicy}) add(line, LinkResult::not_checked(why));
      add(kFreshness, LinkResult::not_checked(why), Need::kOptional);
      return;
    }
    verify_receipt_under(*unverified, *key);
    appraise_receipt();
  }

  void verify_receipt_under(const UnverifiedReceipt& unverified, const Ed25519PublicKey& key) {
    auto verified = unverified.verify(key);
    if (verified) {
      out_.receipt = *std::move(verified);
      add(kSignature, LinkResult::passed("key " + hex(key)));
      add(kClaims, LinkResult::passed("id " + format_cti(claims().cti)));
      return;
    }
    const Error& error = verified.error();
    if (error.code() == kSignatureInvalid || error.code() == kPublicKeyInvalid) {
      add(kSignature, LinkResult::failed(error));
      add(kClaims, LinkResult::not_checked("the signature is wrong, so nobody stated them"));
    } else {
      add(kSignature, LinkResult::passed("key " + hex(key)));
      add(kClaims, LinkResult::failed(error));
    }
  }

  void appraise_receipt() {
    if (!out_.receipt) {
      add(kPolicy, LinkResult::not_checked(kNoReceipt));
      add(kFreshness, LinkResult::not_checked(kNoReceipt), Need::kOptional);
      return;
    }
    using Evaluation = AirPolicy::Evaluation;
    const AirPolicy expected{.nonce = want_.nonce,
                             .model_hash = want_.model_hash,
                             .platform = want_.platform,
                             .evaluation = evaluation_accepted() ? Evaluation::kAccept : Evaluation::kRefuse};
    const Status accepted = appraise(*out_.receipt, expected);
    add(kPolicy, accepted ? LinkResult::passed() : LinkResult::failed(accepted.error()));
    if (!want_.time && !want_.max_age_s) {
      add(kFreshness, LinkResult::not_checked("no time to compare with was given"), Need::kOptional);
      return;
    }
    const AirPolicy age{.time = want_.time, .max_age_s = want_.max_age_s, .evaluation = Evaluation::kAccept};
    const Status fresh = appraise(*out_.receipt, age);
    add(kFreshness, fresh ? LinkResult::passed(rfc3339(claims().issued_at)) : LinkResult::failed(fresh.error()));
  }

  void check_evidence() {
    add(kEvidence,
        !out_.receipt     ? LinkResult::not_checked(kNoReceipt)
        : !in_.bundle     ? LinkResult::not_checked(kNoEvidence)
        : !evidence_hash_ ? LinkResult::not_checked("the evidence bundle is not well formed")
                          : check_link_evidence(claims(), *evidence_hash_),
        of_links());
    if (!in_.bundle || want_.policy == nullptr || want_.verify_manifest == nullptr) {
      const Literal why = in_.bundle ? kNoPolicy : kNoEvidence;
      for (const Line& line : kBundleLines) add(line, LinkResult::not_checked(why), of_links());
      add(kBundle, LinkResult::not_checked(why), of_links());
      return;
    }
    check_bundle_lines(*in_.bundle);
  }

  void check_bundle_lines(ByteView bundle) {
    const UnixSeconds not_after = binding_ ? binding_->not_after : 0;
    const UnixSeconds time = out_.receipt ? bundle_time(claims().issued_at, not_after) : not_after;
    Checks lines;
    auto peer = check_bundle(bundle,
                             {.time = time,
                              .policy = want_.policy,
                              .verify_manifest = want_.verify_manifest,
                              .given_root = want_.given_root},
                             &lines);
    for (Check& line : lines) {
      out_.checks.push_back(std::move(line));
      out_.required.push_back(true);
    }
    if (!peer) return add(kBundle, LinkResult::failed(peer.error()));
    out_.peer = *std::move(peer);
    if (!out_.receipt) return add(kBundle, LinkResult::not_checked(kNoReceipt));
    add(kBundle, LinkResult::passed("at " + rfc3339(time) + ", rule " + out_.peer->rule));
  }

  void check_links() {
    const Literal why = !out_.receipt             ? kNoReceipt
                        : !in_.bundle             ? kNoEvidence
                        : want_.policy == nullptr ? kNoPolicy
                                                  : kNoPeer;
    const bool both = out_.receipt && out_.peer;
    const auto link = [&](const Line& line, auto&& check) {
      add(line, both ? check() : LinkResult::not_checked(why), of_links());
    };
    link(kSigner, [&] { return check_link_signer(*out_.receipt, out_.peer->binding); });
    link(kModel, [&] { return check_link_model(claims(), *out_.peer, in_.manifest, want_.verify_manifest); });
    link(kMeasured, [&] { return check_link_measurements(claims(), *out_.peer); });
    link(kMode, [&] { return check_link_mode(claims(), *out_.peer); });
    link(kTime, [&] { return check_link_time(claims(), out_.peer->binding); });
    link(kConfig, [&] { return check_link_configuration(claims(), out_.peer->binding); });
    check_receipt_links();
  }

  // Links 9 to 11 need no evidence but the receipt itself.
  void check_receipt_links() {
    const LinkResult unread = LinkResult::not_checked(kNoReceipt);
    add(kBodies, out_.receipt ? check_link_bodies(claims(), in_) : unread, of_links());
    const bool nonce_matters = in_.request || (out_.receipt && claims().nonce);
    add(kNonce, out_.receipt ? check_link_nonce(claims(), in_.request) : unread,
        nonce_matters ? of_links() : Need::kOptional);
    add(kCleanup, out_.receipt ? check_link_cleanup(*out_.receipt, in_.cleanup) : unread, of_links());
  }

  void check_production() {
    if (!out_.peer) return add(kProduction, LinkResult::not_checked(in_.bundle ? kNoPeer : kNoEvidence), of_links());
    if (!out_.peer->evaluation) {
      return add(kProduction, LinkResult::passed(std::string(to_string(out_.peer->kind))));
    }
    if (!evaluation_accepted()) {
      return add(kProduction, LinkResult::failed(kEvaluationEvidence, "the evidence is for evaluation only"));
    }
    out_.evaluation = true;
    add(kProduction, LinkResult::not_checked("it is for evaluation only, which the policy says is acceptable"),
        Need::kOptional);
  }

  void conclude() {
    bool complete = true;
    out_.verdict = Verdict::kNotVerified;
    for (std::size_t i = 0; i < out_.checks.size(); ++i) {
      if (out_.checks[i].outcome == Outcome::kFailed) return;
      if (out_.required[i] && out_.checks[i].outcome != Outcome::kPassed) complete = false;
    }
    out_.evaluation = out_.evaluation || (out_.receipt && claims().mode == SecurityMode::kEvaluation);
    out_.verdict = !complete ? Verdict::kNotJudged : receipt_only() ? Verdict::kReceiptOnly : Verdict::kVerified;
  }

  const AirClaims& claims() const { return out_.receipt->claims(); }

  const DossierInputs& in_;
  const Expectations& want_;
  std::optional<Hash32> evidence_hash_;
  std::optional<Binding> binding_;
  DossierVerdict out_;
};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kVerified:
      return "verified";
    case Verdict::kReceiptOnly:
      return "receipt only";
    case Verdict::kNotVerified:
      return "not verified";
    case Verdict::kNotJudged:
      return "not judged";
  }
  return "not judged";
}

int exit_code(Verdict verdict) {
  switch (verdict) {
    case Verdict::kVerified:
    case Verdict::kReceiptOnly:
      return 0;
    case Verdict::kNotVerified:
      return 1;
    case Verdict::kNotJudged:
      return 2;
  }
  return 2;
}

DossierInputs inputs_of(const DossierParts& parts) {
  return {.receipt = parts.receipt,
          .request = parts.request,
          .response = parts.response,
          .request_hash = parts.request_hash,
          .response_hash = parts.response_hash,
          .bundle = parts.bundle,
          .cleanup = parts.cleanup};
}

DossierVerdict verify_dossier(const DossierInputs& inputs, const Expectations& expectations) {
  return Judge(inputs, expectations).run();
}

}  // namespace eml
