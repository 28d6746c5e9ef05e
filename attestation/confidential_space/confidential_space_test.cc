// One test for each numbered step of docs/spec/evidence/confidential_space.md, which makes only that step fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "attestation/confidential_space/claims.h"
#include "attestation/confidential_space/requirements.h"
#include "attestation/confidential_space/token.h"
#include "attestation/judge.h"
#include "crypto/hash.h"
#include "encoding/base64.h"
#include "tests/support/signer.h"

namespace eml {
namespace {

using namespace confidential_space;  // NOLINT(google-build-using-namespace)
using test::CertificateSpec;
using test::make_certificate;
using test::pem_certificate;
using test::shared_rsa_signer;
using test::Signer;

constexpr UnixSeconds kNow = 1780315200;  // 2026-06-01T12:00:00Z
const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kNonce(64, 'b');

JsonObject good_claims() {
  return parse_json(as_bytes(R"({
    "aud":"eml serve v1","iss":"https://confidentialcomputing.googleapis.com","exp":1780318200,"iat":1780314600,
    "nbf":1780314600,"sub":"https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i","eat_nonce":")" +
                             kNonce + R"(","secboot":true,"oemid":11129,"hwmodel":"GCP_INTEL_TDX",
    "swname":"CONFIDENTIAL_SPACE","swversion":["250800"],"dbgstat":"disabled-since-boot","attester_tcb":["INTEL"],
    "google_service_accounts":["sa@p.iam.gserviceaccount.com"],
    "tdx":{"gcp_attester_tcb_status":"UpToDate","gcp_attester_tcb_date":"2024-03-13T00:00:00Z"},
    "submods":{"confidential_space":{"support_attributes":["LATEST","STABLE","USABLE"]},
      "container":{"image_reference":"r","image_digest":")" +
                             kDigest + R"(","image_id":"sha256:00",
        "restart_policy":"Never","env":{"A":"b"},"args":["x"]},
      "gce":{"zone":"z","project_id":"p","project_number":"1","instance_name":"i","instance_id":"2"},
      "nvidia_gpu":{"cc_mode":"ON"}}})"))
      .value()
      .as_object();
}

Json all_requirements() {
  return parse_json(as_bytes(R"({"audience":"eml serve v1","nonce":")" + kNonce + R"(","image_digest":")" + kDigest +
                             R"(","require_dbgstat":"disabled-since-boot","require_support_attribute":"STABLE",
    "require_secboot":true,"hwmodel":"GCP_INTEL_TDX","require_nvidia_gpu_cc_mode":"ON",
    "google_service_account":"sa@p.iam.gserviceaccount.com","allow_env_override":false,"allow_cmd_override":false,
    "restart_policy":"Never","require_tdx_tcb":"UpToDate"})"))
      .value();
}

// Issued is one PKI token in the making: a test changes one thing of it, then judges it.
struct Issued {
  CertificateSpec root{.subject = "root", .issuer = "root", .extensions = test::ca_extensions("root", "root")};
  CertificateSpec middle{.subject = "middle", .issuer = "root", .extensions = test::ca_extensions("middle", "root", 0)};
  CertificateSpec leaf{.subject = "leaf", .issuer = "middle", .extensions = test::leaf_extensions("leaf", "middle")};
  JsonObject header = {{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "k1"}};
  bool pki = true;
  std::string payload = compact_json(good_claims());
  std::function<void(std::vector<Bytes>&)> change_chain = [](auto&) {};
  const Signer* signer = &shared_rsa_signer();
  const Signer* ca = &shared_rsa_signer(1);

  Bytes root_der() const { return make_certificate(root, ca->spki(), *ca); }

  std::vector<Bytes> chain() const {
    std::vector<Bytes> out = {make_certificate(leaf, shared_rsa_signer().spki(), *ca),
                              make_certificate(middle, ca->spki(), *ca), root_der()};
    change_chain(out);
    return out;
  }

  std::string token() const {
    JsonObject full = header;
    if (pki) {
      JsonArray x5c;
      for (const Bytes& der : chain()) x5c.emplace_back(base64(der));
      full["x5c"] = x5c;
    }
    const std::string input = base64url(as_bytes(compact_json(full))) + '.' + base64url(as_bytes(payload));
    return input + '.' + base64url(signer->sign(as_bytes(input), 256));
  }

  std::string key_set() const {
    const PublicKey key = PublicKey::decode_spki(shared_rsa_signer().spki()).value();
    return R"({"keys":[{"kty":"RSA","kid":"k1","alg":"RS256","use":"sig","e":"AQAB","n":")" + base64url(key.modulus()) +
           "\"}]}";
  }
};

EvidenceVerdict judge(const Issued& issued, const Json& requirements = all_requirements(), UnixSeconds time = kNow) {
  const std::string token = issued.token();
  const Bytes root = issued.root_der();
  return judge_confidential_space(
      {.evidence = as_bytes(token), .time = time, .requirements = &requirements, .root = root});
}

EvidenceVerdict judge_oidc(const Issued& issued, const std::optional<std::string>& key_set) {
  const std::string token = issued.token();
  Collateral collateral;
  if (key_set) collateral.emplace("jwks", to_bytes(*key_set));
  return judge_confidential_space({.evidence = as_bytes(token), .collateral = &collateral, .time = kNow});
}

void expect_error(const EvidenceVerdict& verdict, const ErrorCode& code) {
  ASSERT_TRUE(verdict.error) << "expected " << code.name;
  EXPECT_EQ(verdict.error->code().name, code.name) << verdict.error->to_string();
  EXPECT_EQ(first_failure(verdict.checks)->code(), code);
  EXPECT_EQ(verdict.checks.size(), 7U);
  EXPECT_EQ(std::ranges::count(verdict.checks, Outcome::kFailed, &Check::outcome), 1);
  EXPECT_TRUE(verdict.evidence.root.empty()) << "evidence without a verdict";
}

// A token whose claims are changed, and that is signed again.
Issued with_claim(const std::function<void(JsonObject&)>& change) {
  JsonObject claims = good_claims();
  change(claims);
  Issued issued;
  issued.payload = compact_json(claims);
  return issued;
}

JsonObject& container(JsonObject& claims) { return claims["submods"].as_object()["container"].as_object(); }

TEST(ConfidentialSpace, AGoodPkiTokenIsEvidenceOfThatImageInThatProject) {
  const Issued issued;
  const EvidenceVerdict verdict = judge(issued);
  ASSERT_FALSE(verdict.error) << verdict.error->to_string();
  EXPECT_TRUE(verdict.root_given);
  EXPECT_EQ(verdict.evidence.kind, EvidenceKind::kConfidentialSpace);
  EXPECT_EQ(verdict.evidence.signed_value, to_bytes(kNonce));
  EXPECT_EQ(verdict.evidence.measurements, (Measurements{{"image_digest", Bytes(32, 0xaa)}}));
  EXPECT_EQ(verdict.evidence.platform_identity, "p/sa@p.iam.gserviceaccount.com");
  EXPECT_EQ(verdict.evidence.root, hex(sha256(issued.root_der())));
  EXPECT_FALSE(verdict.evidence.debug);
  EXPECT_EQ(verdict.tcb_status, "UpToDate");
  EXPECT_EQ(verdict.fields.as_object(), good_claims());
  EXPECT_EQ(verdict.details.at("token_type").as_string(), "PKI");
  for (const Check& check : verdict.checks) EXPECT_EQ(check.outcome, Outcome::kPassed) << check.id;
  EXPECT_FALSE(above_production_floor(verdict.evidence)) << "a root that was given is no vendor's";
}

TEST(ConfidentialSpace, AGoodOidcTokenVerifiesUnderItsKeySet) {
  Issued issued;
  issued.pki = false;
  const EvidenceVerdict verdict = judge_oidc(issued, issued.key_set());
  ASSERT_FALSE(verdict.error) << verdict.error->to_string();
  EXPECT_FALSE(verdict.root_given);
  EXPECT_EQ(verdict.evidence.root, hex(sha256(as_bytes(issued.key_set()))));
  EXPECT_EQ(verdict.details.at("token_type").as_string(), "OIDC");
}

TEST(ConfidentialSpace, Step0RequirementsThatThisKindDoesNotHaveAreAnError) {
  for (const char* bad :
       {R"({"mrtd":"00"})", R"({"audience":1})", R"({"require_secboot":"true"})", R"({"nonce":null})", "[]", "null"}) {
    expect_error(judge(Issued{}, parse_json(as_bytes(bad)).value()), kPolicy);
  }
}

TEST(ConfidentialSpace, Step11ATokenThatIsNotThreePartsWithAClosedHeaderDoesNotParse) {
  Issued issued;
  issued.header["other"] = 1;
  expect_error(judge(issued), kParse);
  const std::string good = Issued{}.token();
  for (const std::string& bad : {std::string(), good + ".", good + "=", good.substr(0, good.rfind('.'))}) {
    expect_error(judge_confidential_space({.evidence = as_bytes(bad), .time = kNow}), kParse);
  }
}

TEST(ConfidentialSpace, Step12OnlyRs256IsAnAlgorithm) {
  for (const char* algorithm : {"none", "HS256", "PS256", "RS384", "ES256", "EdDSA"}) {
    Issued issued;
    issued.header["alg"] = algorithm;
    expect_error(judge(issued), kAlgorithm);
  }
  Issued issued;
  issued.header["crit"] = JsonArray{Json("b64")};
  expect_error(judge(issued), kAlgorithm);
}

TEST(ConfidentialSpace, Step13AHeaderThatBringsAKeyIsRefused) {
  for (const char* name : {"jwk", "jku", "x5u"}) {
    Issued issued;
    issued.header[name] = "https://a.example";
    expect_error(judge(issued), kSignature);
  }
}

TEST(ConfidentialSpace, Step14X5cIsAListOfCertificates) {
  Issued issued;
  issued.change_chain = [](auto& chain) { chain[1].pop_back(); };
  expect_error(judge(issued), kX5cChain);
  issued.change_chain = [](auto& chain) { chain.clear(); };
  expect_error(judge(issued), kX5cChain);
}

TEST(ConfidentialSpace, Step22X5cHasThreeCertificates) {
  Issued issued;
  issued.change_chain = [](auto& chain) { chain.erase(chain.begin()); };
  expect_error(judge(issued), kX5cChain);
  issued.change_chain = [](auto& chain) { chain.insert(chain.begin() + 1, chain[1]); };
  expect_error(judge(issued), kX5cChain);
}

TEST(ConfidentialSpace, Step21TheLastIsThePinnedRootAndNoneOfItsName) {
  const Json requirements = all_requirements();
  const Issued issued;
  const std::string token = issued.token();
  expect_error(judge_confidential_space({.evidence = as_bytes(token), .time = kNow, .requirements = &requirements}),
               kUntrustedRoot);
  Issued other;
  other.root.serial = {0x09};  // the same name and key in another certificate
  expect_error(
      judge_confidential_space(
          {.evidence = as_bytes(token), .time = kNow, .requirements = &requirements, .root = other.root_der()}),
      kUntrustedRoot);
  Issued alone;  // a root of somebody else's that signs the token itself
  alone.change_chain = [&](auto& chain) { chain = {other.root_der()}; };
  expect_error(judge(alone), kUntrustedRoot);
  Issued reversed;
  reversed.change_chain = [](auto& chain) { std::swap(chain[0], chain[2]); };
  expect_error(judge(reversed), kX5cChain);
}

TEST(ConfidentialSpace, Step23TheChainIsSignedAndItsIssuersAreCas) {
  Issued issued;
  issued.change_chain = [](auto& chain) { chain[0].back() ^= 1; };
  expect_error(judge(issued), kX5cChain);
  issued = Issued{};
  issued.middle.extensions = test::leaf_extensions("middle", "root");
  expect_error(judge(issued), kX5cChain);
  issued = Issued{};
  issued.leaf.issuer = "another";
  expect_error(judge(issued), kX5cChain);
  issued = Issued{};
  issued.leaf.extensions = {test::basic_constraints(false), test::key_usage(false, false, true)};
  expect_error(judge(issued), kX5cChain);
}

TEST(ConfidentialSpace, Step24EveryCertificateIsInDate) {
  for (CertificateSpec Issued::* which : {&Issued::leaf, &Issued::middle, &Issued::root}) {
    Issued issued;
    (issued.*which).not_after = "20260601115959Z";
    expect_error(judge(issued), kCertificateExpired);
    issued = Issued{};
    (issued.*which).not_before = "20260601120001Z";
    expect_error(judge(issued), kCertificateNotYetValid);
  }
}

TEST(ConfidentialSpace, Step25AnOidcTokenNeedsAKeySetThatHasItsKid) {
  Issued issued;
  issued.pki = false;
  expect_error(judge_oidc(issued, std::nullopt), kMissingCollateral);
  expect_error(judge_oidc(issued, "{\"keys\":["), kParse);
  expect_error(judge_oidc(issued, "{\"keys\":[]}"), kUnknownKid);
  const std::string keys = issued.key_set();
  issued.header["kid"] = "k2";
  expect_error(judge_oidc(issued, keys), kUnknownKid);
  issued.header.erase("kid");
  expect_error(judge_oidc(issued, keys), kUnknownKid);
}

TEST(ConfidentialSpace, Step25AGivenKeySetReplacesTheCollateralsKeys) {
  Issued issued;
  issued.pki = false;
  const std::string token = issued.token();
  const Collateral collateral = {{"jwks", to_bytes(issued.key_set())}};
  expect_error(
      judge_confidential_space(
          {.evidence = as_bytes(token), .collateral = &collateral, .time = kNow, .root = to_bytes("{\"keys\":[]}")}),
      kUnknownKid);
  expect_error(judge_confidential_space(
                   {.evidence = as_bytes(token), .collateral = &collateral, .time = kNow, .root = Issued{}.root_der()}),
               kMissingCollateral);
}

TEST(ConfidentialSpace, Step3TheSignatureCoversHeaderAndPayload) {
  Issued issued;
  const Signer& wrong = shared_rsa_signer(1);
  std::string token = issued.token();
  const Bytes root = issued.root_der();
  const auto judged = [&](const std::string& text) {
    return judge_confidential_space({.evidence = as_bytes(text), .time = kNow, .root = root});
  };
  ASSERT_FALSE(judged(token).error);
  const std::string input = token.substr(0, token.rfind('.'));
  expect_error(judged(input + '.' + base64url(wrong.sign(as_bytes(input), 256))), kSignature);
  expect_error(judged(input + '.'), kSignature);
  expect_error(judged(input + '.' + base64url(Bytes(256))), kSignature);
  const std::string other = with_claim([](JsonObject& claims) { claims["hwmodel"] = "GCP_AMD_SEV"; }).token();
  const std::string moved =
      input.substr(0, input.find('.')) + other.substr(other.find('.'), other.rfind('.') - other.find('.'));
  expect_error(judged(moved + token.substr(token.rfind('.'))), kSignature);
}

TEST(ConfidentialSpace, Step4ASignedPayloadIsAStrictJsonObject) {
  for (const char* bad : {"", "[]", "{\"iss\":1,\"iss\":1}", "{"}) {
    Issued issued;
    issued.payload = bad;
    expect_error(judge(issued), kParse);
  }
}

TEST(ConfidentialSpace, Step51TimesAreIntegers) {
  for (const char* name : {"exp", "nbf", "iat"}) {
    expect_error(judge(with_claim([&](JsonObject& claims) { claims[name] = "1780318200"; })), kParse);
    expect_error(judge(with_claim([&](JsonObject& claims) { claims[name] = 1780318200.5; })), kParse);
  }
}

TEST(ConfidentialSpace, Step52TheIssuerIsGooglesToTheCharacter) {
  for (const char* bad :
       {"https://confidentialcomputing.googleapis.com/", "http://confidentialcomputing.googleapis.com", ""}) {
    expect_error(judge(with_claim([&](JsonObject& claims) { claims["iss"] = bad; })), kIssuer);
  }
  expect_error(judge(with_claim([](JsonObject& claims) { claims.erase("iss"); })), kIssuer);
}

TEST(ConfidentialSpace, Step53And54ATokenIsGoodFromNbfAndIatToExpWithAMinuteOfLeeway) {
  const Issued issued;
  EXPECT_FALSE(judge(issued, all_requirements(), 1780314600 - 60).error);
  EXPECT_FALSE(judge(issued, all_requirements(), 1780318200 + 59).error);
  expect_error(judge(issued, all_requirements(), 1780314600 - 61), kNotYetValid);
  expect_error(judge(issued, all_requirements(), 1780318200 + 60), kExpired);
  expect_error(judge(with_claim([](JsonObject& claims) { claims.erase("exp"); })), kExpired);
  for (const char* name : {"nbf", "iat"}) {
    expect_error(judge(with_claim([&](JsonObject& claims) { claims.erase(name); })), kNotYetValid);
    expect_error(judge(with_claim([&](JsonObject& claims) { claims[name] = kNow + 61; })), kNotYetValid);
    expect_error(judge(with_claim([&](JsonObject& claims) { claims[name] = std::int64_t{9223372036854775807}; })),
                 kNotYetValid);
  }
  expect_error(judge(with_claim([](JsonObject& claims) { claims["exp"] = std::int64_t{-9223372036854775807 - 1}; })),
               kExpired);
}

TEST(ConfidentialSpace, Step55TheSoftwareIsConfidentialSpace) {
  expect_error(judge(with_claim([](JsonObject& claims) { claims["swname"] = "GCE"; })), kSoftware);
  expect_error(judge(with_claim([](JsonObject& claims) { claims.erase("swname"); })), kSoftware);
}

TEST(ConfidentialSpace, Step56TheMakerIsGoogle) {
  expect_error(judge(with_claim([](JsonObject& claims) { claims["oemid"] = 1; })), kOemId);
  expect_error(judge(with_claim([](JsonObject& claims) { claims["oemid"] = "11129"; })), kOemId);
}

struct Requirement {
  const char* step;
  ErrorCode code;
  const char* member;  // of the requirements: without it the claim is not judged
  void (*change)(JsonObject& claims);
};

const Requirement kSteps[] = {
    {"6.1", kAudience, "audience", [](JsonObject& c) { c["aud"] = "eml release v1"; }},
    {"6.1", kAudience, "audience", [](JsonObject& c) { c["aud"] = JsonArray{Json("eml serve v1")}; }},
    {"6.2", kNonceMismatch, "nonce", [](JsonObject& c) { c["eat_nonce"] = std::string(64, 'B'); }},
    {"6.2", kNonceMismatch, "nonce", [](JsonObject& c) { c.erase("eat_nonce"); }},
    {"6.2", kNonceMismatch, "nonce", [](JsonObject& c) { c["eat_nonce"] = JsonArray{Json("x"), Json("y")}; }},
    {"6.3", kDebugImage, "require_dbgstat", [](JsonObject& c) { c["dbgstat"] = "enabled"; }},
    {"6.4", kSupportAttributes, "require_support_attribute",
     [](JsonObject& c) {
       c["submods"].as_object()["confidential_space"].as_object()["support_attributes"] = JsonArray{Json("USABLE")};
     }},
    {"6.5", kSecureBoot, "require_secboot", [](JsonObject& c) { c["secboot"] = "true"; }},
    {"6.6", kHardwareModel, "hwmodel", [](JsonObject& c) { c["hwmodel"] = "GCP_AMD_SEV"; }},
    {"6.7", kTdxTcb, "require_tdx_tcb",
     [](JsonObject& c) { c["tdx"].as_object()["gcp_attester_tcb_status"] = "OutOfDate"; }},
    {"6.7", kTdxTcb, "require_tdx_tcb", [](JsonObject& c) { c.erase("tdx"); }},
    {"6.8", kGpuCc, "require_nvidia_gpu_cc_mode",
     [](JsonObject& c) { c["submods"].as_object()["nvidia_gpu"].as_object()["cc_mode"] = "DEVTOOLS"; }},
    {"6.8", kGpuCc, "require_nvidia_gpu_cc_mode", [](JsonObject& c) { c["submods"].as_object().erase("nvidia_gpu"); }},
    {"6.9", kImageDigest, "image_digest",
     [](JsonObject& c) { container(c)["image_digest"] = "sha256:" + std::string(64, 'A'); }},
    {"6.10", kServiceAccount, "google_service_account",
     [](JsonObject& c) { c["google_service_accounts"] = JsonArray{Json("other@p.iam.gserviceaccount.com")}; }},
    {"6.11", kEnvOverride, "allow_env_override",
     [](JsonObject& c) { container(c)["env_override"] = JsonObject{{"A", "c"}}; }},
    {"6.12", kCmdOverride, "allow_cmd_override",
     [](JsonObject& c) { container(c)["cmd_override"] = JsonArray{Json("sh")}; }},
    {"6.13", kRestartPolicy, "restart_policy", [](JsonObject& c) { container(c)["restart_policy"] = "Always"; }},
};

TEST(ConfidentialSpace, Step6EachRequirementRefusesItsClaimAndNothingElse) {
  for (const Requirement& step : kSteps) {
    SCOPED_TRACE(step.step);
    const Issued issued = with_claim(step.change);
    expect_error(judge(issued), step.code);
    Json without = all_requirements();
    without.as_object().erase(step.member);
    EXPECT_FALSE(judge(issued, without).error) << "without the requirement the claim is not judged";
  }
}

TEST(ConfidentialSpace, EmptyOverridesAndOlderShapesOfClaimsAreAccepted) {
  const Issued issued = with_claim([](JsonObject& c) {
    container(c)["env_override"] = JsonObject{};
    container(c)["cmd_override"] = JsonArray{};
    c["tdx"] = JsonArray{c["tdx"]};
    c["eat_nonce"] = JsonArray{Json("first"), Json(kNonce)};
  });
  const EvidenceVerdict verdict = judge(issued);
  EXPECT_FALSE(verdict.error);
  EXPECT_TRUE(verdict.evidence.signed_value.empty()) << "with two nonces none is what was bound";
}

TEST(ConfidentialSpace, DebugImagesAreEvidenceThatSaysSo) {
  const Issued issued = with_claim([](JsonObject& c) { c["dbgstat"] = "enabled"; });
  const EvidenceVerdict verdict = judge(issued, JsonObject{});
  ASSERT_FALSE(verdict.error);
  EXPECT_TRUE(verdict.evidence.debug);
  EXPECT_FALSE(verdict.details.at("production_image").as_bool());
}

TEST(ConfidentialSpace, AnImageDigestThatIsNotItsOneSpellingIsNoMeasurement) {
  for (const std::string& bad : {"sha256:" + std::string(64, 'A'), "sha256:" + std::string(62, 'a'),
                                 "sha512:" + std::string(64, 'a'), std::string("sha256:")}) {
    const EvidenceVerdict verdict =
        judge(with_claim([&](JsonObject& c) { container(c)["image_digest"] = bad; }), JsonObject{});
    ASSERT_FALSE(verdict.error);
    EXPECT_TRUE(verdict.evidence.measurements.empty()) << bad;
  }
}

TEST(ConfidentialSpace, EveryTruncationOfATokenIsRefused) {
  const Issued issued;
  const std::string token = issued.token();
  const Bytes root = issued.root_der();
  for (std::size_t size = 0; size < token.size(); size += size < 40 || size + 40 > token.size() ? 1 : 7) {
    EXPECT_TRUE(judge_confidential_space({.evidence = as_bytes(token).first(size), .time = kNow, .root = root}).error)
        << size;
  }
}

}  // namespace
}  // namespace eml
