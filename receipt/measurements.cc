#include "receipt/measurements.h"

#include <array>

namespace eml {
namespace {

// In deterministic CBOR order of `name`: shorter first, then bytewise.
constexpr std::array kNitro = {
    MeasurementSlot{"pcr0", "pcr0", 48, true},  MeasurementSlot{"pcr1", "pcr1", 48, true},
    MeasurementSlot{"pcr2", "pcr2", 48, true},  MeasurementSlot{"pcr3", "pcr3", 48, false},
    MeasurementSlot{"pcr4", "pcr4", 48, false}, MeasurementSlot{"pcr8", "pcr8", 48, false},
};
constexpr std::array kTdx = {
    MeasurementSlot{"pcr0", "mrtd", 48, true},   MeasurementSlot{"pcr1", "rtmr0", 48, true},
    MeasurementSlot{"pcr2", "rtmr1", 48, true},  MeasurementSlot{"pcr3", "rtmr2", 48, false},
    MeasurementSlot{"pcr4", "rtmr3", 48, false},
};
constexpr std::array kSnp = {
    MeasurementSlot{"host_data", "host_data", 32, true},
    MeasurementSlot{"measurement", "measurement", 48, true},
};
constexpr std::array kConfidentialSpace = {MeasurementSlot{"image_digest", "image_digest", 32, true}};
constexpr std::array kTpm = {MeasurementSlot{"pcrs", "pcrs", 32, true}};
constexpr std::array kLocal = {MeasurementSlot{"binary", "binary", 48, true}};

constexpr std::array kTypes = {MeasurementType::kNitroPcr, MeasurementType::kTdxMrtdRtmr,
                               MeasurementType::kSnp,      MeasurementType::kConfidentialSpace,
                               MeasurementType::kTpm,      MeasurementType::kLocal};

}  // namespace

std::string_view to_string(MeasurementType type) {
  switch (type) {
    case MeasurementType::kNitroPcr:
      return "nitro-pcr";
    case MeasurementType::kTdxMrtdRtmr:
      return "tdx-mrtd-rtmr";
    case MeasurementType::kSnp:
      return "snp";
    case MeasurementType::kConfidentialSpace:
      return "confidential-space";
    case MeasurementType::kTpm:
      return "tpm";
    case MeasurementType::kLocal:
      return "local";
  }
  return "unknown";
}

std::optional<MeasurementType> parse_measurement_type(std::string_view name) {
  for (const MeasurementType type : kTypes) {
    if (to_string(type) == name) return type;
  }
  return std::nullopt;
}

MeasurementType measurement_type_of_kind(std::string_view evidence_kind) {
  if (evidence_kind == "nitro") return MeasurementType::kNitroPcr;
  if (evidence_kind == "tdx") return MeasurementType::kTdxMrtdRtmr;
  if (evidence_kind == "sevsnp") return MeasurementType::kSnp;
  if (evidence_kind == "confidential_space") return MeasurementType::kConfidentialSpace;
  if (evidence_kind == "tpm") return MeasurementType::kTpm;
  return MeasurementType::kLocal;
}

std::span<const MeasurementSlot> measurement_slots(MeasurementType type) {
  switch (type) {
    case MeasurementType::kNitroPcr:
      return kNitro;
    case MeasurementType::kTdxMrtdRtmr:
      return kTdx;
    case MeasurementType::kSnp:
      return kSnp;
    case MeasurementType::kConfidentialSpace:
      return kConfidentialSpace;
    case MeasurementType::kTpm:
      return kTpm;
    case MeasurementType::kLocal:
      return kLocal;
  }
  return {};
}

Result<ReceiptMeasurements> receipt_measurements(MeasurementType type,
                                                 const std::map<std::string, Bytes, std::less<>>& of_evidence) {
  ReceiptMeasurements out{.type = type, .values = {}};
  for (const MeasurementSlot& slot : measurement_slots(type)) {
    const auto found = of_evidence.find(slot.evidence_name);
    if (found == of_evidence.end()) {
      if (!slot.required) continue;
      return fail(kMeasurementsIncomplete, "the evidence lacks a measurement that a receipt must carry");
    }
    if (found->second.size() != slot.bytes) {
      return fail(kMeasurementsIncomplete, "a measurement of the evidence has another size", slot.bytes,
                  found->second.size());
    }
    out.values.emplace(slot.name, found->second);
  }
  return out;
}

}  // namespace eml
