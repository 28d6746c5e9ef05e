#include "attestation/tpm/hcl_report.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "crypto/hash.h"
#include "encoding/base64.h"
#include "encoding/json.h"
#include "encoding/reader.h"

namespace eml {
namespace {

constexpr std::string_view kSignature = "HCLA";
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kHardwareBytes = 1184;  // the area's size, whatever lies in it
constexpr std::size_t kTdReportBytes = 1024;
constexpr std::uint32_t kHashSha256 = 1;
constexpr std::size_t kIgvmHeaderBytes = 20;
constexpr std::size_t kSnpReportData = 0x50;
constexpr std::size_t kTdReportData = 0x80;
constexpr std::size_t kReportDataBytes = 64;

std::unexpected<Error> malformed(Literal what, std::size_t offset) { return fail(kTpmHclParse, what, offset); }

struct IgvmHeader {
  std::uint32_t data_size = 0;
  std::uint32_t version = 0;
  std::uint32_t report_type = 0;
  std::uint32_t hash_type = 0;
  std::uint32_t variable_data_size = 0;
};

Result<IgvmHeader> read_igvm_header(Reader& in) {
  IgvmHeader out;
  EML_TRY(out.data_size, in.u32_le());
  EML_TRY(out.version, in.u32_le());
  EML_TRY(out.report_type, in.u32_le());
  EML_TRY(out.hash_type, in.u32_le());
  EML_TRY(out.variable_data_size, in.u32_le());
  return out;
}

Status judge_igvm_header(const IgvmHeader& header, std::size_t remaining) {
  if (header.report_type != static_cast<std::uint32_t>(HclReportType::kSnp) &&
      header.report_type != static_cast<std::uint32_t>(HclReportType::kTdx)) {
    return malformed("neither an SNP report nor a TDREPORT", kHeaderBytes + kHardwareBytes);
  }
  if (header.hash_type != kHashSha256) {
    return malformed("runtime data with another hash than SHA-256", kHeaderBytes + kHardwareBytes);
  }
  if (header.variable_data_size > remaining || header.data_size != header.variable_data_size + kIgvmHeaderBytes) {
    return malformed("sizes of runtime data that do not agree", kHeaderBytes + kHardwareBytes);
  }
  return {};
}

// jwk_number reads a member of a JWK: unpadded base64url.
Result<Bytes> jwk_number(const JsonObject& key, std::string_view name) {
  const auto text = json_text(key, name);
  auto bytes = text ? from_base64url(*text) : std::nullopt;
  if (!bytes) return malformed("the attestation key in the runtime data is not an RSA JWK", 0);
  return *bytes;
}

bool is_attestation_jwk(const Json& key) {
  const JsonObject* const object = key.if_object();
  if (object == nullptr) return false;
  const auto kid = json_text(*object, "kid");
  return kid && *kid == "HCLAkPub";
}

}  // namespace

Result<HclReport> decode_hcl_report(ByteView bytes) {
  Reader in(bytes);
  const auto head = in.bytes(kHeaderBytes);
  const auto hardware = in.bytes(kHardwareBytes);
  const auto header = read_igvm_header(in);
  if (!head || !hardware || !header) return malformed("an HCL report ends too early", in.offset());
  if (!as_text(*head).starts_with(kSignature)) return malformed("not an HCL report", 0);
  EML_CHECK(judge_igvm_header(*header, in.remaining()));
  HclReport out{.type = static_cast<HclReportType>(header->report_type), .hash_type = header->hash_type};
  const std::size_t used = out.type == HclReportType::kSnp ? kHardwareBytes : kTdReportBytes;
  out.hardware_report = to_bytes(hardware->first(used));
  out.runtime_data = to_bytes(in.bytes(header->variable_data_size).value_or(ByteView()));
  const auto zero = [](std::uint8_t byte) { return byte == 0; };
  if (!std::ranges::all_of(hardware->subspan(used), zero) || !std::ranges::all_of(in.rest(), zero)) {
    return malformed("padding of an HCL report is not zero", kHeaderBytes);
  }
  return out;
}

Bytes hcl_report_data(const HclReport& report) {
  const std::size_t offset = report.type == HclReportType::kSnp ? kSnpReportData : kTdReportData;
  return to_bytes(ByteView(report.hardware_report).subspan(offset, kReportDataBytes));
}

Status expect_runtime_data(ByteView report_data, ByteView runtime_data) {
  const Bytes expected = concat(sha256(runtime_data), Hash32{});
  if (equal(expected, report_data)) return {};
  return fail(kTpmRuntimeDataBinding, "the hardware report is not over this runtime data");
}

Result<PublicKey> hcl_attestation_key(ByteView runtime_data) {
  const auto json = parse_json(runtime_data);
  const JsonObject* const object = json ? json->if_object() : nullptr;
  const auto keys = object != nullptr ? json_array(*object, "keys")
                                      : Result<const JsonArray*>(fail(kTpmHclParse, "runtime data is no JSON object"));
  if (!keys) return malformed("runtime data without keys", 0);
  if (std::ranges::count_if(**keys, is_attestation_jwk) != 1) {
    return malformed("runtime data without one attestation key", 0);
  }
  const JsonObject& key = std::ranges::find_if(**keys, is_attestation_jwk)->get_object();
  EML_TRY(const Bytes modulus, jwk_number(key, "n"));
  EML_TRY(const Bytes exponent, jwk_number(key, "e"));
  auto out = PublicKey::from_rsa(modulus, exponent);
  if (!out) return malformed("the attestation key in the runtime data is not an RSA key", 0);
  return *std::move(out);
}

}  // namespace eml
