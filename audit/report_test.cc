#include "audit/report.h"

#include <gtest/gtest.h>

#include "audit/audit_fixture.h"
#include "encoding/json.h"

namespace eml {
namespace {

using test::Answer;

constexpr std::string_view kGreen = "\x1b[32m";

DossierVerdict judge(const Answer& answer) {
  const Policy policy = Answer().tee.policy();
  return verify_dossier(answer.inputs(), test::expectations(policy));
}

std::size_t lines_of(std::string_view text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

TEST(Report, BeginsWithOneLineForATiredPerson) {
  const std::string good = render_text(judge(Answer()), Colour::kNone);
  EXPECT_EQ(good.substr(0, good.find(':')), "VERIFIED FOR EVALUATION ONLY");
  Answer answer;
  answer.request.push_back(' ');
  const std::string bad = render_text(judge(answer), Colour::kNone);
  EXPECT_EQ(bad.substr(0, bad.find('\n')),
            "NOT VERIFIED: do not rely on this answer. First: the request is not the one of the receipt.");
  DossierInputs inputs;
  inputs.receipt = answer.receipt;
  const std::string none = render_text(verify_dossier(inputs, {}), Colour::kNone);
  EXPECT_EQ(none.substr(0, none.find(':')), "NOT JUDGED");
}

TEST(Report, HasOneLineForEachCheckAndNoEscapesWithoutColour) {
  const DossierVerdict verdict = judge(Answer());
  const std::string text = render_text(verdict, Colour::kNone);
  EXPECT_EQ(lines_of(text), verdict.checks.size() + 1);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("passed       the evidence binds the key that signed"), std::string::npos) << text;
  EXPECT_NE(text.find("(nobody)"), std::string::npos);
}

TEST(Report, NeverShowsGreenForEvaluation) {
  EXPECT_EQ(render_text(judge(Answer()), Colour::kAnsi).find(kGreen), std::string::npos);
}

TEST(Report, NeverShowsGreenForWhatWasNotChecked) {
  DossierVerdict verdict;
  skip(verdict.checks, "x", "something", Voucher::kHardware, "no time");
  verdict.required = {true};
  EXPECT_EQ(render_text(verdict, Colour::kAnsi).find(kGreen), std::string::npos);
  verdict.checks.clear();
  pass(verdict.checks, "x", "something", Voucher::kHardware);
  EXPECT_NE(render_text(verdict, Colour::kAnsi).find(kGreen), std::string::npos);
}

TEST(Report, ReceiptOnlyIsNeverAGreenHeadline) {
  DossierVerdict verdict;
  verdict.verdict = Verdict::kReceiptOnly;
  EXPECT_EQ(render_text(verdict, Colour::kAnsi).find(kGreen), std::string::npos);
  EXPECT_NE(render_text(verdict, Colour::kNone).find("NOT checked"), std::string::npos);
  verdict.verdict = Verdict::kVerified;
  EXPECT_NE(render_text(verdict, Colour::kAnsi).find(kGreen), std::string::npos);
}

TEST(Report, ATerminalDoesNotObeyNames) {
  DossierVerdict verdict;
  pass(verdict.checks, "x", "something", Voucher::kWorkload, "a\x1b[2Jb\nc");
  verdict.required = {true};
  const std::string text = render_text(verdict, Colour::kNone);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(lines_of(text), 2U);
}

TEST(Report, AsJsonIsOneDocumentWithTheSameLines) {
  Answer answer;
  answer.receipt.back() ^= 1;
  const DossierVerdict verdict = judge(answer);
  const std::string text = render_json(verdict);
  EXPECT_EQ(lines_of(text), 1U);
  const auto json = parse_json(as_bytes(text.substr(0, text.size() - 1)));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->at("verdict").as_string(), "not verified");
  EXPECT_EQ(json->at("exit_code").as_int64(), 1);
  EXPECT_EQ(json->at("assurance").as_string(), "none");
  EXPECT_TRUE(json->at("receipt").is_null());
  const JsonArray& checks = json->at("checks").as_array();
  ASSERT_EQ(checks.size(), verdict.checks.size());
  for (std::size_t i = 0; i < checks.size(); ++i) {
    EXPECT_EQ(std::string_view(checks[i].at("id").as_string()), verdict.checks[i].id);
  }
  EXPECT_EQ(checks[1].at("outcome").as_string(), "failed");
  EXPECT_EQ(checks[1].at("error").as_string(), "signature-invalid");
  EXPECT_EQ(checks[1].at("air_code").as_string(), "SIG_FAILED");
}

TEST(Report, AsJsonSaysWhatAGoodReceiptStates) {
  const Answer answer;
  const std::string text = render_json(judge(answer));
  const auto json = parse_json(as_bytes(text.substr(0, text.size() - 1)));
  ASSERT_TRUE(json);
  EXPECT_EQ(json->at("receipt").at("id").as_string(), format_cti(answer.claims.cti));
  EXPECT_EQ(json->at("evidence").at("kind").as_string(), "local");
  EXPECT_EQ(json->at("assurance").as_string(), "evaluation");
  EXPECT_TRUE(json->at("evaluation").as_bool());
}

TEST(Report, NeverHoldsABody) {
  Answer answer;
  answer.request = R"({"input":"a secret sentence"})";
  answer.claims.request_hash = sha256(as_bytes(answer.request));
  answer.seal();
  const DossierVerdict verdict = judge(answer);
  EXPECT_EQ((render_text(verdict, Colour::kNone) + render_json(verdict)).find("secret sentence"), std::string::npos);
}

}  // namespace
}  // namespace eml
