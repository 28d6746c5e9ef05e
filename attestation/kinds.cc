#include "attestation/kinds.h"

#include <algorithm>
#include <array>

#include "attestation/confidential_space/requirements.h"
#include "attestation/nitro/requirements.h"
#include "attestation/nvidia/requirements.h"
#include "attestation/sevsnp/sevsnp.h"
#include "attestation/tdx/requirements.h"
#include "attestation/tpm/tpm.h"

namespace eml {
namespace {

template <typename Decoded>
Status outcome(const Result<Decoded>& decoded) {
  if (!decoded) return std::unexpected(decoded.error());
  return {};
}

// The names under which collateral is known: the table "Collateral" of docs/spec/evidence/KIND.md.
constexpr std::array<std::string_view, 6> kTdxCollateral{"pck_crl",  "pck_crl_issuer_chain", "qe_identity", "root_crl",
                                                         "tcb_info", "tcb_signing_chain"};
constexpr std::array<std::string_view, 3> kSevSnpCollateral{"ca_chain", "crl", "vek"};
constexpr std::array<std::string_view, 1> kConfidentialSpaceCollateral{"jwks"};
// With those of the report that Azure's vTPM has inside: SNP's by names of their own, TDX's by its own.
constexpr std::array<std::string_view, 26> kTpmCollateral{
    "ak_cert",   "ak_chain",     "ak_name",     "ak_public_pem", "ak_tpm2b_public", "ak_tpmt_public",
    "ek_ca",     "ek_cert",      "ek_pub_pem",  "ek_root",       "event_log",       "hcl_report",
    "pck_crl",   "pcrs",         "qe_identity", "root",          "root_crl",        "runtime_data_json",
    "signature", "snp_ca_chain", "snp_crl",     "snp_report",    "tcb_info",        "tcb_signing_chain",
    "td_quote",  "vcek"};
constexpr std::array<std::string_view, 6> kNvidiaCollateral{"chain",     "driver_rim", "jwks",
                                                            "nras_root", "rim_root",   "vbios_rim"};

constexpr std::array<KindVerifier, 6> kVerifiers{{
    {"tdx", judge_tdx, "report_data", [](const Json& json) { return outcome(tdx::decode_requirements(&json)); },
     kTdxCollateral},
    {"sevsnp", judge_sevsnp, "report_data", [](const Json& json) { return outcome(decode_snp_requirements(&json)); },
     kSevSnpCollateral},
    {"nitro", judge_nitro, "nonce", [](const Json& json) { return outcome(decode_nitro_requirements(&json)); }, {}},
    {"confidential_space", judge_confidential_space, "nonce",
     [](const Json& json) { return outcome(confidential_space::decode_requirements(json)); },
     kConfidentialSpaceCollateral},
    {"tpm", judge_tpm, "nonce", [](const Json& json) { return outcome(decode_tpm_requirements(&json)); },
     kTpmCollateral},
    {"nvidia", judge_nvidia, "nonce", [](const Json& json) { return outcome(NvidiaRequirements::decode(&json)); },
     kNvidiaCollateral},
}};

}  // namespace

std::span<const KindVerifier> kind_verifiers() { return kVerifiers; }

const KindVerifier* kind_verifier(std::string_view name) {
  for (const KindVerifier& each : kVerifiers) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::string error_class_of(std::string_view kind, const Error& error) {
  std::string prefix = std::string(kind) + '-';
  std::ranges::replace(prefix, '_', '-');
  std::string name(error.code().name);
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  std::ranges::replace(name, '-', '_');
  return name;
}

Status check_requirements(EvidenceKind kind, const Json& requirements) {
  const KindVerifier* verifier = kind_verifier(to_string(kind));
  if (verifier == nullptr) return fail(kInternalError, "this kind has no requirements of its own");
  return verifier->check_requirements(requirements);
}

}  // namespace eml
