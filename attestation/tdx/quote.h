// UnverifiedQuote: an Intel DCAP quote, version 3 (SGX), 4 (SGX or TDX) or 5 (SGX, TDX 1.0 or 1.5), from bytes to
// fields. Nothing in it is believed: who signed it is verify.h's question. Source: docs/spec/evidence/tdx.md, section 2
// and step 1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"

namespace eml::tdx {

inline constexpr std::size_t kQuoteBytesMax = 1U << 20;  // genuine ones, with their padding, are below 8,001

using TcbSvn = ByteArray<16>;

enum class TeeType : std::uint32_t { kSgx = 0, kTdx = 0x81 };
enum class BodyType : std::uint8_t { kEnclave = 1, kTd10 = 2, kTd15 = 3 };  // as in version 5

struct QuoteHeader {
  std::uint16_t version = 0;
  TeeType tee_type = TeeType::kSgx;
  std::uint16_t qe_svn = 0;   // version 3; later reserved
  std::uint16_t pce_svn = 0;  // version 3; later reserved
};

// EnclaveReport is the body of an SGX quote, and the QE's own report in every quote.
struct EnclaveReport {
  TcbSvn cpu_svn{};
  ByteArray<4> misc_select{};
  ByteArray<16> attributes{};
  Hash32 mr_enclave{};
  Hash32 mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
  ByteArray<64> report_data{};

  bool debug() const { return (attributes[0] & 2U) != 0; }
};

struct TdReport {
  TcbSvn tee_tcb_svn{};
  Hash48 mrseam{};
  Hash48 mrsignerseam{};
  ByteArray<8> seamattributes{};
  ByteArray<8> tdattributes{};
  ByteArray<8> xfam{};
  Hash48 mrtd{};
  Hash48 mrconfigid{};
  Hash48 mrowner{};
  Hash48 mrownerconfig{};
  std::array<Hash48, 4> rtmr{};
  ByteArray<64> report_data{};
  // Body 1.5 only.
  std::optional<TcbSvn> tee_tcb_svn2;
  std::optional<Hash48> mrservicetd;

  // attribute is one bit of TDATTRIBUTES.
  bool attribute(unsigned bit) const { return ((tdattributes[bit / 8] >> (bit % 8)) & 1U) != 0; }
  bool debug() const { return attribute(0); }
};

// UnverifiedQuote views the bytes that it was decoded from, which must outlive it.
struct UnverifiedQuote {
  QuoteHeader header;
  BodyType body_type = BodyType::kEnclave;
  std::variant<EnclaveReport, TdReport> body;
  ByteView signed_bytes;     // header and body
  ByteView signature;        // r || s over them, 64 bytes
  ByteView attestation_key;  // x || y, 64 bytes
  // From the attestation key to the end of the QE authentication data: all that certifies the key, in one piece.
  ByteView key_certification;
  EnclaveReport qe_report;
  ByteView qe_report_bytes;      // 384 bytes
  ByteView qe_report_signature;  // r || s over them
  ByteView qe_auth_data;
  ByteView cert_data;  // of type 5: PEM

  const TdReport* td() const { return std::get_if<TdReport>(&body); }
  const EnclaveReport* enclave() const { return std::get_if<EnclaveReport>(&body); }
  bool debug() const { return td() != nullptr ? td()->debug() : enclave()->debug(); }
  const ByteArray<64>& report_data() const { return td() != nullptr ? td()->report_data : enclave()->report_data; }
};

// decode_quote: the errors of step 1 of the page, in its order.
Result<UnverifiedQuote> decode_quote(ByteView bytes);

}  // namespace eml::tdx
