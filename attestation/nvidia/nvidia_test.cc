// One test for each step of docs/spec/evidence/nvidia.md that makes only that step fail: section 4 (reports), 5
// (manifests), 6 (tokens); and that nothing altered is accepted.
#include <gtest/gtest.h>

#include "attestation/judge.h"
#include "attestation/nvidia/rim.h"
#include "tests/support/gpu_issuer.h"
#include "tests/support/mutations.h"

namespace eml {
namespace {

using test::GpuIssuer;
using test::GpuPlan;
using test::NrasIssuer;
using test::NrasPlan;
using test::RimPlan;

constexpr UnixSeconds kTime = 1780315200;  // 2026-06-01T12:00:00Z

const GpuIssuer& issuer() {
  static const GpuIssuer made;
  return made;
}

const NrasIssuer& service() {
  static const NrasIssuer made;
  return made;
}

std::string name(const EvidenceVerdict& verdict) {
  return verdict.error ? std::string(verdict.error->code().name) : "ok";
}

struct GpuReportTest : testing::Test {
  GpuPlan plan;
  std::optional<RimPlan> driver;
  std::optional<RimPlan> vbios;
  Json requirements;
  UnixSeconds time = kTime;
  Bytes root = issuer().root();
  std::optional<std::vector<Bytes>> chain;

  EvidenceVerdict judge(ByteView evidence) const {
    Collateral collateral{{"chain", GpuIssuer::pem(chain ? *chain : issuer().chain(plan))},
                          {"rim_root", issuer().rim_root()}};
    if (driver) collateral.emplace("driver_rim", issuer().rim(*driver));
    if (vbios) collateral.emplace("vbios_rim", issuer().rim(*vbios));
    return judge_nvidia(
        {.evidence = evidence, .collateral = &collateral, .time = time, .requirements = &requirements, .root = root});
  }
  EvidenceVerdict judge() const { return judge(issuer().report(plan)); }
  std::string outcome() const { return name(judge()); }
};

TEST_F(GpuReportTest, AGoodReportIsValidAndSaysWhatWasNotChecked) {
  const EvidenceVerdict verdict = judge();
  ASSERT_EQ(name(verdict), "ok");
  EXPECT_EQ(verdict.details.at("arch"), "HOPPER");
  EXPECT_EQ(verdict.fields.at("vbios_version"), "96.00.9F.00.01");
  EXPECT_EQ(verdict.fields.at("driver_version"), "550.90.07");
  EXPECT_EQ(verdict.checks.at(11).id, "nvidia-rim");
  EXPECT_EQ(verdict.checks.at(11).outcome, Outcome::kNotChecked);
  EXPECT_TRUE(verdict.evidence.signed_value.empty());  // a GPU is no CPU
  plan.blackwell = true;
  EXPECT_EQ(outcome(), "ok");
  plan.fwid = std::nullopt;
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(GpuReportTest, Step1RejectsTruncationAtEveryLength) {
  chain = issuer().chain(plan);  // made once
  const Bytes report = issuer().report(plan);
  for (std::size_t size = 0; size < report.size(); ++size) {
    EXPECT_EQ(name(judge(ByteView(report).first(size))), "nvidia-parse") << size;
  }
}

TEST_F(GpuReportTest, Step1RejectsAnotherLayoutThoughItIsSigned) {
  constexpr std::size_t kBlocks = 41;  // number of blocks; the record's length follows, then its first block
  struct Case {
    const char* what;
    std::size_t offset;
    std::uint8_t value;
  };
  const Case cases[] = {
      {"one block more", kBlocks, 5},      {"one block less", kBlocks, 3},    {"no blocks", kBlocks, 0},
      {"record longer", kBlocks + 1, 221}, {"record huge", kBlocks + 3, 1},   {"block number 0", kBlocks + 4, 0},
      {"number twice", kBlocks + 4, 2},    {"specification", kBlocks + 5, 0}, {"block size", kBlocks + 6, 50},
      {"raw value", kBlocks + 8, 0x81},    {"value size", kBlocks + 9, 47},
  };
  for (const Case& one : cases) {
    plan.change = [&](Bytes& report) { report[one.offset] = one.value; };
    EXPECT_EQ(outcome(), "nvidia-parse") << one.what;
  }
  plan.change = [](Bytes& report) { report[report.size() - 52] = 6; };  // the type of the last opaque field: twice
  EXPECT_EQ(outcome(), "nvidia-parse");
}

TEST_F(GpuReportTest, Step2RejectsWhatFollows) {
  EXPECT_EQ(name(judge(concat(issuer().report(plan), Bytes{0}))), "nvidia-trailing-data");
}

TEST_F(GpuReportTest, Step3NeedsTheChain) {
  const Bytes report = issuer().report(plan);
  EXPECT_EQ(name(judge_nvidia({.evidence = report, .time = time, .root = root})), "nvidia-no-chain-or-signature");
}

TEST_F(GpuReportTest, Step4NeedsFiveCertificatesUpToTheRoot) {
  root = GpuIssuer().root();
  EXPECT_EQ(outcome(), "nvidia-untrusted-root");
  const Bytes report = issuer().report(plan);
  const Collateral collateral{{"chain", GpuIssuer::pem(issuer().chain(plan))}};
  EXPECT_EQ(name(judge_nvidia({.evidence = report, .collateral = &collateral, .time = time})),
            "nvidia-untrusted-root");  // the built-in one
  root = issuer().root();
  for (std::size_t i = 0; i < 5; ++i) {
    chain = issuer().chain(plan);
    chain->erase(chain->begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(outcome(), "nvidia-cert-chain") << i;
  }
  chain = std::vector<Bytes>(60, issuer().root());
  EXPECT_EQ(outcome(), "nvidia-cert-chain");
}

TEST_F(GpuReportTest, Step5RejectsWhatIsNotAChain) {
  plan.brom.extensions = {test::basic_constraints(false), test::key_usage(false, true)};
  EXPECT_EQ(outcome(), "nvidia-cert-chain");
  plan = GpuPlan{};
  plan.leaf.issuer = "another";
  EXPECT_EQ(outcome(), "nvidia-cert-chain");
  plan = GpuPlan{};
  plan.leaf.extensions = test::ca_extensions(plan.leaf.subject, plan.leaf.issuer);
  EXPECT_EQ(outcome(), "nvidia-cert-chain");
  plan = GpuPlan{};
  chain = issuer().chain(plan);
  std::swap((*chain)[1], (*chain)[2]);
  EXPECT_EQ(outcome(), "nvidia-cert-chain");
  chain = GpuIssuer().chain(plan);
  chain->back() = issuer().root();
  EXPECT_EQ(outcome(), "nvidia-cert-chain");
}

TEST_F(GpuReportTest, Step6JudgesTheDates) {
  plan.leaf.not_after = "20260601115959Z";
  EXPECT_EQ(outcome(), "nvidia-certificate-expired");
  plan.leaf.not_after = "20350101000000Z";
  plan.leaf.not_before = "20260601120001Z";
  EXPECT_EQ(outcome(), "nvidia-certificate-not-yet-valid");
}

TEST_F(GpuReportTest, Step7RejectsASignatureThatIsNotTheLeafs) {
  plan.signer = &issuer().brom_key();
  EXPECT_EQ(outcome(), "nvidia-report-signature");
  plan.signer = nullptr;
  for (const std::size_t at : {std::size_t{0}, std::size_t{5}, std::size_t{36}, std::size_t{60}}) {
    plan.change_signed = [&](Bytes& report) { report[at] ^= 1; };
    EXPECT_EQ(outcome(), "nvidia-report-signature") << at;
  }
  plan.change_signed = [](Bytes& report) { report.back() ^= 1; };
  EXPECT_EQ(outcome(), "nvidia-report-signature");
}

TEST_F(GpuReportTest, Step8RejectsAnotherHeaderThoughItIsSigned) {
  plan.request_header = {0x12, 0xe0, 0x01, 0xff};
  EXPECT_EQ(outcome(), "nvidia-header");
  plan = GpuPlan{};
  plan.response_header = {0x11, 0x61};
  EXPECT_EQ(outcome(), "nvidia-header");
}

TEST_F(GpuReportTest, Step9RejectsFirmwareThatWasNotCertified) {
  plan.fwid = Bytes(48, 0xf2);
  EXPECT_EQ(outcome(), "nvidia-fwid");
  plan.blackwell = true;
  EXPECT_EQ(outcome(), "nvidia-fwid");
  plan.leaf.extensions = {test::key_usage(true, false)};
  EXPECT_EQ(outcome(), "nvidia-fwid");
}

TEST_F(GpuReportTest, Step10NeedsEveryManifestThatIsGivenToVerify) {
  plan.nvdec0 = 0x55;
  driver = RimPlan{};
  ASSERT_EQ(outcome(), "ok");
  driver->change = [](std::string& xml) { xml.insert(xml.find("<Payload>"), " "); };
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  driver = std::nullopt;
  vbios = RimPlan{};
  vbios->change = [](std::string& xml) { xml.insert(xml.find("<Payload>"), "<!-- -->"); };
  EXPECT_EQ(outcome(), "nvidia-rim-xml");
}

TEST_F(GpuReportTest, Step11HoldsTheMeasurementsAgainstTheManifests) {
  driver = RimPlan{};
  plan.nvdec0 = 0x55;  // so index 35 is void
  EXPECT_EQ(outcome(), "ok");
  EXPECT_EQ(judge().details.at("rim").at("driver_rim").at("active_compared"), 1);
  plan.nvdec0 = 0xaa;
  EXPECT_EQ(outcome(), "nvidia-rim-mismatch");
  plan.nvdec0 = 0x55;
  vbios = RimPlan{.version = "96.00.9f.00.01", .active = {{2, {Bytes(48, 0xa2)}}}};
  EXPECT_EQ(outcome(), "ok");
  vbios->active[1] = driver->active[1];  // both claim index 1
  EXPECT_EQ(outcome(), "nvidia-rim-mismatch");
  vbios->active = {{2, {Bytes(48, 0xa3)}}};
  EXPECT_EQ(outcome(), "nvidia-rim-mismatch");
  vbios->active = {{7, {Bytes(48, 0)}}};  // not reported
  EXPECT_EQ(outcome(), "nvidia-rim-mismatch");
  vbios = std::nullopt;
  driver->version = "550.90.08";
  EXPECT_EQ(outcome(), "nvidia-rim-mismatch");
  driver = RimPlan{.product = "GB100"};
  EXPECT_EQ(outcome(), "nvidia-rim-mismatch");
}

TEST_F(GpuReportTest, Steps12And13AreTheRequirements) {
  const auto with = [&](std::string_view json) {
    requirements = parse_json(as_bytes(json)).value();
    return outcome();
  };
  EXPECT_EQ(with(R"({"nonce":")" + hex(plan.nonce) + R"(","driver_versions":["1","550.90.07"]})"), "ok");
  EXPECT_EQ(with(R"({"nonce":"00"})"), "nvidia-nonce-mismatch");
  EXPECT_EQ(with(R"({"driver_versions":["550.90.08"]})"), "nvidia-driver-version");
  EXPECT_EQ(with(R"({"driver_versions":[]})"), "nvidia-driver-version");
  for (const char* bad : {R"({"nonces":""})", R"({"nonce":1})", R"({"nonce":"AA"})", R"({"driver_versions":"1"})",
                          R"({"driver_versions":[1]})", "[]"}) {
    EXPECT_EQ(with(bad), "nvidia-requirements") << bad;
  }
}

TEST_F(GpuReportTest, NoMutationOfAReportIsValid) {
  const Bytes report = issuer().report(plan);
  chain = issuer().chain(plan);
  test::Mutator mutator(2);
  for (std::size_t i = 0; i < test::mutation_count(300); ++i) {
    const Bytes mutated = mutator.next(report);
    if (mutated != report) EXPECT_NE(name(judge(mutated)), "ok") << hex(mutated);
  }
}

struct RimTest : testing::Test {
  RimPlan plan;
  UnixSeconds time = kTime;

  // A manifest alone: no evidence, no chain.
  EvidenceVerdict judge(const Bytes& xml, const Bytes& rim_root) const {
    const Collateral collateral{{"driver_rim", xml}, {"rim_root", rim_root}};
    return judge_nvidia({.collateral = &collateral, .time = time, .root = issuer().root()});
  }
  std::string outcome() const { return name(judge(issuer().rim(plan), issuer().rim_root())); }
  // Replaces in the manifest after it was signed, or in its SignedInfo before that.
  void replace(std::string from, std::string to) {
    plan = RimPlan{};
    plan.change = [from = std::move(from), to = std::move(to)](std::string& xml) {
      ASSERT_NE(xml.find(from), std::string::npos) << from;
      xml.replace(xml.find(from), from.size(), to);
    };
  }
  void replace_in_signed_info(std::string from, std::string to) {
    plan = RimPlan{};
    plan.change_signed_info = [from = std::move(from), to = std::move(to)](std::string& info) {
      ASSERT_NE(info.find(from), std::string::npos) << from;
      info.replace(info.find(from), from.size(), to);
    };
  }
};

TEST_F(RimTest, AGoodManifestIsValidAndSaysThatItIsAManifest) {
  const EvidenceVerdict verdict = judge(issuer().rim(plan), issuer().rim_root());
  EXPECT_EQ(name(verdict), "ok");
  EXPECT_EQ(verdict.details.at("judged"), "manifest");
}

TEST_F(RimTest, Step1RefusesXmlThatIsNotAllowed) {
  replace("<SoftwareIdentity", "<!DOCTYPE x [<!ENTITY a \"b\">]><SoftwareIdentity");
  EXPECT_EQ(outcome(), "nvidia-rim-xml");
  replace("</Meta>", "&a;</Meta>");
  EXPECT_EQ(outcome(), "nvidia-rim-xml");
  replace("</Meta>", "<!-- c --></Meta>");
  EXPECT_EQ(outcome(), "nvidia-rim-xml");
  EXPECT_EQ(name(judge(Bytes(kNvidiaRimBytesMax + 1, 0x20), issuer().rim_root())), "nvidia-rim-xml");
}

TEST_F(RimTest, Step2RefusesEverySignatureOfAnotherForm) {
  const char* const c14n = "http://www.w3.org/2006/12/xml-c14n11";
  const char* const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {c14n, exclusive},
           {"xmldsig-more#ecdsa-sha384", "xmldsig-more#ecdsa-sha256"},
           {"xmldsig-more#ecdsa-sha384", "xmldsig-more#hmac-sha384"},
           {"xmldsig-more#sha384", "xmlenc#sha256"},
           {"URI=\"\"", "URI=\"#part\""},
           {"URI=\"\"", "URI=\"\" Id=\"r\""},
           {"<ds:Reference",
            "<ds:Reference"
            " Type=\"t\""},
           {"enveloped-signature", "base64"},
           {"</ds:Transforms>",
            "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"></ds:Transform></ds:Transforms>"},
           {"</ds:Reference>", "</ds:Reference><ds:Reference URI=\"\"></ds:Reference>"},
       }) {
    replace_in_signed_info(from, to);
    EXPECT_EQ(outcome(), "nvidia-rim-signature") << from << " -> " << to;
  }
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {"<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>k</ds:KeyName>"},
           {"<ds:X509Data>", "<ds:X509Data><ds:X509SubjectName>k</ds:X509SubjectName>"},
           {"</ds:KeyInfo>", "</ds:KeyInfo><ds:Object></ds:Object>"},
           {"<ds:SignatureValue>", "<ds:SignatureValue Id=\"v\">"},
           {"<ds:SignatureValue>", "<ds:SignatureValue>*"},
       }) {
    replace(from, to);
    EXPECT_EQ(outcome(), "nvidia-rim-signature") << from << " -> " << to;
  }
}

TEST_F(RimTest, Step2RefusesWrappedMissingAndSecondSignatures) {
  plan.change = [](std::string& xml) {
    const std::size_t begin = xml.find("<ds:Signature ");
    xml.erase(begin, xml.find("</ds:Signature>") + 15 - begin);
  };
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  plan.change = [](std::string& xml) {
    const std::size_t begin = xml.find("<ds:Signature ");
    const std::string signature = xml.substr(begin, xml.find("</ds:Signature>") + 15 - begin);
    xml.insert(begin, signature);
  };
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  // The signed document as a part of another one.
  plan.change = [](std::string& xml) {
    xml = "<SoftwareIdentity xmlns=\"http://standards.iso.org/iso/19770/-2/2015/schema.xsd\">" + xml +
          "</SoftwareIdentity>";
  };
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  // The signature one level deeper.
  plan.change = [](std::string& xml) {
    xml.insert(xml.find("<ds:Signature "), "<x>");
    xml.insert(xml.find("</ds:Signature>") + 15, "</x>");
  };
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
}

TEST_F(RimTest, Step3NeedsASignerUpToTheRootAtThatTime) {
  const Bytes xml = issuer().rim(plan);
  EXPECT_EQ(name(judge(xml, issuer().root())), "nvidia-rim-signature");
  // Without a root that was given, the manifest's root is the built-in one.
  const Collateral collateral{{"driver_rim", xml}, {"rim_root", issuer().rim_root()}};
  EXPECT_EQ(name(judge_nvidia({.collateral = &collateral, .time = time})), "nvidia-rim-signature");
  plan.signer.not_after = "20260601115959Z";
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  plan = RimPlan{};
  plan.signer.not_before = "20260601120001Z";
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  plan = RimPlan{};
  plan.signer.issuer = "another";
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  plan = RimPlan{};
  plan.signer.extensions = test::ca_extensions(plan.signer.subject, plan.signer.issuer);
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
}

TEST_F(RimTest, Step4RejectsWhatWasAltered) {
  replace("550.90.07", "550.90.08");
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  replace("active=\"True\"", "active=\"False\"");
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  replace("</Meta>", "</Meta> ");
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  replace("<ds:DigestValue>", "<ds:DigestValue>\n");
  EXPECT_EQ(outcome(), "nvidia-rim-signature");
  // What canonicalisation makes equal is equal.
  replace("></Meta>", "  />");
  EXPECT_EQ(outcome(), "ok");
}

TEST_F(RimTest, Step5RejectsASignedDocumentThatIsNoManifest) {
  for (const auto& [from, to] : std::initializer_list<std::pair<std::string, std::string>>{
           {"colloquialVersion=\"550.90.07\"", "a=\"1\""},
           {"product=\"GH100\"", "product=\"\""},
           {"<Payload>", "<Meta></Meta><Payload>"},
           {"</Payload>", "</Payload><Payload></Payload>"},
           {"</Payload>", "</Payload><Resource></Resource>"},
           {"active=\"True\"", "active=\"true\""},
           {"alternatives=\"2\"", "alternatives=\"3\""},
           {"alternatives=\"2\"", "alternatives=\"0\""},
           {"index=\"35\"", "index=\"1\""},
           {"index=\"35\"", "index=\"x\""},
           {"size=\"48\"", "size=\"32\""},
           {"type=\"Measurement\"", "type=\"Other\""},
           {"h:Hash0=\"01", "h:Hash0=\"0x"},
       }) {
    plan = RimPlan{};
    plan.change_content = [&](std::string& content) {
      ASSERT_NE(content.find(from), std::string::npos) << from;
      content.replace(content.find(from), from.size(), to);
    };
    EXPECT_EQ(outcome(), "nvidia-rim-xml") << from << " -> " << to;
  }
  plan = RimPlan{};
  plan.active.clear();
  EXPECT_EQ(outcome(), "nvidia-rim-xml");
}

// What a mutation leaves valid has the same canonical form, so the manifest says the same.
TEST_F(RimTest, NoMutationOfAManifestSaysAnythingElse) {
  const Bytes xml = issuer().rim(plan);
  const Hash32 root = sha256(issuer().rim_root());
  const auto good = VerifiedRim::verify(xml, root, time);
  ASSERT_TRUE(good);
  test::Mutator mutator(3);
  for (std::size_t i = 0; i < test::mutation_count(500); ++i) {
    const auto mutated = VerifiedRim::verify(mutator.next(xml), root, time);
    if (mutated) EXPECT_EQ(mutated->active(), good->active());
  }
  for (std::size_t size = 0; size < xml.size(); ++size) {
    EXPECT_FALSE(VerifiedRim::verify(ByteView(xml).first(size), root, time)) << size;
  }
}

struct NrasTest : testing::Test {
  NrasPlan plan;
  Json requirements;
  UnixSeconds time = kTime;
  Bytes keys = service().keys();

  EvidenceVerdict judge(ByteView evidence) const {
    const Collateral collateral{{"jwks", keys}};
    return judge_nvidia({.evidence = evidence, .collateral = &collateral, .time = time, .requirements = &requirements});
  }
  std::string outcome() const { return name(judge(service().tokens(plan, kTime))); }
  std::string with_device(const char* claim, const Json& value) {
    plan = NrasPlan{};
    plan.devices[1][claim] = value;
    return outcome();
  }
};

TEST_F(NrasTest, GoodTokensAreValid) {
  const EvidenceVerdict verdict = judge(service().tokens(plan, kTime));
  EXPECT_EQ(name(verdict), "ok");
  EXPECT_EQ(verdict.details.at("judged"), "tokens");
  EXPECT_EQ(verdict.details.at("device_claims").as_object().size(), 2U);
}

TEST_F(NrasTest, Step1RejectsWhatIsNotAPairOfTokens) {
  for (const char* json : {"[", "[]", "[[\"JWT\",\"a\"]]", "[[\"JWT\"],{}]", "[[\"JWS\",\"a.b.c\"],{\"GPU-0\":\"a\"}]",
                           "[[\"JWT\",1],{}]", "[[\"JWT\",\"a\"],[]]", "[[\"JWT\",\"a\"],{\"GPU-0\":1}]",
                           "[[\"JWT\",\"a\"],{\"GPU-0\":\"b\"}]", "[[\"JWT\",\"a\"],{},1]"}) {
    EXPECT_EQ(name(judge(as_bytes(json))), "nvidia-parse") << json;
  }
  const Bytes tokens = service().tokens(plan, kTime);
  for (std::size_t size = 1; size < tokens.size(); size += 7) {
    EXPECT_EQ(name(judge(ByteView(tokens).first(size))), "nvidia-parse") << size;
  }
}

TEST_F(NrasTest, Step2AcceptsOneAlgorithm) {
  for (const char* algorithm : {"none", "HS256", "ES256", "RS256"}) {
    plan.header["alg"] = algorithm;
    EXPECT_EQ(outcome(), "nvidia-algorithm") << algorithm;
  }
  plan = NrasPlan{};
  plan.header["crit"] = JsonArray{};
  EXPECT_EQ(outcome(), "nvidia-algorithm");
}

TEST_F(NrasTest, Step3NeedsTheNamedKey) {
  plan.header["kid"] = "two";
  EXPECT_EQ(outcome(), "nvidia-unknown-kid");
  plan.header.erase("kid");
  EXPECT_EQ(outcome(), "nvidia-unknown-kid");
  plan = NrasPlan{};
  keys = to_bytes(std::string_view("{\"keys\":[]}"));
  EXPECT_EQ(outcome(), "nvidia-unknown-kid");
  keys = to_bytes(std::string_view("{\"keys\":"));
  EXPECT_EQ(outcome(), "nvidia-parse");
  const Bytes tokens = service().tokens(plan, kTime);
  EXPECT_EQ(name(judge_nvidia({.evidence = tokens, .time = time})), "nvidia-unknown-kid");
}

TEST_F(NrasTest, Step4NeedsTheSignature) {
  for (const char* member : {"jwk", "jku", "x5u"}) {
    plan = NrasPlan{};
    plan.header[member] = JsonArray{};
    EXPECT_EQ(outcome(), "nvidia-jws-signature") << member;
  }
  plan = NrasPlan{};
  keys = NrasIssuer().keys();
  EXPECT_EQ(outcome(), "nvidia-jws-signature");
}

TEST_F(NrasTest, Step5HoldsEveryDeviceToTheOverallToken) {
  plan.change_devices = [](std::vector<std::string>& tokens) { tokens.pop_back(); };
  EXPECT_EQ(outcome(), "nvidia-submod-digest");
  plan.change_devices = [](std::vector<std::string>& tokens) { tokens.push_back(tokens[0]); };
  EXPECT_EQ(outcome(), "nvidia-submod-digest");
  plan.change_devices = [](std::vector<std::string>& tokens) { std::swap(tokens[0], tokens[1]); };
  EXPECT_EQ(outcome(), "nvidia-submod-digest");
  plan = NrasPlan{};
  plan.change_submods = [](JsonObject& submods) { submods["GPU-0"].as_array()[1].as_array()[0] = "SHA-384"; };
  EXPECT_EQ(outcome(), "nvidia-submod-digest");
  plan.change_submods = [](JsonObject& submods) { submods["GPU-0"] = "none"; };
  EXPECT_EQ(outcome(), "nvidia-submod-digest");
  plan = NrasPlan{};
  plan.devices.clear();
  EXPECT_EQ(outcome(), "nvidia-submod-digest");  // nobody attested
}

TEST_F(NrasTest, Step6VerifiesEveryDevicesToken) {
  plan.device_signed_by_another = true;
  EXPECT_EQ(outcome(), "nvidia-jws-signature");
}

TEST_F(NrasTest, Step7NeedsIssuerAndSubject) {
  EXPECT_EQ(with_device("iss", "https://nras.attestation.nvidia.com/"), "nvidia-issuer");
  plan = NrasPlan{};
  plan.overall["sub"] = "NVIDIA-GPU";
  EXPECT_EQ(outcome(), "nvidia-issuer");
}

TEST_F(NrasTest, Step8JudgesTheTimesOfAllWithAMinuteOfLeeway) {
  time = kTime + 3660;
  EXPECT_EQ(outcome(), "ok");
  time = kTime + 3661;
  EXPECT_EQ(outcome(), "nvidia-expired");
  time = kTime - 60;
  EXPECT_EQ(outcome(), "ok");
  time = kTime - 61;
  EXPECT_EQ(outcome(), "nvidia-not-yet-valid");
  time = kTime;
  EXPECT_EQ(with_device("exp", kTime - 61), "nvidia-expired");
  EXPECT_EQ(with_device("nbf", kTime + 61), "nvidia-not-yet-valid");
  EXPECT_EQ(with_device("exp", "never"), "nvidia-parse");
}

TEST_F(NrasTest, Step9NeedsOneNonceInAll) {
  EXPECT_EQ(with_device("eat_nonce", Json(hex(Bytes(32, 0x43)))), "nvidia-nonce-mismatch");
}

TEST_F(NrasTest, Steps10And11NeedEveryResultGood) {
  plan.overall["x-nvidia-overall-att-result"] = false;
  EXPECT_EQ(outcome(), "nvidia-result");
  plan.overall["x-nvidia-overall-att-result"] = "true";
  EXPECT_EQ(outcome(), "nvidia-result");
  EXPECT_EQ(with_device("measres", "fail"), "nvidia-measres");
  EXPECT_EQ(with_device("secboot", false), "nvidia-secboot");
  EXPECT_EQ(with_device("secboot", nullptr), "nvidia-secboot");
  EXPECT_EQ(with_device("dbgstat", "enabled"), "nvidia-debug-enabled");
  EXPECT_EQ(with_device("x-nvidia-gpu-vbios-rim-signature-verified", false), "nvidia-result");
  const Json revoked = JsonObject{{"x-nvidia-cert-status", "valid"}, {"x-nvidia-cert-ocsp-status", "revoked"}};
  EXPECT_EQ(with_device("x-nvidia-gpu-driver-rim-cert-chain", revoked), "nvidia-result");
  const Json good = JsonObject{{"x-nvidia-cert-status", "valid"}, {"x-nvidia-cert-ocsp-status", "good"}};
  EXPECT_EQ(with_device("x-nvidia-gpu-driver-rim-cert-chain", good), "ok");
}

TEST_F(NrasTest, Step12IsTheRequirements) {
  requirements = JsonObject{{"nonce", hex(Bytes(32, 0x42))}, {"driver_versions", JsonArray{"595.71.05"}}};
  EXPECT_EQ(outcome(), "ok");
  requirements = JsonObject{{"nonce", hex(Bytes(32, 0x41))}};
  EXPECT_EQ(outcome(), "nvidia-nonce-mismatch");
  requirements = JsonObject{{"driver_versions", JsonArray{"1"}}};
  EXPECT_EQ(outcome(), "nvidia-driver-version");
}

TEST_F(NrasTest, NoMutationOfTokensSaysAnythingElse) {
  const Bytes tokens = service().tokens(plan, kTime);
  const EvidenceVerdict good = judge(tokens);
  test::Mutator mutator(4);
  for (std::size_t i = 0; i < test::mutation_count(500); ++i) {
    const EvidenceVerdict mutated = judge(mutator.next(tokens));
    if (!mutated.error) EXPECT_EQ(mutated.details, good.details);  // white space between tokens
  }
}

}  // namespace
}  // namespace eml
