#include "attestation/configuration.h"

#include <gtest/gtest.h>

#include "encoding/json.h"
#include "tests/support/fake_tee.h"

namespace eml {
namespace {

using test::FakeTee;

bool accepts(std::string_view text) {
  const auto decoded = decode_configuration(as_bytes(text));
  if (!decoded) EXPECT_EQ(decoded.error().code(), kConfigurationMalformed);
  return decoded.has_value();
}

JsonObject good() {
  const FakeTee tee;
  return parse_json(encode_configuration(tee.configuration))->get_object();
}

bool accepts_with(std::string_view member, const Json& value) {
  JsonObject object = good();
  object[member] = value;
  return accepts(canonical_json(object));
}

TEST(Configuration, ReadsBackAsItWasWritten) {
  FakeTee tee;
  tee.configuration.publishers.push_back(Ed25519PublicKey{});  // sorts first
  tee.configuration.limits = to_bytes("{\"streams_max\":64}");
  for (const bool with_operator : {true, false}) {
    if (!with_operator) tee.configuration.operator_key.reset();
    const Bytes bytes = encode_configuration(tee.configuration);
    const auto decoded = decode_configuration(bytes);
    ASSERT_TRUE(decoded) << decoded.error().to_string();
    EXPECT_EQ(encode_configuration(*decoded), bytes);
    EXPECT_EQ(decoded->operator_key.has_value(), with_operator);
    EXPECT_EQ(decoded->publishers.size(), 2U);
    EXPECT_EQ(decoded->minimum_serials, tee.configuration.minimum_serials);
    EXPECT_EQ(as_text(decoded->limits), "{\"streams_max\":64}");
  }
}

TEST(Configuration, IsRejectedWhenTruncatedAtAnyLength) {
  const std::string whole = canonical_json(good());
  ASSERT_TRUE(accepts(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(accepts(whole.substr(0, size))) << size;
}

TEST(Configuration, MustBeCanonical) {
  const std::string whole = canonical_json(good());
  EXPECT_FALSE(accepts(whole + "\n"));
  EXPECT_FALSE(accepts("{ " + whole.substr(1)));
  JsonObject reordered;  // schema first: not sorted
  reordered["schema"] = "eml-configuration/1";
  for (const auto& member : good()) reordered[member.key()] = member.value();
  EXPECT_FALSE(accepts(compact_json(reordered)));
}

TEST(Configuration, NeedsItsMembersAndKnowsNoOthers) {
  for (const auto& member : good()) {
    JsonObject object = good();
    object.erase(member.key());
    EXPECT_EQ(accepts(canonical_json(object)), member.key() == "operator_key") << member.key();
  }
  EXPECT_FALSE(accepts_with("address", "10.0.0.1"));
}

TEST(Configuration, RejectsBadValues) {
  const std::string key = '"' + hex(Ed25519PublicKey{1}) + '"';
  const std::string later = '"' + hex(Ed25519PublicKey{0xab}) + '"';
  std::string upper = later;
  upper[1] = 'A';
  std::string many = key;
  for (int i = 0; i < 16; ++i) many += "," + key;
  const std::pair<std::string_view, std::string> cases[] = {
      {"schema", R"("eml-configuration/2")"},
      {"issuer", R"("")"},
      {"issuer", R"("a\nb")"},
      {"issuer", '"' + std::string(129, 'a') + '"'},
      {"issuer", "1"},
      {"operator_key", R"("00")"},
      {"operator_key", upper},
      {"operator_key", "null"},
      {"publishers", "[]"},
      {"publishers", "[" + many + "]"},
      {"publishers", "[" + key + "," + key + "]"},
      {"publishers", "[" + later + "," + key + "]"},
      {"publishers", "[1]"},
      {"publishers", key},
      {"minimum_serials", R"({"":1})"},
      {"minimum_serials", R"({"a":-1})"},
      {"minimum_serials", R"({"a":0.5})"},
      {"minimum_serials", "[]"},
      {"numerics", R"("FP32")"},
      {"numerics", R"("")"},
      {"log_level", R"("trace")"},
      {"limits", R"({"a b":1})"},
      {"limits", R"({"a":"1"})"},
      {"limits", "[]"},
  };
  for (const auto& [member, text] : cases) {
    const auto value = parse_json(as_bytes(text));
    ASSERT_TRUE(value) << text;
    EXPECT_FALSE(accepts_with(member, *value)) << member << text;
  }
  ASSERT_TRUE(accepts_with("publishers", *parse_json(as_bytes("[" + key + "," + later + "]"))));
  EXPECT_FALSE(accepts("[]"));
  EXPECT_FALSE(accepts(std::string(kConfigurationBytesMax + 1, ' ')));
}

TEST(Configuration, WithLimitsThatAreNoObjectIsEncodedSoThatItIsRefused) {
  FakeTee tee;
  tee.configuration.limits = to_bytes("not json");
  EXPECT_FALSE(accepts(as_text(encode_configuration(tee.configuration))));
}

}  // namespace
}  // namespace eml
