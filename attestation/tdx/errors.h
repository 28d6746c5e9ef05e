// The ways in which a TDX or SGX quote is refused, by the step of docs/spec/evidence/tdx.md that refuses it.
#pragma once

#include "base/result.h"

namespace eml::tdx {

// Form of the quote, of a certificate extension or of collateral.
inline constexpr ErrorCode kParse{ErrorClass::kMalformed, "tdx-parse"};
inline constexpr ErrorCode kUnsupportedVersion{ErrorClass::kUnsupported, "tdx-unsupported-version"};
inline constexpr ErrorCode kUnsupportedAttKeyType{ErrorClass::kUnsupported, "tdx-unsupported-att-key-type"};
inline constexpr ErrorCode kUnsupportedTeeType{ErrorClass::kUnsupported, "tdx-unsupported-tee-type"};
inline constexpr ErrorCode kQeVendorId{ErrorClass::kUnsupported, "tdx-qe-vendor-id"};
inline constexpr ErrorCode kBodyTypeSizeMismatch{ErrorClass::kMalformed, "tdx-body-type-size-mismatch"};
inline constexpr ErrorCode kCertDataType{ErrorClass::kMalformed, "tdx-cert-data-type"};
inline constexpr ErrorCode kUnsupportedCertDataType{ErrorClass::kUnsupported, "tdx-unsupported-cert-data-type"};
inline constexpr ErrorCode kTrailingData{ErrorClass::kMalformed, "tdx-trailing-data"};

// Certificates and revocation.
inline constexpr ErrorCode kPckChainUnparsable{ErrorClass::kMalformed, "tdx-pck-chain-unparsable"};
inline constexpr ErrorCode kPckChain{ErrorClass::kUnauthentic, "tdx-pck-chain"};
inline constexpr ErrorCode kUntrustedRoot{ErrorClass::kUnauthentic, "tdx-untrusted-root"};
inline constexpr ErrorCode kPckSubject{ErrorClass::kUnauthentic, "tdx-pck-subject"};
inline constexpr ErrorCode kPckLeafSignature{ErrorClass::kUnauthentic, "tdx-pck-leaf-signature"};
inline constexpr ErrorCode kPckCaSignature{ErrorClass::kUnauthentic, "tdx-pck-ca-signature"};
inline constexpr ErrorCode kPckExtension{ErrorClass::kMalformed, "tdx-pck-extension"};
inline constexpr ErrorCode kCertificateExpired{ErrorClass::kRejected, "tdx-certificate-expired"};
inline constexpr ErrorCode kCertificateNotYetValid{ErrorClass::kRejected, "tdx-certificate-not-yet-valid"};
inline constexpr ErrorCode kMissingCollateral{ErrorClass::kUnavailable, "tdx-missing-collateral"};
inline constexpr ErrorCode kCrlIssuer{ErrorClass::kUnauthentic, "tdx-crl-issuer"};
inline constexpr ErrorCode kRootCrlSignature{ErrorClass::kUnauthentic, "tdx-root-crl-signature"};
inline constexpr ErrorCode kPckCrlSignature{ErrorClass::kUnauthentic, "tdx-pck-crl-signature"};
inline constexpr ErrorCode kCrlExpired{ErrorClass::kRejected, "tdx-crl-expired"};
inline constexpr ErrorCode kCrlNotYetValid{ErrorClass::kRejected, "tdx-crl-not-yet-valid"};
inline constexpr ErrorCode kPckCaRevoked{ErrorClass::kRejected, "tdx-pck-ca-revoked"};
inline constexpr ErrorCode kPckRevoked{ErrorClass::kRejected, "tdx-pck-revoked"};
inline constexpr ErrorCode kTcbSigningChain{ErrorClass::kUnauthentic, "tdx-tcb-signing-chain"};
inline constexpr ErrorCode kTcbSignerRevoked{ErrorClass::kRejected, "tdx-tcb-signer-revoked"};

// Signed collateral.
inline constexpr ErrorCode kTcbInfoType{ErrorClass::kRejected, "tdx-tcb-info-type"};
inline constexpr ErrorCode kTcbInfoSignature{ErrorClass::kUnauthentic, "tdx-tcb-info-signature"};
inline constexpr ErrorCode kQeIdentitySignature{ErrorClass::kUnauthentic, "tdx-qe-identity-signature"};
inline constexpr ErrorCode kCollateralExpired{ErrorClass::kRejected, "tdx-collateral-expired"};
inline constexpr ErrorCode kCollateralNotYetValid{ErrorClass::kRejected, "tdx-collateral-not-yet-valid"};
inline constexpr ErrorCode kFmspcMismatch{ErrorClass::kRejected, "tdx-fmspc-mismatch"};
inline constexpr ErrorCode kPceidMismatch{ErrorClass::kRejected, "tdx-pceid-mismatch"};

// The quote itself.
inline constexpr ErrorCode kTdxModuleMismatch{ErrorClass::kRejected, "tdx-tdx-module-mismatch"};
inline constexpr ErrorCode kAttestationKey{ErrorClass::kUnauthentic, "tdx-attestation-key"};
inline constexpr ErrorCode kQeReportSignature{ErrorClass::kUnauthentic, "tdx-qe-report-signature"};
inline constexpr ErrorCode kQeReportDataBinding{ErrorClass::kUnauthentic, "tdx-qe-report-data-binding"};
inline constexpr ErrorCode kQeIdentityMismatch{ErrorClass::kRejected, "tdx-qe-identity-mismatch"};
inline constexpr ErrorCode kQuoteSignature{ErrorClass::kUnauthentic, "tdx-quote-signature"};
inline constexpr ErrorCode kTcbStatus{ErrorClass::kRejected, "tdx-tcb-status"};

// The event log.
inline constexpr ErrorCode kEventLogParse{ErrorClass::kMalformed, "tdx-event-log-parse"};
inline constexpr ErrorCode kEventLog{ErrorClass::kRejected, "tdx-event-log"};

// What a verifier required.
inline constexpr ErrorCode kRequirements{ErrorClass::kMalformed, "tdx-requirements"};
inline constexpr ErrorCode kGivenRoot{ErrorClass::kMalformed, "tdx-given-root"};
inline constexpr ErrorCode kReportDataMismatch{ErrorClass::kRejected, "tdx-report-data-mismatch"};
inline constexpr ErrorCode kMeasurementMismatch{ErrorClass::kRejected, "tdx-measurement-mismatch"};
inline constexpr ErrorCode kDebugEnabled{ErrorClass::kRejected, "tdx-debug-enabled"};
inline constexpr ErrorCode kTdAttributes{ErrorClass::kRejected, "tdx-td-attributes"};
inline constexpr ErrorCode kServiceTd{ErrorClass::kRejected, "tdx-service-td"};
inline constexpr ErrorCode kTcbEvaluationTooOld{ErrorClass::kRejected, "tdx-tcb-evaluation-too-old"};

}  // namespace eml::tdx
