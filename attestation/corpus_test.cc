#include "attestation/corpus.h"

#include <gtest/gtest.h>

#include "attestation/kinds.h"
#include "tests/support/signer.h"

namespace eml {
namespace {

constexpr ErrorCode kSomething{ErrorClass::kRejected, "tdx-quote-signature"};

CorpusCase one_case(std::string_view members) {
  const std::string json = R"([{"id":"a","evidence":"e","expect":{"verdict":"valid"},)" + std::string(members) + "}]";
  const auto cases = decode_corpus_cases(as_bytes(json), "tdx");
  EXPECT_TRUE(cases) << cases.error().to_string();
  return cases ? cases->front() : CorpusCase{};
}

CorpusCase expecting(std::string_view expect) {
  const std::string json = R"([{"id":"a","evidence":"e","expect":)" + std::string(expect) + "}]";
  return decode_corpus_cases(as_bytes(json), "tdx").value().front();
}

EvidenceVerdict good_verdict() {
  EvidenceVerdict out;
  out.tcb_status = "UpToDate";
  out.advisories = {"B", "A"};
  out.fields = parse_json(as_bytes(R"({"mrtd":"00","n":1,"o":{"p":1,"q":2}})")).value();
  out.details = parse_json(as_bytes(R"({"platform_status":"OutOfDate"})")).value();
  return out;
}

EvidenceVerdict bad_verdict() {
  EvidenceVerdict out;
  out.error = Error(kSomething, "a signature");
  return out;
}

Result<Bytes> echo(const std::string& path) {
  if (path == "missing") return fail(kInternalError, "no such file");
  return to_bytes("content of " + path);
}

TEST(CorpusCase, HasItsPathsTimePolicyAndFlags) {
  const CorpusCase c = one_case(R"("collateral":{"x":"p","y":null},"time":"1970-01-01T00:01:00Z","policy":{"m":1},)"
                                R"("synthetic":true,"either":true)");
  EXPECT_EQ(c.id, "a");
  EXPECT_EQ(c.kind, "tdx");
  EXPECT_EQ(c.evidence, "e");
  EXPECT_EQ(c.collateral, (std::map<std::string, std::string>{{"x", "p"}}));
  EXPECT_EQ(c.time, 60);
  EXPECT_EQ(c.requirements, parse_json(as_bytes(R"({"m":1})")).value());
  EXPECT_TRUE(c.synthetic);
  EXPECT_FALSE(c.is_graded()) << "either";
}

TEST(CorpusCase, NullsAreAbsentAndOnlyValidAndInvalidAreGraded) {
  const CorpusCase c = one_case(R"("collateral":null,"time":null,"policy":null,"either":null,"kind":"tpm")");
  EXPECT_TRUE(c.collateral.empty());
  EXPECT_EQ(c.time, 0);
  EXPECT_FALSE(c.requirements);
  EXPECT_EQ(c.kind, "tpm");
  EXPECT_TRUE(c.is_graded());
  EXPECT_FALSE(expecting(R"({"verdict":"parse-only"})").is_graded());
  EXPECT_FALSE(expecting("{}").is_graded());
}

TEST(CorpusCase, WhatIsNoCaseIsMalformed) {
  for (const char* bad :
       {"", "{}", "[1]", R"([{"id":"a"}])", R"([{"expect":{}}])", R"([{"id":"a","expect":1}])",
        R"([{"id":"a","expect":{},"time":"yesterday"}])", R"([{"id":"a","expect":{},"collateral":1}])",
        R"([{"id":"a","expect":{},"collateral":{"x":1}}])"}) {
    const auto cases = decode_corpus_cases(as_bytes(bad), "tdx");
    ASSERT_FALSE(cases) << bad;
    EXPECT_EQ(cases.error().code(), kCorpusMalformed);
  }
}

TEST(CorpusInput, ReadsEvidenceAndCollateralByName) {
  const auto input =
      CorpusInput::read(one_case(R"("collateral":{"x":"p"},"time":"1970-01-01T00:01:00Z","policy":{})"), echo).value();
  const EvidenceInput view = input.view();
  EXPECT_EQ(as_text(view.evidence), "content of e");
  EXPECT_EQ(*view.collateral, (Collateral{{"x", to_bytes("content of p")}}));
  EXPECT_EQ(view.time, 60);
  EXPECT_NE(view.requirements, nullptr);
  EXPECT_FALSE(view.root);
  EXPECT_FALSE(CorpusInput::read(one_case(R"("collateral":{"x":"missing"})"), echo));
}

TEST(CorpusInput, TheRootIsTheCasesOwnAndForSyntheticOnesItsCaOrKeys) {
  const auto root_of = [](std::string_view members, const ReadFile& read) {
    return CorpusInput::read(one_case(members), read).value().view().root;
  };
  EXPECT_EQ(root_of(R"("collateral":{"root":"r","jwks":"j"},"synthetic":true)", echo), to_bytes("content of r"));
  EXPECT_EQ(root_of(R"("collateral":{"jwks":"j"},"synthetic":true)", echo), to_bytes("content of j"));
  EXPECT_EQ(root_of(R"("collateral":{"jwks":"j"})", echo), std::nullopt);
  const test::Signer key(test::TestKey::kP256);
  const Bytes ask = test::make_certificate({.subject = "ask"}, key.spki(), key);
  const Bytes ark = test::make_certificate({.subject = "ark"}, key.spki(), key);
  const auto chain = [&](const std::string&) -> Result<Bytes> {
    return to_bytes(test::pem_certificate(ask) + test::pem_certificate(ark));
  };
  EXPECT_EQ(root_of(R"("collateral":{"ca_chain":"c"},"synthetic":true)", chain), ark);
  EXPECT_EQ(root_of(R"("collateral":{"ca_chain":"c"})", chain), std::nullopt);
  EXPECT_EQ(root_of(R"("collateral":{"ca_chain":"c"},"synthetic":true)", echo), Bytes{})
      << "no built-in root takes the place of one that cannot be read";
}

TEST(CompareOutcome, AgreesIfAllThatIsStatedAgrees) {
  for (const char* expect :
       {R"({"verdict":"valid"})", R"({"verdict":"valid","error":null,"tcb_status":"UpToDate","advisories":["A","B"]})",
        R"({"verdict":"valid","fields":{"mrtd":"00","o":{"p":1}},"platform_status":"OutOfDate","unknown":1})"}) {
    const auto outcome = compare_outcome(expecting(expect), good_verdict());
    EXPECT_TRUE(outcome.agrees) << outcome.difference;
    EXPECT_TRUE(outcome.class_agrees);
    EXPECT_EQ(outcome.got, "valid");
    EXPECT_EQ(outcome.error, "");
  }
}

TEST(CompareOutcome, AnyDifferenceIsADisagreementAndIsNamed) {
  for (const char* expect :
       {R"({"verdict":"invalid"})", R"({"verdict":"valid","tcb_status":"OutOfDate"})",
        R"({"verdict":"valid","advisories":["A"]})", R"({"verdict":"valid","advisories":[]})",
        R"({"verdict":"valid","fields":{"mrtd":"01"}})", R"({"verdict":"valid","fields":{"absent":1}})",
        R"({"verdict":"valid","fields":{"o":{"p":2}}})", R"({"verdict":"valid","claims":{"n":2}})",
        R"({"verdict":"valid","platform_status":"UpToDate"})"}) {
    const auto outcome = compare_outcome(expecting(expect), good_verdict());
    EXPECT_FALSE(outcome.agrees) << expect;
    EXPECT_FALSE(outcome.difference.empty()) << expect;
  }
  EXPECT_FALSE(compare_outcome(expecting(R"({"verdict":"valid"})"), bad_verdict()).agrees);
}

TEST(CompareOutcome, TheClassMayBeTheErrorOrOneOfErrorAlso) {
  const auto agrees = [](const char* expect) { return compare_outcome(expecting(expect), bad_verdict()); };
  EXPECT_TRUE(agrees(R"({"verdict":"invalid","error":"quote_signature"})").class_agrees);
  EXPECT_TRUE(agrees(R"({"verdict":"invalid","error":"x","error_also":["y","quote_signature"]})").class_agrees);
  const auto other = agrees(R"({"verdict":"invalid","error":"x"})");
  EXPECT_TRUE(other.agrees) << "the verdict is graded, the class is not";
  EXPECT_FALSE(other.class_agrees);
  EXPECT_FALSE(other.difference.empty());
}

TEST(OutcomeJson, HasTheSixMembersInTheirOrder) {
  const CorpusCase graded = expecting(R"({"verdict":"invalid","error":"quote_signature"})");
  EXPECT_EQ(compact_json(outcome_json(graded, compare_outcome(graded, bad_verdict()))),
            R"({"id":"a","kind":"tdx","expect":"invalid","got":"invalid","error":"quote_signature","agree":true})");
  const CorpusCase ungraded = expecting(R"({"verdict":"parse-only"})");
  EXPECT_EQ(compact_json(outcome_json(ungraded, compare_outcome(ungraded, good_verdict()))),
            R"({"id":"a","kind":"tdx","expect":"parse-only","got":"valid","error":null,"agree":null})");
}

TEST(ErrorClass, IsTheCodesNameWithoutItsKind) {
  EXPECT_EQ(error_class_of("tdx", Error(kSomething, "x")), "quote_signature");
  EXPECT_EQ(
      error_class_of("confidential_space", Error({ErrorClass::kRejected, "confidential-space-not-yet-valid"}, "x")),
      "not_yet_valid");
  EXPECT_EQ(error_class_of("sevsnp", Error(kSomething, "x")), "tdx_quote_signature");
}

TEST(KindJudges, AreFoundByTheirNames) {
  for (const KindVerifier& kind : kind_verifiers()) EXPECT_EQ(kind_verifier(kind.name)->judge, kind.judge);
  EXPECT_EQ(kind_verifier("local"), nullptr);
}

}  // namespace
}  // namespace eml
