// What the tests of receipt/ share: a key, claims that are right, and claims maps taken apart into their pairs.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "crypto/cose/sign1.h"
#include "encoding/cbor.h"
#include "receipt/air.h"
#include "receipt/air_claims.h"

namespace eml::test {

inline Ed25519Key key_of(std::uint8_t seed) { return *Ed25519Key::from_seed(copy_to_secret(Bytes(32, seed))); }

inline Hash32 hash_of(std::uint8_t fill) {
  Hash32 out;
  out.fill(fill);
  return out;
}

inline AirClaims local_claims() {
  AirClaims claims;
  claims.issuer = "example.org";
  claims.issued_at = 1795600000;
  claims.cti = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  claims.nonce = Bytes(16, 0x6e);
  claims.model_id = "all-minilm-l6-v2";
  claims.model_version = "1";
  claims.model_hash = hash_of(0xa1);
  claims.request_hash = hash_of(0xa2);
  claims.response_hash = hash_of(0xa3);
  claims.attestation_doc_hash = hash_of(0xa4);
  claims.measurements = {.type = MeasurementType::kLocal, .values = {{"binary", Bytes(48, 0xb1)}}};
  claims.policy_version = policy_version_of(hash_of(0xa5));
  claims.sequence_number = 7;
  claims.execution_time_ms = 12;
  claims.memory_peak_mb = 144;
  return claims;
}

inline AirClaims tdx_claims() {
  AirClaims claims = local_claims();
  claims.mode = SecurityMode::kProduction;
  claims.measurements = {.type = MeasurementType::kTdxMrtdRtmr, .values = {}};
  for (const MeasurementSlot& slot : measurement_slots(MeasurementType::kTdxMrtdRtmr)) {
    claims.measurements.values.emplace(slot.name, Bytes(slot.bytes, 0xb2));
  }
  return claims;
}

// Pair is one key and value of a map, both encoded.
struct Pair {
  Bytes key;
  Bytes value;
};

inline std::vector<Pair> pairs_of(ByteView map) {
  std::vector<Pair> out;
  CborReader in(map);
  const std::size_t count = *in.map();
  for (std::size_t i = 0; i < count; ++i) {
    Bytes key = to_bytes(*in.item());
    out.push_back({std::move(key), to_bytes(*in.item())});
  }
  return out;
}

// map_of joins pairs as they are, whatever rule that breaks.
inline Bytes map_of(const std::vector<Pair>& pairs) {
  CborWriter head;
  head.map(pairs.size());
  Bytes out = to_bytes(head.view());
  for (const Pair& pair : pairs) {
    out.insert(out.end(), pair.key.begin(), pair.key.end());
    out.insert(out.end(), pair.value.begin(), pair.value.end());
  }
  return out;
}

inline Bytes encoded_int(std::int64_t v) { return CborWriter().integer(v).take(); }
inline Bytes encoded_text(std::string_view v) { return CborWriter().text(v).take(); }
inline Bytes encoded_bytes(std::size_t size) { return CborWriter().bytes(Bytes(size, 0x11)).take(); }

// set_value replaces the value of a key, which must be there.
inline void set_value(std::vector<Pair>& pairs, const Bytes& key, Bytes value) {
  for (Pair& pair : pairs) {
    if (pair.key == key) {
      pair.value = std::move(value);
      return;
    }
  }
  std::abort();
}

}  // namespace eml::test
