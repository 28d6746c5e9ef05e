#include "attestation/confidential_space/token.h"

#include <algorithm>

namespace eml::confidential_space {
namespace {

constexpr std::size_t kX5cSize = 3;  // leaf, intermediate, root: Google's pages and every genuine token

std::unexpected<Error> as_ours(const Error& error) {
  if (error.code() == kJwsAlgorithm) return fail(kAlgorithm, "the token's header is not of alg RS256 and nothing else");
  if (error.code() == kJwsBringsKey) return fail(kSignature, "the token's header brings a key of its own");
  if (error.code() == kJwsCertificate) return fail(kX5cChain, "x5c is not a list of certificates");
  return fail(kParse, "the token is not a compact JWS with a closed header");
}

std::unexpected<Error> chain_error(const Error& error) {
  if (error.code() == kChainExpired)
    return fail(kCertificateExpired, "a certificate of x5c has expired", error.first());
  if (error.code() == kChainNotYetValid)
    return fail(kCertificateNotYetValid, "a certificate of x5c is not valid yet", error.first());
  return fail(kX5cChain, "x5c is not a chain from leaf to root");
}

// The last of x5c is compared with the pinned root and then is that root. Without `strict`: Google's chains keep RFC
// 5280 to the letter, but roots that a verifier brings itself need not have key identifiers.
Result<PublicKey> key_of_x5c(const std::vector<Certificate>& x5c, const Hash32& root, UnixSeconds time) {
  const Certificate& last = x5c.back();
  if (last.fingerprint() != root) {
    if (equal(last.subject(), last.issuer()))
      return fail(kUntrustedRoot, "x5c ends in another root than the trusted one");
    return fail(kX5cChain, "x5c does not end in a root");
  }
  if (x5c.size() != kX5cSize) return fail(kX5cChain, "x5c has not three certificates", kX5cSize, x5c.size());
  if (const auto status = verify_chain(x5c, last, time, {.strict = false}); !status) return chain_error(status.error());
  if (x5c.front().is_ca()) return fail(kX5cChain, "the first certificate of x5c is a CA's");
  const KeyUsage& usage = x5c.front().key_usage();
  if (usage.present && !usage.digital_signature)
    return fail(kX5cChain, "the first certificate of x5c is not for signatures");
  return x5c.front().public_key();
}

Result<PublicKey> key_of_set(const std::optional<std::string>& kid, const std::optional<Jwks>& keys) {
  if (!keys) return fail(kMissingCollateral, "an OIDC token needs a key set (jwks), and there is none");
  if (!kid) return fail(kUnknownKid, "an OIDC token has no kid");
  auto key = keys->find(*kid);
  if (!key) return fail(kUnknownKid, "the key set has no key of the token's kid");
  return key;
}

}  // namespace

Result<UnverifiedToken> UnverifiedToken::decode(ByteView token) {
  auto jws = decode_jws_envelope(token);
  if (!jws) return as_ours(jws.error());
  if (jws->algorithm != "RS256") return fail(kAlgorithm, "the token's algorithm is not RS256");
  // For those who show a token. A payload that is none is an error only after the signature (step 4.1).
  if (!decode_jws_payload(*jws)) jws->payload = nullptr;
  return UnverifiedToken(std::move(*jws));
}

Result<PublicKey> verify_key(const UnverifiedToken& token, const Anchors& anchors, UnixSeconds time) {
  return token.is_pki() ? key_of_x5c(token.jws().x5c, anchors.root, time) : key_of_set(token.kid(), anchors.keys);
}

Result<VerifiedToken> verify(const UnverifiedToken& token, const PublicKey& key, const Anchors& anchors) {
  if (const auto status = verify_jws(token.jws(), key, {"RS256"}); !status) {
    if (status.error().code() == kJwsAlgorithm) return fail(kAlgorithm, "the key is not for RS256");
    return fail(kSignature, "the token's signature does not verify");
  }
  const JsonObject* const claims = token.claims().if_object();
  if (claims == nullptr) return fail(kParse, "the token's payload is not a strict JSON object");
  return VerifiedToken{
      .claims = *claims, .is_pki = token.is_pki(), .root = hex(token.is_pki() ? anchors.root : anchors.keys_hash)};
}

}  // namespace eml::confidential_space
