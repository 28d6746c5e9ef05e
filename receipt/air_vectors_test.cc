// AIR v1's own ten vectors: each must end as it says, in the layer and with the code that it says.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "crypto/ed25519.h"
#include "encoding/json.h"
#include "receipt/air.h"
#include "receipt/air_claims.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

// 2026-11-25: the stale vector says "over a year old".
constexpr UnixSeconds kNow = 1795608000;

// Vector is one file; a member that nobody asked for fails the test.
class Vector {
 public:
  explicit Vector(const std::string& text) : json_(*parse_json(as_bytes(text))), object_(&json_.as_object()) {}
  Vector(const Vector&) = delete;
  Vector& operator=(const Vector&) = delete;

  const Json* find(std::string_view name) {
    const Json* value = object_->if_contains(name);
    if (value != nullptr) read_.insert(std::string(name));
    return value;
  }
  const Json& get(std::string_view name) {
    const Json* value = find(name);
    EXPECT_NE(value, nullptr) << name;
    return value != nullptr ? *value : json_;
  }
  std::string text(std::string_view name) { return std::string(get(name).as_string()); }
  Bytes bytes(std::string_view name) { return *from_hex(text(name)); }
  Ed25519PublicKey key(std::string_view name) { return *to_array<32>(bytes(name)); }
  void skip(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) find(name);
  }
  void expect_all_read() const {
    for (const auto& member : *object_) {
      EXPECT_TRUE(read_.contains(std::string(std::string_view(member.key())))) << "not read: " << member.key();
    }
  }

 private:
  Json json_;
  const JsonObject* object_;
  std::set<std::string> read_;
};

std::optional<std::string> load(const std::string& name) {
  return test::read_file(test::shared_dir() / "vectors/air-v1" / name);
}

Hash32 hash_of(const JsonObject& claims, std::string_view name) {
  return *to_array<32>(*from_hex(std::string_view(claims.at(name).as_string())));
}

AirPolicy policy_of(Vector& vector) {
  AirPolicy policy;
  const Json* json = vector.find("verify_policy");
  if (json == nullptr) return policy;
  for (const auto& [name, value] : json->as_object()) {
    if (name == "expected_nonce_hex") {
      policy.nonce = from_hex(std::string_view(value.as_string()));
    } else if (name == "expected_model_hash_hex") {
      policy.model_hash = to_array<32>(*from_hex(std::string_view(value.as_string())));
    } else if (name == "expected_platform") {
      policy.platform = parse_measurement_type(std::string_view(value.as_string()));
    } else if (name == "max_age_secs") {
      policy.time = kNow;
      policy.max_age_s = static_cast<std::uint64_t>(value.as_int64());
    } else {
      ADD_FAILURE() << "unknown policy member: " << name;
    }
  }
  return policy;
}

Status run(ByteView receipt, const Ed25519PublicKey& key, const AirPolicy& policy) {
  EML_TRY(const VerifiedReceipt verified, verify_receipt(receipt, key));
  return appraise(verified, policy);
}

class AirValidVector : public testing::TestWithParam<const char*> {};

TEST_P(AirValidVector, PassesEveryLayerAndReadsBackAsStated) {
  const auto file = load(GetParam());
  if (!file) GTEST_SKIP() << "no shared vectors";
  Vector vector(*file);
  vector.skip({"name", "description", "version", "date", "expected_verification"});
  const Bytes bytes = vector.bytes("receipt_hex");
  EXPECT_EQ(static_cast<std::int64_t>(bytes.size()), vector.get("receipt_length").as_int64());
  const auto receipt = verify_receipt(bytes, vector.key("public_key_hex"));
  ASSERT_TRUE(receipt) << receipt.error().to_string();
  EXPECT_TRUE(appraise(*receipt, {}));

  const AirClaims& claims = receipt->claims();
  const JsonObject& stated = vector.get("claims").as_object();
  std::set<std::string> read;
  for (const auto& [name, value] : stated) {
    if (name == "iss")
      EXPECT_EQ(claims.issuer, value.as_string());
    else if (name == "iat")
      EXPECT_EQ(claims.issued_at, value.as_int64());
    else if (name == "cti_hex")
      EXPECT_EQ(hex(claims.cti), value.as_string());
    else if (name == "eat_nonce")
      EXPECT_FALSE(claims.nonce);
    else if (name == "eat_nonce_hex")
      EXPECT_EQ(hex(claims.nonce.value()), value.as_string());
    else if (name == "eat_profile")
      EXPECT_EQ(value.as_string(), kAirProfile);
    else if (name == "model_id")
      EXPECT_EQ(claims.model_id, value.as_string());
    else if (name == "model_version")
      EXPECT_EQ(claims.model_version, value.as_string());
    else if (name == "model_hash_hex")
      EXPECT_EQ(claims.model_hash, hash_of(stated, "model_hash_hex"));
    else if (name == "request_hash_hex")
      EXPECT_EQ(claims.request_hash, hash_of(stated, "request_hash_hex"));
    else if (name == "response_hash_hex")
      EXPECT_EQ(claims.response_hash, hash_of(stated, "response_hash_hex"));
    else if (name == "attestation_doc_hash_hex")
      EXPECT_EQ(claims.attestation_doc_hash, hash_of(stated, "attestation_doc_hash_hex"));
    else if (name == "policy_version")
      EXPECT_EQ(claims.policy_version, value.as_string());
    else if (name == "sequence_number")
      EXPECT_EQ(claims.sequence_number, value.to_number<std::uint64_t>());
    else if (name == "execution_time_ms")
      EXPECT_EQ(claims.execution_time_ms, value.to_number<std::uint64_t>());
    else if (name == "memory_peak_mb")
      EXPECT_EQ(claims.memory_peak_mb, value.to_number<std::uint64_t>());
    else if (name == "security_mode")
      EXPECT_EQ(to_string(claims.mode), value.as_string());
    else if (name == "enclave_measurements") {
      for (const auto& [slot, bytes_hex] : value.as_object()) {
        if (slot == "measurement_type") {
          EXPECT_EQ(to_string(claims.measurements.type), bytes_hex.as_string());
          continue;
        }
        const std::string slot_name(std::string_view(slot).substr(0, slot.size() - std::string_view("_hex").size()));
        const auto found = claims.measurements.values.find(slot_name);
        if (bytes_hex.is_null()) {
          EXPECT_EQ(found, claims.measurements.values.end());
        } else {
          EXPECT_EQ(hex(found->second), bytes_hex.as_string());
        }
      }
    } else {
      ADD_FAILURE() << "unknown claim: " << name;
    }
  }
  EXPECT_FALSE(claims.scheme);
  EXPECT_EQ(vector.get("cose_sign1").at("protected_header").at("alg").as_int64(), kCoseAlgEdDsa);
  EXPECT_EQ(vector.get("cose_sign1").at("protected_header").at("content_type").as_int64(), kCwtContentFormat);

  // Ed25519 is deterministic, so our issuing gives the very bytes of the vector.
  const auto key = Ed25519Key::from_seed(copy_to_secret(vector.bytes("signing_key_seed_hex")));
  ASSERT_TRUE(key);
  EXPECT_EQ(encode_air_claims(claims), vector.bytes("payload_hex"));
  EXPECT_EQ(issue_receipt(*key, claims).value(), bytes);
  vector.expect_all_read();
}

INSTANTIATE_TEST_SUITE_P(Shared, AirValidVector,
                         testing::Values("valid/v1-nitro-no-nonce.json", "valid/v1-tdx-with-nonce.json"));

class AirInvalidVector : public testing::TestWithParam<const char*> {};

TEST_P(AirInvalidVector, FailsInTheStatedLayerWithTheStatedCode) {
  const auto file = load(GetParam());
  if (!file) GTEST_SKIP() << "no shared vectors";
  Vector vector(*file);
  vector.skip({"name", "description", "version", "date", "wrong_public_key_seed_hex"});
  const Ed25519PublicKey key =
      vector.key(vector.find("wrong_public_key_hex") != nullptr ? "wrong_public_key_hex" : "public_key_hex");
  const Status status = run(vector.bytes("receipt_hex"), key, policy_of(vector));
  ASSERT_FALSE(status);
  const JsonObject& expected = vector.get("expected_failure").as_object();
  EXPECT_EQ(air_code(status.error()), std::string_view(expected.at("code").as_string()));
  EXPECT_EQ(air_layer(status.error()), expected.at("layer").as_int64());
  vector.expect_all_read();
}

class AirPolicyVector : public testing::TestWithParam<const char*> {};

TEST_P(AirPolicyVector, PassesWithoutItsPolicy) {
  const auto file = load(GetParam());
  if (!file) GTEST_SKIP() << "no shared vectors";
  Vector vector(*file);
  ASSERT_NE(vector.find("verify_policy"), nullptr);
  EXPECT_TRUE(run(vector.bytes("receipt_hex"), vector.key("public_key_hex"), {}));
}

INSTANTIATE_TEST_SUITE_P(Shared, AirInvalidVector,
                         testing::Values("invalid/v1-bad-measurement-length.json",
                                         "invalid/v1-model-hash-mismatch.json", "invalid/v1-nonce-mismatch.json",
                                         "invalid/v1-platform-mismatch.json", "invalid/v1-stale-iat.json",
                                         "invalid/v1-wrong-alg.json", "invalid/v1-wrong-key.json",
                                         "invalid/v1-zero-model-hash.json"));

INSTANTIATE_TEST_SUITE_P(Shared, AirPolicyVector,
                         testing::Values("invalid/v1-model-hash-mismatch.json", "invalid/v1-nonce-mismatch.json",
                                         "invalid/v1-platform-mismatch.json", "invalid/v1-stale-iat.json"));

TEST(AirVectors, AreTheTenThatWeKnow) {
  const auto dir = test::shared_dir() / "vectors/air-v1";
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << "no shared vectors";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) files += entry.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 10U);
}

}  // namespace
}  // namespace eml
