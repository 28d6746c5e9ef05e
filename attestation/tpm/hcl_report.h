// HclReport is what Azure's paravisor leaves in the vTPM: a hardware report, and runtime data (JSON) whose hash is in
// that report, with the vTPM's attestation key among it.
// Source: azure-cvm-tooling, az-cvm-vtpm/src/hcl; docs/spec/evidence/tpm.md, section 4.
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/public_key.h"

namespace eml {

inline constexpr ErrorCode kTpmHclParse{ErrorClass::kMalformed, "tpm-hcl-parse"};  // integer: offset
inline constexpr ErrorCode kTpmRuntimeDataBinding{ErrorClass::kUnauthentic, "tpm-runtime-data-binding"};

enum class HclReportType : std::uint8_t { kSnp = 2, kTdx = 4 };

struct HclReport {
  HclReportType type = HclReportType::kSnp;
  std::uint32_t hash_type = 0;  // 1: SHA-256
  // kSnp: an SNP report of 1,184 bytes; kTdx: a TDREPORT of 1,024. Nothing of it is verified.
  Bytes hardware_report;
  Bytes runtime_data;  // JSON
};

// decode_hcl_report reads header, report, data, and zeros up to the end. kTpmHclParse.
Result<HclReport> decode_hcl_report(ByteView bytes);

// hcl_report_data is the 64 bytes of REPORT_DATA in the hardware report.
Bytes hcl_report_data(const HclReport& report);

// expect_runtime_data: report data is SHA-256 of exactly this runtime data, and 32 zeros. kTpmRuntimeDataBinding.
Status expect_runtime_data(ByteView report_data, ByteView runtime_data);

// hcl_attestation_key is the RSA key of kid "HCLAkPub" in runtime data. kTpmHclParse.
Result<PublicKey> hcl_attestation_key(ByteView runtime_data);

}  // namespace eml
