// What is asked of which service for which evidence, and how the answers become items.
#include "attestation/collateral_plan.h"

#include <gtest/gtest.h>

#include "attestation/confidential_space/token.h"
#include "attestation/kinds.h"
#include "attestation/nvidia/spdm.h"
#include "encoding/base64.h"
#include "tests/support/dcap.h"
#include "tests/support/snp.h"

namespace eml {
namespace {

using test::SnpPlan;

// Every "service target -> name, name" of a plan, or the error's name.
std::vector<std::string> lines_of(const Result<CollateralPlan>& plan) {
  if (!plan) return {std::string(plan.error().code().name)};
  std::vector<std::string> out;
  for (const CollateralRequest& request : plan->requests) {
    const auto& service = collateral_services()[static_cast<std::size_t>(request.service)];
    EXPECT_EQ(service.service, request.service);
    std::string line = std::string(service.name) + " " + request.target + " ->";
    for (const CollateralPart& part : request.parts) line += " " + std::string(part.name);
    out.push_back(line);
  }
  for (const CollateralElsewhere& item : plan->elsewhere) out.push_back("elsewhere " + std::string(item.name));
  return out;
}

using Lines = std::vector<std::string>;

TEST(CollateralPlan, AsksIntelForATrustDomainsPlatform) {
  const auto made = test::dcap::Plan().make();
  EXPECT_EQ(lines_of(plan_collateral("tdx", made.quote)),
            (Lines{"intel-pcs /tdx/certification/v4/tcb?fmspc=aabbcc000000 -> tcb_info tcb_signing_chain",
                   "intel-pcs /tdx/certification/v4/qe/identity -> qe_identity",
                   "intel-pcs /sgx/certification/v4/pckcrl?ca=platform&encoding=der -> pck_crl pck_crl_issuer_chain",
                   "intel-certificates /IntelSGXRootCA.der -> root_crl"}));
}

TEST(CollateralPlan, AsksIntelForAnEnclavesPlatformAndItsOwnCa) {
  test::dcap::Plan plan;
  plan.for_sgx(3);
  plan.processor_ca = true;
  const auto lines = lines_of(plan_collateral("tdx", plan.make().quote));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(lines[0].starts_with("intel-pcs /sgx/certification/v4/tcb?fmspc=aabbcc000000"));
  EXPECT_TRUE(lines[1].starts_with("intel-pcs /sgx/certification/v4/qe/identity"));
  EXPECT_TRUE(lines[2].starts_with("intel-pcs /sgx/certification/v4/pckcrl?ca=processor&encoding=der"));
}

TEST(CollateralPlan, RefusesAQuoteWithoutWhatIntelMustBeAskedFor) {
  test::dcap::Plan plan;
  plan.with_sgx_extension = false;
  EXPECT_EQ(lines_of(plan_collateral("tdx", plan.make().quote)), Lines{"tdx-pck-extension"});
  const auto made = test::dcap::Plan().make();
  for (std::size_t size = 0; size < made.quote.size(); ++size) {
    ASSERT_FALSE(plan_collateral("tdx", ByteView(made.quote).first(size))) << size;
  }
}

TEST(CollateralPlan, AsksAmdForTheKeyOfTheReportedTcb) {
  SnpPlan plan;
  plan.put_tcb({4, 2, 0, 0, 0, 0, 24, 219});
  plan.put(0x38, Bytes{9, 9, 0, 0, 0, 0, 99, 250});  // what runs now is not what the key is made for
  const std::string chip = hex(Bytes(64, 0xab));
  EXPECT_EQ(lines_of(plan_collateral("sevsnp", plan.signed_report())),
            (Lines{"amd-kds /vcek/v1/Milan/" + chip + "?blSPL=4&teeSPL=2&snpSPL=24&ucodeSPL=219 -> vek",
                   "amd-kds /vcek/v1/Milan/cert_chain -> ca_chain", "amd-kds /vcek/v1/Milan/crl -> crl"}));
  EXPECT_TRUE(lines_of(plan_collateral("sevsnp", SnpPlan(SnpProduct::kGenoa).signed_report()))[0].starts_with(
      "amd-kds /vcek/v1/Genoa/"));
}

TEST(CollateralPlan, AsksAmdForATurinKeyWithItsShortIdAndFmc) {
  const SnpPlan plan(SnpProduct::kTurin);
  EXPECT_EQ(lines_of(plan_collateral("sevsnp", plan.signed_report()))[0],
            "amd-kds /vcek/v1/Turin/abababababababab?fmcSPL=1&blSPL=4&teeSPL=2&snpSPL=24&ucodeSPL=219 -> vek");
}

TEST(CollateralPlan, DoesNotAskAmdForACloudsKey) {
  const SnpPlan plan(SnpProduct::kMilan, SnpKeyKind::kVlek);
  EXPECT_EQ(
      lines_of(plan_collateral("sevsnp", plan.signed_report())),
      (Lines{"amd-kds /vlek/v1/Milan/cert_chain -> ca_chain", "amd-kds /vcek/v1/Milan/crl -> crl", "elsewhere vek"}));
}

TEST(CollateralPlan, TakesTheProductFromTheCallerOnlyIfTheReportDoesNotSay) {
  SnpPlan old;
  old.put8(0, 2);
  EXPECT_EQ(lines_of(plan_collateral("sevsnp", old.signed_report())), Lines{"collateral-unknown"});
  EXPECT_TRUE(lines_of(plan_collateral("sevsnp", old.signed_report(), {.product = SnpProduct::kGenoa}))[0].starts_with(
      "amd-kds /vcek/v1/Genoa/"));
  const SnpPlan stated;
  EXPECT_TRUE(plan_collateral("sevsnp", stated.signed_report(), {.product = SnpProduct::kMilan}));
  EXPECT_EQ(lines_of(plan_collateral("sevsnp", stated.signed_report(), {.product = SnpProduct::kGenoa})),
            Lines{"collateral-unknown"});
}

TEST(CollateralPlan, RefusesAReportThatHidesItsChipOrThatNoKeySigned) {
  SnpPlan masked;
  masked.put(0x1a0, Bytes(64, 0));
  EXPECT_EQ(lines_of(plan_collateral("sevsnp", masked.signed_report())), Lines{"collateral-unknown"});
  SnpPlan keyless;
  keyless.put8(0x48, 7U << 2U);
  EXPECT_EQ(lines_of(plan_collateral("sevsnp", keyless.signed_report())), Lines{"collateral-unknown"});
  const Bytes report = SnpPlan().signed_report();
  for (std::size_t size = 0; size < report.size(); ++size) {
    ASSERT_FALSE(plan_collateral("sevsnp", ByteView(report).first(size))) << size;
  }
}

std::string token_of(const std::string& header) {
  return base64url(as_bytes(header)) + "." + base64url(as_bytes(R"({"iss":"me"})")) + "." + base64url(Bytes(256, 1));
}

TEST(CollateralPlan, AsksGoogleForItsKeysIfATokenDoesNotBringItsCertificates) {
  EXPECT_EQ(lines_of(plan_collateral("confidential_space", as_bytes(token_of(R"({"alg":"RS256","kid":"k"})")))),
            (Lines{"google /service_accounts/v1/metadata/jwk/"
                   "signer@confidentialspace-sign.iam.gserviceaccount.com -> jwks"}));
  const Bytes root = test::dcap::Plan().make().root;
  const std::string pki = R"({"alg":"RS256","x5c":[")" + base64(root) + R"("]})";
  EXPECT_EQ(lines_of(plan_collateral("confidential_space", as_bytes(token_of(pki)))), Lines{});
  EXPECT_FALSE(plan_collateral("confidential_space", as_bytes("no token")));
}

struct Opaque {
  std::string driver = "550.90.07";
  std::string project = "1010";
  std::string project_sku = "0200";
  std::string chip_sku = "882";
  std::string chip_info;  // empty: none
};

Bytes tlv(std::size_t type, ByteView value) {
  return concat(Bytes{static_cast<std::uint8_t>(type), 0, static_cast<std::uint8_t>(value.size()), 0}, value);
}

// The least that decodes: one measurement, these opaque data, a signature of nobody's.
Bytes gpu_report(const Opaque& says) {
  const Bytes record = concat(Bytes{1, 1, 51, 0, 1, 48, 0}, Bytes(48, 7));
  Bytes opaque =
      concat(tlv(6, Bytes{0x00, 0x9f, 0x00, 0x96, 0x01, 0, 0, 0}), tlv(3, as_bytes(says.driver)),
             tlv(17, as_bytes(says.project)), tlv(18, as_bytes(says.project_sku)), tlv(15, as_bytes(says.chip_sku)));
  if (!says.chip_info.empty()) opaque = concat(opaque, tlv(35, as_bytes(says.chip_info)));
  return concat(Bytes{0x11, 0xe0, 0x01, 0xff}, Bytes(32, 3), Bytes{0}, Bytes{0x11, 0x60, 0, 0, 1},
                Bytes{static_cast<std::uint8_t>(record.size()), 0, 0}, record, Bytes(32, 4),
                Bytes{static_cast<std::uint8_t>(opaque.size()), 0}, opaque, Bytes(96, 5));
}

TEST(CollateralPlan, AsksNvidiaForADevicesTwoManifests) {
  EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report({}))),
            (Lines{"nvidia-rim /v1/rim/NV_GPU_DRIVER_GH100_550.90.07 -> driver_rim",
                   "nvidia-rim /v1/rim/NV_GPU_VBIOS_1010_0200_882_96009F0001 -> vbios_rim", "elsewhere chain"}));
  const Opaque blackwell{.driver = "590.48.01", .chip_info = "GB100"};
  EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report(blackwell)))[0],
            "nvidia-rim /v1/rim/NV_GPU_CC_DRIVER_GB100_590.48.01 -> driver_rim");
}

TEST(CollateralPlan, LetsNothingThatADeviceSaysLeaveThePath) {
  for (const char* bad : {"../../admin", "a/b", "a?b", "a%2fb", "a b", "..", "1\r\nHost: x", "a#b", "",
                          "0123456789012345678901234567890123456789"}) {
    EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report({.driver = bad}))), Lines{"collateral-unknown"}) << bad;
    EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report({.project = bad}))), Lines{"collateral-unknown"}) << bad;
    EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report({.project_sku = bad}))), Lines{"collateral-unknown"});
    EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report({.chip_sku = bad}))), Lines{"collateral-unknown"}) << bad;
  }
  EXPECT_EQ(lines_of(plan_collateral("nvidia", gpu_report({.chip_info = "a/b"}))), Lines{"collateral-unknown"});
}

TEST(CollateralPlan, AsksNvidiaForTheKeysOfItsTokens) {
  EXPECT_EQ(lines_of(plan_collateral("nvidia", as_bytes(R"([["JWT","a.b.c"],{"GPU-0":"d.e.f"}])"))),
            Lines{"nvidia-nras /.well-known/jwks.json -> jwks"});
  EXPECT_EQ(lines_of(plan_collateral("nvidia", as_bytes("["))), Lines{"nvidia-parse"});
}

TEST(CollateralPlan, AsksNobodyForWhatComesWithTheEvidence) {
  EXPECT_EQ(lines_of(plan_collateral("nitro", Bytes{})), Lines{});
  EXPECT_TRUE(plan_collateral("tpm", Bytes{}).value().requests.empty());
  EXPECT_EQ(lines_of(plan_collateral("local", Bytes{})), Lines{"collateral-unknown"});
}

TEST(CollateralPlan, NamesItsItemsAsTheKindsDo) {
  const std::pair<const char*, Bytes> evidence[] = {
      {"tdx", test::dcap::Plan().make().quote}, {"sevsnp", SnpPlan().signed_report()}, {"nvidia", gpu_report({})}};
  for (const auto& [kind, bytes] : evidence) {
    const auto plan = plan_collateral(kind, bytes);
    ASSERT_TRUE(plan) << plan.error().to_string();
    const auto known = kind_verifier(kind)->collateral;
    for (const CollateralRequest& request : plan->requests) {
      for (const CollateralPart& part : request.parts) {
        EXPECT_NE(std::ranges::find(known, part.name), known.end()) << part.name;
        EXPECT_TRUE(part.file.starts_with(std::string(part.name) + ".")) << part.file;
      }
    }
  }
}

TEST(CollateralAnswer, GivesTheBodyAsItIs) {
  EXPECT_EQ(extract_collateral({.name = "crl", .file = "crl.der"}, Bytes{1, 2}, {}).value(), (Bytes{1, 2}));
}

constexpr CollateralPart kHeader{
    .name = "c", .file = "c.pem", .source = CollateralSource::kPemHeader, .key = "TCB-Info-Issuer-Chain"};

TEST(CollateralAnswer, UnescapesAHeader) {
  EXPECT_EQ(as_text(extract_collateral(kHeader, {}, "-----BEGIN%20X-----%0Aa+b%2B%2f").value()),
            "-----BEGIN X-----\na+b+/");
  for (const char* bad : {"", "%", "a%4", "%zz", "%4z%", "%-1"}) {
    const auto got = extract_collateral(kHeader, {}, bad);
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code(), kCollateralAnswer);
  }
}

TEST(CollateralAnswer, TakesAMemberOutOfJson) {
  const CollateralPart part{.name = "r", .file = "r.xml", .source = CollateralSource::kBase64Member, .key = "rim"};
  EXPECT_EQ(extract_collateral(part, as_bytes(R"({"id":"x","rim":"AQI=","sha256":"00"})"), {}).value(), (Bytes{1, 2}));
  for (const char* bad : {"", "[]", "{", R"({"id":"x"})", R"({"rim":1})", R"({"rim":"AQI"})", R"({"rim":"A Q="})",
                          R"({"rim":"AQI=","rim":"AQI="})", R"({"rim":"AQI="}x)"}) {
    const auto got = extract_collateral(part, as_bytes(bad), {});
    ASSERT_FALSE(got) << bad;
    EXPECT_EQ(got.error().code(), kCollateralAnswer);
  }
}

}  // namespace
}  // namespace eml
