#include "attestation/nvidia/manifests.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace eml {
namespace {

const Bytes* find(const Collateral& collateral, std::string_view name) {
  const auto found = collateral.find(name);
  return found == collateral.end() ? nullptr : &found->second;
}

Result<Hash32> rim_root(const Collateral& collateral, RimSet::Roots roots) {
  const Bytes* given = find(collateral, "rim_root");
  if (given == nullptr) return nvidia_rim_root();
  const auto pem = decode_pem_certificates(*given, 1);
  const auto certificate = pem ? Result<Certificate>(pem->front()) : Certificate::decode_der(*given);
  if (!certificate) return fail(kNvidiaRimSignature, "rim_root is not one certificate");
  if (!roots.root_given && certificate->fingerprint() != nvidia_rim_root()) {
    return fail(kNvidiaRimSignature, "rim_root is not the root that is built in");
  }
  return certificate->fingerprint();
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return out;
}

// "LS_10" in certificates is "LS10" elsewhere.
std::string chip_name(std::string_view text) {
  std::string out = upper(text);
  std::erase(out, '_');
  return out;
}

Json line_of(const VerifiedRim& rim, const RimComparison& comparison) {
  JsonArray mismatching;
  for (const unsigned index : comparison.mismatching) mismatching.emplace_back(index);
  return JsonObject{
      {"signature", "valid"},
      {"active_compared", comparison.compared},
      {"mismatching_indexes_0based", std::move(mismatching)},
      {"version", rim.version()},
      {"signer_validity", JsonArray{Json(rfc3339(rim.signer_not_before())), Json(rfc3339(rim.signer_not_after()))}}};
}

Status compare_one(const VerifiedRim& rim, const VerifiedGpuReport& device, std::string_view version, Json& line) {
  const UnverifiedGpuReport& report = device.report();
  const RimComparison comparison =
      compare_rim(rim, report.measurements(), RimRules{.skip_nvdec0 = report.nvdec0_disabled()});
  line = line_of(rim, comparison);
  if (upper(rim.version()) != upper(version)) return fail(kNvidiaRimMismatch, "a manifest for another version");
  if (chip_name(rim.product()) != chip_name(device.chip())) {
    return fail(kNvidiaRimMismatch, "a manifest for another chip");
  }
  if (!comparison.mismatching.empty()) {
    return fail(kNvidiaRimMismatch, "a measurement is none of the manifest's values", comparison.mismatching.front());
  }
  return {};
}

}  // namespace

Result<RimSet> RimSet::verify(const Collateral& collateral, UnixSeconds time, Roots roots) {
  RimSet out;
  const Bytes* driver = find(collateral, "driver_rim");
  const Bytes* vbios = find(collateral, "vbios_rim");
  if (driver == nullptr && vbios == nullptr) return out;
  EML_TRY(const Hash32 root, rim_root(collateral, roots));
  if (driver != nullptr) {
    EML_TRY(out.driver, VerifiedRim::verify(*driver, root, time));
  }
  if (vbios != nullptr) {
    EML_TRY(out.vbios, VerifiedRim::verify(*vbios, root, time));
  }
  return out;
}

Status RimSet::compare(const VerifiedGpuReport& device, JsonObject& details) const {
  const UnverifiedGpuReport& report = device.report();
  Status result;
  const auto run = [&](const std::optional<VerifiedRim>& rim, std::string_view name, std::string_view version) {
    if (!rim) return;
    Json line;
    const Status compared = compare_one(*rim, device, version, line);
    details[name] = std::move(line);
    if (result && !compared) result = compared;
  };
  run(driver, "driver_rim", report.opaque_text(OpaqueType::kDriverVersion));
  run(vbios, "vbios_rim", report.vbios_version());
  if (!result || !driver || !vbios) return result;
  for (const auto& [index, values] : driver->active()) {
    if (vbios->active().contains(index)) return fail(kNvidiaRimMismatch, "both manifests claim one index", index);
  }
  return {};
}

}  // namespace eml
