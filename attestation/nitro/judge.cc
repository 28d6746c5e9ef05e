// The whole procedure of docs/spec/evidence/nitro.md, section 3.
#include "attestation/judge.h"

#include <array>

#include "attestation/nitro/requirements.h"
#include "attestation/steps.h"
#include "crypto/x509.h"

namespace eml {
namespace {

constexpr std::array<Step, 12> kSteps{{
    {"nitro-form", "a COSE_Sign1 that holds a map", Voucher::kVerifiedHere, {kNitroParse, kNitroTooLarge}},
    {"nitro-end", "nothing follows it", Voucher::kVerifiedHere, {kNitroTrailingData}},
    {"nitro-algorithm", "the algorithm is ES384", Voucher::kVerifiedHere, {kNitroAlgorithm}},
    {"nitro-fields", "the payload is an attestation document", Voucher::kVerifiedHere, {kNitroField}},
    {"nitro-signature", "the security module signed it", Voucher::kHardware, {kNitroCoseSignature}},
    {"nitro-root", "its chain begins with the trusted root", Voucher::kHardware, {kNitroUntrustedRoot}},
    {"nitro-chain", "root to leaf is a chain of certificates", Voucher::kHardware, {kNitroCertChain}},
    {"nitro-dates",
     "each certificate is valid at that time",
     Voucher::kHardware,
     {kNitroCertificateExpired, kNitroCertificateNotYetValid}},
    {"nitro-pcrs", "the PCRs are the required ones", Voucher::kHardware, {kNitroMeasurementMismatch}},
    {"nitro-nonce", "the nonce is the required one", Voucher::kHardware, {kNitroNonceMismatch}},
    {"nitro-user-data", "user_data is the required one", Voucher::kHardware, {kNitroUserDataMismatch}},
    {"nitro-debug", "the enclave is not in debug mode", Voucher::kHardware, {kNitroDebugEnabled}},
}};

std::vector<SkippedStep> skipped_steps(const NitroRequirements& requirements) {
  std::vector<SkippedStep> out;
  if (requirements.pcrs.empty()) out.push_back({"nitro-pcrs", "no PCR is required"});
  if (!requirements.nonce) out.push_back({"nitro-nonce", "no nonce is required"});
  if (!requirements.user_data) out.push_back({"nitro-user-data", "no user_data is required"});
  if (requirements.allow_debug != false) out.push_back({"nitro-debug", "debug mode is only reported"});
  return out;
}

Json json_hex(const std::optional<Bytes>& bytes) { return bytes ? Json(hex(*bytes)) : Json(nullptr); }

Json fields_of(const NitroDocument& document) {
  JsonObject pcrs;
  for (const auto& [index, value] : document.pcrs) pcrs[std::to_string(index)] = hex(value);
  return JsonObject{{"module_id", document.module_id},
                    {"digest", "SHA384"},
                    {"timestamp", document.timestamp_ms},
                    {"pcrs", std::move(pcrs)},
                    {"user_data", json_hex(document.user_data)},
                    {"nonce", json_hex(document.nonce)},
                    {"public_key", json_hex(document.public_key)},
                    {"chain_length", document.cabundle.size() + 1}};
}

// trusted_root is the built-in one, or the one certificate that was given.
Result<Hash32> trusted_root(const std::optional<Bytes>& given) {
  if (!given) return nitro_root();
  const auto pem = decode_pem_certificates(*given, 1);
  if (pem) return pem->front().fingerprint();
  const auto der = Certificate::decode_der(*given);
  if (!der) return fail(kNitroRequirements, "the root that was given is not one certificate");
  return der->fingerprint();
}

Status judge(const EvidenceInput& input, const NitroRequirements& requirements, EvidenceVerdict& out) {
  EML_TRY(const Hash32 root, trusted_root(input.root));
  EML_TRY(const auto unverified, UnverifiedNitroDocument::decode(input.evidence));
  out.fields = fields_of(unverified.document());
  out.details = JsonObject{{"cose_tag", unverified.tagged() ? Json(18) : Json(nullptr)}};
  EML_TRY(const auto verified, VerifiedNitroDocument::verify(unverified, root, input.time));
  out.evidence = verified.evidence();
  out.evidence.binds = [verified](const Binding& binding) { return check_nitro_binding(verified, binding); };
  out.details.as_object()["debug_mode"] = verified.debug();
  return appraise_nitro(verified, requirements);
}

}  // namespace

EvidenceVerdict judge_nitro(const EvidenceInput& input) {
  EvidenceVerdict out;
  out.root_given = input.root.has_value();
  out.details = JsonObject();
  const auto requirements = decode_nitro_requirements(input.requirements);
  if (!requirements) {
    out.error = requirements.error();
    Steps(out.checks, kSteps).conclude(out.error);
    return out;
  }
  if (const Status judged = judge(input, *requirements, out); !judged) out.error = judged.error();
  Steps(out.checks, kSteps).conclude(out.error, skipped_steps(*requirements));
  return out;
}

}  // namespace eml
