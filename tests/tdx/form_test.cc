// Step 1 of docs/spec/evidence/tdx.md and the forms of sections 3 and 4: tables of bad inputs, truncation at every
// length, mutations.
#include <gtest/gtest.h>

#include <random>

#include "attestation/tdx/collateral.h"
#include "attestation/tdx/errors.h"
#include "attestation/tdx/pck.h"
#include "encoding/der.h"
#include "tests/tdx/tdx_judging.h"

namespace eml {
namespace {

using test::dcap::judge_made;
using test::dcap::judge_plan;
using test::dcap::Made;
using test::dcap::outcome;
using test::dcap::Plan;

Plan plan_of(std::uint16_t version, tdx::BodyType body) {
  Plan plan;
  if (body == tdx::BodyType::kEnclave) plan.for_sgx(version);
  if (body == tdx::BodyType::kTd15) plan.for_td15();
  plan.version = version;
  return plan;
}

const std::vector<Plan>& plans() {
  static const std::vector<Plan> all{plan_of(3, tdx::BodyType::kEnclave), plan_of(4, tdx::BodyType::kEnclave),
                                     plan_of(5, tdx::BodyType::kEnclave), plan_of(4, tdx::BodyType::kTd10),
                                     plan_of(5, tdx::BodyType::kTd10),    plan_of(5, tdx::BodyType::kTd15)};
  return all;
}

std::string decode(ByteView bytes) {
  const auto quote = tdx::decode_quote(bytes);
  return quote ? "ok" : std::string(quote.error().code().name.substr(4));
}

TEST(TdxForm, DecodesTheFieldsOfEachVersion) {
  for (const Plan& plan : plans()) {
    const Made made = plan.make();
    const auto quote = tdx::decode_quote(made.quote);
    ASSERT_TRUE(quote) << quote.error().to_string();
    EXPECT_EQ(quote->header.version, plan.version);
    EXPECT_EQ(quote->body_type, plan.body);
    EXPECT_EQ(quote->qe_report.isv_svn, 4);
    EXPECT_EQ(quote->qe_auth_data.size(), 32U);
    EXPECT_EQ(quote->cert_data.data() + quote->cert_data.size(), made.quote.data() + made.quote.size());
    if (plan.body == tdx::BodyType::kEnclave) {
      EXPECT_EQ(quote->enclave()->attributes, plan.enclave.attributes);
      EXPECT_EQ(quote->report_data(), plan.enclave.report_data);
    } else {
      EXPECT_EQ(quote->td()->rtmr, plan.td.rtmr);
      EXPECT_EQ(quote->report_data(), plan.td.report_data);
      EXPECT_EQ(quote->td()->mrservicetd.has_value(), plan.body == tdx::BodyType::kTd15);
    }
  }
}

TEST(TdxForm, Step1RefusesTruncationAtEveryLength) {
  for (const Plan& plan : plans()) {
    const Bytes quote = plan.make().quote;
    for (std::size_t size = 0; size < quote.size(); ++size) {
      const Bytes cut(quote.begin(), quote.begin() + static_cast<std::ptrdiff_t>(size));
      ASSERT_EQ(decode(cut), "parse") << size;
    }
  }
}

TEST(TdxForm, Step1_1RefusesAHugeQuote) {
  Plan plan;
  plan.padding = Bytes(tdx::kQuoteBytesMax, 0);
  EXPECT_EQ(judge_plan(plan), "parse");
}

TEST(TdxForm, Step1_3RefusesOtherVersions) {
  for (const std::uint16_t version : std::initializer_list<std::uint16_t>{0, 1, 2, 6, 0x0300}) {
    Made made = Plan().make();
    made.quote[0] = static_cast<std::uint8_t>(version);
    made.quote[1] = static_cast<std::uint8_t>(version >> 8);
    EXPECT_EQ(decode(made.quote), "unsupported-version") << version;
  }
}

TEST(TdxForm, Step1_4RefusesOtherAttestationKeys) {
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 1, 3, 0x0200}) {
    Plan plan;
    plan.attestation_key_type = type;
    EXPECT_EQ(judge_plan(plan), "unsupported-att-key-type") << type;
  }
}

TEST(TdxForm, Step1_5RefusesOtherTees) {
  for (const std::uint32_t tee : std::initializer_list<std::uint32_t>{1U, 0x80U, 0x8100U, 0x00010081U}) {
    Plan plan;
    plan.tee_type = tee;
    EXPECT_EQ(judge_plan(plan), "unsupported-tee-type") << tee;
  }
  Plan v3 = plan_of(3, tdx::BodyType::kEnclave);
  v3.tee_type = 0x81;
  EXPECT_EQ(judge_plan(v3), "unsupported-tee-type");
}

TEST(TdxForm, Step1_6RefusesAnotherVendorsQe) {
  Plan plan;
  plan.vendor_first_byte = 0x92;
  EXPECT_EQ(judge_plan(plan), "qe-vendor-id");
}

TEST(TdxForm, Step1_8RefusesABodyOfAnotherTypeSizeOrTee) {
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 1, 2, 4}) {
    Plan plan = plan_of(5, tdx::BodyType::kTd15);
    plan.body_type = type;
    EXPECT_EQ(judge_plan(plan), "body-type-size-mismatch") << type;
  }
  for (const std::uint32_t size : std::initializer_list<std::uint32_t>{0U, 584U, 647U, 649U}) {
    Plan plan = plan_of(5, tdx::BodyType::kTd15);
    plan.body_size = size;
    EXPECT_EQ(judge_plan(plan), "body-type-size-mismatch") << size;
  }
  Plan huge = plan_of(5, tdx::BodyType::kTd15);
  huge.body_size = 0xffffffff;
  EXPECT_EQ(judge_plan(huge), "parse");
  Plan tee = plan_of(5, tdx::BodyType::kTd15);
  tee.tee_type = 0;
  EXPECT_EQ(judge_plan(tee), "body-type-size-mismatch");
  Plan enclave = plan_of(5, tdx::BodyType::kEnclave);
  enclave.tee_type = 0x81;
  EXPECT_EQ(judge_plan(enclave), "body-type-size-mismatch");
}

TEST(TdxForm, Step1_10RefusesAnotherOuterCertification) {
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 1, 5, 7, 0x0600}) {
    Plan plan;
    plan.outer_certification_type = type;
    EXPECT_EQ(judge_plan(plan), "cert-data-type") << type;
  }
}

TEST(TdxForm, Step1_11RefusesCertificationWithoutAChain) {
  for (const std::uint16_t type : std::initializer_list<std::uint16_t>{0, 1, 2, 3, 4, 6, 7, 0x0500}) {
    Plan plan;
    plan.certification_type = type;
    EXPECT_EQ(judge_plan(plan), "unsupported-cert-data-type") << type;
  }
}

// Offsets in a version 4 quote of a TD; see the page's example.
TEST(TdxForm, Step1_12RefusesSizesThatDoNotFillTheirOuterSize) {
  const Bytes good = Plan().make().quote;
  for (const std::size_t at : {std::size_t{632}, std::size_t{766}, std::size_t{1218}, std::size_t{1254}}) {
    for (const int change : {-1, 1}) {
      Bytes quote = good;
      quote[at] = static_cast<std::uint8_t>(quote[at] + change);
      EXPECT_NE(decode(quote), "ok") << at;
      quote = good;
      quote[at + 1] = 0xff;
      EXPECT_EQ(decode(quote), "parse") << at;
    }
  }
  Bytes outer = good;
  outer[766] += 1;
  EXPECT_EQ(decode(outer), "parse");
  Bytes inner = good;
  inner[1254] -= 1;
  EXPECT_EQ(decode(inner), "parse");
}

TEST(TdxForm, Step1_13AcceptsZeroPaddingAndNothingElse) {
  Plan plan;
  plan.padding = Bytes(3000, 0);
  EXPECT_EQ(judge_plan(plan), "ok");
  plan.padding.back() = 1;
  EXPECT_EQ(judge_plan(plan), "trailing-data");
  Made two = Plan().make();
  two.quote = concat(two.quote, two.quote);
  EXPECT_EQ(outcome(judge_made(two)), "trailing-data");
}

// No mutation of a valid quote is valid, but in bytes that nobody signs and that are judged to be zero or ignored.
TEST(TdxForm, NoMutationOfAQuoteIsValid) {
  std::mt19937 random(7);
  tdx::VerifierCache cache;
  for (const Plan& plan : plans()) {
    const Made made = plan.make();
    EvidenceInput input{.evidence = made.quote, .collateral = &made.collateral, .time = test::dcap::time()};
    input.root = made.root;
    for (int round = 0; round < 300; ++round) {
      Bytes quote = made.quote;
      const std::size_t at = random() % quote.size();
      switch (random() % 4) {
        case 0:
          quote[at] ^= static_cast<std::uint8_t>(1U << (random() % 8));
          break;
        case 1:
          quote.insert(quote.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random()));
          break;
        case 2:
          quote.erase(quote.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        default:
          std::fill_n(quote.begin() + static_cast<std::ptrdiff_t>(at), std::min<std::size_t>(8, quote.size() - at),
                      0xff);
      }
      if (quote == made.quote) continue;
      input.evidence = quote;
      const EvidenceVerdict verdict = judge_tdx(input, cache);
      // White space between PEM lines is the one thing that may differ.
      if (!verdict.error) EXPECT_TRUE(tdx::decode_quote(quote)->signed_bytes.size() > 0 && at > 1200) << at;
    }
  }
}

// --- Collateral. ---

struct BadDocument {
  const char* name;
  void (*change)(Plan&);
  const char* outcome;
};

JsonObject& first_level(Plan& plan) { return plan.tcb_info["tcbLevels"].as_array()[0].as_object(); }
JsonObject& identity(Plan& plan) { return plan.tcb_info["tdxModuleIdentities"].as_array()[0].as_object(); }

const BadDocument kBadDocuments[] = {
    {"no levels", [](Plan& plan) { plan.tcb_info["tcbLevels"] = JsonArray(); }, "parse"},
    {"one level twice",
     [](Plan& plan) {
       JsonArray& levels = plan.tcb_info["tcbLevels"].as_array();
       levels.push_back(levels[0]);
     },
     "parse"},
    {"a level that is a number", [](Plan& plan) { plan.tcb_info["tcbLevels"].as_array()[0] = 1; }, "parse"},
    {"an unknown status", [](Plan& plan) { first_level(plan)["tcbStatus"] = "Fine"; }, "parse"},
    {"a status that is a conclusion", [](Plan& plan) { first_level(plan)["tcbStatus"] = "RelaunchAdvised"; }, "parse"},
    {"no status", [](Plan& plan) { first_level(plan).erase("tcbStatus"); }, "parse"},
    {"no tcb", [](Plan& plan) { first_level(plan).erase("tcb"); }, "parse"},
    {"a date without a time", [](Plan& plan) { first_level(plan)["tcbDate"] = "2025-01-01"; }, "parse"},
    {"an SVN over 255",
     [](Plan& plan) {
       first_level(plan)["tcb"].as_object()["sgxtcbcomponents"].as_array()[3].as_object()["svn"] = 256;
     },
     "parse"},
    {"a negative SVN",
     [](Plan& plan) { first_level(plan)["tcb"].as_object()["sgxtcbcomponents"].as_array()[3].as_object()["svn"] = -1; },
     "parse"},
    {"15 components",
     [](Plan& plan) { first_level(plan)["tcb"].as_object()["tdxtcbcomponents"].as_array().pop_back(); }, "parse"},
    {"a pcesvn over 65535", [](Plan& plan) { first_level(plan)["tcb"].as_object()["pcesvn"] = 65536; }, "parse"},
    {"advisories that are text", [](Plan& plan) { first_level(plan)["advisoryIDs"] = "SA"; }, "parse"},
    {"an advisory that is a number", [](Plan& plan) { first_level(plan)["advisoryIDs"] = JsonArray{1}; }, "parse"},
    {"no module", [](Plan& plan) { plan.tcb_info.erase("tdxModule"); }, "parse"},
    {"no identities at all", [](Plan& plan) { plan.tcb_info["tdxModuleIdentities"] = JsonArray(); }, "parse"},
    {"one identity twice",
     [](Plan& plan) {
       JsonArray& identities = plan.tcb_info["tdxModuleIdentities"].as_array();
       identities.push_back(identities[0]);
     },
     "parse"},
    {"a module id of one digit", [](Plan& plan) { identity(plan)["id"] = "TDX_1"; }, "parse"},
    {"a module id of another word", [](Plan& plan) { identity(plan)["id"] = "TDY_01"; }, "parse"},
    {"a module level with a platform's status",
     [](Plan& plan) { identity(plan)["tcbLevels"].as_array()[0].as_object()["tcbStatus"] = "ConfigurationNeeded"; },
     "parse"},
    {"a short mrsigner", [](Plan& plan) { identity(plan)["mrsigner"] = "00"; }, "parse"},
    {"a short fmspc", [](Plan& plan) { plan.tcb_info["fmspc"] = "AABBCC0000"; }, "parse"},
    {"an fmspc that is no hex", [](Plan& plan) { plan.tcb_info["fmspc"] = "AABBCC00000G"; }, "parse"},
    {"an id of nobody", [](Plan& plan) { plan.tcb_info["id"] = "TDZ"; }, "tcb-info-type"},
    {"a version that is text", [](Plan& plan) { plan.tcb_info["version"] = "3"; }, "parse"},
    {"an evaluation number that is no integer", [](Plan& plan) { plan.tcb_info["tcbEvaluationDataNumber"] = 1.5; },
     "parse"},
    {"a QE without levels", [](Plan& plan) { plan.qe_identity["tcbLevels"] = JsonArray(); }, "parse"},
    {"a QE's isvsvn over 65535",
     [](Plan& plan) { plan.qe_identity["tcbLevels"].as_array()[0].as_object()["tcb"].as_object()["isvsvn"] = 65536; },
     "parse"},
    {"a QE's short mask", [](Plan& plan) { plan.qe_identity["attributesMask"] = "FF"; }, "parse"},
    {"a QE's date of no month", [](Plan& plan) { plan.qe_identity["issueDate"] = "2026-13-01T00:00:00Z"; }, "parse"},
};

TEST(TdxForm, BadDocumentsAreRefusedThoughTheyAreSigned) {
  for (const BadDocument& bad : kBadDocuments) {
    Plan plan;
    bad.change(plan);
    EXPECT_EQ(judge_plan(plan), bad.outcome) << bad.name;
  }
}

TEST(TdxForm, WhatIntelMayAddToADocumentIsNotRead) {
  Plan plan;
  plan.tcb_info["new"] = JsonArray{1, 2};
  first_level(plan)["link"] = "somewhere";
  plan.qe_identity["new"] = nullptr;
  EXPECT_EQ(judge_plan(plan), "ok");
}

TEST(TdxForm, Version2OfTcbInfoIsForEnclaves) {
  Plan plan;
  plan.for_sgx(3);
  plan.tcb_info.erase("id");
  plan.tcb_info["version"] = 2;
  JsonObject tcb{{"pcesvn", 13}};
  for (int i = 1; i <= 16; ++i) {
    tcb.emplace("sgxtcbcomp" + std::string(i < 10 ? "0" : "") + std::to_string(i) + "svn", i == 3 ? 2 : 0);
  }
  plan.tcb_info["tcbLevels"] =
      JsonArray{JsonObject{{"tcb", tcb}, {"tcbDate", "2025-01-01T00:00:00Z"}, {"tcbStatus", "SWHardeningNeeded"}}};
  EXPECT_EQ(test::dcap::status_of(plan), "SWHardeningNeeded");
  plan.pck.components[2] = 1;
  EXPECT_EQ(test::dcap::status_of(plan), "TcbNotSupported");
  plan.tcb_info["tcbLevels"].as_array()[0].as_object()["tcb"].as_object().erase("sgxtcbcomp16svn");
  EXPECT_EQ(judge_plan(plan), "parse");
}

TEST(TdxForm, TcbInfoForEnclavesDoesNotSpeakOfModules) {
  Plan plan;
  plan.for_sgx(4);
  plan.tcb_info["tdxModule"] = Plan().tcb_info["tdxModule"];
  EXPECT_EQ(judge_plan(plan), "tcb-info-type");
}

TEST(TdxForm, BadWrappingsAreRefused) {
  const Made made = Plan().make();
  const std::string good(as_text(made.collateral.at("tcb_info")));
  const std::string signature = good.substr(good.find(",\"signature\""));
  const std::string body = good.substr(0, good.find(",\"signature\""));
  const auto judge_text = [&](const std::string& text) {
    Made other = made;
    other.collateral["tcb_info"] = to_bytes(text);
    return outcome(judge_made(other));
  };
  EXPECT_EQ(judge_text(good), "ok");
  EXPECT_EQ(judge_text(" " + good + "\n"), "ok");
  EXPECT_EQ(judge_text(good + "x"), "parse");
  EXPECT_EQ(judge_text(body + "}"), "tcb-info-signature");
  EXPECT_EQ(judge_text(body + ",\"signature\":1}"), "tcb-info-signature");
  EXPECT_EQ(judge_text(body + ",\"signature\":\"" + std::string(126, '0') + "\"}"), "tcb-info-signature");
  EXPECT_EQ(judge_text(body + ",\"signature\":\"" + std::string(128, 'x') + "\"}"), "tcb-info-signature");
  EXPECT_EQ(judge_text(body + ",\"more\":1" + signature), "parse");
  EXPECT_EQ(judge_text(body + "," + body.substr(1) + signature), "parse");             // one name twice
  EXPECT_EQ(judge_text("{\"tcb\\u0049nfo\"" + body.substr(10) + signature), "parse");  // with an escape
  EXPECT_EQ(judge_text("{\"tcbInfo\":[]" + signature), "parse");
  EXPECT_EQ(judge_text(std::string(40, '[') + std::string(40, ']')), "parse");
  EXPECT_EQ(judge_text("\xef\xbb\xbf" + good), "parse");
  EXPECT_EQ(judge_text(std::string(tdx::kCollateralBytesMax, ' ') + good), "parse");
}

TEST(TdxForm, CollateralIsRefusedTruncatedAtEveryLength) {
  const Made made = Plan().make();
  for (const char* name : {"tcb_info", "qe_identity", "root_crl", "pck_crl"}) {
    const Bytes& whole = made.collateral.at(name);
    for (std::size_t size = 0; size < whole.size(); size += name[0] == 't' ? 7 : 1) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const bool decodes = std::string_view(name) == "tcb_info"      ? tdx::decode_tcb_info(cut).has_value()
                           : std::string_view(name) == "qe_identity" ? tdx::decode_qe_identity(cut).has_value()
                                                                     : RevocationList::decode_der(cut).has_value();
      ASSERT_FALSE(decodes) << name << " " << size;
    }
  }
}

// --- The PCK's extension. ---

TEST(TdxForm, TheSgxExtensionIsDecoded) {
  test::dcap::PckSpec spec;
  spec.components = {1, 2, 3, 255};
  spec.pcesvn = 65535;
  const auto extension = tdx::decode_pck_extension(test::dcap::make_sgx_extension(spec));
  ASSERT_TRUE(extension) << extension.error().to_string();
  EXPECT_EQ(extension->components, spec.components);
  EXPECT_EQ(extension->pcesvn, 65535);
  EXPECT_EQ(hex(extension->fmspc), "aabbcc000000");
  EXPECT_EQ(hex(extension->ppid), hex(spec.ppid));
  EXPECT_EQ(extension->sgx_type, 1);
  EXPECT_TRUE(extension->platform_instance_id);
  EXPECT_EQ(extension->configuration->dynamic_platform, true);
  EXPECT_EQ(extension->configuration->smt_enabled, false);
}

TEST(TdxForm, TheSgxExtensionIsRefusedTruncatedOrChanged) {
  const Bytes whole = test::dcap::make_sgx_extension({});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(tdx::decode_pck_extension(cut)) << size;
  }
  EXPECT_FALSE(tdx::decode_pck_extension(concat(whole, Bytes{0})));
  test::dcap::PckSpec sizes;
  sizes.ppid = Bytes(15, 0);
  EXPECT_EQ(tdx::decode_pck_extension(test::dcap::make_sgx_extension(sizes)).error().code(), tdx::kPckExtension);
  sizes = {};
  sizes.pceid = Bytes(3, 0);
  EXPECT_FALSE(tdx::decode_pck_extension(test::dcap::make_sgx_extension(sizes)));
}

// member is (OID, value) below the extension's own OID.
Bytes member(std::string_view arcs, const Bytes& value) {
  const Bytes oid = der_element(der::kOid, der_oid("1.2.840.113741.1.13.1" + std::string(arcs)));
  return der_element(der::kSequence, concat(oid, value));
}

TEST(TdxForm, TheSgxExtensionHasNoMemberTwiceAndLacksNone) {
  const Bytes whole = test::dcap::make_sgx_extension({});
  DerReader outer(whole);
  std::vector<Bytes> members;
  DerReader in = *outer.enter(der::kSequence);
  while (!in.at_end()) members.push_back(to_bytes(in.any()->whole));
  const auto encode = [](const std::vector<Bytes>& list) {
    Bytes out;
    for (const Bytes& one : list) out.insert(out.end(), one.begin(), one.end());
    return der_element(der::kSequence, out);
  };
  ASSERT_EQ(members.size(), 7U);
  for (std::size_t i = 0; i < members.size(); ++i) {
    std::vector<Bytes> lacking = members;
    lacking.erase(lacking.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(tdx::decode_pck_extension(encode(lacking)).has_value(), i >= 5) << i;  // 6 and 7: Platform CA only
    std::vector<Bytes> twice = members;
    twice.push_back(members[i]);
    EXPECT_FALSE(tdx::decode_pck_extension(encode(twice))) << i;
  }
  std::vector<Bytes> reversed(members.rbegin(), members.rend());
  EXPECT_TRUE(tdx::decode_pck_extension(encode(reversed)));  // the order may vary
  std::vector<Bytes> added = members;
  added.push_back(member(".9", der_element(der::kInteger, Bytes{1})));
  EXPECT_TRUE(tdx::decode_pck_extension(encode(added)));
  std::vector<Bytes> tcb = members;
  tcb[1] = member(".2", der_element(der::kSequence, member(".2.1", der_element(der::kInteger, Bytes{1}))));
  EXPECT_FALSE(tdx::decode_pck_extension(encode(tcb)));  // one component of 16
}

}  // namespace
}  // namespace eml
