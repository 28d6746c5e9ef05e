// SnpReport is AMD SEV-SNP's attestation report, decoded; UnverifiedSnpReport is one whose signature nobody verified.
// Source: AMD 56860 (SEV-SNP Firmware ABI), "ATTESTATION_REPORT"; docs/spec/evidence/sevsnp.md, section 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "encoding/json.h"

namespace eml {

inline constexpr ErrorCode kSnpParse{ErrorClass::kMalformed, "sevsnp-parse"};  // integers: expected, got
inline constexpr ErrorCode kSnpReserved{ErrorClass::kMalformed, "sevsnp-nonzero-reserved"};

inline constexpr std::size_t kSnpReportBytes = 1184;
inline constexpr std::size_t kSnpSignedBytes = 0x2a0;

enum class SnpProduct : std::uint8_t { kMilan, kGenoa, kTurin };
std::string_view to_string(SnpProduct product);  // "Milan", ...
std::optional<SnpProduct> parse_snp_product(std::string_view name);

// SnpTcb names the components of a TCB_VERSION, which a product orders in its own way. They are compared one by one.
struct SnpTcb {
  std::uint8_t bootloader = 0;
  std::uint8_t tee = 0;
  std::uint8_t snp = 0;
  std::uint8_t microcode = 0;
  std::uint8_t fmc = 0;  // Turin; else 0
  ByteArray<4> spare{};  // bytes 2 to 5 (Turin: 4 to 6), in their order
  bool operator==(const SnpTcb&) const = default;
};
using SnpTcbBytes = ByteArray<8>;
SnpTcb decode_snp_tcb(SnpProduct product, const SnpTcbBytes& bytes);

struct SnpFirmware {
  std::uint8_t build = 0;
  std::uint8_t minor = 0;
  std::uint8_t major = 0;
  bool operator==(const SnpFirmware&) const = default;
};

struct SnpReport {
  std::uint32_t version = 0;
  std::uint32_t guest_svn = 0;
  std::uint64_t policy = 0;
  ByteArray<16> family_id{};
  ByteArray<16> image_id{};
  std::uint32_t vmpl = 0;
  std::uint32_t signature_algo = 0;
  SnpTcbBytes current_tcb{};
  std::uint64_t platform_info = 0;
  std::uint32_t flags = 0;
  ByteArray<64> report_data{};
  ByteArray<48> measurement{};
  ByteArray<32> host_data{};
  ByteArray<48> id_key_digest{};
  ByteArray<48> author_key_digest{};
  ByteArray<32> report_id{};
  ByteArray<32> report_id_ma{};
  SnpTcbBytes reported_tcb{};
  std::uint8_t cpuid_family = 0;  // these three from version 3 on
  std::uint8_t cpuid_model = 0;
  std::uint8_t cpuid_stepping = 0;
  ByteArray<64> chip_id{};
  SnpTcbBytes committed_tcb{};
  SnpFirmware current_firmware;
  SnpFirmware committed_firmware;
  SnpTcbBytes launch_tcb{};
  std::uint64_t launch_mitigations = 0;  // these two in version 5
  std::uint64_t current_mitigations = 0;

  bool author_key_enabled() const { return (flags & 1U) != 0; }
  bool mask_chip_key() const { return (flags & 2U) != 0; }
  unsigned signing_key() const { return (flags >> 2U) & 7U; }
  bool debug_allowed() const { return (policy >> 19U & 1U) != 0; }
  bool migration_agent_allowed() const { return (policy >> 18U & 1U) != 0; }
  // product by CPUID; nullopt before version 3 and for a processor that is none of the three.
  std::optional<SnpProduct> product() const;
};

struct UnverifiedSnpReport {
  SnpReport report;
  Bytes signed_bytes;  // the first kSnpSignedBytes
  ByteArray<72> r{};   // little-endian
  ByteArray<72> s{};
};

// decode_snp_report reads the places that all versions share; it does not judge the version.
// kSnpParse unless there are exactly kSnpReportBytes; kSnpReserved if the last 368 bytes are not zero.
Result<UnverifiedSnpReport> decode_snp_report(ByteView bytes);

// snp_report_fields are the report's fields by the names of sevsnp.md.
Json snp_report_fields(const SnpReport& report);

}  // namespace eml
