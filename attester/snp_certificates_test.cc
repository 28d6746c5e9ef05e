#include "attester/snp_certificates.h"

#include <gtest/gtest.h>

#include "encoding/base64.h"
#include "encoding/reader.h"

namespace eml {
namespace {

constexpr const char* kVcek = "63da758de6644564adc5f4b93be8accd";
constexpr const char* kVlek = "a8074bc2a25a483eaae639c045a0b8a1";
constexpr const char* kAsk = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr const char* kArk = "c0b406a4a803495297433fb6014cd0ae";
constexpr const char* kCrl = "92f81bc358114d3d97ffd19f88dc67ea";

struct Item {
  const char* guid;
  std::string bytes;
};

void u32_le(Bytes& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// As GHCB writes it down: entries, a zero entry, then what they point to.
Bytes table(const std::vector<Item>& items) {
  Bytes out;
  std::size_t at = (items.size() + 1) * 24;
  for (const Item& item : items) {
    const Bytes guid = from_hex(item.guid).value();
    out.insert(out.end(), guid.begin(), guid.end());
    u32_le(out, at);
    u32_le(out, item.bytes.size());
    at += item.bytes.size();
  }
  out.resize(out.size() + 24);
  for (const Item& item : items) out.insert(out.end(), item.bytes.begin(), item.bytes.end());
  return out;
}

std::string pem(std::string_view der) {
  return "-----BEGIN CERTIFICATE-----\n" + base64(as_bytes(der)) + "\n-----END CERTIFICATE-----\n";
}

// "name=bytes;name=bytes", or the error.
std::string read(const Bytes& bytes, SnpSigningKey key = SnpSigningKey::kVcek) {
  const auto endorsements = snp_endorsements(bytes, key, 1234);
  if (!endorsements) return std::string(endorsements.error().code().name);
  std::string out;
  for (const Endorsement& item : *endorsements) {
    EXPECT_EQ(item.fetched_at, 1234);
    out += item.name + "=" + std::string(as_text(item.bytes)) + ";";
  }
  return out;
}

TEST(SnpCertificates, GivesKeyChainAndListUnderTheNamesOfTheirPage) {
  EXPECT_EQ(read(table({{kVcek, "0vcek"}, {kAsk, "0ask"}, {kArk, "0ark"}, {kCrl, "0crl"}})),
            "vek=0vcek;ca_chain=" + pem("0ask") + pem("0ark") + ";crl=0crl;");
}

TEST(SnpCertificates, OrderAndUnknownEntriesDoNotMatter) {
  EXPECT_EQ(read(table({{kArk, "0ark"}, {"00112233445566778899aabbccddeeff", "x"}, {kAsk, "0ask"}, {kVcek, "0vcek"}})),
            "vek=0vcek;ca_chain=" + pem("0ask") + pem("0ark") + ";");
}

TEST(SnpCertificates, TakesTheKeyThatSignedTheReport) {
  const Bytes both = table({{kVcek, "0vcek"}, {kVlek, "0vlek"}});
  EXPECT_EQ(read(both, SnpSigningKey::kVcek), "vek=0vcek;");
  EXPECT_EQ(read(both, SnpSigningKey::kVlek), "vek=0vlek;");
  EXPECT_EQ(read(table({{kVlek, "0vlek"}}), SnpSigningKey::kVcek), "");
}

TEST(SnpCertificates, HalfAChainIsNone) {
  EXPECT_EQ(read(table({{kAsk, "0ask"}})), "");
  EXPECT_EQ(read(table({{kArk, "0ark"}})), "");
}

TEST(SnpCertificates, HostsMayStorePem) {
  EXPECT_EQ(read(table({{kVcek, pem("0vcek")}, {kAsk, pem("0ask")}, {kArk, "0ark"}})),
            "vek=0vcek;ca_chain=" + pem("0ask") + pem("0ark") + ";");
}

TEST(SnpCertificates, LongCertificatesBecomePemLinesOf64) {
  const auto endorsements =
      snp_endorsements(table({{kAsk, std::string(100, 'a')}, {kArk, "b"}}), SnpSigningKey::kVcek, 0);
  const std::string text(as_text(endorsements->at(0).bytes));
  EXPECT_EQ(text.find('\n', 28) - 28, 64U);
  EXPECT_EQ(text.find(base64(as_bytes(std::string(100, 'a'))).substr(0, 64)), 28U);
}

TEST(SnpCertificates, NoTableGivesNothing) {
  EXPECT_EQ(read({}), "");
  EXPECT_EQ(read(Bytes(24)), "");
  EXPECT_EQ(read(Bytes(4096)), "") << "hosts hand over whole pages";
}

TEST(SnpCertificates, RefusesEveryTruncation) {
  const Bytes whole = table({{kVcek, "0vcek"}, {kAsk, "0ask"}, {kArk, "0ark"}});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(read(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))),
              "snp-certificates-malformed")
        << size;
  }
}

TEST(SnpCertificates, RefusesTablesThatAreNone) {
  const auto changed = [](std::size_t at, std::uint8_t value) {
    Bytes out = table({{kVcek, "0vcek"}, {kAsk, "0ask"}});
    out[at] = value;
    return out;
  };
  EXPECT_EQ(read(changed(16, 0xff)), "snp-certificates-malformed") << "offset outside";
  EXPECT_EQ(read(changed(19, 0xff)), "snp-certificates-malformed") << "offset of 4 GiB";
  EXPECT_EQ(read(changed(20, 0)), "snp-certificates-malformed") << "length 0";
  EXPECT_EQ(read(changed(20, 0xff)), "snp-certificates-malformed") << "length outside";
  EXPECT_EQ(read(changed(23, 0xff)), "snp-certificates-malformed") << "length of 4 GiB";
  EXPECT_EQ(read(table({{kVcek, "a"}, {kVcek, "b"}})), "snp-certificates-malformed") << "twice";
  std::vector<Item> many(kSnpCertificateEntriesMax + 1, {kVcek, "a"});
  std::vector<std::string> guids;
  for (std::size_t i = 0; i < many.size(); ++i) guids.push_back(hex(Bytes(16, static_cast<std::uint8_t>(i + 1))));
  for (std::size_t i = 0; i < many.size(); ++i) many[i].guid = guids[i].c_str();
  EXPECT_EQ(read(table(many)), "snp-certificates-malformed") << "too many";
  many.pop_back();
  EXPECT_EQ(read(table(many)), "");
}

TEST(SnpCertificates, RefusesPemThatIsNone) {
  for (const std::string& bad :
       {std::string("-----BEGIN CERTIFICATE-----\n"), std::string("-----BEGIN CERTIFICATE-----\nMDA=\n"),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\nMD A=\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")}) {
    EXPECT_EQ(read(table({{kVcek, bad}})), "snp-certificates-malformed") << bad;
  }
}

TEST(SnpCertificates, ReadsWhichKeySigned) {
  Bytes report(1184);
  EXPECT_EQ(snp_signing_key(report), SnpSigningKey::kVcek);
  report[0x48] = 1U << 2;
  EXPECT_EQ(snp_signing_key(report), SnpSigningKey::kVlek);
  report[0x48] = 3;  // author key, masked chip key: other bits
  EXPECT_EQ(snp_signing_key(report), SnpSigningKey::kVcek);
  for (const int other : {2, 7}) {
    report[0x48] = static_cast<std::uint8_t>(other << 2);
    EXPECT_EQ(snp_signing_key(report), std::nullopt);
  }
  EXPECT_EQ(snp_signing_key(Bytes(0x48)), std::nullopt);
  EXPECT_EQ(snp_signing_key({}), std::nullopt);
}

}  // namespace
}  // namespace eml
