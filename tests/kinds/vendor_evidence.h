// Evidence of invented machines over a value that the test chooses, for each kind with a vendor, with one flaw at a
// time.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "attestation/bundle.h"
#include "encoding/base64.h"
#include "tests/support/dcap.h"
#include "tests/support/nitro_issuer.h"
#include "tests/support/signer.h"
#include "tests/support/snp.h"
#include "tests/support/tpm.h"

namespace eml::test {

enum class Flaw { kNone, kSignedValue, kMeasurement, kDebug, kOldTcb, kStaleCollateral, kOtherKey };

struct VendorEvidence {
  Bytes evidence;
  std::vector<Endorsement> endorsements;
  Bytes root;
};

inline constexpr UnixSeconds kVendorNow =
    1780315200;  // 2026-06-01T12:00:00Z: all three issuers' good evidence is in date

inline std::vector<Endorsement> endorsements_of(const Collateral& collateral) {
  std::vector<Endorsement> out;
  for (const auto& [name, bytes] : collateral) {
    if (name != "root") out.push_back({.name = name, .fetched_at = kVendorNow, .bytes = bytes});
  }
  return out;
}

inline VendorEvidence tdx_evidence(ByteView signed_value, Flaw flaw) {
  dcap::Plan plan;
  static const Bytes root = dcap::make_certificate(plan.root_certificate);
  plan.made_root = root;
  plan.td.report_data = *to_array<64>(signed_value);
  if (flaw == Flaw::kMeasurement) plan.td.mrtd[0] ^= 1;
  if (flaw == Flaw::kDebug) plan.td.tdattributes[0] |= 1;
  if (flaw == Flaw::kOldTcb) plan.pck.components = {3, 3, 2};
  if (flaw == Flaw::kStaleCollateral) plan.tcb_info["nextUpdate"] = "2026-05-31T00:00:00Z";
  dcap::Made made = plan.make();
  return {std::move(made.quote), endorsements_of(made.collateral), std::move(made.root)};
}

inline VendorEvidence snp_evidence(ByteView signed_value, Flaw flaw) {
  SnpPlan plan;
  static const Bytes ark = make_certificate(plan.ark, snp_ark_key().spki(), snp_ark_key());
  plan.made_ark = ark;
  plan.put(0x50, signed_value);
  if (flaw == Flaw::kMeasurement) plan.put8(0x90, 0x23);
  if (flaw == Flaw::kDebug) plan.put8(8 + 2, 2 | 8);  // bit 19 of the guest policy
  if (flaw == Flaw::kOldTcb) plan.put_tcb({4, 2, 0, 0, 0, 0, 23, 219});
  if (flaw == Flaw::kStaleCollateral) plan.crl.next_update = "20260531000000Z";
  SnpMade made = plan.make();
  return {std::move(made.report), endorsements_of(made.collateral), std::move(made.root)};
}

inline Json confidential_space_claims(std::string_view nonce, Purpose purpose, Flaw flaw) {
  const std::string tcb = flaw == Flaw::kOldTcb ? "OutOfDate" : "UpToDate";
  const std::string dbgstat = flaw == Flaw::kDebug ? "enabled" : "disabled-since-boot";
  const std::string exp = flaw == Flaw::kStaleCollateral ? "1780315000" : "1780318200";
  const std::string audience = purpose == Purpose::kServe ? "eml serve v1" : "eml release v1";
  const std::string text = R"({"aud":")" + audience +
                           R"(","iss":"https://confidentialcomputing.googleapis.com","exp":)" + exp +
                           R"(,"iat":1780314600,"nbf":1780314600,"eat_nonce":")" + std::string(nonce) +
                           R"(","secboot":true,"oemid":11129,"hwmodel":"GCP_INTEL_TDX","swname":"CONFIDENTIAL_SPACE",
    "swversion":["250800"],"dbgstat":")" +
                           dbgstat + R"(","google_service_accounts":["sa@p.iam.gserviceaccount.com"],
    "tdx":{"gcp_attester_tcb_status":")" +
                           tcb + R"(","gcp_attester_tcb_date":"2024-03-13T00:00:00Z"},
    "submods":{"confidential_space":{"support_attributes":["LATEST","STABLE","USABLE"]},
      "container":{"image_digest":"sha256:)" +
                           std::string(64, flaw == Flaw::kMeasurement ? 'b' : 'a') + R"("},
      "gce":{"project_id":"p"}}})";
  return parse_json(as_bytes(text)).value();
}

inline VendorEvidence confidential_space_evidence(ByteView signed_value, Purpose purpose, Flaw flaw) {
  const Signer& leaf_key = shared_rsa_signer();
  const Signer& ca = shared_rsa_signer(1);
  const Bytes root = make_certificate(
      {.subject = "root", .issuer = "root", .extensions = ca_extensions("root", "root")}, ca.spki(), ca);
  const Bytes middle = make_certificate(
      {.subject = "middle", .issuer = "root", .extensions = ca_extensions("middle", "root", 0)}, ca.spki(), ca);
  const Bytes leaf = make_certificate(
      {.subject = "leaf", .issuer = "middle", .extensions = leaf_extensions("leaf", "middle")}, leaf_key.spki(), ca);
  JsonArray x5c{Json(base64(leaf)), Json(base64(middle)), Json(base64(root))};
  const JsonObject header{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}, {"x5c", std::move(x5c)}};
  const std::string claims = compact_json(confidential_space_claims(as_text(signed_value), purpose, flaw));
  const std::string input = base64url(as_bytes(compact_json(header))) + '.' + base64url(as_bytes(claims));
  const std::string token = input + '.' + base64url(leaf_key.sign(as_bytes(input), 256));
  return {to_bytes(std::string_view(token)), {}, root};
}

inline VendorEvidence nitro_evidence(ByteView signed_value, const Binding& binding, Flaw flaw) {
  static const NitroIssuer issuer;
  NitroPlan plan;
  plan.user_data = to_bytes(signed_value);
  plan.nonce.reset();
  if (binding.challenge) plan.nonce = to_bytes(ByteView(*binding.challenge));
  plan.public_key.reset();
  if (binding.purpose == Purpose::kServe) plan.public_key = to_bytes(ByteView(binding.receipt_key));
  if (flaw == Flaw::kMeasurement) plan.pcrs[0][0] ^= 1;
  if (flaw == Flaw::kDebug) plan.pcrs[0] = plan.pcrs[1] = plan.pcrs[2] = Bytes(48);
  if (flaw == Flaw::kStaleCollateral) plan.leaf.not_after = "20260531000000Z";
  if (flaw == Flaw::kOtherKey) plan.public_key = Bytes(32, 7);
  return {issuer.document(plan), {}, issuer.root_certificate()};
}

inline VendorEvidence vendor_evidence(EvidenceKind kind, ByteView signed_value, const Binding& binding, Flaw flaw) {
  Bytes value = to_bytes(signed_value);
  if (flaw == Flaw::kSignedValue) value[value.size() - 1] = value.back() == '0' ? '1' : '0';
  switch (kind) {
    case EvidenceKind::kTdx:
      return tdx_evidence(value, flaw);
    case EvidenceKind::kSevSnp:
      return snp_evidence(value, flaw);
    case EvidenceKind::kConfidentialSpace:
      return confidential_space_evidence(value, binding.purpose, flaw);
    case EvidenceKind::kNitro:
      return nitro_evidence(value, binding, flaw);
    case EvidenceKind::kLocal:
    case EvidenceKind::kTpm:
      break;
  }
  return {};
}

}  // namespace eml::test
