#include "receipt/air_claims.h"

#include <algorithm>
#include <array>

#include "encoding/cbor.h"

namespace eml {
namespace {

constexpr std::string_view kMeasurementTypeName = "measurement_type";
constexpr std::array kSchemes = {ModelHashScheme::kSha256Single, ModelHashScheme::kSha256Concat,
                                 ModelHashScheme::kSha256Manifest};
constexpr std::array kModes = {SecurityMode::kProduction, SecurityMode::kEvaluation};

std::uint64_t unsigned_key(std::int64_t key) { return static_cast<std::uint64_t>(key < 0 ? -key : key); }

std::unexpected<Error> wrong_type(std::int64_t key) {
  return fail(kAirWrongType, "a claim has another type", unsigned_key(key));
}

// The offset is what a person needs to find the fault; which rule of CBOR it broke is in the spec.
std::unexpected<Error> not_map(const Error& error) {
  if (!error.has_first()) return fail(kAirPayloadNotMap, "the payload is not one deterministic CBOR map");
  return fail(kAirPayloadNotMap, "the payload is not one deterministic CBOR map", error.first());
}

Result<CborReader> claim(CborMap& map, std::int64_t key) {
  auto value = map.required(key);
  if (!value) return fail(kAirMissingClaim, "a claim is missing", unsigned_key(key));
  return *std::move(value);
}

Result<std::string_view> text_value(CborReader value, std::int64_t key) {
  const auto text = value.text();
  if (!text) return wrong_type(key);
  return *text;
}

Result<std::string_view> text_claim(CborMap& map, std::int64_t key) {
  EML_TRY(const CborReader value, claim(map, key));
  return text_value(value, key);
}

// AIR, layer 3, step 6.
Result<std::string> bounded_text(CborMap& map, std::int64_t key) {
  EML_TRY(const std::string_view text, text_claim(map, key));
  if (text.empty() || text.size() > kAirTextBytesMax) {
    return fail(kAirBadText, "a text claim is empty or too long", unsigned_key(key), text.size());
  }
  return std::string(text);
}

Result<std::uint64_t> uint_claim(CborMap& map, std::int64_t key) {
  EML_TRY(CborReader value, claim(map, key));
  const auto number = value.uint();
  if (!number) return wrong_type(key);
  return *number;
}

Result<ByteView> bytes_claim(CborMap& map, std::int64_t key) {
  EML_TRY(CborReader value, claim(map, key));
  const auto bytes = value.bytes();
  if (!bytes) return wrong_type(key);
  return *bytes;
}

Result<Hash32> hash_claim(CborMap& map, std::int64_t key) {
  EML_TRY(const ByteView bytes, bytes_claim(map, key));
  const auto hash = to_array<32>(bytes);
  if (!hash) return fail(kAirBadHashLength, "a hash is not 32 bytes long", unsigned_key(key), bytes.size());
  return *hash;
}

Result<ByteArray<16>> read_cti(CborMap& map) {
  EML_TRY(const ByteView bytes, bytes_claim(map, kClaimCti));
  const auto cti = to_array<16>(bytes);
  if (!cti) return fail(kAirBadCtiLength, "cti is not 16 bytes long", bytes.size());
  return *cti;
}

Result<UnixSeconds> read_iat(CborMap& map) {
  EML_TRY(const std::uint64_t iat, uint_claim(map, kClaimIat));
  if (iat == 0 || iat > static_cast<std::uint64_t>(kUnixSecondsMax)) {
    return fail(kAirBadIat, "iat is zero or beyond the year 9999");
  }
  return static_cast<UnixSeconds>(iat);
}

Result<std::optional<Bytes>> read_nonce(CborMap& map) {
  std::optional<CborReader> value = map.optional(kClaimNonce);
  if (!value) return std::nullopt;
  const auto nonce = value->bytes();
  if (!nonce) return wrong_type(kClaimNonce);
  if (nonce->size() < kAirNonceBytesMin || nonce->size() > kAirNonceBytesMax) {
    return fail(kAirBadNonceLength, "eat_nonce is not 8 to 64 bytes long", nonce->size());
  }
  return to_bytes(*nonce);
}

Result<MeasurementType> read_measurement_type(CborMap& map, std::string_view profile) {
  auto value = map.required(kMeasurementTypeName);
  if (!value) return fail(kAirUnknownMeasurementType, "the measurements do not say their type");
  const auto name = value->text();
  if (!name) return fail(kAirUnknownMeasurementType, "the type of the measurements is not a text");
  const auto type = parse_measurement_type(*name);
  if (!type || is_air_type(*type) != (profile == kAirProfile)) {
    return fail(kAirUnknownMeasurementType, "the profile has no such type of measurements");
  }
  return *type;
}

Result<ReceiptMeasurements> read_measurements(CborMap& claims, std::string_view profile) {
  EML_TRY(CborReader value, claim(claims, kClaimMeasurements));
  auto map = CborMap::read(value);
  if (!map) return wrong_type(kClaimMeasurements);
  ReceiptMeasurements out;
  EML_TRY(out.type, read_measurement_type(*map, profile));
  for (const MeasurementSlot& slot : measurement_slots(out.type)) {
    std::optional<CborReader> member = map->optional(slot.name);
    if (!member && !slot.required) continue;
    if (!member) return fail(kAirBadMeasurementLength, "a measurement is missing", slot.bytes, 0);
    const auto bytes = member->bytes();
    if (!bytes) return fail(kAirBadMeasurementLength, "a measurement is not a byte string", slot.bytes);
    if (bytes->size() != slot.bytes) {
      return fail(kAirBadMeasurementLength, "a measurement has another size", slot.bytes, bytes->size());
    }
    out.values.emplace(slot.name, to_bytes(*bytes));
  }
  if (out.type == MeasurementType::kTdxMrtdRtmr && map->optional("pcr8")) {
    return fail(kAirTdxPcr8, "TDX measurements hold pcr8");
  }
  if (!map->done()) return fail(kAirUnknownMeasurement, "the measurements hold an unknown member");
  return out;
}

Result<std::optional<ModelHashScheme>> read_scheme(CborMap& map) {
  const std::optional<CborReader> value = map.optional(kClaimScheme);
  if (!value) return std::nullopt;
  EML_TRY(const std::string_view name, text_value(*value, kClaimScheme));
  const auto found = std::ranges::find_if(kSchemes, [&](ModelHashScheme s) { return to_string(s) == name; });
  if (found == kSchemes.end()) return fail(kAirUnknownScheme, "AIR v1 has no such model hash scheme");
  return *found;
}

Result<SecurityMode> read_mode(CborMap& map) {
  EML_TRY(const std::string name, bounded_text(map, kClaimMode));
  const auto found = std::ranges::find_if(kModes, [&](SecurityMode m) { return to_string(m) == name; });
  if (found == kModes.end()) return fail(kAirUnknownMode, "AIR v1 has no such security mode");
  return *found;
}

// A value that is no slot of its type is left out; issue_receipt then finds that it did not read back.
void write_measurements(CborWriter& out, const ReceiptMeasurements& measurements) {
  CborWriter members;
  std::size_t count = 1;
  for (const MeasurementSlot& slot : measurement_slots(measurements.type)) {
    const auto value = measurements.values.find(slot.name);
    if (value == measurements.values.end()) continue;
    members.text(slot.name).bytes(value->second);
    ++count;
  }
  // The type's own key sorts behind every slot name: it is the longest.
  members.text(kMeasurementTypeName).text(to_string(measurements.type));
  out.map(count).raw(members.view());
}

}  // namespace

Bytes encode_air_claims(const AirClaims& claims) {
  CborWriter out;
  out.map(std::size_t{16} + (claims.nonce ? 1 : 0) + (claims.scheme ? 1 : 0));
  out.integer(kClaimIss).text(claims.issuer);
  out.integer(kClaimIat).integer(claims.issued_at);
  out.integer(kClaimCti).bytes(claims.cti);
  if (claims.nonce) out.integer(kClaimNonce).bytes(*claims.nonce);
  out.integer(kClaimProfile).text(is_air_type(claims.measurements.type) ? kAirProfile : kEmlProfile);
  out.integer(kClaimModelId).text(claims.model_id);
  out.integer(kClaimModelVersion).text(claims.model_version);
  out.integer(kClaimModelHash).bytes(claims.model_hash);
  out.integer(kClaimRequestHash).bytes(claims.request_hash);
  out.integer(kClaimResponseHash).bytes(claims.response_hash);
  out.integer(kClaimEvidenceHash).bytes(claims.attestation_doc_hash);
  write_measurements(out.integer(kClaimMeasurements), claims.measurements);
  out.integer(kClaimPolicyVersion).text(claims.policy_version);
  out.integer(kClaimSequence).uint(claims.sequence_number);
  out.integer(kClaimExecutionMs).uint(claims.execution_time_ms);
  out.integer(kClaimMemoryMb).uint(claims.memory_peak_mb);
  out.integer(kClaimMode).text(to_string(claims.mode));
  if (claims.scheme) out.integer(kClaimScheme).text(to_string(*claims.scheme));
  return out.take();
}

Result<AirClaims> decode_air_claims(ByteView payload) {
  auto decoded = CborMap::decode(payload);
  if (!decoded) return not_map(decoded.error());
  CborMap& map = *decoded;
  AirClaims out;
  EML_TRY(const std::string_view profile, text_claim(map, kClaimProfile));
  if (profile != kAirProfile && profile != kEmlProfile) return fail(kAirWrongProfile, "the profile is not known");
  EML_TRY(out.cti, read_cti(map));
  EML_TRY(out.issued_at, read_iat(map));
  EML_TRY(out.model_hash, hash_claim(map, kClaimModelHash));
  if (out.model_hash == Hash32{}) return fail(kAirZeroModelHash, "model_hash is all zeros");
  EML_TRY(out.issuer, bounded_text(map, kClaimIss));
  EML_TRY(out.model_id, bounded_text(map, kClaimModelId));
  EML_TRY(out.model_version, bounded_text(map, kClaimModelVersion));
  EML_TRY(out.policy_version, bounded_text(map, kClaimPolicyVersion));
  EML_TRY(out.measurements, read_measurements(map, profile));
  EML_TRY(out.scheme, read_scheme(map));
  EML_TRY(out.mode, read_mode(map));
  EML_TRY(out.nonce, read_nonce(map));
  EML_TRY(out.request_hash, hash_claim(map, kClaimRequestHash));
  EML_TRY(out.response_hash, hash_claim(map, kClaimResponseHash));
  EML_TRY(out.attestation_doc_hash, hash_claim(map, kClaimEvidenceHash));
  EML_TRY(out.sequence_number, uint_claim(map, kClaimSequence));
  EML_TRY(out.execution_time_ms, uint_claim(map, kClaimExecutionMs));
  EML_TRY(out.memory_peak_mb, uint_claim(map, kClaimMemoryMb));
  if (!map.done()) return fail(kAirUnknownClaim, "the claims hold an unknown key");
  return out;
}

}  // namespace eml
