// ReceiptMeasurements is the claim enclave_measurements: which registers of the platform the workload says it runs
// with. The claim is signed by the workload only; it counts after it was found equal to the evidence.
// Source: docs/spec/receipt.md, "Measurements".
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kMeasurementsIncomplete{ErrorClass::kInternal, "measurements-incomplete"};

// MeasurementType is the value of measurement_type. The first two are AIR v1's own; the others exist only under our
// profile (kEmlProfile in air.h).
enum class MeasurementType : std::uint8_t { kNitroPcr, kTdxMrtdRtmr, kSnp, kConfidentialSpace, kTpm, kLocal };

// to_string gives the value on the wire: "nitro-pcr", "tdx-mrtd-rtmr", "snp", "confidential-space", "tpm", "local".
std::string_view to_string(MeasurementType type);
std::optional<MeasurementType> parse_measurement_type(std::string_view name);

// is_air_type says whether AIR v1 itself defines the type; it decides the profile of a receipt.
constexpr bool is_air_type(MeasurementType type) {
  return type == MeasurementType::kNitroPcr || type == MeasurementType::kTdxMrtdRtmr;
}

// measurement_type_of_kind gives the type for a kind of evidence by its name ("tdx"); kLocal for a name that has none.
MeasurementType measurement_type_of_kind(std::string_view evidence_kind);

// MeasurementSlot is one member that a type may have.
struct MeasurementSlot {
  std::string_view name;           // in the receipt: "pcr0", "binary"
  std::string_view evidence_name;  // in attestation's Measurements: "mrtd", "binary"
  std::size_t bytes;
  bool required;
};

// measurement_slots lists the members of a type in deterministic CBOR order, without measurement_type itself.
std::span<const MeasurementSlot> measurement_slots(MeasurementType type);

struct ReceiptMeasurements {
  MeasurementType type = MeasurementType::kLocal;
  std::map<std::string, Bytes, std::less<>> values;  // slot name to value; only slots of `type`
  friend bool operator==(const ReceiptMeasurements&, const ReceiptMeasurements&) = default;
};

// receipt_measurements takes the slots of `type` from the named measurements of verified evidence (attestation's
// Measurements). kMeasurementsIncomplete if a required one is missing or has another size: nothing is made up.
Result<ReceiptMeasurements> receipt_measurements(MeasurementType type,
                                                 const std::map<std::string, Bytes, std::less<>>& of_evidence);

}  // namespace eml
