// judge_tpm: the procedure of docs/spec/evidence/tpm.md as one list of lines.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "attestation/steps.h"
#include "attestation/tpm/key_trust.h"
#include "attestation/tpm/tpm.h"
#include "crypto/hash.h"

namespace eml {
namespace {

Json events_json(const std::vector<NamedEvent>& events) {
  JsonArray out;
  for (const NamedEvent& each : events) {
    out.push_back(JsonObject{{"pcr", each.index},
                             {"type", each.type},
                             {"name", each.name},
                             {"digest", hex(each.digest)},
                             {"data_measured", each.data_measured}});
  }
  return out;
}

// A digest that a register proves is enough; a name only where the digest is that of the name.
bool answers(const NamedEvent& event, const TpmEventRequirement& want) {
  if (event.index != want.pcr || event.type != want.type) return false;
  if (want.digest && event.digest != *want.digest) return false;
  return !want.name || (event.data_measured && event.name == *want.name);
}

class Judge {
 public:
  explicit Judge(const EvidenceInput& input) : input_(input) { out_.root_given = input.root.has_value(); }

  EvidenceVerdict run() {
    out_.fields = JsonObject();
    out_.details = JsonObject();
    Steps steps(out_.checks);
    steps.run({"tpm-requirements", "requirements are well formed", Voucher::kVerifiedHere},
              [&] { return read_want(); });
    steps.run({"tpm-form", "evidence is a quote that a TPM made", Voucher::kVerifiedHere},
              [&] { return read_quote(); });
    steps.run({"tpm-signature", "the key signed the quote", Voucher::kVerifiedHere},
              [&] { return verify_signature(); });
    judge_public(steps);
    steps.run({"tpm-pcrs", "the registers are the quoted ones", Voucher::kHardware}, [&] { return verify_pcrs(); });
    trust_ = judge_key_trust(steps, input_, key_ ? &*key_ : nullptr);
    judge_event_log(steps);
    if (!steps.failed()) yield();
    appraise(steps);
    out_.error = steps.error();
    return std::move(out_);
  }

 private:
  Status read_want() {
    EML_TRY(want_, decode_tpm_requirements(input_.requirements));
    return {};
  }

  Status read_quote() {
    EML_TRY(const ByteView signature, required_collateral(input_, "signature"));
    EML_TRY(const ByteView pcrs, required_collateral(input_, "pcrs"));
    EML_TRY(key_, decode_attestation_key(input_));
    EML_TRY(bank_, decode_pcr_bank(pcrs));
    EML_TRY(quote_, decode_tpm_quote(input_.evidence));
    out_.fields = tpm_quote_fields(*quote_);
    EML_TRY(signature_, decode_tpm_signature(signature, key_->key));
    return {};
  }

  Status verify_signature() {
    if (!key_->key.verify(signature_->scheme, input_.evidence, signature_->bytes)) {
      return fail(kTpmSignatureInvalid, "the key did not sign this quote");
    }
    if (quote_->trailing_bytes != 0) return fail(kTpmParse, "bytes behind the quote", quote_->trailing_bytes);
    if (!key_->one_key) return fail(kTpmAkMismatch, "the given forms of the key are of two keys");
    return {};
  }

  void judge_public(Steps& steps) {
    if (!steps.failed() && !key_->tpm_public && !collateral_of(input_, "ak_name")) {
      return steps.leave_out({"tpm-ak-attributes", "the key signs only what its TPM made", Voucher::kOperator},
                             "the collateral has no TPM public");
    }
    steps.run({"tpm-ak-attributes", "the key signs only what its TPM made", Voucher::kOperator},
              [&] { return verify_public(); });
  }

  Status verify_public() {
    if (!key_->tpm_public) return fail(kTpmMissingCollateral, "a key's name is of its TPM public, which is not there");
    if (!is_attestation_key(*key_->tpm_public)) {
      return fail(kTpmAkAttributes, "the key is not restricted, not for signing, or not of this TPM alone");
    }
    const auto name = collateral_of(input_, "ak_name");
    if (name && !equal(*name, key_->tpm_public->name)) return fail(kTpmAkName, "the key has another name");
    return {};
  }

  Status verify_pcrs() { return expect_pcrs(*quote_, signature_->hash, *bank_); }

  void judge_event_log(Steps& steps) {
    if (!collateral_of(input_, "event_log")) {
      return steps.leave_out({"tpm-event-log", "the event log leads to the quoted registers", Voucher::kHardware},
                             "the collateral has none");
    }
    steps.run({"tpm-event-log", "the event log leads to the quoted registers", Voucher::kHardware},
              [&] { return verify_event_log(); });
  }

  Status verify_event_log() {
    EML_TRY(const ByteView bytes, required_collateral(input_, "event_log"));
    const auto log = decode_event_log(bytes);
    if (!log)
      return fail(kTpmEventLogParse, "the event log is not one", log.error().has_first() ? log.error().first() : 0);
    const auto registers = replay_event_log(*log, bank_->hash);
    const auto events = name_events(*log, bank_->hash);
    if (!registers || !events) return fail(kTpmEventLogParse, "the event log is not of the quoted bank");
    for (const auto& [index, value] : *registers) {
      if (quoted(index) && bank_->pcrs.at(index) != value) {
        return fail(kTpmEventLog, "the event log leads to another value of a register", index);
      }
    }
    std::ranges::copy_if(*events, std::back_inserter(events_), [&](const NamedEvent& e) { return quoted(e.index); });
    return {};
  }

  bool quoted(std::uint32_t index) const {
    return std::ranges::any_of(quote_->pcr_select, [&](const PcrSelection& selection) {
      return std::ranges::find(selection.pcrs, index) != selection.pcrs.end();
    });
  }

  void yield() {
    VerifiedEvidence& evidence = out_.evidence;
    evidence.kind = EvidenceKind::kTpm;
    evidence.signed_value = quote_->extra_data;
    evidence.measurements.emplace("pcrs",
                                  to_bytes(ByteView(sha256_of({quote_->pcr_select_bytes, quote_->pcr_digest}))));
    evidence.platform_identity = hex(sha256(key_->key.spki()));
    evidence.root = trust_.root;
    evidence.debug = trust_.debug;
    JsonObject details{
        {"signature_format", signature_->raw ? "raw RSASSA-PKCS1v15 SHA-256" : "TPMT_SIGNATURE"},
        {"bank", tpm_hash_name(bank_->hash)},
        {"ak_trust", trust_.word},
        {"events", events_json(events_)},
    };
    if (!trust_.ek_root.empty()) details["ek_root"] = trust_.ek_root;
    if (trust_.azure_hcl) details["azure_hcl"] = *trust_.azure_hcl;
    out_.details = std::move(details);
  }

  void appraise(Steps& steps) {
    require(steps, "tpm-nonce", "extra data is the required nonce", want_.nonce.has_value(), [&]() -> Status {
      if (quote_->extra_data == *want_.nonce) return {};
      return fail(kTpmNonceMismatch, "the quote is over another nonce");
    });
    require(steps, "tpm-measurements", "registers have the required values", !want_.pcrs.empty(),
            [&] { return appraise_pcrs(); });
    require(steps, "tpm-events", "the required events happened", !want_.events.empty(),
            [&] { return appraise_events(); });
    require(steps, "tpm-ak-trust", "who vouches for the key is enough", want_.ak_trust.has_value(), [&]() -> Status {
      if (trust_.word == *want_.ak_trust) return {};
      return fail(kTpmAkNotTrusted, "nobody that the requirements name vouches for the key");
    });
    require(steps, "tpm-hcl-measurement", "the TEE runs the required image", want_.hcl_measurement.has_value(),
            [&]() -> Status {
              if (trust_.measurement == *want_.hcl_measurement) return {};
              return fail(kTpmMeasurementMismatch, "the TEE runs another image, or none vouches for the key");
            });
  }

  template <typename Check>
  void require(Steps& steps, std::string_view id, Literal title, bool asked, Check&& check) {
    if (!asked) return steps.leave_out({id, title, Voucher::kHardware}, "the requirements do not ask for it");
    steps.run({id, title, Voucher::kHardware}, std::forward<Check>(check));
  }

  Status appraise_pcrs() {
    for (const auto& [index, value] : want_.pcrs) {
      const auto found = bank_->pcrs.find(index);
      if (!quoted(index) || found == bank_->pcrs.end() || found->second != value) {
        return fail(kTpmMeasurementMismatch, "a register has another value, or was not quoted", index);
      }
    }
    return {};
  }

  Status appraise_events() {
    for (const TpmEventRequirement& want : want_.events) {
      const bool found = std::ranges::any_of(events_, [&](const NamedEvent& each) { return answers(each, want); });
      if (!found) return fail(kTpmEventMissing, "a required event is not in a log that was replayed", want.pcr);
    }
    return {};
  }

  const EvidenceInput& input_;
  EvidenceVerdict out_;
  TpmRequirements want_;
  std::optional<AttestationKey> key_;
  std::optional<PcrBank> bank_;
  std::optional<TpmQuote> quote_;
  std::optional<TpmSignature> signature_;
  std::vector<NamedEvent> events_;
  KeyTrust trust_;
};

}  // namespace

EvidenceVerdict judge_tpm(const EvidenceInput& input) { return Judge(input).run(); }

}  // namespace eml
