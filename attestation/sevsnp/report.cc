#include "attestation/sevsnp/report.h"

#include <boost/json/object.hpp>

#include "encoding/reader.h"

namespace eml {
namespace {

Result<SnpFirmware> decode_firmware(Reader& in) {
  SnpFirmware out;
  EML_TRY(out.build, in.u8());
  EML_TRY(out.minor, in.u8());
  EML_TRY(out.major, in.u8());
  EML_CHECK(in.bytes(1));
  return out;
}

// In the order of the table, so that each read's offset is the sum of what stands before it.
Status decode_head(Reader& in, SnpReport& out) {
  EML_TRY(out.version, in.u32_le());
  EML_TRY(out.guest_svn, in.u32_le());
  EML_TRY(out.policy, in.u64_le());
  EML_TRY(out.family_id, in.array<16>());
  EML_TRY(out.image_id, in.array<16>());
  EML_TRY(out.vmpl, in.u32_le());
  EML_TRY(out.signature_algo, in.u32_le());
  EML_TRY(out.current_tcb, in.array<8>());
  EML_TRY(out.platform_info, in.u64_le());
  EML_TRY(out.flags, in.u32_le());
  EML_CHECK(in.bytes(4));
  EML_TRY(out.report_data, in.array<64>());
  EML_TRY(out.measurement, in.array<48>());
  EML_TRY(out.host_data, in.array<32>());
  EML_TRY(out.id_key_digest, in.array<48>());
  EML_TRY(out.author_key_digest, in.array<48>());
  EML_TRY(out.report_id, in.array<32>());
  EML_TRY(out.report_id_ma, in.array<32>());
  return {};
}

Status decode_platform(Reader& in, SnpReport& out) {
  EML_TRY(out.reported_tcb, in.array<8>());
  EML_TRY(out.cpuid_family, in.u8());
  EML_TRY(out.cpuid_model, in.u8());
  EML_TRY(out.cpuid_stepping, in.u8());
  EML_CHECK(in.bytes(21));
  EML_TRY(out.chip_id, in.array<64>());
  EML_TRY(out.committed_tcb, in.array<8>());
  EML_TRY(out.current_firmware, decode_firmware(in));
  EML_TRY(out.committed_firmware, decode_firmware(in));
  EML_TRY(out.launch_tcb, in.array<8>());
  EML_TRY(out.launch_mitigations, in.u64_le());
  EML_TRY(out.current_mitigations, in.u64_le());
  EML_CHECK(in.bytes(kSnpSignedBytes - 0x208));
  return {};
}

}  // namespace

std::string_view to_string(SnpProduct product) {
  switch (product) {
    case SnpProduct::kMilan:
      return "Milan";
    case SnpProduct::kGenoa:
      return "Genoa";
    case SnpProduct::kTurin:
      break;
  }
  return "Turin";
}

std::optional<SnpProduct> parse_snp_product(std::string_view name) {
  for (const SnpProduct product : {SnpProduct::kMilan, SnpProduct::kGenoa, SnpProduct::kTurin}) {
    if (name == to_string(product)) return product;
  }
  return std::nullopt;
}

SnpTcb decode_snp_tcb(SnpProduct product, const SnpTcbBytes& b) {
  if (product == SnpProduct::kTurin) {
    return {.bootloader = b[1], .tee = b[2], .snp = b[3], .microcode = b[7], .fmc = b[0], .spare = {b[4], b[5], b[6]}};
  }
  return {.bootloader = b[0], .tee = b[1], .snp = b[6], .microcode = b[7], .spare = {b[2], b[3], b[4], b[5]}};
}

std::optional<SnpProduct> SnpReport::product() const {
  if (version < 3) return std::nullopt;
  if (cpuid_family == 0x19) {
    if (cpuid_model <= 0x0f) return SnpProduct::kMilan;
    if (cpuid_model <= 0x1f || (cpuid_model >= 0xa0 && cpuid_model <= 0xaf)) return SnpProduct::kGenoa;
  }
  if (cpuid_family == 0x1a && cpuid_model <= 0x11) return SnpProduct::kTurin;
  return std::nullopt;
}

Result<UnverifiedSnpReport> decode_snp_report(ByteView bytes) {
  if (bytes.size() != kSnpReportBytes) {
    return fail(kSnpParse, "a report has another size", kSnpReportBytes, bytes.size());
  }
  UnverifiedSnpReport out;
  Reader in(bytes);
  EML_CHECK(decode_head(in, out.report));
  EML_CHECK(decode_platform(in, out.report));
  out.signed_bytes = to_bytes(bytes.first(kSnpSignedBytes));
  EML_TRY(out.r, in.array<72>());
  EML_TRY(out.s, in.array<72>());
  if (!in.must_be_zero(in.remaining())) return fail(kSnpReserved, "bytes after the signature are not zero");
  return out;
}

Json snp_report_fields(const SnpReport& report) {
  JsonObject out;
  out["version"] = report.version;
  out["guest_svn"] = report.guest_svn;
  out["policy"] = report.policy;
  out["family_id"] = hex(report.family_id);
  out["image_id"] = hex(report.image_id);
  out["vmpl"] = report.vmpl;
  out["signature_algo"] = report.signature_algo;
  out["platform_info"] = report.platform_info;
  out["author_key_en"] = report.author_key_enabled() ? 1 : 0;
  out["mask_chip_key"] = report.mask_chip_key() ? 1 : 0;
  out["signing_key"] = report.signing_key();
  out["report_data"] = hex(report.report_data);
  out["measurement"] = hex(report.measurement);
  out["host_data"] = hex(report.host_data);
  out["id_key_digest"] = hex(report.id_key_digest);
  out["author_key_digest"] = hex(report.author_key_digest);
  out["report_id"] = hex(report.report_id);
  out["report_id_ma"] = hex(report.report_id_ma);
  out["chip_id"] = hex(report.chip_id);
  out["current_tcb"] = hex(report.current_tcb);
  out["reported_tcb"] = hex(report.reported_tcb);
  out["committed_tcb"] = hex(report.committed_tcb);
  out["launch_tcb"] = hex(report.launch_tcb);
  const auto product = report.product();
  out["product"] = product ? Json(to_string(*product)) : Json(nullptr);
  if (report.version >= 5) {
    out["launch_mitigations"] = report.launch_mitigations;
    out["current_mitigations"] = report.current_mitigations;
  }
  return out;
}

}  // namespace eml
