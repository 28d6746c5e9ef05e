#include "attestation/tdx/fields.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace eml::tdx {
namespace {

void add_hex(JsonObject& out, std::string_view name, ByteView bytes) { out.emplace(name, hex(bytes)); }

void add_td(JsonObject& out, const TdReport& td) {
  add_hex(out, "tee_tcb_svn", td.tee_tcb_svn);
  add_hex(out, "mrseam", td.mrseam);
  add_hex(out, "mrsignerseam", td.mrsignerseam);
  add_hex(out, "seamattributes", td.seamattributes);
  add_hex(out, "tdattributes", td.tdattributes);
  add_hex(out, "xfam", td.xfam);
  add_hex(out, "mrtd", td.mrtd);
  add_hex(out, "mrconfigid", td.mrconfigid);
  add_hex(out, "mrowner", td.mrowner);
  add_hex(out, "mrownerconfig", td.mrownerconfig);
  constexpr std::array<std::string_view, 4> kNames{"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
  for (std::size_t i = 0; i < kNames.size(); ++i) add_hex(out, kNames[i], td.rtmr[i]);
  if (td.tee_tcb_svn2) add_hex(out, "tee_tcb_svn2", *td.tee_tcb_svn2);
  if (td.mrservicetd) add_hex(out, "mrservicetd", *td.mrservicetd);
}

void add_enclave(JsonObject& out, const EnclaveReport& enclave) {
  add_hex(out, "cpu_svn", enclave.cpu_svn);
  add_hex(out, "misc_select", enclave.misc_select);
  add_hex(out, "attributes", enclave.attributes);
  add_hex(out, "mr_enclave", enclave.mr_enclave);
  add_hex(out, "mr_signer", enclave.mr_signer);
  out.emplace("isv_prod_id", enclave.isv_prod_id);
  out.emplace("isv_svn", enclave.isv_svn);
}

Json configuration_fields(const std::optional<PckConfiguration>& configuration) {
  if (!configuration) return nullptr;
  JsonObject out;
  if (configuration->dynamic_platform) out.emplace("1", *configuration->dynamic_platform);
  if (configuration->cached_keys) out.emplace("2", *configuration->cached_keys);
  if (configuration->smt_enabled) out.emplace("3", *configuration->smt_enabled);
  return out;
}

// Bits of TDATTRIBUTES and of the first byte of an enclave's ATTRIBUTES, by the names of the page.
JsonObject td_flags(const TdReport& td) {
  const bool service =
      td.mrservicetd && std::ranges::any_of(*td.mrservicetd, [](std::uint8_t byte) { return byte != 0; });
  return {{"debug", td.attribute(0)},       {"sept_ve_disable", td.attribute(28)},
          {"migratable", td.attribute(29)}, {"pks", td.attribute(30)},
          {"kl", td.attribute(31)},         {"perfmon", td.attribute(63)},
          {"mrservicetd_nonzero", service}};
}

JsonObject enclave_flags(const EnclaveReport& enclave) {
  const unsigned flags = enclave.attributes[0];
  return {{"debug", enclave.debug()},
          {"init", (flags & 1U) != 0},
          {"mode64", (flags & 4U) != 0},
          {"provision_key", (flags & 16U) != 0}};
}

Json word(const std::optional<TcbStatus>& status) {
  if (!status) return nullptr;
  return Json(to_string(*status));
}

}  // namespace

JsonObject report_fields(const UnverifiedQuote& quote) {
  JsonObject out;
  out.reserve(24);
  out.emplace("quote_version", quote.header.version);
  out.emplace("tee_type", static_cast<std::uint32_t>(quote.header.tee_type));
  out.emplace("body_type", static_cast<unsigned>(quote.body_type));
  out.emplace("qe_svn", quote.header.qe_svn);
  out.emplace("pce_svn", quote.header.pce_svn);
  if (quote.td() != nullptr) {
    add_td(out, *quote.td());
  } else {
    add_enclave(out, *quote.enclave());
  }
  add_hex(out, "report_data", quote.report_data());
  out.emplace("qe", JsonObject{{"mr_signer", hex(quote.qe_report.mr_signer)},
                               {"isv_prod_id", quote.qe_report.isv_prod_id},
                               {"isv_svn", quote.qe_report.isv_svn}});
  return out;
}

JsonObject pck_fields(const PckExtension& extension, std::string_view ca) {
  JsonArray components;
  for (const std::uint8_t svn : extension.components) components.emplace_back(svn);
  JsonObject out;
  add_hex(out, "fmspc", extension.fmspc);
  add_hex(out, "pceid", extension.pceid);
  out.emplace("pcesvn", extension.pcesvn);
  out.emplace("tcb_components", std::move(components));
  out.emplace("sgx_type", extension.sgx_type);
  out.emplace("configuration", configuration_fields(extension.configuration));
  out.emplace("ca", ca);
  return out;
}

JsonObject verdict_details(const VerifiedQuote& verified) {
  const TcbVerdict& tcb = verified.tcb;
  JsonObject out;
  out.emplace("platform_status", word(tcb.platform));
  out.emplace("module_status", word(tcb.module));
  out.emplace("qe_status", word(tcb.qe));
  out.emplace("tcb_date", tcb.date ? Json(rfc3339(*tcb.date)) : Json(nullptr));
  out.emplace("tcb_evaluation_data_number", verified.tcb_info_number);
  const TdReport* td = verified.quote.td();
  out.emplace("policy_flags", td != nullptr ? td_flags(*td) : enclave_flags(*verified.quote.enclave()));
  return out;
}

}  // namespace eml::tdx
