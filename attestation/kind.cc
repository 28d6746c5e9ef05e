#include "attestation/kind.h"

#include <algorithm>
#include <array>

#include "crypto/hash.h"

namespace eml {
namespace {

constexpr std::array<std::string_view, 6> kKindNames{"local", "tdx", "sevsnp", "nitro", "confidential_space", "tpm"};

constexpr std::array kLocalMeasurements{MeasurementName{"binary", 48}};
constexpr std::array kTdxMeasurements{MeasurementName{"mrtd", 48}, MeasurementName{"rtmr0", 48},
                                      MeasurementName{"rtmr1", 48}, MeasurementName{"rtmr2", 48},
                                      MeasurementName{"rtmr3", 48}};
constexpr std::array kSevSnpMeasurements{MeasurementName{"measurement", 48}, MeasurementName{"host_data", 32}};
constexpr std::array kNitroMeasurements{MeasurementName{"pcr0", 48}, MeasurementName{"pcr1", 48},
                                        MeasurementName{"pcr2", 48}};
constexpr std::array kConfidentialSpaceMeasurements{MeasurementName{"image_digest", 32}};
constexpr std::array kTpmMeasurements{MeasurementName{"pcrs", 32}};

// Intel's words, docs/spec/policy.md. Revoked and what has no level are not here: no floor may accept them.
constexpr std::array<std::string_view, 8> kTdxStatuses{"UpToDate",
                                                       "SWHardeningNeeded",
                                                       "ConfigurationNeeded",
                                                       "ConfigurationAndSWHardeningNeeded",
                                                       "OutOfDate",
                                                       "OutOfDateConfigurationNeeded",
                                                       "RelaunchAdvised",
                                                       "RelaunchAdvisedConfigurationNeeded"};
constexpr std::array<std::string_view, 1> kTdxComponents{"tcb_evaluation_data_number"};
constexpr std::array<std::string_view, 5> kSevSnpComponents{"bootloader", "fmc", "microcode", "snp", "tee"};
constexpr std::array<std::string_view, 2> kConfidentialSpaceStatuses{"UpToDate", "OutOfDate"};

// What the kinds' pages list under "Requirements", less what an entry says elsewhere: signed values, measurements,
// debug mode and TCB floors.
constexpr std::array<std::string_view, 2> kTdxRequirements{"allow_service_td", "require_sept_ve_disable"};
constexpr std::array<std::string_view, 5> kSevSnpRequirements{"allow_migration_agent", "max_vmpl", "min_committed_tcb",
                                                              "require_committed_firmware", "require_vmpl"};
constexpr std::array<std::string_view, 1> kNitroRequirements{"pcrs"};
constexpr std::array<std::string_view, 4> kTpmRequirements{"ak_trust", "events", "hcl_measurement", "pcrs"};
constexpr std::array<std::string_view, 9> kConfidentialSpaceRequirements{"allow_cmd_override",
                                                                         "allow_env_override",
                                                                         "google_service_account",
                                                                         "hwmodel",
                                                                         "require_nvidia_gpu_cc_mode",
                                                                         "require_secboot",
                                                                         "require_support_attribute",
                                                                         "require_tdx_tcb",
                                                                         "restart_policy"};

// SHA-256 of each vendor's root certificate (DER). A root is pinned whole, never by its name.
constexpr std::array<std::string_view, 1> kIntelRoots{
    "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"};
constexpr std::array<std::string_view, 3> kAmdRoots{
    "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",   // ARK-Milan
    "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",   // ARK-Genoa
    "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"};  // ARK-Turin
constexpr std::array<std::string_view, 1> kAwsRoots{"641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"};
constexpr std::array<std::string_view, 1> kGoogleRoots{
    "148b293821bb0c6a317f413c8ba475814091cb22d49b9e3c94198db8e8f86c39"};

constexpr std::array<KindProfile, 6> kProfiles{{
    {.measurements = kLocalMeasurements, .gives_platform_identity = false},
    {.measurements = kTdxMeasurements,
     .gives_platform_identity = true,
     .tcb_statuses = kTdxStatuses,
     .tcb_components = kTdxComponents,
     .requirements = kTdxRequirements,
     .vendor_roots = kIntelRoots},
    {.measurements = kSevSnpMeasurements,
     .gives_platform_identity = true,
     .tcb_components = kSevSnpComponents,
     .requirements = kSevSnpRequirements,
     .vendor_roots = kAmdRoots},
    {.measurements = kNitroMeasurements,
     .gives_platform_identity = true,
     .requirements = kNitroRequirements,
     .vendor_roots = kAwsRoots},
    {.measurements = kConfidentialSpaceMeasurements,
     .gives_platform_identity = true,
     .tcb_statuses = kConfidentialSpaceStatuses,
     .requirements = kConfidentialSpaceRequirements,
     .vendor_roots = kGoogleRoots},
    {.measurements = kTpmMeasurements, .gives_platform_identity = true, .requirements = kTpmRequirements},
}};

}  // namespace

std::string_view to_string(EvidenceKind kind) { return kKindNames.at(static_cast<std::size_t>(kind)); }

std::optional<EvidenceKind> parse_evidence_kind(std::string_view name) {
  const auto found = static_cast<std::size_t>(std::ranges::find(kKindNames, name) - kKindNames.begin());
  if (found == kKindNames.size()) return std::nullopt;
  return static_cast<EvidenceKind>(found);
}

const KindProfile& kind_profile(EvidenceKind kind) { return kProfiles.at(static_cast<std::size_t>(kind)); }

Bytes expected_signed_value(EvidenceKind kind, const Binding& binding, ByteView binding_bytes) {
  const Hash32 digest = binding_digest(binding.purpose, binding_bytes);
  switch (kind) {
    case EvidenceKind::kTdx:
    case EvidenceKind::kSevSnp: {
      const Hash32 first_half = binding.purpose == Purpose::kServe ? sha256(binding.receipt_key) : Hash32{};
      return concat(first_half, digest);
    }
    case EvidenceKind::kConfidentialSpace:
      return to_bytes(hex(digest));
    case EvidenceKind::kLocal:
    case EvidenceKind::kNitro:
    case EvidenceKind::kTpm:
      break;
  }
  return to_bytes(ByteView(digest));
}

bool above_production_floor(const VerifiedEvidence& evidence) {
  const auto roots = kind_profile(evidence.kind).vendor_roots;
  return !evidence.debug && std::ranges::find(roots, evidence.root) != roots.end();
}

}  // namespace eml
