// Vectors of tests/vectors/package.json: made by tests/vectors/package.py, which shares nothing with the code here.
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "encoding/json.h"
#include "package/testing.h"
#include "tests/support/shared.h"

namespace eml {
namespace {

using test::unhex;

// A generator that gives a vector's salt.
class SaltRandom final : public Random {
 public:
  explicit SaltRandom(Bytes salt) : salt_(std::move(salt)) {}
  void fill(MutableByteView out) override {
    ASSERT_EQ(out.size(), salt_.size());
    std::ranges::copy(salt_, out.begin());
  }

 private:
  Bytes salt_;
};

std::string_view text(const JsonObject& object, std::string_view member) { return *json_text(object, member); }

JsonObject vectors(std::string_view member) {
  const auto bytes = test::read_bytes(test::source_dir() / "tests/vectors/package.json");
  EXPECT_TRUE(bytes);
  return parse_json(*bytes)->at(member).as_object();
}

Bytes pattern(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return out;
}

TEST(PackageVectors, EncryptedFilesAreTheSameBytesAndOpen) {
  const JsonObject all = vectors("encrypted");
  ASSERT_TRUE(expect_members(all, {"dek", "package_id", "salt", "files"}));
  const SecretBytes dek = copy_to_secret(unhex(text(all, "dek")));
  for (const Json& item : *json_array(all, "files").value()) {
    const JsonObject& vector = item.as_object();
    ASSERT_TRUE(expect_members(vector, {"path", "plaintext_size", "plaintext_sha256", "file", "file_sha256"}));
    const Bytes plaintext = pattern(static_cast<std::size_t>(*json_uint(vector, "plaintext_size")));
    const Hash32 hash = *to_array<32>(unhex(text(vector, "plaintext_sha256")));
    ASSERT_EQ(sha256(plaintext), hash);
    const FileContext context{.package_id = *to_array<16>(unhex(text(all, "package_id"))),
                              .path = std::string(text(vector, "path")),
                              .plaintext_size = plaintext.size()};
    SaltRandom random(unhex(text(all, "salt")));
    Bytes file;
    ASSERT_TRUE(encrypt_file(context, dek, plaintext, random, [&](ByteView bytes) -> Status {
      file.insert(file.end(), bytes.begin(), bytes.end());
      return {};
    }));
    EXPECT_EQ(hex(sha256(file)), text(vector, "file_sha256")) << context.path;
    if (!vector.at("file").is_null()) EXPECT_EQ(hex(file), text(vector, "file"));
    Bytes target(plaintext.size());
    ASSERT_TRUE(decrypt_file(ViewSource(file), context, hash, dek, target, serial_for));
    EXPECT_EQ(target, plaintext);
  }
}

TEST(PackageVectors, WrappedDekOpens) {
  const JsonObject vector = vectors("wrapped_dek");
  ASSERT_TRUE(expect_members(vector, {"ikm", "key_id", "package_id", "dek", "wrapped"}));
  const auto recipient = KemKeyPair::derive(kKemX25519HkdfSha256, test::secret_of(text(vector, "ikm")));
  ASSERT_TRUE(recipient);
  EXPECT_EQ(x25519_key_id(recipient->public_key()), text(vector, "key_id"));
  const auto dek = unwrap_dek(unhex(text(vector, "wrapped")), *to_array<16>(unhex(text(vector, "package_id"))),
                              text(vector, "key_id"), *recipient);
  ASSERT_TRUE(dek) << dek.error().to_string();
  EXPECT_EQ(hex(test::reveal(*dek)), text(vector, "dek"));
}

TEST(PackageVectors, ManifestVerifiesAndHasItsModelHash) {
  const JsonObject vector = vectors("manifest");
  ASSERT_TRUE(expect_members(vector, {"manifest", "publisher", "model_hash"}));
  const auto model = verify_manifest(as_bytes(text(vector, "manifest")));
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_EQ(hex(model->publishers.at(0)), text(vector, "publisher"));
  EXPECT_EQ(hex(model->model_hash), text(vector, "model_hash"));
  EXPECT_EQ(model->serial, 7U);
}

}  // namespace
}  // namespace eml
