// Steps 7 to 14 of docs/spec/evidence/sevsnp.md: what AMD's hardware signed, and that it agrees with the key's
// certificate.
#include <algorithm>

#include "attestation/sevsnp/sevsnp.h"

namespace eml {
namespace {

constexpr std::size_t kP384Bytes = 48;
constexpr std::uint64_t kPolicyMustBeOne = std::uint64_t{1} << 17U;
constexpr std::uint64_t kPolicyReserved = ~((std::uint64_t{1} << 26U) - 1);

bool upper_bytes_zero(const ByteArray<72>& number) {
  return std::all_of(number.begin() + kP384Bytes, number.end(), [](std::uint8_t byte) { return byte == 0; });
}

Status check_format(const SnpReport& report) {
  if (report.version < 2 || report.version > 5) {
    return fail(kSnpUnsupportedVersion, "a report of a version that is not ours", report.version);
  }
  if (report.signature_algo != 1) {
    return fail(kSnpSignatureAlgo, "a report names another signature algorithm", report.signature_algo);
  }
  return {};
}

Status check_key(const SnpReport& report, const VerifiedVek& vek) {
  const unsigned expected = vek.kind == SnpKeyKind::kVcek ? 0 : 1;
  if (report.signing_key() != expected) {
    return fail(kSnpSigningKeyMismatch, "the report says that another kind of key signed it", expected,
                report.signing_key());
  }
  if (report.mask_chip_key()) return fail(kSnpChipKeyMasked, "the platform masks its chip key");
  if (decode_snp_tcb(vek.product, report.reported_tcb) != vek.extensions.tcb) {
    return fail(kSnpVekTcbMismatch, "the reported TCB is not the one that the VEK was made for");
  }
  return {};
}

// A Turin chip's id has 8 bytes; the report's place for it has 64.
Status check_chip(const SnpReport& report, const VerifiedVek& vek) {
  if (vek.kind == SnpKeyKind::kVlek) return {};
  Bytes expected = vek.extensions.hw_id;
  expected.resize(report.chip_id.size());
  if (equal(expected, report.chip_id)) return {};
  return fail(kSnpChipIdMismatch, "the report is of another chip than the VCEK");
}

Status check_platform(const SnpReport& report, const VerifiedVek& vek) {
  if (report.version >= 3 && report.product() != vek.product) {
    return fail(kSnpProductMismatch, "the report is of another product than the VEK");
  }
  if ((report.policy & kPolicyMustBeOne) == 0 || (report.policy & kPolicyReserved) != 0) {
    return fail(kSnpGuestPolicyReserved, "the guest policy has bits that must not be as they are");
  }
  return {};
}

std::string identity_of(const VerifiedSnpReport& verified) {
  // A VLEK vouches for a cloud's firmware and not for one chip, whatever chip_id says.
  return verified.vek.kind == SnpKeyKind::kVcek ? hex(verified.report.chip_id) : std::string();
}

}  // namespace

Status verify_snp_signature(const UnverifiedSnpReport& report, const PublicKey& vek) {
  if (!upper_bytes_zero(report.r) || !upper_bytes_zero(report.s)) {
    return fail(kSnpReportSignature, "the report's signature is larger than P-384");
  }
  Bytes raw(2 * kP384Bytes);  // big-endian r || s
  std::reverse_copy(report.r.begin(), report.r.begin() + kP384Bytes, raw.begin());
  std::reverse_copy(report.s.begin(), report.s.begin() + kP384Bytes, raw.begin() + kP384Bytes);
  if (vek.verify(SignatureScheme::kEcdsaP384Sha384, report.signed_bytes, raw)) return {};
  return fail(kSnpReportSignature, "the VEK did not sign this report");
}

Result<VerifiedSnpReport> verify_snp_report(const UnverifiedSnpReport& report, const VerifiedVek& vek) {
  EML_CHECK(verify_snp_signature(report, vek.certificate.public_key()));
  EML_CHECK(check_format(report.report));
  EML_CHECK(check_key(report.report, vek));
  EML_CHECK(check_chip(report.report, vek));
  EML_CHECK(check_platform(report.report, vek));
  return VerifiedSnpReport{.report = report.report, .vek = vek};
}

VerifiedEvidence snp_evidence(const VerifiedSnpReport& verified) {
  const SnpReport& report = verified.report;
  VerifiedEvidence out;
  out.kind = EvidenceKind::kSevSnp;
  out.signed_value = to_bytes(ByteView(report.report_data));
  out.measurements.emplace("measurement", to_bytes(ByteView(report.measurement)));
  out.measurements.emplace("host_data", to_bytes(ByteView(report.host_data)));
  out.platform_identity = identity_of(verified);
  out.root = hex(verified.vek.ark.fingerprint());
  out.debug = report.debug_allowed();
  const SnpTcb tcb = decode_snp_tcb(verified.vek.product, report.reported_tcb);
  out.tcb = {{"bootloader", tcb.bootloader}, {"tee", tcb.tee}, {"snp", tcb.snp}, {"microcode", tcb.microcode}};
  if (verified.vek.product == SnpProduct::kTurin) out.tcb.emplace("fmc", tcb.fmc);
  return out;
}

}  // namespace eml
