// The procedures of docs/spec/evidence/nvidia.md: a device's report, a manifest alone, tokens of the remote service.
#include "attestation/judge.h"

#include <array>

#include "attestation/nvidia/manifests.h"
#include "attestation/nvidia/nras.h"
#include "attestation/nvidia/report.h"
#include "attestation/nvidia/requirements.h"
#include "attestation/steps.h"

namespace eml {
namespace {

constexpr std::array<Step, 14> kReportSteps{{
    {"nvidia-form", "a request and response of SPDM", Voucher::kVerifiedHere, {kNvidiaParse}},
    {"nvidia-end", "nothing follows it", Voucher::kVerifiedHere, {kNvidiaTrailingData}},
    {"nvidia-chain-given", "the device's certificates are there", Voucher::kVerifiedHere, {kNvidiaNoChain}},
    {"nvidia-root", "they end in the trusted root", Voucher::kHardware, {kNvidiaUntrustedRoot}},
    {"nvidia-chain", "they are a chain of five", Voucher::kHardware, {kNvidiaCertChain}},
    {"nvidia-dates",
     "each is valid at that time",
     Voucher::kHardware,
     {kNvidiaCertificateExpired, kNvidiaCertificateNotYetValid}},
    {"nvidia-signature", "the device signed the report", Voucher::kHardware, {kNvidiaReportSignature}},
    {"nvidia-header", "it is GET_MEASUREMENTS of SPDM 1.1", Voucher::kHardware, {kNvidiaHeader}},
    {"nvidia-fwid", "its firmware is the one that was certified", Voucher::kHardware, {kNvidiaFwid}},
    {"nvidia-rim-xml", "the manifests are well formed", Voucher::kVerifiedHere, {kNvidiaRimXml}},
    {"nvidia-rim-signature", "NVIDIA signed the manifests", Voucher::kVendorService, {kNvidiaRimSignature}},
    {"nvidia-rim", "the measurements are those of the manifests", Voucher::kHardware, {kNvidiaRimMismatch}},
    {"nvidia-nonce", "the nonce is the required one", Voucher::kHardware, {kNvidiaNonceMismatch}},
    {"nvidia-driver", "the driver's version is a required one", Voucher::kHardware, {kNvidiaDriverVersion}},
}};

constexpr std::array<Step, 12> kTokenSteps{{
    {"nvidia-form", "a pair of tokens", Voucher::kVerifiedHere, {kNvidiaParse}},
    {"nvidia-algorithm", "their algorithm is ES384", Voucher::kVerifiedHere, {kNvidiaAlgorithm}},
    {"nvidia-key", "their key is in the key set", Voucher::kVendorService, {kNvidiaUnknownKid}},
    {"nvidia-jws", "the service signed them", Voucher::kVendorService, {kNvidiaJwsSignature}},
    {"nvidia-submods", "the overall token holds each digest", Voucher::kVendorService, {kNvidiaSubmodDigest}},
    {"nvidia-issuer", "issuer and subject", Voucher::kVendorService, {kNvidiaIssuer}},
    {"nvidia-times", "they are valid at that time", Voucher::kVendorService, {kNvidiaExpired, kNvidiaNotYetValid}},
    {"nvidia-nonce", "one nonce, the required one", Voucher::kVendorService, {kNvidiaNonceMismatch}},
    {"nvidia-result", "every result is good", Voucher::kVendorService, {kNvidiaResult, kNvidiaMeasres}},
    {"nvidia-secboot", "secure boot", Voucher::kVendorService, {kNvidiaSecboot}},
    {"nvidia-debug", "debug mode is off", Voucher::kVendorService, {kNvidiaDebugEnabled}},
    {"nvidia-driver", "the driver's version is a required one", Voucher::kVendorService, {kNvidiaDriverVersion}},
}};

constexpr std::array<Step, 2> kRimSteps{{
    {"nvidia-rim-xml", "the manifests are well formed", Voucher::kVerifiedHere, {kNvidiaRimXml}},
    {"nvidia-rim-signature", "NVIDIA signed the manifests", Voucher::kVendorService, {kNvidiaRimSignature}},
}};

Json json_hex(std::optional<ByteView> bytes) { return bytes ? Json(hex(*bytes)) : Json(nullptr); }

Json json_text(const UnverifiedGpuReport& report, OpaqueType type) {
  return report.opaque(type) ? Json(report.opaque_text(type)) : Json(nullptr);
}

Json fields_of(const UnverifiedGpuReport& report) {
  JsonObject measurements;
  for (const auto& [index, value] : report.measurements()) measurements[std::to_string(index)] = hex(value);
  return JsonObject{{"request_nonce", hex(report.nonce())},
                    {"driver_version", report.opaque_text(OpaqueType::kDriverVersion)},
                    {"vbios_version", report.vbios_version()},
                    {"project", report.opaque_text(OpaqueType::kProject)},
                    {"project_sku", report.opaque_text(OpaqueType::kProjectSku)},
                    {"chip_sku", report.opaque_text(OpaqueType::kChipSku)},
                    {"chip_info", json_text(report, OpaqueType::kChipInfo)},
                    {"feature_flag", json_hex(report.opaque(OpaqueType::kFeatureFlag))},
                    {"protected_pcie_status", json_hex(report.opaque(OpaqueType::kProtectedPcieStatus))},
                    {"nvdec0_status", json_hex(report.opaque(OpaqueType::kNvdec0Status))},
                    {"fwid", json_hex(report.opaque(OpaqueType::kFwid))},
                    {"number_of_measurement_blocks", report.measurements().size()},
                    {"measurements", std::move(measurements)}};
}

const Bytes* find(const Collateral& collateral, std::string_view name) {
  const auto found = collateral.find(name);
  return found == collateral.end() ? nullptr : &found->second;
}

Result<Hash32> device_root(const std::optional<Bytes>& given) {
  if (!given) return nvidia_device_root();
  const auto pem = decode_pem_certificates(*given, 1);
  if (pem) return pem->front().fingerprint();
  const auto der = Certificate::decode_der(*given);
  if (!der) return fail(kNvidiaRequirements, "the root that was given is not one certificate");
  return der->fingerprint();
}

Result<VerifiedGpuReport> verify_report(const UnverifiedGpuReport& report, const EvidenceInput& input,
                                        const Collateral& collateral) {
  EML_TRY(const Hash32 root, device_root(input.root));
  const Bytes* pem = find(collateral, "chain");
  if (pem == nullptr) return fail(kNvidiaNoChain, "the device's certificates are missing");
  const auto chain = decode_pem_certificates(*pem);
  if (!chain) return fail(kNvidiaCertChain, "the chain is not PEM certificates");
  return VerifiedGpuReport::verify(report, *chain, root, input.time);
}

Status judge_report(const EvidenceInput& input, const Collateral& collateral, const NvidiaRequirements& requirements,
                    EvidenceVerdict& out) {
  EML_TRY(const auto report, UnverifiedGpuReport::decode(input.evidence));
  out.fields = fields_of(report);
  EML_TRY(const auto device, verify_report(report, input, collateral));
  JsonObject& details = out.details.as_object();
  details["arch"] = device.architecture();
  details["device"] = hex(device.device());
  EML_TRY(const auto manifests,
          RimSet::verify(collateral, input.time, RimSet::Roots{.root_given = input.root.has_value()}));
  if (!manifests.empty()) {
    JsonObject lines;
    const Status compared = manifests.compare(device, lines);
    details["rim"] = std::move(lines);
    EML_CHECK(compared);
  }
  if (!requirements.accepts_nonce(hex(report.nonce()))) {
    return fail(kNvidiaNonceMismatch, "the nonce is not the required one");
  }
  if (!requirements.accepts_driver(report.opaque_text(OpaqueType::kDriverVersion))) {
    return fail(kNvidiaDriverVersion, "the driver's version is not a required one");
  }
  return {};
}

// The key set is the one anchor that tokens have: the caller's word that it is NVIDIA's, in its time.
Result<Jwks> key_set(const EvidenceInput& input, const Collateral& collateral) {
  const Bytes* json = input.root ? &*input.root : find(collateral, "jwks");
  if (json == nullptr) return fail(kNvidiaUnknownKid, "the service's key set is missing");
  auto keys = Jwks::decode(*json);
  if (!keys) return fail(kNvidiaParse, "the service's key set is malformed");
  return *std::move(keys);
}

Status appraise_drivers(const VerifiedNrasTokens& tokens, const NvidiaRequirements& requirements) {
  for (const NrasDevice& device : tokens.devices()) {
    const Json* version = device.claims.as_object().if_contains("x-nvidia-gpu-driver-version");
    const std::string text = version != nullptr && version->is_string() ? std::string(version->get_string()) : "";
    if (!requirements.accepts_driver(text)) {
      return fail(kNvidiaDriverVersion, "a driver's version is not a required one");
    }
  }
  return {};
}

Status judge_tokens(const EvidenceInput& input, const Collateral& collateral, const NvidiaRequirements& requirements,
                    EvidenceVerdict& out) {
  EML_TRY(const auto unverified, UnverifiedNrasTokens::decode(input.evidence));
  EML_TRY(const auto keys, key_set(input, collateral));
  EML_TRY(const auto tokens, VerifiedNrasTokens::verify(unverified, keys, input.time));
  JsonObject devices;
  for (const NrasDevice& device : tokens.devices()) devices[device.name] = device.claims;
  out.details.as_object()["overall_claims"] = tokens.overall();
  out.details.as_object()["device_claims"] = std::move(devices);
  EML_CHECK(appraise_nras(tokens));
  if (!requirements.accepts_nonce(tokens.nonce())) {
    return fail(kNvidiaNonceMismatch, "the nonce is not the required one");
  }
  return appraise_drivers(tokens, requirements);
}

std::vector<SkippedStep> skipped_steps(const Collateral& collateral, const NvidiaRequirements& requirements) {
  std::vector<SkippedStep> out;
  if (!collateral.contains("driver_rim") && !collateral.contains("vbios_rim")) {
    for (const std::string_view id : {"nvidia-rim-xml", "nvidia-rim-signature", "nvidia-rim"}) {
      out.push_back({id, "no manifest was given: nobody says which measurements are good"});
    }
  }
  if (!requirements.nonce) out.push_back({"nvidia-nonce", "no nonce is required"});
  if (!requirements.driver_versions) out.push_back({"nvidia-driver", "any driver version is accepted"});
  return out;
}

bool is_token_form(ByteView evidence) {
  return !evidence.empty() && (evidence[0] == '[' || evidence[0] == ' ' || evidence[0] == '\n');
}

// Without evidence and without a device's chain, what is there to judge is the manifest.
bool is_manifest_alone(const EvidenceInput& input, const Collateral& collateral) {
  return input.evidence.empty() && !collateral.contains("chain") &&
         (collateral.contains("driver_rim") || collateral.contains("vbios_rim"));
}

template <std::size_t n>
void conclude(EvidenceVerdict& out, const std::array<Step, n>& steps, const Status& judged,
              const std::vector<SkippedStep>& skipped = {}) {
  if (!judged) out.error = judged.error();
  Steps(out.checks, steps).conclude(out.error, skipped);
}

}  // namespace

EvidenceVerdict judge_nvidia(const EvidenceInput& input) {
  static const Collateral kNothing;
  const Collateral& collateral = input.collateral == nullptr ? kNothing : *input.collateral;
  EvidenceVerdict out;
  out.root_given = input.root.has_value();
  out.details = JsonObject();
  const auto requirements = NvidiaRequirements::decode(input.requirements);
  if (!requirements) {
    conclude(out, kReportSteps, std::unexpected(requirements.error()));
    return out;
  }
  if (is_manifest_alone(input, collateral)) {
    out.details.as_object()["judged"] = "manifest";
    const auto manifests = RimSet::verify(collateral, input.time, RimSet::Roots{.root_given = out.root_given});
    conclude(out, kRimSteps, manifests ? Status() : Status(std::unexpected(manifests.error())));
    return out;
  }
  std::vector<SkippedStep> skipped = skipped_steps(collateral, *requirements);
  if (is_token_form(input.evidence)) {
    out.details.as_object()["judged"] = "tokens";
    std::erase_if(skipped, [](const SkippedStep& step) { return step.id == "nvidia-nonce"; });
    conclude(out, kTokenSteps, judge_tokens(input, collateral, *requirements, out), skipped);
    return out;
  }
  out.details.as_object()["judged"] = "report";
  conclude(out, kReportSteps, judge_report(input, collateral, *requirements, out), skipped);
  return out;
}

}  // namespace eml
