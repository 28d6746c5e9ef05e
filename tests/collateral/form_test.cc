// Items by themselves: each form has a good one with its date, and refuses everything that is not it.
#include "attestation/collateral_form.h"

#include <gtest/gtest.h>

#include "attestation/kinds.h"
#include "tests/support/dcap.h"
#include "tests/support/gpu_issuer.h"
#include "tests/support/snp.h"

namespace eml {
namespace {

struct Item {
  std::string name;
  Bytes bytes;
  std::string end;  // "what time"; empty: it has none
};

std::string text_of(const std::optional<CollateralEnd>& end) {
  return end ? std::string(end->what) + " " + rfc3339(end->last) : "";
}

std::vector<Item> good_items() {
  test::dcap::Plan plan;
  plan.tcb_info["nextUpdate"] = "2026-06-11T00:00:00Z";
  plan.qe_identity["nextUpdate"] = "2026-06-12T00:00:00Z";
  plan.root_crl.next_update = *parse_rfc3339("2026-06-13T00:00:00Z");
  plan.pck_crl.next_update = *parse_rfc3339("2026-06-14T00:00:00Z");
  plan.tcb_certificate.not_after = *parse_rfc3339("2026-06-15T00:00:00Z");
  Collateral intel = plan.make().collateral;
  Collateral amd = test::SnpPlan().make().collateral;
  const std::string vek_end = rfc3339(Certificate::decode_der(amd["vek"]).value().not_after());
  return {{.name = "tcb_info", .bytes = intel["tcb_info"], .end = "nextUpdate 2026-06-11T00:00:00Z"},
          {.name = "qe_identity", .bytes = intel["qe_identity"], .end = "nextUpdate 2026-06-12T00:00:00Z"},
          {.name = "root_crl", .bytes = intel["root_crl"], .end = "nextUpdate 2026-06-13T00:00:00Z"},
          {.name = "pck_crl", .bytes = intel["pck_crl"], .end = "nextUpdate 2026-06-14T00:00:00Z"},
          {.name = "tcb_signing_chain", .bytes = intel["tcb_signing_chain"], .end = "notAfter 2026-06-15T00:00:00Z"},
          {.name = "vek", .bytes = amd["vek"], .end = "notAfter " + vek_end},
          {.name = "jwks", .bytes = to_bytes(R"({"keys":[]})"), .end = ""}};
}

TEST(CollateralForm, ReadsEachItemAndItsEnd) {
  for (const Item& item : good_items()) {
    const auto end = decode_collateral_item(collateral_form(item.name), item.bytes);
    ASSERT_TRUE(end) << item.name << ": " << end.error().to_string();
    EXPECT_EQ(text_of(*end), item.end) << item.name;
  }
}

TEST(CollateralForm, ReadsAManifestsSigner) {
  const test::GpuIssuer issuer;
  const Bytes rim = issuer.rim({});
  const auto end = decode_collateral_item(collateral_form("driver_rim"), rim);
  ASSERT_TRUE(end) << end.error().to_string();
  ASSERT_TRUE(*end);
  EXPECT_EQ((*end)->what, "notAfter");
  for (std::size_t size = 0; size < rim.size(); size += 7) {
    ASSERT_FALSE(decode_collateral_item(CollateralForm::kManifest, ByteView(rim).first(size))) << size;
  }
}

TEST(CollateralForm, RefusesEveryCutOfEveryItem) {
  for (const Item& item : good_items()) {
    for (std::size_t size = 0; size < item.bytes.size(); size += 1 + (item.bytes.size() / 400)) {
      const auto end = decode_collateral_item(collateral_form(item.name), ByteView(item.bytes).first(size));
      // PEM that lost its last line end, or its last certificate, is still PEM.
      if (end && item.name == "tcb_signing_chain") continue;
      ASSERT_FALSE(end) << item.name << " " << size;
      EXPECT_EQ(end.error().code(), kCollateralItem);
    }
  }
}

TEST(CollateralForm, TakesNoItemForAnother) {
  const auto items = good_items();
  for (const Item& wanted : items) {
    for (const Item& given : items) {
      const CollateralForm form = collateral_form(wanted.name);
      const bool fits = form == collateral_form(given.name) ||
                        (form == CollateralForm::kCertificates && given.name == "vek");  // one in DER
      EXPECT_EQ(decode_collateral_item(form, given.bytes).has_value(), fits) << wanted.name << " " << given.name;
    }
    for (const char* garbage : {"", "<html>", "{}", "[]", "-----BEGIN CERTIFICATE-----\n", "\x30\x00"}) {
      EXPECT_FALSE(decode_collateral_item(collateral_form(wanted.name), as_bytes(garbage))) << wanted.name << garbage;
    }
  }
}

TEST(CollateralForm, TakesTheEarliestOfSeveralCertificates) {
  test::dcap::Plan plan;
  plan.root_certificate.not_after = *parse_rfc3339("2026-06-03T00:00:00Z");
  const auto made = plan.make();
  const auto end = decode_collateral_item(CollateralForm::kCertificates, made.collateral.at("tcb_signing_chain"));
  EXPECT_EQ(text_of(end.value()), "notAfter 2026-06-03T00:00:00Z");
  EXPECT_FALSE(earliest_end({}));
}

TEST(CollateralForm, KnowsWhatComesWithTheEvidenceAsOther) {
  for (const char* name : {"pcrs", "signature", "event_log", "hcl_report", "td_quote", "no such name"}) {
    EXPECT_EQ(collateral_form(name), CollateralForm::kOther) << name;
  }
  EXPECT_EQ(decode_collateral_item(CollateralForm::kOther, Bytes{1}).value(), std::nullopt);
}

}  // namespace
}  // namespace eml
