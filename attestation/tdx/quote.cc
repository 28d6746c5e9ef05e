#include "attestation/tdx/quote.h"

#include <algorithm>
#include <array>

#include "attestation/tdx/errors.h"
#include "encoding/reader.h"

namespace eml::tdx {
namespace {

constexpr std::size_t kHeaderBytes = 48;
constexpr std::size_t kEnclaveReportBytes = 384;
constexpr std::size_t kTd10Bytes = 584;
constexpr std::size_t kTd15Bytes = 648;
constexpr std::size_t kSignatureBytes = 64;
constexpr std::uint16_t kEcdsaP256 = 2;
constexpr std::uint16_t kPckChainPem = 5;
constexpr std::uint16_t kQeReportCertification = 6;
constexpr ByteArray<16> kIntelQe{0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

// The one error of whatever does not fit: where, and how much was wanted.
template <typename T>
Result<T> fitting(Result<T> read) {
  if (read) return read;
  return fail(kParse, "the quote ends early", read.error().first(), read.error().second());
}

Result<QuoteHeader> decode_header(ByteView bytes) {
  if (bytes.size() < kHeaderBytes) return fail(kParse, "no quote header", bytes.size());
  Reader in(bytes.first(kHeaderBytes));
  QuoteHeader out;
  EML_TRY(out.version, in.u16_le());
  EML_TRY(const std::uint16_t key_type, in.u16_le());
  EML_TRY(const std::uint32_t tee_type, in.u32_le());
  EML_TRY(out.qe_svn, in.u16_le());
  EML_TRY(out.pce_svn, in.u16_le());
  EML_TRY(const ByteView vendor, in.bytes(16));
  if (out.version < 3 || out.version > 5) {
    return fail(kUnsupportedVersion, "quotes of this version are not known", out.version);
  }
  if (key_type != kEcdsaP256) {
    return fail(kUnsupportedAttKeyType, "the attestation key is not ECDSA on P-256", key_type);
  }
  out.tee_type = static_cast<TeeType>(tee_type);
  const bool is_tdx = out.tee_type == TeeType::kTdx;
  if ((!is_tdx && out.tee_type != TeeType::kSgx) || (is_tdx && out.version == 3)) {
    return fail(kUnsupportedTeeType, "the TEE is neither SGX nor TDX in a version that has it", tee_type);
  }
  if (!equal(vendor, kIntelQe)) return fail(kQeVendorId, "the quoting enclave is not Intel's");
  return out;
}

// The reads below stay inside sizes that the caller has checked, so their errors cannot occur.
Result<EnclaveReport> decode_enclave_report(ByteView bytes) {
  Reader in(bytes);
  EnclaveReport out;
  EML_TRY(out.cpu_svn, in.array<16>());
  EML_TRY(out.misc_select, in.array<4>());
  EML_CHECK(in.bytes(28));
  EML_TRY(out.attributes, in.array<16>());
  EML_TRY(out.mr_enclave, in.array<32>());
  EML_CHECK(in.bytes(32));
  EML_TRY(out.mr_signer, in.array<32>());
  EML_CHECK(in.bytes(96));
  EML_TRY(out.isv_prod_id, in.u16_le());
  EML_TRY(out.isv_svn, in.u16_le());
  EML_CHECK(in.bytes(60));
  EML_TRY(out.report_data, in.array<64>());
  return out;
}

Result<TdReport> decode_td_report(ByteView bytes, BodyType type) {
  Reader in(bytes);
  TdReport out;
  EML_TRY(out.tee_tcb_svn, in.array<16>());
  EML_TRY(out.mrseam, in.array<48>());
  EML_TRY(out.mrsignerseam, in.array<48>());
  EML_TRY(out.seamattributes, in.array<8>());
  EML_TRY(out.tdattributes, in.array<8>());
  EML_TRY(out.xfam, in.array<8>());
  EML_TRY(out.mrtd, in.array<48>());
  EML_TRY(out.mrconfigid, in.array<48>());
  EML_TRY(out.mrowner, in.array<48>());
  EML_TRY(out.mrownerconfig, in.array<48>());
  for (Hash48& rtmr : out.rtmr) {
    EML_TRY(rtmr, in.array<48>());
  }
  EML_TRY(out.report_data, in.array<64>());
  if (type == BodyType::kTd15) {
    EML_TRY(out.tee_tcb_svn2, in.array<16>());
    EML_TRY(out.mrservicetd, in.array<48>());
  }
  return out;
}

std::size_t body_bytes(BodyType type) {
  switch (type) {
    case BodyType::kEnclave:
      return kEnclaveReportBytes;
    case BodyType::kTd10:
      return kTd10Bytes;
    case BodyType::kTd15:
      return kTd15Bytes;
  }
  return 0;
}

// Versions 3 and 4 have one body for each TEE; version 5 names it.
Result<BodyType> decode_body_type(const QuoteHeader& header, Reader& in) {
  const bool is_tdx = header.tee_type == TeeType::kTdx;
  if (header.version != 5) return is_tdx ? BodyType::kTd10 : BodyType::kEnclave;
  EML_TRY(const std::uint16_t type, fitting(in.u16_le()));
  EML_TRY(const std::uint32_t size, fitting(in.u32_le()));
  if (size > in.remaining()) return fail(kParse, "the body ends early", in.offset(), size);
  const bool known = type >= 1 && type <= 3;
  if (!known || body_bytes(static_cast<BodyType>(type)) != size || is_tdx == (type == 1)) {
    return fail(kBodyTypeSizeMismatch, "no body has this type, size and TEE", type, size);
  }
  return static_cast<BodyType>(type);
}

Status decode_body(UnverifiedQuote& out, ByteView bytes) {
  if (out.body_type == BodyType::kEnclave) {
    EML_TRY(out.body, decode_enclave_report(bytes));
  } else {
    EML_TRY(out.body, decode_td_report(bytes, out.body_type));
  }
  return {};
}

// Where the QE report begins: at once in version 3, inside certification data of type 6 later.
Status enter_outer_certification(const QuoteHeader& header, Reader& in) {
  if (header.version == 3) return {};
  EML_TRY(const std::uint16_t type, fitting(in.u16_le()));
  EML_TRY(const std::uint32_t size, fitting(in.u32_le()));
  if (type != kQeReportCertification) {
    return fail(kCertDataType, "the certification data is not of type 6", type);
  }
  if (size != in.remaining()) {
    return fail(kParse, "the certification data does not fill the signature data", size, in.remaining());
  }
  return {};
}

Status decode_signature_data(UnverifiedQuote& out, ByteView bytes) {
  Reader in(bytes);
  EML_TRY(out.signature, fitting(in.bytes(kSignatureBytes)));
  const std::size_t certification_from = in.offset();
  EML_TRY(out.attestation_key, fitting(in.bytes(64)));
  EML_CHECK(enter_outer_certification(out.header, in));
  EML_TRY(out.qe_report_bytes, fitting(in.bytes(kEnclaveReportBytes)));
  EML_TRY(out.qe_report, decode_enclave_report(out.qe_report_bytes));
  EML_TRY(out.qe_report_signature, fitting(in.bytes(kSignatureBytes)));
  EML_TRY(const std::uint16_t auth_size, fitting(in.u16_le()));
  EML_TRY(out.qe_auth_data, fitting(in.bytes(auth_size)));
  out.key_certification = bytes.subspan(certification_from, in.offset() - certification_from);
  EML_TRY(const std::uint16_t type, fitting(in.u16_le()));
  EML_TRY(const std::uint32_t size, fitting(in.u32_le()));
  if (type != kPckChainPem) {
    return fail(kUnsupportedCertDataType, "the certification data is not a PCK chain", type);
  }
  if (size != in.remaining()) {
    return fail(kParse, "the PCK chain does not fill the signature data", size, in.remaining());
  }
  out.cert_data = in.rest();
  return {};
}

}  // namespace

Result<UnverifiedQuote> decode_quote(ByteView bytes) {
  if (bytes.size() > kQuoteBytesMax) return fail(kParse, "the quote is too large", bytes.size());
  UnverifiedQuote out;
  EML_TRY(out.header, decode_header(bytes));
  Reader in(bytes);
  EML_CHECK(in.bytes(kHeaderBytes));
  EML_TRY(out.body_type, decode_body_type(out.header, in));
  EML_TRY(const ByteView body, fitting(in.bytes(body_bytes(out.body_type))));
  EML_CHECK(decode_body(out, body));
  out.signed_bytes = bytes.first(in.offset());
  EML_TRY(const std::uint32_t signature_size, fitting(in.u32_le()));
  EML_TRY(const ByteView signature_data, fitting(in.bytes(signature_size)));
  EML_CHECK(decode_signature_data(out, signature_data));
  const ByteView padding = in.rest();
  if (std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; })) {
    return fail(kTrailingData, "bytes that are not zero follow the quote", bytes.size() - padding.size());
  }
  return out;
}

}  // namespace eml::tdx
