#include "crypto/jose/jws.h"

#include <algorithm>
#include <array>

#include "encoding/base64.h"

namespace eml {
namespace {

struct Algorithm {
  std::string_view name;
  SignatureScheme scheme;
};

// RFC 7518, 3.1 and RFC 8037, without ES512 and the symmetric ones.
constexpr std::array kAlgorithms = {
    Algorithm{"RS256", SignatureScheme::kRsaPkcs1Sha256},  Algorithm{"RS384", SignatureScheme::kRsaPkcs1Sha384},
    Algorithm{"RS512", SignatureScheme::kRsaPkcs1Sha512},  Algorithm{"PS256", SignatureScheme::kRsaPssSha256},
    Algorithm{"PS384", SignatureScheme::kRsaPssSha384},    Algorithm{"PS512", SignatureScheme::kRsaPssSha512},
    Algorithm{"ES256", SignatureScheme::kEcdsaP256Sha256}, Algorithm{"ES384", SignatureScheme::kEcdsaP384Sha384},
    Algorithm{"EdDSA", SignatureScheme::kEd25519},
};

constexpr std::array<std::string_view, 4> kOtherFormats = {"crit", "b64", "enc", "zip"};
constexpr std::array<std::string_view, 3> kKeyBringers = {"jwk", "jku", "x5u"};
constexpr std::size_t kJwksBytesMax = std::size_t{1} << 20;

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == kAlgorithms.end() ? nullptr : &*found;
}

std::unexpected<Error> malformed(Literal what) { return fail(kJwsMalformed, what); }

struct Parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
};

Result<Parts> split(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last || token.find('.', first + 1) != last)
    return malformed("a token has not three parts");
  return Parts{token.substr(0, first), token.substr(first + 1, last - first - 1), token.substr(last + 1)};
}

Result<Bytes> decode_part(std::string_view part) {
  auto bytes = from_base64url(part);
  if (!bytes) return malformed("a part of a token is not base64url");
  return std::move(*bytes);
}

Result<Json> parse_object(ByteView bytes) {
  auto json = parse_json(bytes, {.bytes_max = kJwsBytesMax});
  if (!json) return malformed("a part of a token is not strict JSON");
  if (!json->is_object()) return malformed("a part of a token is not a JSON object");
  return std::move(*json);
}

std::optional<std::string_view> text_member(const JsonObject& object, std::string_view name) {
  const Json* const value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

Result<Certificate> decode_certificate(const Json& entry) {
  if (!entry.is_string()) return fail(kJwsCertificate, "an entry of x5c is not a string");
  const std::string_view text = entry.get_string();
  if (text.starts_with("-----BEGIN")) {
    auto certificates = decode_pem_certificates(as_bytes(text), 1);
    if (!certificates) return fail(kJwsCertificate, "an entry of x5c is not a PEM certificate");
    return std::move(certificates->front());
  }
  const auto der = from_base64(text);
  if (!der) return fail(kJwsCertificate, "an entry of x5c is not base64");
  auto certificate = Certificate::decode_der(*der);
  if (!certificate) return fail(kJwsCertificate, "an entry of x5c is not a certificate");
  return certificate;
}

Result<std::vector<Certificate>> decode_x5c(const Json& value) {
  const JsonArray* const entries = value.if_array();
  if (entries == nullptr || entries->empty()) return fail(kJwsCertificate, "x5c is not a list of certificates");
  if (entries->size() > kChainCertificatesMax)
    return fail(kJwsCertificate, "x5c has too many certificates", kChainCertificatesMax, entries->size());
  std::vector<Certificate> out;
  for (const Json& entry : *entries) {
    EML_TRY(Certificate certificate, decode_certificate(entry));
    out.push_back(std::move(certificate));
  }
  return out;
}

Status read_header(Jws& jws) {
  const JsonObject& header = jws.header.get_object();
  const auto has = [&](std::string_view name) { return header.contains(name); };
  if (std::ranges::any_of(kOtherFormats, has))
    return fail(kJwsAlgorithm, "a token's header has crit, b64, enc or zip, which we do not do");
  if (std::ranges::any_of(kKeyBringers, has))
    return fail(kJwsBringsKey, "a token's header brings a key or says where to fetch one");
  if (!expect_members(header, {"alg", "kid", "typ", "cty", "x5c"}))
    return malformed("a token's header has an unknown member");
  const auto algorithm = text_member(header, "alg");
  if (!algorithm || find_algorithm(*algorithm) == nullptr)
    return fail(kJwsAlgorithm, "a token has no algorithm, or one that we do not have");
  jws.algorithm = *algorithm;
  for (const std::string_view name : {"kid", "typ", "cty"}) {
    if (header.contains(name) && !text_member(header, name)) return malformed("a member of a header is not a string");
  }
  jws.kid = text_member(header, "kid");
  if (const Json* const x5c = header.if_contains("x5c")) {
    EML_TRY(jws.x5c, decode_x5c(*x5c));
  }
  return {};
}

}  // namespace

Result<Jws> decode_jws_envelope(ByteView token) {
  if (token.size() > kJwsBytesMax) return malformed("a token is larger than we accept");
  EML_TRY(const Parts parts, split(as_text(token)));
  Jws jws;
  EML_TRY(const Bytes header, decode_part(parts.header));
  EML_TRY(jws.payload_bytes, decode_part(parts.payload));
  EML_TRY(jws.signature, decode_part(parts.signature));
  EML_TRY(jws.header, parse_object(header));
  EML_CHECK(read_header(jws));
  jws.signing_input = to_bytes(token.first(parts.header.size() + 1 + parts.payload.size()));
  return jws;
}

Status decode_jws_payload(Jws& jws) {
  EML_TRY(jws.payload, parse_object(jws.payload_bytes));
  return {};
}

Result<Jws> decode_jws(ByteView token) {
  EML_TRY(Jws jws, decode_jws_envelope(token));
  EML_CHECK(decode_jws_payload(jws));
  return jws;
}

Status verify_jws(const Jws& jws, const PublicKey& key, std::initializer_list<std::string_view> allowed) {
  if (std::ranges::find(allowed, jws.algorithm) == allowed.end())
    return fail(kJwsAlgorithm, "a token has another algorithm than this place allows");
  const auto status =
      key.verify(find_algorithm(jws.algorithm)->scheme, jws.signing_input, jws.signature, EcdsaForm::kRaw);
  if (status) return {};
  if (status.error().code() == kPublicKeyUnsupported)
    return fail(kJwsAlgorithm, "a token's algorithm does not fit its key");
  return fail(kJwsSignature, "a token's signature does not verify");
}

namespace {

Result<Bytes> binary_member(const JsonObject& object, std::string_view name) {
  const auto text = text_member(object, name);
  auto bytes = text ? from_base64url(*text) : std::nullopt;
  if (!bytes) return fail(kJwksMalformed, "a member of a key is missing or not base64url");
  return std::move(*bytes);
}

Result<PublicKey> decode_ec(const JsonObject& jwk) {
  const auto curve = text_member(jwk, "crv");
  if (curve != "P-256" && curve != "P-384") return fail(kPublicKeyUnsupported, "a key is on another curve");
  EML_TRY(const Bytes x, binary_member(jwk, "x"));
  EML_TRY(const Bytes y, binary_member(jwk, "y"));
  if (x.size() != y.size()) return fail(kPublicKeyMalformed, "two coordinates differ in length");
  return PublicKey::from_point(curve == "P-256" ? KeyKind::kP256 : KeyKind::kP384, concat(x, y));
}

Result<PublicKey> decode_rsa(const JsonObject& jwk) {
  EML_TRY(const Bytes n, binary_member(jwk, "n"));
  EML_TRY(const Bytes e, binary_member(jwk, "e"));
  return PublicKey::from_rsa(n, e);
}

Result<PublicKey> decode_jwk(const JsonObject& jwk) {
  const auto type = text_member(jwk, "kty");
  if (!type) return fail(kJwksMalformed, "a key has no kty");
  if (type == "EC") return decode_ec(jwk);
  if (type == "RSA") return decode_rsa(jwk);
  return fail(kPublicKeyUnsupported, "a key is of another kind");
}

bool is_for_signatures(const JsonObject& jwk) { return !jwk.contains("use") || text_member(jwk, "use") == "sig"; }

}  // namespace

Result<Jwks> Jwks::decode(ByteView json) {
  const auto document = parse_json(json, {.bytes_max = kJwksBytesMax});
  const JsonObject* const object = document ? document->if_object() : nullptr;
  const Json* const list = object != nullptr ? object->if_contains("keys") : nullptr;
  if (list == nullptr || !list->is_array()) return fail(kJwksMalformed, "a key set is not an object with keys");
  Jwks out;
  for (const Json& entry : list->get_array()) {
    const JsonObject* const jwk = entry.if_object();
    if (jwk == nullptr) return fail(kJwksMalformed, "a key is not a JSON object");
    const auto kid = text_member(*jwk, "kid");
    if (!kid || !is_for_signatures(*jwk)) continue;
    auto key = decode_jwk(*jwk);
    if (!key && key.error().code() == kPublicKeyUnsupported) continue;
    if (!key) return fail(kJwksMalformed, "a key is not well formed");
    if (out.find(*kid)) return fail(kJwksMalformed, "two keys have the same kid");
    out.keys_.emplace_back(*kid, std::move(*key));
  }
  return out;
}

Result<PublicKey> Jwks::find(std::string_view kid) const {
  const auto found = std::ranges::find_if(keys_, [&](const auto& entry) { return entry.first == kid; });
  if (found == keys_.end()) return fail(kJwsUnknownKey, "no key of the set has the token's kid");
  return found->second;
}

}  // namespace eml
