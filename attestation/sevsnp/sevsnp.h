// Kind `sevsnp`: AMD SEV-SNP attestation reports, from bytes to a verdict.
// Source: docs/spec/evidence/sevsnp.md; AMD 56860, 57230 and 58369.
#pragma once

#include <optional>

#include "attestation/judge.h"
#include "attestation/sevsnp/endorsements.h"
#include "attestation/sevsnp/report.h"

namespace eml {

inline constexpr ErrorCode kSnpRequirements{ErrorClass::kMalformed, "sevsnp-requirements"};
inline constexpr ErrorCode kSnpRootParse{ErrorClass::kMalformed, "sevsnp-root-parse"};
inline constexpr ErrorCode kSnpReportSignature{ErrorClass::kUnauthentic, "sevsnp-report-signature"};
inline constexpr ErrorCode kSnpUnsupportedVersion{ErrorClass::kUnsupported, "sevsnp-unsupported-version"};
inline constexpr ErrorCode kSnpSignatureAlgo{ErrorClass::kUnsupported, "sevsnp-signature-algo"};
inline constexpr ErrorCode kSnpSigningKeyMismatch{ErrorClass::kUnauthentic, "sevsnp-signing-key-mismatch"};
inline constexpr ErrorCode kSnpChipKeyMasked{ErrorClass::kRejected, "sevsnp-chip-key-masked"};
inline constexpr ErrorCode kSnpVekTcbMismatch{ErrorClass::kUnauthentic, "sevsnp-vek-tcb-mismatch"};
inline constexpr ErrorCode kSnpChipIdMismatch{ErrorClass::kUnauthentic, "sevsnp-chip-id-mismatch"};
inline constexpr ErrorCode kSnpProductMismatch{ErrorClass::kUnauthentic, "sevsnp-product-mismatch"};
inline constexpr ErrorCode kSnpGuestPolicyReserved{ErrorClass::kRejected, "sevsnp-guest-policy-reserved"};
inline constexpr ErrorCode kSnpDebugEnabled{ErrorClass::kRejected, "sevsnp-debug-enabled"};
inline constexpr ErrorCode kSnpMigrationAgent{ErrorClass::kRejected, "sevsnp-migration-agent"};
inline constexpr ErrorCode kSnpVmpl{ErrorClass::kRejected, "sevsnp-vmpl"};
inline constexpr ErrorCode kSnpReportDataMismatch{ErrorClass::kRejected, "sevsnp-report-data-mismatch"};
inline constexpr ErrorCode kSnpMeasurementMismatch{ErrorClass::kRejected, "sevsnp-measurement-mismatch"};
inline constexpr ErrorCode kSnpHostDataMismatch{ErrorClass::kRejected, "sevsnp-host-data-mismatch"};
inline constexpr ErrorCode kSnpTcbTooLow{ErrorClass::kRejected, "sevsnp-tcb-too-low"};
inline constexpr ErrorCode kSnpCommittedTcbTooLow{ErrorClass::kRejected, "sevsnp-committed-tcb-too-low"};
inline constexpr ErrorCode kSnpProvisionalFirmware{ErrorClass::kRejected, "sevsnp-provisional-firmware"};

// VerifiedSnpReport is genuine: AMD's hardware signed it, and it agrees with the certificate of the key.
struct VerifiedSnpReport {
  SnpReport report;
  VerifiedVek vek;
};

// verify_snp_signature is step 7. kSnpReportSignature.
Status verify_snp_signature(const UnverifiedSnpReport& report, const PublicKey& vek);

// verify_snp_report is steps 7 to 14. Errors in their order.
Result<VerifiedSnpReport> verify_snp_report(const UnverifiedSnpReport& report, const VerifiedVek& vek);

// snp_evidence is what a verified report yields to an appraisal.
VerifiedEvidence snp_evidence(const VerifiedSnpReport& verified);

// SnpRequirements are section 4 of the page; what is absent is not judged.
struct SnpRequirements {
  std::optional<bool> allow_debug;
  std::optional<bool> allow_migration_agent;
  std::optional<std::uint32_t> max_vmpl;
  std::optional<std::uint32_t> require_vmpl;
  std::optional<Bytes> report_data;
  std::optional<Bytes> measurement;
  std::optional<Bytes> host_data;
  std::optional<SnpTcb> min_tcb;
  std::optional<SnpTcb> min_committed_tcb;
  std::optional<bool> require_committed_firmware;
};

// decode_snp_requirements: kSnpRequirements. A null pointer is the empty object.
Result<SnpRequirements> decode_snp_requirements(const Json* json);

}  // namespace eml
