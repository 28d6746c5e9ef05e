#include "encoding/der.h"

#include <gtest/gtest.h>

namespace eml {
namespace {

Bytes unhex(std::string_view text) {
  const auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << text;
  return bytes.value_or(Bytes{});
}

// Each bad input, read with `read`, is refused.
template <typename Read>
void expect_refused(std::initializer_list<std::pair<const char*, const char*>> table, Read read) {
  for (const auto& [input, why] : table) {
    const Bytes bytes = unhex(input);
    DerReader reader(bytes);
    const auto result = read(reader);
    ASSERT_FALSE(result) << why;
    EXPECT_EQ(result.error().code(), kDerMalformed) << why;
  }
}

TEST(DerReader, AnElementHasItsTagItsContentsAndItsWhole) {
  const Bytes bytes = unhex("040203070500");
  DerReader reader(bytes);
  const DerValue value = reader.expect(der::kOctetString).value();
  EXPECT_EQ(hex(value.contents), "0307");
  EXPECT_EQ(hex(value.whole), "04020307");
  EXPECT_FALSE(reader.expect_end());
  EXPECT_TRUE(reader.null());
  EXPECT_TRUE(reader.expect_end());
}

TEST(DerReader, LengthsAreDefiniteMinimalAndWithinWhatHoldsThem) {
  expect_refused({{"", "nothing"},
                  {"04", "no length"},
                  {"0480", "indefinite"},
                  {"04800000", "indefinite with its end"},
                  {"048105aabbccddee", "long form of a short length"},
                  {"04820080", "a leading zero in the length"},
                  {"048481000000", "longer than the input"},
                  {"048500000000010a", "five octets of length"},
                  {"0481", "ends within the length"},
                  {"0402aa", "one byte is missing"},
                  {"1f0100", "a high tag number"}},
                 [](DerReader& reader) { return reader.any(); });
  Bytes long_form = unhex("048180");
  long_form.resize(3 + 128);
  DerReader reader(long_form);
  EXPECT_EQ(reader.octet_string().value().size(), 128U);
}

TEST(DerReader, AnInnerLengthNeverReachesOutsideItsParent) {
  const Bytes bytes = unhex("3003040201ffee");
  DerReader reader(bytes);
  DerReader inside = reader.enter(der::kSequence).value();
  const auto beyond = inside.octet_string();
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().first(), 4U) << "the offset is from the outermost start";
}

TEST(DerReader, AnOptionalElementIsReadOnlyIfItIsThere) {
  const Bytes bytes = unhex("a003020107");
  DerReader reader(bytes);
  EXPECT_FALSE(reader.enter_if(der::context(1)).value());
  auto inside = reader.enter_if(der::context(0)).value();
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->integer().value(), 7U);
  EXPECT_FALSE(reader.enter_if(der::context(0)).value());
}

TEST(DerReader, IntegersAreMinimalAndNotNegative) {
  for (const auto& [input, value] : std::initializer_list<std::pair<const char*, std::uint64_t>>{
           {"020100", 0}, {"02017f", 127}, {"02020080", 128}, {"0209 00ffffffffffffffff", ~std::uint64_t{0}}}) {
    std::string digits(input);
    std::erase(digits, ' ');
    const Bytes bytes = unhex(digits);
    DerReader reader(bytes);
    EXPECT_EQ(reader.integer().value(), value);
  }
  expect_refused({{"0200", "empty"},
                  {"020180", "negative"},
                  {"0202007f", "not minimal"},
                  {"020a0100000000000000000000", "larger than 64 bits"},
                  {"0a0101", "an ENUMERATED"}},
                 [](DerReader& reader) -> Result<std::uint64_t> {
                   EML_TRY(const std::uint64_t value, reader.integer());
                   EML_CHECK(reader.expect_end());
                   return value;
                 });
  const Bytes enumerated = unhex("0a0102");
  EXPECT_EQ(DerReader(enumerated).integer(der::kEnumerated).value(), 2U);
  const Bytes serial = unhex("02030080ff");
  EXPECT_EQ(hex(DerReader(serial).unsigned_integer().value()), "80ff");
}

TEST(DerReader, BooleansAre00OrFf) {
  EXPECT_TRUE(DerReader(unhex("0101ff")).boolean().value());
  EXPECT_FALSE(DerReader(unhex("010100")).boolean().value());
  expect_refused({{"010101", "another true"}, {"0100", "empty"}, {"01020000", "two bytes"}, {"020100", "an INTEGER"}},
                 [](DerReader& reader) { return reader.boolean(); });
}

TEST(DerReader, BitStringsHaveNoUnusedBitsAndNullsNoContents) {
  EXPECT_EQ(hex(DerReader(unhex("030200aa")).bit_string().value()), "aa");
  expect_refused({{"0300", "no count of unused bits"}, {"030201aa", "unused bits"}},
                 [](DerReader& reader) { return reader.bit_string(); });
  EXPECT_TRUE(DerReader(unhex("0500")).null());
  expect_refused({{"050100", "contents"}}, [](DerReader& reader) { return reader.null(); });
}

TEST(DerReader, ObjectIdentifiersAreMinimalAndComplete) {
  const Bytes bytes = unhex("06082a8648ce3d030107");
  EXPECT_EQ(dotted_oid(DerReader(bytes).oid().value()), "1.2.840.10045.3.1.7");
  expect_refused({{"0600", "empty"}, {"06022a86", "ends within an arc"}, {"06032a8001", "an arc is not minimal"}},
                 [](DerReader& reader) { return reader.oid(); });
}

TEST(DerOid, IsWhatDottedOidReads) {
  for (const char* dotted : {"1.2.840.113741.1.13.1", "2.5.29.15", "1.3.6.1.4.1.3704.1.3.8", "2.23.133.5.4.1", "0.0",
                             "2.999.18446744073709551615"}) {
    EXPECT_EQ(dotted_oid(der_oid(dotted)), dotted);
  }
  EXPECT_EQ(hex(der_oid("1.2.840.113549.1.1.10")), "2a864886f70d01010a");
  for (const char* bad : {"1.", "a", "1.2.", "1.x", "1..2"}) EXPECT_TRUE(der_oid(bad).empty()) << bad;
  EXPECT_EQ(dotted_oid(unhex("2affffffffffffffffff7f")), "") << "an arc above 64 bits";
}

TEST(DerReader, TimesAreSecondsOfUtcAndExist) {
  const auto time = [](std::uint8_t tag, std::string_view text) {
    const Bytes bytes = der_element(tag, as_bytes(text));
    return DerReader(bytes).time();
  };
  EXPECT_EQ(rfc3339(time(der::kUtcTime, "491231235959Z").value()), "2049-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(time(der::kUtcTime, "500101000000Z").value()), "1950-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(time(der::kGeneralizedTime, "99991231235959Z").value()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(rfc3339(time(der::kGeneralizedTime, "20240229120000Z").value()), "2024-02-29T12:00:00Z");
  for (const char* bad : {"20250229120000Z", "20251301000000Z", "20250100000000Z", "20250101240000Z", "20250101006000Z",
                          "20250101000060Z", "20250101000000", "2025010100000Z", "20250101000000.5Z",
                          "20250101000000+0000", "2025010100000xZ", ""}) {
    EXPECT_FALSE(time(der::kGeneralizedTime, bad)) << bad;
  }
  for (const char* bad : {"2501010000Z", "20250101000000Z", "250101000000"}) EXPECT_FALSE(time(der::kUtcTime, bad));
  EXPECT_FALSE(time(der::kUtf8String, "250101000000Z"));
}

TEST(DerReader, EveryTruncationOfAnElementIsRefused) {
  const Bytes whole = der_element(der::kOctetString, Bytes(300, 7));
  EXPECT_EQ(DerReader(whole).octet_string().value().size(), 300U);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(DerReader(ByteView(whole).first(size)).octet_string()) << size;
}

}  // namespace
}  // namespace eml
