#include "attestation/binding.h"

#include <algorithm>

#include "crypto/hash.h"
#include "encoding/cbor.h"

namespace eml {
namespace {

std::uint64_t as_uint(UnixSeconds time) { return time < 0 ? 0 : static_cast<std::uint64_t>(time); }

// Every error of the form is one code; the offset of the inner error is kept.
std::unexpected<Error> malformed(Literal what, const Error& inner) {
  return inner.has_first() ? fail(kBindingMalformed, what, inner.first()) : fail(kBindingMalformed, what);
}

Result<UnixSeconds> decode_time(CborReader value) {
  EML_TRY(const std::uint64_t seconds, value.uint());
  if (seconds > static_cast<std::uint64_t>(kUnixSecondsMax)) return fail(kCborOutOfRange, "a time is out of range");
  return static_cast<UnixSeconds>(seconds);
}

template <std::size_t n>
Result<ByteArray<n>> decode_array(Result<CborReader> value) {
  if (!value) return std::unexpected(value.error());
  return value->template byte_array<n>();
}

Result<std::vector<Hash32>> decode_models(CborReader value) {
  EML_TRY(const std::size_t count, value.array());
  if (count == 0 || count > kBindingModelsMax) return fail(kCborOutOfRange, "a binding names 1 to 64 models", count);
  std::vector<Hash32> models;
  for (std::size_t i = 0; i < count; ++i) {
    EML_TRY(const Hash32 hash, value.byte_array<32>());
    if (!models.empty() && !(models.back() < hash)) return fail(kCborOutOfRange, "models are not in order", i);
    models.push_back(hash);
  }
  return models;
}

Status decode_common(CborMap& map, Binding& out) {
  EML_TRY(out.boot_id, decode_array<16>(map.required(3)));
  EML_TRY(CborReader issued_at, map.required(4));
  EML_TRY(out.issued_at, decode_time(issued_at));
  EML_TRY(CborReader not_after, map.required(5));
  EML_TRY(out.not_after, decode_time(not_after));
  if (out.not_after <= out.issued_at) return fail(kCborOutOfRange, "not_after is not after issued_at");
  if (out.not_after - out.issued_at > kBindingSecondsMax) return fail(kCborOutOfRange, "valid for more than an hour");
  EML_TRY(out.configuration_hash, decode_array<32>(map.required(6)));
  EML_TRY(CborReader models, map.required(7));
  EML_TRY(out.model_hashes, decode_models(models));
  return {};
}

Status decode_serve(CborMap& map, Binding& out) {
  EML_TRY(out.receipt_key, decode_array<32>(map.required(8)));
  EML_TRY(out.channel_key, decode_array<32>(map.required(9)));
  if (auto devices = map.optional(11)) {
    EML_TRY(out.devices_hash, devices->byte_array<32>());
  }
  if (auto challenge = map.optional(12)) {
    EML_TRY(out.challenge, challenge->byte_array<32>());
  }
  return {};
}

Status decode_release(CborMap& map, Binding& out) {
  if (out.model_hashes.size() != 1) return fail(kCborOutOfRange, "a release binding names one model");
  EML_TRY(out.release_key, decode_array<32>(map.required(10)));
  EML_TRY(out.challenge, decode_array<32>(map.required(12)));
  return {};
}

Result<Purpose> decode_purpose(CborReader value) {
  EML_TRY(const std::uint64_t purpose, value.uint());
  if (purpose != 1 && purpose != 2) return fail(kCborOutOfRange, "a purpose is 1 or 2", purpose);
  return static_cast<Purpose>(purpose);
}

Status decode_body(CborMap& map, Binding& out) {
  EML_TRY(CborReader purpose, map.required(2));
  EML_TRY(out.purpose, decode_purpose(purpose));
  EML_CHECK(decode_common(map, out));
  EML_CHECK(out.purpose == Purpose::kServe ? decode_serve(map, out) : decode_release(map, out));
  return map.done();
}

}  // namespace

Bytes encode_binding(const Binding& binding) {
  const bool serve = binding.purpose == Purpose::kServe;
  const std::size_t optional_keys =
      serve ? (binding.devices_hash ? 1U : 0U) + (binding.challenge ? 1U : 0U) : std::size_t{0};
  std::vector<Hash32> models = binding.model_hashes;
  std::ranges::sort(models);
  CborWriter out;
  out.map(9 + optional_keys);
  out.uint(1).uint(kBindingVersionNumber);
  out.uint(2).uint(static_cast<std::uint64_t>(binding.purpose));
  out.uint(3).bytes(binding.boot_id);
  out.uint(4).uint(as_uint(binding.issued_at));
  out.uint(5).uint(as_uint(binding.not_after));
  out.uint(6).bytes(binding.configuration_hash);
  out.uint(7).array(models.size());
  for (const Hash32& model : models) out.bytes(model);
  if (serve) {
    out.uint(8).bytes(binding.receipt_key);
    out.uint(9).bytes(binding.channel_key);
    if (binding.devices_hash) out.uint(11).bytes(*binding.devices_hash);
    if (binding.challenge) out.uint(12).bytes(*binding.challenge);
  } else {
    out.uint(10).bytes(binding.release_key);
    out.uint(12).bytes(binding.challenge.value_or(Hash32{}));
  }
  return out.take();
}

Result<Binding> decode_binding(ByteView bytes) {
  if (bytes.size() > kBindingBytesMax) return fail(kBindingMalformed, "a binding is too long", bytes.size());
  auto map = CborMap::decode(bytes);
  if (!map) return malformed("a binding is not a deterministic CBOR map", map.error());
  auto version_value = map->required(1);
  if (!version_value) return malformed("a binding has no version", version_value.error());
  const auto version = version_value->uint();
  if (!version) return malformed("a binding's version is not a number", version.error());
  if (*version != kBindingVersionNumber) return fail(kBindingVersion, "another version of the binding", *version);
  Binding binding;
  if (auto status = decode_body(*map, binding); !status) {
    return malformed("a binding's members are not those of its purpose", status.error());
  }
  return binding;
}

Hash32 binding_digest(Purpose purpose, ByteView binding_bytes) {
  const char* const name = purpose == Purpose::kServe ? "eml serve binding v1" : "eml release binding v1";
  return sha256_of({label(name), binding_bytes});
}

}  // namespace eml
