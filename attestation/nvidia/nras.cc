#include "attestation/nvidia/nras.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "attestation/nvidia/spdm.h"
#include "crypto/hash.h"

namespace eml {
namespace {

constexpr std::string_view kIssuer = "https://nras.attestation.nvidia.com";
constexpr std::string_view kSubject = "NVIDIA-PLATFORM-ATTESTATION";
constexpr std::size_t kCommasMax = 2 * kNrasDevicesMax;  // tokens have none: a cheap bound before JSON is built

std::unexpected<Error> bad(Literal what) { return fail(kNvidiaParse, what); }

const Json* member_of(const Json& json, std::string_view name) {
  return json.is_object() ? json.get_object().if_contains(name) : nullptr;
}

std::optional<std::string_view> text_of(const Json& json, std::string_view name) {
  const Json* member = member_of(json, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string_view(member->get_string());
}

bool is_true(const Json& json, std::string_view name) {
  const Json* member = member_of(json, name);
  return member != nullptr && member->is_bool() && member->get_bool();
}

std::optional<UnixSeconds> time_of(const Json& json, std::string_view name) {
  const Json* member = member_of(json, name);
  if (member == nullptr || !member->is_int64()) return std::nullopt;
  const auto value = member->get_int64();
  return value >= 0 && value <= kUnixSecondsMax ? std::optional(value) : std::nullopt;
}

Result<Json> verify_token(std::string_view token, const Jwks& keys) {
  const auto jws = decode_jws(as_bytes(token));
  if (!jws) {
    const ErrorCode code = jws.error().code();
    if (code == kJwsBringsKey)
      return fail(kNvidiaJwsSignature, "a token brings the key that it is to be verified with");
    if (code == kJwsAlgorithm) return fail(kNvidiaAlgorithm, "a token with a header that is refused");
    return bad("a token is not a JWS");
  }
  if (jws->algorithm != "ES384") return fail(kNvidiaAlgorithm, "a token's algorithm is not ES384");
  if (!jws->kid) return fail(kNvidiaUnknownKid, "a token names no key");
  const auto key = keys.find(*jws->kid);
  if (!key) return fail(kNvidiaUnknownKid, "a token names a key that is not in the set");
  if (!verify_jws(*jws, *key, {"ES384"})) return fail(kNvidiaJwsSignature, "the named key did not sign a token");
  return jws->payload;
}

// ["DIGEST", ["SHA-256", hex]]
bool is_digest_of(const Json& entry, std::string_view token) {
  if (!entry.is_array() || entry.get_array().size() != 2 || entry.get_array()[0] != "DIGEST") return false;
  const Json& inner = entry.get_array()[1];
  if (!inner.is_array() || inner.get_array().size() != 2 || inner.get_array()[0] != "SHA-256") return false;
  return inner.get_array()[1] == Json(hex(sha256(as_bytes(token))));
}

Status verify_digests(const Json& overall, const UnverifiedNrasTokens& tokens) {
  const Json* submods = member_of(overall, "submods");
  const bool same_count = submods != nullptr && submods->is_object() && !tokens.devices.empty() &&
                          submods->get_object().size() == tokens.devices.size();
  if (!same_count) {
    return fail(kNvidiaSubmodDigest, "the overall token names other devices than there are");
  }
  for (const auto& [name, token] : tokens.devices) {
    const Json* entry = submods->get_object().if_contains(name);
    if (entry == nullptr || !is_digest_of(*entry, token)) {
      return fail(kNvidiaSubmodDigest, "a device's token is not the one whose digest the overall token holds");
    }
  }
  return {};
}

Status verify_times(const Json& claims, UnixSeconds time) {
  const auto expires = time_of(claims, "exp");
  const auto issued = time_of(claims, "iat");
  if (!expires || !issued) return bad("a token lacks exp or iat");
  const UnixSeconds begins = std::max(*issued, time_of(claims, "nbf").value_or(*issued));
  if (time > *expires + kNrasLeewaySeconds) return fail(kNvidiaExpired, "a token had expired");
  if (time + kNrasLeewaySeconds < begins) return fail(kNvidiaNotYetValid, "a token was not yet valid");
  return {};
}

Status verify_claims(const Json& claims, UnixSeconds time, std::string_view nonce) {
  if (text_of(claims, "iss") != kIssuer) return fail(kNvidiaIssuer, "a token of another issuer");
  EML_CHECK(verify_times(claims, time));
  if (text_of(claims, "eat_nonce") != nonce) return fail(kNvidiaNonceMismatch, "a device's token has another nonce");
  return {};
}

// x-nvidia-...: each is a check that the service made; a false one would be a failed device with a good result.
Status appraise_checks(const JsonObject& claims) {
  for (const auto& claim : claims) {
    if (!std::string_view(claim.key()).starts_with("x-nvidia-")) continue;
    if (claim.value().is_bool() && !claim.value().get_bool()) {
      return fail(kNvidiaResult, "the service found a check of a device false");
    }
    const auto status = text_of(claim.value(), "x-nvidia-cert-status");
    const auto ocsp = text_of(claim.value(), "x-nvidia-cert-ocsp-status");
    if ((status && *status != "valid") || (ocsp && *ocsp != "good")) {
      return fail(kNvidiaResult, "the service found a certificate not valid and good");
    }
  }
  return {};
}

}  // namespace

Result<UnverifiedNrasTokens> UnverifiedNrasTokens::decode(ByteView json) {
  if (json.size() > kNrasBytesMax) return bad("more than 512 KiB");
  if (static_cast<std::size_t>(std::ranges::count(json, ',')) > kCommasMax) return bad("too many members");
  const auto parsed = parse_json(json, {.bytes_max = kNrasBytesMax, .depth_max = 4});
  if (!parsed || !parsed->is_array() || parsed->get_array().size() != 2) return bad("not a pair of tokens");
  const Json& overall = parsed->get_array()[0];
  const Json& devices = parsed->get_array()[1];
  if (!overall.is_array() || overall.get_array().size() != 2 || overall.get_array()[0] != "JWT" ||
      !overall.get_array()[1].is_string()) {
    return bad("the first of the pair is not [\"JWT\", token]");
  }
  if (!devices.is_object() || devices.get_object().size() > kNrasDevicesMax) {
    return bad("the second of the pair is not an object of up to 64 tokens");
  }
  UnverifiedNrasTokens out;
  out.overall = overall.get_array()[1].get_string();
  for (const auto& member : devices.get_object()) {
    if (!member.value().is_string()) return bad("a device's token is not a string");
    out.devices.emplace_back(member.key(), member.value().get_string());
  }
  return out;
}

Result<VerifiedNrasTokens> VerifiedNrasTokens::verify(const UnverifiedNrasTokens& tokens, const Jwks& keys,
                                                      UnixSeconds time) {
  VerifiedNrasTokens out;
  EML_TRY(out.overall_, verify_token(tokens.overall, keys));
  EML_CHECK(verify_digests(out.overall_, tokens));
  for (const auto& [name, token] : tokens.devices) {
    EML_TRY(Json claims, verify_token(token, keys));
    out.devices_.push_back({.name = name, .claims = std::move(claims)});
  }
  if (text_of(out.overall_, "sub") != kSubject) return fail(kNvidiaIssuer, "the overall token has another subject");
  const auto nonce = text_of(out.overall_, "eat_nonce");
  if (!nonce) return bad("the overall token has no nonce");
  out.nonce_ = *nonce;
  EML_CHECK(verify_claims(out.overall_, time, out.nonce_));
  for (const NrasDevice& device : out.devices_) EML_CHECK(verify_claims(device.claims, time, out.nonce_));
  return out;
}

Status appraise_nras(const VerifiedNrasTokens& tokens) {
  if (!is_true(tokens.overall(), "x-nvidia-overall-att-result")) {
    return fail(kNvidiaResult, "the service's overall result is not true");
  }
  for (const NrasDevice& device : tokens.devices()) {
    if (text_of(device.claims, "measres") != "success") return fail(kNvidiaMeasres, "measurements did not match");
    if (!is_true(device.claims, "secboot")) return fail(kNvidiaSecboot, "a device without secure boot");
    if (text_of(device.claims, "dbgstat") != "disabled") return fail(kNvidiaDebugEnabled, "a device in debug mode");
    EML_CHECK(appraise_checks(device.claims.as_object()));
  }
  return {};
}

}  // namespace eml
