#include "attestation/collateral_plan.h"

#include <algorithm>
#include <array>

#include "attestation/confidential_space/token.h"
#include "attestation/nvidia/nras.h"
#include "attestation/nvidia/spdm.h"
#include "attestation/tdx/pck.h"
#include "encoding/base64.h"
#include "encoding/json.h"

namespace eml {
namespace {

constexpr std::array<CollateralServiceInfo, 6> kServices{{
    {CollateralService::kIntelPcs, "intel-pcs", "https://api.trustedservices.intel.com"},
    {CollateralService::kIntelCertificates, "intel-certificates", "https://certificates.trustedservices.intel.com"},
    {CollateralService::kAmdKds, "amd-kds", "https://kdsintf.amd.com"},
    {CollateralService::kGoogle, "google", "https://www.googleapis.com"},
    {CollateralService::kNvidiaRim, "nvidia-rim", "https://rim.attestation.nvidia.com"},
    {CollateralService::kNvidiaNras, "nvidia-nras", "https://nras.attestation.nvidia.com"},
}};

constexpr CollateralPart kKeySet{.name = "jwks", .file = "jwks.json"};

// --- Intel ---

Result<std::string_view> ca_of(const Certificate& pck) {
  if (pck.issuer_common_name() == "Intel SGX PCK Platform CA") return "platform";
  if (pck.issuer_common_name() == "Intel SGX PCK Processor CA") return "processor";
  return fail(kCollateralUnknown, "the PCK certificate's issuer is none of Intel's two");
}

Result<CollateralPlan> plan_tdx(ByteView evidence) {
  EML_TRY(const auto quote, tdx::decode_quote(evidence));
  EML_TRY(const auto chain, decode_pem_certificates(quote.cert_data));
  EML_TRY(const auto extension, tdx::extension_of(chain.front()));
  EML_TRY(const std::string_view ca, ca_of(chain.front()));
  const std::string tee = quote.td() != nullptr ? "/tdx" : "/sgx";
  CollateralPlan out;
  out.requests = {
      {.service = CollateralService::kIntelPcs,
       .target = tee + "/certification/v4/tcb?fmspc=" + hex(extension.fmspc),
       .parts = {{.name = "tcb_info", .file = "tcb_info.json"},
                 {.name = "tcb_signing_chain",
                  .file = "tcb_signing_chain.pem",
                  .source = CollateralSource::kPemHeader,
                  .key = "TCB-Info-Issuer-Chain"}}},
      {.service = CollateralService::kIntelPcs,
       .target = tee + "/certification/v4/qe/identity",
       .parts = {{.name = "qe_identity", .file = "qe_identity.json"}}},
      {.service = CollateralService::kIntelPcs,
       .target = "/sgx/certification/v4/pckcrl?ca=" + std::string(ca) + "&encoding=der",
       .parts = {{.name = "pck_crl", .file = "pck_crl.der"},
                 {.name = "pck_crl_issuer_chain",
                  .file = "pck_crl_issuer_chain.pem",
                  .source = CollateralSource::kPemHeader,
                  .key = "SGX-PCK-CRL-Issuer-Chain"}}},
      {.service = CollateralService::kIntelCertificates,
       .target = "/IntelSGXRootCA.der",
       .parts = {{.name = "root_crl", .file = "root_crl.der"}}},
  };
  return out;
}

// --- AMD ---

Result<SnpProduct> product_of(const SnpReport& report, const CollateralHints& hints) {
  const auto stated = report.product();
  if (stated && hints.product && *stated != *hints.product) {
    return fail(kCollateralUnknown, "the report is of another product than the one that was named");
  }
  if (stated) return *stated;
  if (hints.product) return *hints.product;
  return fail(kCollateralUnknown, "the report does not name its product: name it (Milan, Genoa or Turin)");
}

// KDS makes a VCEK for any chip and TCB that AMD made, so the reported TCB is part of the question.
Result<std::string> vcek_target(const SnpReport& report, SnpProduct product, const std::string& base) {
  const bool masked = std::ranges::all_of(report.chip_id, [](std::uint8_t byte) { return byte == 0; });
  if (masked) return fail(kCollateralUnknown, "the report hides its chip, so no certificate can be asked for");
  const SnpTcb tcb = decode_snp_tcb(product, report.reported_tcb);
  const bool turin = product == SnpProduct::kTurin;
  std::string out = base + "/" + hex(ByteView(report.chip_id).first(turin ? 8 : 64)) + "?";
  if (turin) out += "fmcSPL=" + std::to_string(tcb.fmc) + "&";
  out += "blSPL=" + std::to_string(tcb.bootloader) + "&teeSPL=" + std::to_string(tcb.tee) +
         "&snpSPL=" + std::to_string(tcb.snp) + "&ucodeSPL=" + std::to_string(tcb.microcode);
  return out;
}

CollateralRequest amd_request(std::string target, CollateralPart part) {
  return {.service = CollateralService::kAmdKds, .target = std::move(target), .parts = {part}};
}

Result<CollateralPlan> plan_sevsnp(ByteView evidence, const CollateralHints& hints) {
  EML_TRY(const auto decoded, decode_snp_report(evidence));
  const SnpReport& report = decoded.report;
  EML_TRY(const SnpProduct product, product_of(report, hints));
  const std::string vcek = "/vcek/v1/" + std::string(to_string(product));
  CollateralPlan out;
  std::string chain = vcek + "/cert_chain";
  if (report.signing_key() == 0) {
    EML_TRY(std::string target, vcek_target(report, product, vcek));
    out.requests.push_back(amd_request(std::move(target), {.name = "vek", .file = "vek.der"}));
  } else if (report.signing_key() == 1) {
    out.elsewhere.push_back({.name = "vek", .where = "a VLEK comes from the cloud, with the report"});
    chain = "/vlek/v1/" + std::string(to_string(product)) + "/cert_chain";
  } else {
    return fail(kCollateralUnknown, "no key of AMD's signed the report", report.signing_key());
  }
  out.requests.push_back(amd_request(std::move(chain), {.name = "ca_chain", .file = "ca_chain.pem"}));
  // The list is the ARK's, which both keys have above them.
  out.requests.push_back(amd_request(vcek + "/crl", {.name = "crl", .file = "crl.der"}));
  return out;
}

// --- Google ---

Result<CollateralPlan> plan_confidential_space(ByteView evidence) {
  EML_TRY(const auto token, confidential_space::UnverifiedToken::decode(evidence));
  CollateralPlan out;
  if (token.is_pki()) return out;
  out.requests.push_back(
      {.service = CollateralService::kGoogle,
       .target = "/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com",
       .parts = {kKeySet}});
  return out;
}

// --- NVIDIA ---

// What a device says about itself may stand in a path only if it cannot leave it.
bool is_path_word(std::string_view text) {
  return !text.empty() && text.size() <= 32 && text.find("..") == std::string_view::npos &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_';
         });
}

// Only Blackwell devices name their chip.
std::string driver_rim_id(const UnverifiedGpuReport& report) {
  const std::string chip = report.opaque_text(OpaqueType::kChipInfo);
  return (chip.empty() ? "NV_GPU_DRIVER_GH100" : "NV_GPU_CC_DRIVER_" + chip) + "_" +
         report.opaque_text(OpaqueType::kDriverVersion);
}

std::string vbios_rim_id(const UnverifiedGpuReport& report) {
  std::string version = report.vbios_version();
  std::erase(version, '.');
  return "NV_GPU_VBIOS_" + report.opaque_text(OpaqueType::kProject) + "_" +
         report.opaque_text(OpaqueType::kProjectSku) + "_" + report.opaque_text(OpaqueType::kChipSku) + "_" + version;
}

CollateralRequest rim_request(const std::string& id, std::string_view name, std::string_view file) {
  return {.service = CollateralService::kNvidiaRim,
          .target = "/v1/rim/" + id,
          .parts = {{.name = name, .file = file, .source = CollateralSource::kBase64Member, .key = "rim"}}};
}

Result<CollateralPlan> plan_gpu_report(ByteView evidence) {
  EML_TRY(const auto report, UnverifiedGpuReport::decode(evidence));
  for (const OpaqueType type :
       {OpaqueType::kDriverVersion, OpaqueType::kProject, OpaqueType::kProjectSku, OpaqueType::kChipSku}) {
    if (!is_path_word(report.opaque_text(type))) {
      return fail(kCollateralUnknown, "the device does not name what its manifests are called by (a switch never does)",
                  static_cast<std::uint64_t>(type));
    }
  }
  const bool names_chip = report.opaque(OpaqueType::kChipInfo).has_value();
  if (names_chip && !is_path_word(report.opaque_text(OpaqueType::kChipInfo))) {
    return fail(kCollateralUnknown, "the device's chip has no name");
  }
  if (!is_path_word(report.vbios_version())) return fail(kCollateralUnknown, "the device has no VBIOS version");
  CollateralPlan out;
  out.requests = {rim_request(driver_rim_id(report), "driver_rim", "driver_rim.xml"),
                  rim_request(vbios_rim_id(report), "vbios_rim", "vbios_rim.xml")};
  out.elsewhere = {{.name = "chain", .where = "the device's certificates come from it, with the report"}};
  return out;
}

Result<CollateralPlan> plan_nvidia(ByteView evidence) {
  if (!UnverifiedNrasTokens::decode(evidence)) return plan_gpu_report(evidence);
  CollateralPlan out;
  out.requests.push_back(
      {.service = CollateralService::kNvidiaNras, .target = "/.well-known/jwks.json", .parts = {kKeySet}});
  return out;
}

Result<CollateralPlan> plan_tpm() {
  CollateralPlan out;
  out.elsewhere = {{.name = "signature, pcrs and the key's certificates", .where = "they come with the quote"}};
  return out;
}

// --- Answers ---

Result<Bytes> unescape(std::string_view text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(static_cast<std::uint8_t>(text[i]));
      continue;
    }
    const auto byte = from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return fail(kCollateralAnswer, "a header is not URL-escaped", i);
    out.push_back(byte->front());
    i += 2;
  }
  return out;
}

Result<Bytes> base64_member(ByteView body, std::string_view key) {
  // A manifest of 1 MiB is a third longer in base64.
  const auto json = parse_json(body, {.bytes_max = 2U << 20, .depth_max = 8});
  if (!json || !json->is_object()) return fail(kCollateralAnswer, "the answer is not a JSON object");
  const auto text = json_text(json->get_object(), key);
  if (!text) return fail(kCollateralAnswer, "the answer lacks the member that holds the item");
  auto bytes = from_base64(*text);
  if (!bytes) return fail(kCollateralAnswer, "the item is not base64");
  return *std::move(bytes);
}

}  // namespace

std::span<const CollateralServiceInfo> collateral_services() { return kServices; }

Result<CollateralPlan> plan_collateral(std::string_view kind, ByteView evidence, const CollateralHints& hints) {
  if (kind == "tdx") return plan_tdx(evidence);
  if (kind == "sevsnp") return plan_sevsnp(evidence, hints);
  if (kind == "confidential_space") return plan_confidential_space(evidence);
  if (kind == "nvidia") return plan_nvidia(evidence);
  if (kind == "tpm") return plan_tpm();
  if (kind == "nitro") return CollateralPlan();  // a document brings its whole chain
  return fail(kCollateralUnknown, "this kind has no vendor");
}

Result<Bytes> extract_collateral(const CollateralPart& part, ByteView body, std::string_view header) {
  if (part.source == CollateralSource::kBase64Member) return base64_member(body, part.key);
  if (part.source == CollateralSource::kBody) return to_bytes(body);
  if (header.empty()) return fail(kCollateralAnswer, "the answer lacks the header that holds the item");
  return unescape(header);
}

}  // namespace eml
