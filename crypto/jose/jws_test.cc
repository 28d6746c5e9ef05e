#include "crypto/jose/jws.h"

#include <gtest/gtest.h>

#include <string>

#include "encoding/base64.h"
#include "tests/support/signer.h"

namespace eml {
namespace {

using test::shared_rsa_signer;
using test::Signer;
using test::TestKey;
using test::TestPadding;

PublicKey key_of(const Signer& signer) { return PublicKey::decode_spki(signer.spki()).value(); }

std::string signing_input(std::string_view header, std::string_view payload) {
  return base64url(as_bytes(header)) + '.' + base64url(as_bytes(payload));
}

std::string token_of(std::string_view header, std::string_view payload, const Bytes& signature = Bytes(256)) {
  return signing_input(header, payload) + '.' + base64url(signature);
}

ErrorCode refused(const std::string& token) {
  const auto jws = decode_jws(as_bytes(token));
  EXPECT_FALSE(jws) << token;
  return jws ? kInternalError : jws.error().code();
}

constexpr const char* kHeader = R"({"alg":"RS256","kid":"k1","typ":"JWT"})";
constexpr const char* kPayload = R"({"iss":"somebody"})";

// Source: RFC 7515, appendix A.2 (RS256) and A.3 (ES256), the examples and their keys.
constexpr const char* kRfcPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

TEST(Jws, TheExampleOfRfc7515InEs256VerifiesUnderItsKey) {
  const std::string token = std::string("eyJhbGciOiJFUzI1NiJ9.") + kRfcPayload +
                            ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  const auto keys = Jwks::decode(as_bytes(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"a",
      "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})"))
                        .value();
  const auto jws = decode_jws(as_bytes(token)).value();
  EXPECT_EQ(jws.algorithm, "ES256");
  EXPECT_EQ(jws.kid, std::nullopt);
  EXPECT_EQ(jws.payload.at("iss").as_string(), "joe");
  EXPECT_TRUE(verify_jws(jws, keys.find("a").value(), {"ES256"}));
  EXPECT_EQ(verify_jws(jws, keys.find("a").value(), {"RS256"}).error().code(), kJwsAlgorithm);
  EXPECT_EQ(keys.find("b").error().code(), kJwsUnknownKey);
}

TEST(Jws, EachAlgorithmVerifiesWithItsKindOfKeyAndNoOther) {
  const Signer& rsa = shared_rsa_signer();
  const Signer p256(TestKey::kP256);
  const Signer p384(TestKey::kP384);
  const Signer edwards(TestKey::kEd25519);
  struct Case {
    const char* algorithm;
    const Signer& signer;
    int hash;
    TestPadding padding;
  };
  const Case cases[] = {{"RS256", rsa, 256, TestPadding::kNone},  {"RS384", rsa, 384, TestPadding::kNone},
                        {"RS512", rsa, 512, TestPadding::kNone},  {"PS256", rsa, 256, TestPadding::kPss},
                        {"PS384", rsa, 384, TestPadding::kPss},   {"PS512", rsa, 512, TestPadding::kPss},
                        {"ES256", p256, 256, TestPadding::kNone}, {"ES384", p384, 384, TestPadding::kNone},
                        {"EdDSA", edwards, 0, TestPadding::kNone}};
  for (const Case& c : cases) {
    const std::string header = std::string(R"({"alg":")") + c.algorithm + "\"}";
    const std::string input = signing_input(header, kPayload);
    const bool ecdsa = &c.signer == &p256 || &c.signer == &p384;
    const Bytes signature =
        ecdsa ? c.signer.sign_raw(as_bytes(input), c.hash) : c.signer.sign(as_bytes(input), c.hash, c.padding);
    const auto jws = decode_jws(as_bytes(token_of(header, kPayload, signature))).value();
    for (const Case& other : cases) {
      const auto status = verify_jws(jws, key_of(other.signer), {c.algorithm});
      EXPECT_EQ(status.has_value(), &other.signer == &c.signer) << c.algorithm << " with " << other.algorithm;
      if (!status) EXPECT_EQ(status.error().code(), kJwsAlgorithm);
    }
    auto tampered = jws;
    tampered.signing_input.back() ^= 1;
    EXPECT_EQ(verify_jws(tampered, key_of(c.signer), {c.algorithm}).error().code(), kJwsSignature);
    tampered = jws;
    tampered.signature.clear();
    EXPECT_EQ(verify_jws(tampered, key_of(c.signer), {c.algorithm}).error().code(), kJwsSignature);
  }
}

TEST(Jws, WhatIsNotThreePartsOfBase64urlIsMalformed) {
  const std::string good = token_of(kHeader, kPayload);
  ASSERT_TRUE(decode_jws(as_bytes(good)));
  const std::size_t dot = good.find('.');
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), good.substr(0, good.rfind('.')), good + ".", good + ".AAAA",
        good + "=", good + "\n", " " + good, good.substr(0, dot) + "=" + good.substr(dot),
        good.substr(0, dot) + " " + good.substr(dot), good.substr(0, dot) + "+" + good.substr(dot), good + "AAA"}) {
    EXPECT_EQ(refused(bad), kJwsMalformed) << bad;
  }
  EXPECT_EQ(refused(std::string(kJwsBytesMax + 1, 'A')), kJwsMalformed);
}

TEST(Jws, AHeaderOrPayloadThatIsNoStrictObjectIsMalformed) {
  for (const char* bad : {"", "[]", "null", "{", R"({"a":1,"a":2})", "{} ", "\"x\"", "{\"a\":1}x"}) {
    if (std::string_view(bad) != "{} ") EXPECT_EQ(refused(token_of(kHeader, bad)), kJwsMalformed) << bad;
  }
  EXPECT_EQ(refused(token_of("[]", kPayload)), kJwsMalformed);
  EXPECT_EQ(refused(token_of(R"({"alg":"RS256","alg":"RS256"})", kPayload)), kJwsMalformed);
  EXPECT_EQ(refused(token_of(R"({"alg":"RS256","other":1})", kPayload)), kJwsMalformed);
  EXPECT_EQ(refused(token_of(R"({"alg":"RS256","kid":1})", kPayload)), kJwsMalformed);
  const std::string deep = std::string(40, '[') + std::string(40, ']');
  EXPECT_EQ(refused(token_of(kHeader, "{\"a\":" + deep + "}")), kJwsMalformed);
}

TEST(Jws, TheEnvelopeDecodesWithoutThePayload) {
  auto jws = decode_jws_envelope(as_bytes(token_of(kHeader, "[]"))).value();
  EXPECT_TRUE(jws.payload.is_null());
  EXPECT_EQ(jws.payload_bytes, to_bytes("[]"));
  EXPECT_EQ(decode_jws_payload(jws).error().code(), kJwsMalformed);
}

TEST(Jws, AlgorithmsThatAreNoneOrNotOursAreRefusedAndSoIsWhatChangesTheFormat) {
  for (const char* header :
       {R"({"kid":"k1"})", R"({"alg":1})", R"({"alg":"none"})", R"({"alg":"nOnE"})", R"({"alg":"HS256"})",
        R"({"alg":"ES512"})", R"({"alg":"rs256"})", R"({"alg":""})", R"({"alg":"RS256","crit":["b64"]})",
        R"({"alg":"RS256","b64":false})", R"({"alg":"RS256","enc":"A128GCM"})", R"({"alg":"RS256","zip":"DEF"})"}) {
    EXPECT_EQ(refused(token_of(header, kPayload)), kJwsAlgorithm) << header;
  }
}

TEST(Jws, ATokenThatBringsItsKeyIsRefused) {
  for (const char* header : {R"({"alg":"RS256","jwk":{"kty":"RSA"}})", R"({"alg":"RS256","jku":"https://a.example"})",
                             R"({"alg":"RS256","x5u":"https://a.example"})"}) {
    EXPECT_EQ(refused(token_of(header, kPayload)), kJwsBringsKey) << header;
  }
}

TEST(Jws, X5cIsCertificatesInDerOrPem) {
  const Signer signer(TestKey::kP256);
  const Bytes der = test::make_certificate({.issuer = "leaf"}, signer.spki(), signer);
  JsonObject header;
  header["alg"] = "ES256";
  header["x5c"] = JsonArray{Json(base64(der)), Json(test::pem_certificate(der))};
  const auto jws = decode_jws(as_bytes(token_of(compact_json(header), kPayload))).value();
  ASSERT_EQ(jws.x5c.size(), 2U);
  EXPECT_EQ(jws.x5c[0].der(), der);
  EXPECT_EQ(jws.x5c[1].der(), der);
  const Json bad[] = {Json("x"),
                      Json(JsonArray{}),
                      Json(JsonArray{Json(1)}),
                      Json(JsonArray{Json("")}),
                      Json(JsonArray{Json(base64(der) + "=")}),
                      Json(JsonArray{Json(base64(concat(der, Bytes{0})))}),
                      Json(JsonArray{Json(test::pem_certificate(der) + test::pem_certificate(der))}),
                      Json(JsonArray(11, Json(base64(der))))};
  for (const Json& value : bad) {
    header["x5c"] = value;
    EXPECT_EQ(refused(token_of(compact_json(header), kPayload)), kJwsCertificate) << compact_json(value).substr(0, 80);
  }
}

TEST(Jwks, KeysThatCannotBeUsedAreLeftOut) {
  const auto keys = Jwks::decode(as_bytes(R"({"keys":[
      {"kty":"oct","kid":"a","k":"AAAA"},
      {"kty":"EC","crv":"secp256k1","kid":"b","x":"AA","y":"AA"},
      {"kty":"RSA","kid":"c","n":"AQAB","e":"AQAB"},
      {"kty":"EC","crv":"P-256","kid":"d","use":"enc","x":"AA","y":"AA"},
      {"kty":"EC","crv":"P-256","x":"AA","y":"AA"}],"more":1})"));
  ASSERT_TRUE(keys) << keys.error().to_string();
  for (const char* kid : {"a", "b", "c", "d", ""}) EXPECT_EQ(keys->find(kid).error().code(), kJwsUnknownKey) << kid;
}

TEST(Jwks, WhatIsNoKeySetIsMalformed) {
  const std::string good = R"({"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                           R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
  ASSERT_TRUE(Jwks::decode(as_bytes("{\"keys\":[" + good + "]}")));
  for (const std::string& bad :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
        std::string(R"({"keys":[1]})"), "{\"keys\":[" + good + "," + good + "]}", "{\"keys\":[" + good + "]",
        std::string(R"({"keys":[{"kid":"a"}]})"), std::string(R"({"keys":[{"kty":"RSA","kid":"a","e":"AQAB"}]})"),
        std::string(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA"}]})"),
        std::string(R"({"keys":[{"kty":"EC","crv":"P-256","kid":"a","x":"AA=","y":"AA"}]})")}) {
    const auto keys = Jwks::decode(as_bytes(bad));
    ASSERT_FALSE(keys) << bad;
    EXPECT_EQ(keys.error().code(), kJwksMalformed);
  }
}

}  // namespace
}  // namespace eml
