// TcbInfo and QeIdentity: Intel's signed statements about which firmware and which quoting enclaves are current.
// Decoded here; that Intel's TCB signing key signed `signed_bytes` is verify.h's question. Source:
// docs/spec/evidence/tdx.md, sections 3 and 6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attestation/tdx/quote.h"
#include "attestation/tdx/tcb_status.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace eml::tdx {

inline constexpr std::size_t kCollateralBytesMax = 1U << 20;  // each file; genuine ones are below 6 KiB

// SignedText is a JSON object with the bytes that its signature covers.
struct SignedText {
  Bytes signed_bytes;  // from { to }, as they arrived
  Bytes signature;     // r || s, 64 bytes
};

struct Validity {
  UnixSeconds issue_date = 0;
  UnixSeconds next_update = 0;
};

// TcbLevel is one level of a platform. `tdx` is zero where the document is for SGX.
struct TcbLevel {
  ByteArray<16> sgx{};
  std::uint16_t pcesvn = 0;
  ByteArray<16> tdx{};
  UnixSeconds date = 0;
  TcbStatus status = TcbStatus::kRevoked;
  std::vector<std::string> advisories;
};

// SvnLevel is one level of a TDX module or of a quoting enclave: UpToDate, OutOfDate or Revoked.
struct SvnLevel {
  std::uint16_t isvsvn = 0;
  UnixSeconds date = 0;
  TcbStatus status = TcbStatus::kRevoked;
  std::vector<std::string> advisories;
};

struct TdxModule {
  Hash48 mrsigner{};
  ByteArray<8> attributes{};
  ByteArray<8> attributes_mask{};
};

struct TdxModuleIdentity {
  std::uint8_t version = 0;  // of the id "TDX_01"
  TdxModule module;
  std::vector<SvnLevel> levels;  // highest first, at least one
};

enum class TcbInfoId : std::uint8_t { kSgx, kTdx };

struct TcbInfo {
  SignedText text;
  unsigned version = 0;  // 2 or 3
  TcbInfoId id = TcbInfoId::kSgx;
  Validity validity;
  ByteArray<6> fmspc{};
  ByteArray<2> pceid{};
  std::uint64_t evaluation_data_number = 0;
  std::optional<TdxModule> module;            // exactly if id is kTdx
  std::vector<TdxModuleIdentity> identities;  // no version twice
  std::vector<TcbLevel> levels;               // highest first, at least one, none twice
};

enum class QeIdentityId : std::uint8_t { kQe, kTdQe };

struct QeIdentity {
  SignedText text;
  QeIdentityId id = QeIdentityId::kQe;
  Validity validity;
  std::uint64_t evaluation_data_number = 0;
  ByteArray<4> misc_select{};
  ByteArray<4> misc_select_mask{};
  ByteArray<16> attributes{};
  ByteArray<16> attributes_mask{};
  Hash32 mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::vector<SvnLevel> levels;  // highest first, at least one
};

// decode_tcb_info: kParse; kTcbInfoType for another version, tcbType or id, and for SGX with TDX modules;
// kTcbInfoSignature if there is no signature of the right form.
Result<TcbInfo> decode_tcb_info(ByteView json);
// decode_qe_identity: kParse; kQeIdentityMismatch for another version or id; kQeIdentitySignature likewise.
Result<QeIdentity> decode_qe_identity(ByteView json);

// find_identity returns the identity of a module version, or null. best_level returns the first level at or below
// `isvsvn`, or null.
const TdxModuleIdentity* find_identity(const TcbInfo& info, std::uint8_t version);
const SvnLevel* best_level(const std::vector<SvnLevel>& levels, std::uint16_t isvsvn);

}  // namespace eml::tdx
