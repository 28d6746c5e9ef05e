#include "package/import.h"

#include <gtest/gtest.h>

#include <functional>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "encoding/json.h"
#include "package/testing.h"

namespace eml {
namespace {

using test::MemoryReader;
using test::MemorySink;

std::string numbers(ByteView bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) out += (out.empty() ? "" : ",") + std::to_string(byte);
  return "[" + out + "]";
}

// OldSystem writes the first system's package by the facts of docs/spec/package.md, 6, and nothing of package/.
struct OldSystem {
  Ed25519Key publisher = test::signing_key("old publisher");
  Bytes dek = test::patterned_bytes(32);
  Bytes config = to_bytes(R"({"hidden_size":4})");
  Bytes tokenizer = to_bytes(R"({"version":"1.0"})");
  Bytes plaintext = to_bytes("the old weights");
  Bytes weights = encrypt();
  Bytes wrapped_dek = Bytes(113, 0x0a);  // as a cloud's ciphertext is: opaque
  std::vector<std::pair<std::string, std::string>> members{
      {"config_hash", numbers(sha256(config))},
      {"created_at", R"("2025-03-01T00:00:00Z")"},
      {"gcs_uris", R"({"config":"gs://b/config.json","weights":"gs://b/model.safetensors.enc"})"},
      {"hash_algorithm", R"("sha256")"},
      {"key_id", R"("projects/p/locations/l/keyRings/r/cryptoKeys/k")"},
      {"model_hash", numbers(sha256(plaintext))},
      {"model_id", R"("minilm")"},
      {"tokenizer_hash", numbers(sha256(tokenizer))},
      {"version", R"("0.9")"},
  };

  Bytes encrypt() const {
    const ByteArray<12> nonce{9, 8, 7};
    Bytes sealed(plaintext.size() + 16);
    AeadKey(copy_to_secret(dek)).seal(sealed, nonce, {}, plaintext);
    return concat(nonce, sealed);
  }
  std::string compact() const {
    std::string out;
    for (const auto& [name, value] : members) out += (out.empty() ? "{\"" : ",\"") + name + "\":" + value;
    return out + "}";
  }
  std::string signed_manifest() const {
    const std::string body = compact();
    const auto signature = publisher.sign(as_bytes(body));
    return body.substr(0, body.size() - 1) + ",\"signature\":" + numbers(signature) + "}";
  }
  void set(std::string_view name, std::string value) {
    for (auto& member : members) {
      if (member.first == name) member.second = std::move(value);
    }
  }
  void drop(std::string_view name) {
    std::erase_if(members, [&](const auto& member) { return member.first == name; });
  }
};

struct Import {
  MemorySink sink;
  KemKeyPair wrapping = test::kem_key("wrapping");
  Ed25519Key publisher = test::signing_key("new publisher");
  std::string manifest;

  Result<ImportReport> run(const OldSystem& old, const ImportOptions& options) {
    if (manifest.empty()) manifest = old.signed_manifest();
    test::SeededRandom random("import");
    return import_package({.manifest = as_bytes(manifest),
                           .config = old.config,
                           .tokenizer = old.tokenizer,
                           .weights = old.weights,
                           .wrapped_dek = old.wrapped_dek},
                          options,
                          {.model_id = "",
                           .version = "",
                           .serial = 5,
                           .key_id = x25519_key_id(wrapping.public_key()),
                           .created = 1'764'072'000,
                           .publishers = {&publisher}},
                          random, sink);
  }
  std::string_view error(const OldSystem& old, const ImportOptions& options) {
    const auto report = run(old, options);
    if (!report) EXPECT_TRUE(sink.members.empty()) << "something was written";
    return report ? "imported" : report.error().code().name;
  }
};

ImportOptions with_dek(const OldSystem& old) {
  ImportOptions options;
  options.old_publisher = old.publisher.public_key();
  options.dek = copy_to_secret(old.dek);
  return options;
}

TEST(Import, OfAnOldPackageGivesOneOfOurs) {
  const OldSystem old;
  Import import;
  const auto report = import.run(old, with_dek(old));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_TRUE(report->signature_verified);
  EXPECT_TRUE(report->config_vouched);
  EXPECT_TRUE(report->tokenizer_vouched);
  EXPECT_EQ(report->manifest.model_id, "minilm");
  EXPECT_EQ(report->manifest.version, "0.9");
  EXPECT_EQ(report->manifest.serial, 5U);
  const auto trusted = accept_manifest(import.sink.members.at("manifest.json"),
                                       {.publishers = {import.publisher.public_key()}, .minimum_serials = {}});
  ASSERT_TRUE(trusted);
  const auto dek = unwrap_dek(import.sink.members.at("wrapped_dek.bin"), trusted->manifest.package_id,
                              trusted->manifest.key_id, import.wrapping);
  ASSERT_TRUE(dek);
  EXPECT_NE(test::reveal(*dek), old.dek) << "the old DEK lives on";
  MemoryReader reader(import.sink.members);
  const auto loaded = load_package(*trusted, reader, *dek, serial_for);
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  EXPECT_EQ(to_bytes(loaded->files[1].bytes), old.plaintext);
}

TEST(Import, WithoutAKeySaysThatNobodyVouched) {
  const OldSystem old;
  ImportOptions options = with_dek(old);
  options.old_publisher.reset();
  const auto report = Import().run(old, options);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->signature_verified);
  EXPECT_FALSE(report->config_vouched);
  EXPECT_FALSE(report->tokenizer_vouched);
}

TEST(Import, WithoutTheOptionalHashesSaysWhichFilesNobodyVouchedFor) {
  OldSystem old;
  old.drop("config_hash");
  const auto report = Import().run(old, with_dek(old));
  ASSERT_TRUE(report) << report.error().to_string();
  EXPECT_FALSE(report->config_vouched);
  EXPECT_TRUE(report->tokenizer_vouched);
}

TEST(Import, TakesANullForAnAbsentMember) {
  OldSystem old;
  old.drop("config_hash");
  Import import;
  import.manifest = old.signed_manifest();
  import.manifest.insert(1, R"("config_hash":null,)");
  EXPECT_TRUE(import.run(old, with_dek(old)));
}

TEST(Import, ReadsAnyOrderOfMembersAndWhiteSpace) {
  OldSystem old;
  const std::string manifest = old.signed_manifest();
  Import import;
  JsonObject turned;
  const JsonObject members = parse_json(as_bytes(manifest))->as_object();
  std::vector<std::string> names;
  for (const auto& member : members) names.emplace_back(member.key());
  for (auto name = names.rbegin(); name != names.rend(); ++name) turned[*name] = members.at(*name);
  import.manifest = compact_json(turned) + "\n";
  EXPECT_TRUE(import.run(old, with_dek(old)));
}

TEST(Import, UnderAnotherPublishersKeyIsRefused) {
  const OldSystem old;
  ImportOptions options = with_dek(old);
  options.old_publisher = test::signing_key("stranger").public_key();
  EXPECT_EQ(Import().error(old, options), "import-signature");
}

TEST(Import, OfAManifestThatWasChangedAfterSigningIsRefused) {
  const OldSystem old;
  Import import;
  import.manifest = old.signed_manifest();
  import.manifest.replace(import.manifest.find("\"0.9\""), 5, "\"0.8\"");
  EXPECT_EQ(import.error(old, with_dek(old)), "import-signature");
}

TEST(Import, OfAClearDekNeedsAPersonsWord) {
  OldSystem old;
  old.wrapped_dek = old.dek;
  ImportOptions options;
  EXPECT_EQ(Import().error(old, options), "import-clear-dek");
  options.wrapped_dek_is_clear = true;
  EXPECT_EQ(Import().error(old, options), "imported");
}

TEST(Import, OfAWrappedDekNeedsTheDek) {
  const OldSystem old;
  ImportOptions options;
  EXPECT_EQ(Import().error(old, options), "import-needs-dek");
  options.wrapped_dek_is_clear = true;
  EXPECT_EQ(Import().error(old, options), "import-needs-dek");
}

TEST(Import, UnderAWrongDekIsRefused) {
  const OldSystem old;
  ImportOptions options = with_dek(old);
  options.dek = copy_to_secret(Bytes(32, 1));
  EXPECT_EQ(Import().error(old, options), "import-decrypt");
  options.dek = copy_to_secret(Bytes(31, 1));
  EXPECT_EQ(Import().error(old, options), "import-malformed");
}

TEST(Import, OfWeightsCutAnywhereIsRefused) {
  OldSystem old;
  const Bytes whole = old.weights;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    old.weights.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(Import().error(old, with_dek(old)), n < 28 ? "import-malformed" : "import-decrypt") << n;
  }
}

TEST(Import, OfOtherWeightsThanTheManifestsIsRefused) {
  OldSystem old;
  old.set("model_hash", numbers(sha256(as_bytes("others"))));
  EXPECT_EQ(Import().error(old, with_dek(old)), "import-model-hash");
}

TEST(Import, OfAnotherConfigOrTokenizerIsRefused) {
  OldSystem old;
  old.config.push_back(' ');
  EXPECT_EQ(Import().error(old, with_dek(old)), "import-file-hash");
  OldSystem other;
  other.tokenizer.push_back(' ');
  EXPECT_EQ(Import().error(other, with_dek(other)), "import-file-hash");
}

TEST(Import, OfAnEmptyModelIdIsRefused) {
  OldSystem old;
  old.set("model_id", R"("")");
  EXPECT_EQ(Import().error(old, with_dek(old)), "import-malformed");
}

TEST(Import, OfANameThatOurManifestDoesNotAllowIsRefusedBeforeWriting) {
  OldSystem old;
  old.set("model_id", R"("a model")");
  EXPECT_EQ(Import().error(old, with_dek(old)), "manifest-malformed");
}

struct BadMember {
  const char* member;
  const char* value;
  std::string_view code;
};

TEST(Import, RefusesEachBadMemberWithItsOwnError) {
  const std::string short_array = numbers(Bytes(31));
  const std::vector<BadMember> table{
      {"hash_algorithm", R"("sha512")", "import-malformed"},
      {"hash_algorithm", "1", "json-wrong-type"},
      {"model_hash", short_array.c_str(), "import-malformed"},
      {"model_hash", R"("aa")", "import-malformed"},
      {"model_hash", "null", "json-missing-member"},
      {"config_hash", "[256]", "import-malformed"},
      {"tokenizer_hash", "{}", "import-malformed"},
      {"gcs_uris", "[]", "import-malformed"},
      {"gcs_uris", R"({"a":1})", "import-malformed"},
      {"created_at", R"("2025-03-01")", "time-malformed"},
      {"version", "[]", "json-wrong-type"},
      {"key_id", R"("")", "import-malformed"},
  };
  for (const BadMember& bad : table) {
    OldSystem old;
    old.set(bad.member, bad.value);
    EXPECT_EQ(Import().error(old, with_dek(old)), bad.code) << bad.member << " = " << bad.value;
  }
  OldSystem old;
  old.members.emplace_back("extra", "1");
  EXPECT_EQ(Import().error(old, with_dek(old)), "json-unknown-member");
}

TEST(Import, RefusesBytesThatAreNone) {
  for (const char* element : {"-1", "256", "1.5", "\"1\"", "null"}) {
    OldSystem old;
    std::string array = numbers(sha256(old.plaintext));
    array.replace(1, array.find(',') - 1, element);
    old.set("model_hash", array);
    EXPECT_EQ(Import().error(old, with_dek(old)), "import-malformed") << element;
  }
}

TEST(Import, OfAManifestCutAnywhereIsRefused) {
  const OldSystem old;
  const std::string whole = old.signed_manifest();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(decode_old_manifest(as_bytes(whole.substr(0, n)))) << n;
  }
  EXPECT_TRUE(decode_old_manifest(as_bytes(whole)));
}

}  // namespace
}  // namespace eml
