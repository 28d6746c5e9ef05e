#include "abi/evidence_request.h"

#include <gtest/gtest.h>

#include "abi/ephemeralml_evidence.h"
#include "attestation/verdict_json.h"
#include "encoding/base64.h"
#include "tests/support/nitro_issuer.h"

namespace eml {
namespace {

using test::NitroIssuer;

const NitroIssuer& issuer() {
  static const NitroIssuer made;
  return made;
}

// good_request is genuine evidence of an invented module whose nonce is 03, judged under its own root.
JsonObject good_request() {
  JsonObject out;
  out["kind"] = "nitro";
  out["evidence"] = base64(issuer().document({}));
  out["time"] = "2026-06-01T12:00:00Z";
  out["root"] = base64(issuer().root_certificate());
  return out;
}

JsonObject with(std::string_view member, const Json& value) {
  JsonObject out = good_request();
  out[member] = value;
  return out;
}

struct Called {
  int status = 0;
  Json answer;
  std::string member(std::string_view name) const {
    const Json* const value = answer.as_object().if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
  }
};

Called call(std::string_view request) {
  char* answer = nullptr;
  size_t size = 0;
  Called out;
  out.status = eml_evidence_verify(request.data(), request.size(), &answer, &size);
  EXPECT_EQ(answer[size], '\0');
  out.answer = parse_json(as_bytes(std::string_view(answer, size))).value();
  eml_free(answer);
  return out;
}

Called call(const JsonObject& request) { return call(compact_json(request)); }

TEST(EvidenceAbi, AcceptsGenuineEvidenceAndNeverCallsItValidUnderAGivenRoot) {
  const Called called = call(good_request());
  EXPECT_EQ(called.status, EML_ACCEPTED);
  EXPECT_EQ(called.member("verdict"), "verified under a root that you gave");
  EXPECT_EQ(called.member("kind"), "nitro");
  EXPECT_TRUE(called.answer.at("error").is_null());
}

TEST(EvidenceAbi, AnswersWhatTheCommandPrints) {
  const Bytes document = issuer().document({});
  const EvidenceInput input{.evidence = document, .time = 1780315200, .root = issuer().root_certificate()};
  const JsonObject expected = verdict_json("nitro", input.time, judge_nitro(input));
  EXPECT_EQ(answer_request(as_bytes(compact_json(good_request()))).json, compact_json(expected));
}

TEST(EvidenceAbi, RefusesEvidenceUnderTheBuiltInRootWithTheClassOfItsPage) {
  JsonObject request = good_request();
  request.erase("root");
  const Called called = call(request);
  EXPECT_EQ(called.status, EML_REFUSED);
  EXPECT_EQ(called.member("verdict"), "invalid");
  EXPECT_EQ(called.member("error"), "untrusted_root") << called.member("message");
}

TEST(EvidenceAbi, TakesTheNonceAsARequirement) {
  EXPECT_EQ(call(with("nonce", "03")).status, EML_ACCEPTED);
  const Called other = call(with("nonce", "04"));
  EXPECT_EQ(other.status, EML_REFUSED);
  JsonObject policy;
  policy["nonce"] = "04";
  EXPECT_EQ(call(with("policy", policy)).member("error"), other.member("error"));
}

TEST(EvidenceAbi, TakesCollateralByName) {
  JsonObject collateral;
  collateral["vek"] = base64(Bytes{1, 2, 3});
  const Called called = call(with("collateral", collateral));
  EXPECT_EQ(called.status, EML_ACCEPTED) << "a kind takes no notice of names that it does not know";
}

TEST(EvidenceAbi, RefusesEachMemberThatIsNotWhatItShouldBe) {
  JsonObject twice = with("nonce", "03");
  twice["policy"] = JsonObject{{"nonce", "03"}};
  const JsonObject text_in_collateral{{"vek", "!"}};
  const JsonObject number_in_collateral{{"vek", 1}};
  const std::vector<std::pair<JsonObject, std::string_view>> kBad = {
      {with("kind", 1), "request-malformed"},
      {with("kind", "local"), "request-unknown-kind"},
      {with("kind", ""), "request-unknown-kind"},
      {with("evidence", nullptr), "request-malformed"},
      {with("evidence", "AA"), "request-malformed"},
      {with("evidence", "AA-_"), "request-malformed"},
      {with("time", 1780315200), "request-malformed"},
      {with("time", "now"), "time-malformed"},
      {with("nonce", "0"), "request-malformed"},
      {with("nonce", 3), "request-malformed"},
      {with("policy", nullptr), "request-malformed"},
      {with("policy", JsonArray()), "request-malformed"},
      {with("collateral", JsonArray()), "request-malformed"},
      {with("collateral", text_in_collateral), "request-malformed"},
      {with("collateral", number_in_collateral), "request-malformed"},
      {with("root", 1), "request-malformed"},
      {with("Root", ""), "request-malformed"},
      {twice, "request-malformed"},
  };
  for (const auto& [request, error] : kBad) {
    const Called called = call(request);
    EXPECT_EQ(called.status, EML_NOT_JUDGED) << compact_json(request);
    EXPECT_EQ(called.member("verdict"), "not judged") << compact_json(request);
    EXPECT_EQ(called.member("error"), error) << called.member("message");
  }
}

TEST(EvidenceAbi, RefusesARequestWithoutAMemberThatItNeeds) {
  for (const std::string_view member : {"kind", "evidence", "time"}) {
    JsonObject request = good_request();
    request.erase(member);
    const Called called = call(request);
    EXPECT_EQ(called.status, EML_NOT_JUDGED) << member;
    EXPECT_EQ(called.member("error"), "request-malformed") << member;
  }
}

TEST(EvidenceAbi, RefusesWhatIsNoObjectAndATruncationAtEveryLength) {
  EXPECT_EQ(call("[]").member("error"), "request-malformed");
  EXPECT_EQ(call("\xff").member("error"), "json-syntax");
  const std::string whole = compact_json(good_request());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(call(std::string_view(whole).substr(0, size)).status, EML_NOT_JUDGED) << size;
  }
}

TEST(EvidenceAbi, RefusesARequestAboveItsBound) {
  std::string request(kRequestBytesMax + 1, ' ');
  EXPECT_EQ(call(request).member("error"), "json-too-large");
}

TEST(EvidenceAbi, TakesNoRequestAtAll) {
  char* answer = nullptr;
  size_t size = 0;
  EXPECT_EQ(eml_evidence_verify(nullptr, 0, &answer, &size), EML_NOT_JUDGED);
  EXPECT_NE(answer, nullptr);
  eml_free(answer);
  eml_free(nullptr);
}

}  // namespace
}  // namespace eml
