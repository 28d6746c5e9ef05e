#include "attestation/nvidia/report.h"

#include <algorithm>

#include "encoding/der.h"

namespace eml {
namespace {

constexpr std::string_view kDeviceIdentityCa = "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48";
constexpr std::string_view kCompositeDeviceId = "2.23.133.5.4.1";  // Hopper, LS10
constexpr std::string_view kTcbInfo = "2.23.133.5.4.1.1";          // Blackwell
constexpr std::string_view kSha384Oid = "2.16.840.1.101.3.4.2.2";
constexpr unsigned kFwidsTag = 6;  // DiceTcbInfo.fwids

// FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }
Result<bool> is_fwid(DerReader& in, ByteView wanted) {
  EML_TRY(DerReader fwid, in.enter(der::kSequence));
  EML_TRY(const ByteView algorithm, fwid.oid());
  EML_TRY(const ByteView digest, fwid.octet_string());
  EML_CHECK(fwid.expect_end());
  return equal(algorithm, der_oid(kSha384Oid)) && equal(digest, wanted);
}

// CompositeDeviceID ::= SEQUENCE { version INTEGER, key SubjectPublicKeyInfo, fwid FWID }
Result<bool> composite_has(DerReader& in, ByteView wanted) {
  EML_CHECK(in.integer());
  EML_CHECK(in.expect(der::kSequence));
  return is_fwid(in, wanted);
}

// DiceTcbInfo: other members are skipped; the first of `fwids` is the firmware's.
Result<bool> tcb_info_has(DerReader& in, ByteView wanted) {
  while (!in.at_end()) {
    if (!in.next_is(der::context(kFwidsTag))) {
      EML_CHECK(in.any());
      continue;
    }
    EML_TRY(DerReader fwids, in.enter(der::context(kFwidsTag)));
    return is_fwid(fwids, wanted);
  }
  return false;
}

Result<bool> extension_has(ByteView extension, ByteView wanted) {
  DerReader in(extension);
  EML_TRY(DerReader sequence, in.enter(der::kSequence));
  EML_CHECK(in.expect_end());
  if (sequence.next_is(der::kInteger)) return composite_has(sequence, wanted);
  return tcb_info_has(sequence, wanted);
}

Status verify_fwid(const UnverifiedGpuReport& report, const Certificate& leaf) {
  const auto stated = report.opaque(OpaqueType::kFwid);
  if (!stated) return {};  // switches state none
  for (const std::string_view oid : {kCompositeDeviceId, kTcbInfo}) {
    const auto extension = leaf.extension(oid);
    if (!extension) continue;
    const auto has = extension_has(*extension, *stated);
    if (has && *has) return {};
  }
  return fail(kNvidiaFwid, "the firmware's id is not the one in the device's certificate");
}

Status verify_certificates(std::span<const Certificate> chain, const Hash32& root, UnixSeconds time) {
  if (chain.size() != kGpuChainSize)
    return fail(kNvidiaCertChain, "a device's chain has five certificates", chain.size());
  if (chain.back().fingerprint() != root) return fail(kNvidiaUntrustedRoot, "the chain ends in another root");
  const auto is_p384 = [](const Certificate& c) { return c.public_key().kind() == KeyKind::kP384; };
  if (!std::ranges::all_of(chain, is_p384)) return fail(kNvidiaCertChain, "a key in the chain is not on P-384");
  if (chain.front().is_ca()) return fail(kNvidiaCertChain, "the leaf is a CA", 0);
  const Status verified = verify_chain(chain, chain.back(), time, ChainRules{.strict = false});
  if (verified) return {};
  const Error& error = verified.error();
  if (error.code() == kChainExpired) {
    return fail(kNvidiaCertificateExpired, "a certificate had expired (0 is the leaf)", error.first());
  }
  if (error.code() == kChainNotYetValid) {
    return fail(kNvidiaCertificateNotYetValid, "a certificate was not yet valid (0 is the leaf)", error.first());
  }
  return fail(kNvidiaCertChain, "the certificates are not a chain (0 is the leaf)", error.first());
}

}  // namespace

Hash32 nvidia_device_root() { return *to_array<32>(*from_hex(kDeviceIdentityCa)); }

Result<VerifiedGpuReport> VerifiedGpuReport::verify(const UnverifiedGpuReport& report,
                                                    std::span<const Certificate> chain, const Hash32& root,
                                                    UnixSeconds time) {
  EML_CHECK(verify_certificates(chain, root, time));
  const Certificate& leaf = chain.front();
  if (!leaf.public_key().verify(SignatureScheme::kEcdsaP384Sha384, report.signed_bytes(), report.signature())) {
    return fail(kNvidiaReportSignature, "the device's key did not sign this report");
  }
  if (!report.has_expected_header()) return fail(kNvidiaHeader, "not GET_MEASUREMENTS of SPDM 1.1");
  EML_CHECK(verify_fwid(report, leaf));
  VerifiedGpuReport out(report);
  out.chip_ = leaf.subject_common_name().substr(0, leaf.subject_common_name().find(' '));
  out.root_ = root;
  out.device_ = chain[1].fingerprint();
  return out;
}

std::string_view VerifiedGpuReport::architecture() const {
  if (chip_ == "GH100") return "HOPPER";
  if (chip_.starts_with("GB")) return "BLACKWELL";
  if (chip_ == "LS_10") return "SWITCH_LS10";
  return {};
}

}  // namespace eml
