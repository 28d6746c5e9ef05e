#include "package/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "crypto/hash.h"
#include "encoding/json.h"
#include "package/testing.h"

namespace eml {
namespace {

using test::SmallModel;

const SmallModel& small() {
  static const SmallModel model("manifest", 10);
  return model;
}

// The document as JSON, for tests that change one thing.
JsonObject document() { return parse_json(small().manifest_bytes())->as_object(); }

Bytes text_of(const JsonObject& object) { return to_bytes(compact_json(object)); }

std::string_view decode_error(ByteView json) {
  const auto manifest = decode_manifest(json);
  return manifest ? "accepted" : manifest.error().code().name;
}

// Signed again after the change, so that only the form can be the reason of a refusal.
Bytes resigned(const JsonObject& object) {
  JsonObject body = object;
  body.erase("signatures");
  const Bytes message = concat(label("eml manifest v1"), as_bytes(canonical_json(body)));
  body["signatures"] = JsonArray{
      JsonObject{{"key", hex(small().publisher.public_key())}, {"sig", hex(small().publisher.sign(message))}}};
  return text_of(body);
}

TEST(Manifest, OfAPackageVerifiesAndNamesItsModel) {
  const auto model = verify_manifest(small().manifest_bytes());
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_EQ(model->id, "small-model");
  EXPECT_EQ(model->version, "1.0.0");
  EXPECT_EQ(model->serial, 3U);
  EXPECT_EQ(model->package_id, hex(small().manifest.package_id));
  EXPECT_EQ(model->publishers, std::vector{small().publisher.public_key()});
  EXPECT_EQ(model->model_hash, model_hash(small().manifest));
}

// The bytes are written down here, as the page says them, not taken from the code.
TEST(Manifest, ModelHashIsThatOfTheCanonicalModel) {
  const std::string jcs =
      R"({"files":[{"path":"config.json","role":"config","sha256":")" + hex(sha256(small().config)) +
      R"(","size":17},{"path":"model.safetensors","role":"weights","sha256":")" + hex(sha256(small().weights)) +
      R"(","size":10},{"path":"tokenizer.json","role":"tokenizer","sha256":")" + hex(sha256(small().tokenizer)) +
      R"(","size":17}],"id":"small-model","serial":3,"version":"1.0.0"})";
  EXPECT_EQ(hex(verify_manifest(small().manifest_bytes())->model_hash), hex(sha256(as_bytes(jcs))));
}

TEST(Manifest, ModelHashIsTheSameInAnotherPackageOfTheSameModel) {
  const SmallModel other("another package", 10);
  EXPECT_NE(other.manifest.package_id, small().manifest.package_id);
  EXPECT_EQ(model_hash(other.manifest), model_hash(small().manifest));
}

TEST(Manifest, WhiteSpaceAndOrderOfMembersCarryNoMeaning) {
  JsonObject turned;
  const JsonObject original = document();
  for (const char* name : {"signatures", "schema", "package", "model"}) turned[name] = original.at(name);
  const Bytes json = to_bytes(" " + compact_json(turned) + "\n");
  const auto model = verify_manifest(json);
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_EQ(model->model_hash, model_hash(small().manifest));
}

TEST(Manifest, EncodesAgainToItsOwnCanonicalBytes) {
  EXPECT_EQ(encode_manifest(*decode_manifest(small().manifest_bytes())), small().manifest_bytes());
}

TEST(Manifest, EveryTruncationIsRefused) {
  const Bytes& whole = small().manifest_bytes();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_FALSE(verify_manifest(ByteView(whole).first(n))) << "cut at " << n;
  }
}

TEST(Manifest, EveryFlippedBitIsRefused) {
  Bytes bytes = small().manifest_bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= 1;
    EXPECT_FALSE(accept_manifest(bytes, small().expectation())) << "flipped at " << i;
    bytes[i] ^= 1;
  }
}

struct BadForm {
  const char* what;
  std::string_view code;
  std::function<void(JsonObject&)> change;
};

JsonObject& model_of(JsonObject& object) { return object["model"].as_object(); }
JsonObject& package_of(JsonObject& object) { return object["package"].as_object(); }
JsonArray& files_of(JsonObject& object) { return model_of(object)["files"].as_array(); }
JsonObject& file_of(JsonObject& object, std::size_t i) { return files_of(object)[i].as_object(); }

std::vector<BadForm> bad_forms() {
  return {
      {"another schema", "manifest-schema", [](JsonObject& d) { d["schema"] = "eml-manifest/2"; }},
      {"schema of another type", "json-wrong-type", [](JsonObject& d) { d["schema"] = 1; }},
      {"no schema", "json-missing-member", [](JsonObject& d) { d.erase("schema"); }},
      {"unknown member on top", "json-unknown-member", [](JsonObject& d) { d["extra"] = 1; }},
      {"unknown member of model", "json-unknown-member", [](JsonObject& d) { model_of(d)["extra"] = 1; }},
      {"unknown member of package", "json-unknown-member", [](JsonObject& d) { package_of(d)["extra"] = 1; }},
      {"unknown member of a file", "json-unknown-member", [](JsonObject& d) { file_of(d, 0)["extra"] = 1; }},
      {"no model", "json-missing-member", [](JsonObject& d) { d.erase("model"); }},
      {"no package", "json-missing-member", [](JsonObject& d) { d.erase("package"); }},
      {"model is an array", "json-wrong-type", [](JsonObject& d) { d["model"] = JsonArray{}; }},
      {"no serial", "json-missing-member", [](JsonObject& d) { model_of(d).erase("serial"); }},
      {"serial is a text", "json-wrong-type", [](JsonObject& d) { model_of(d)["serial"] = "3"; }},
      {"serial is negative", "json-out-of-range", [](JsonObject& d) { model_of(d)["serial"] = -1; }},
      {"serial is 2^53", "json-out-of-range", [](JsonObject& d) { model_of(d)["serial"] = std::uint64_t{1} << 53; }},
      {"size is a fraction", "json-wrong-type", [](JsonObject& d) { file_of(d, 0)["size"] = 1.5; }},
      {"id is empty", "manifest-malformed", [](JsonObject& d) { model_of(d)["id"] = ""; }},
      {"id has a blank", "manifest-malformed", [](JsonObject& d) { model_of(d)["id"] = "a b"; }},
      {"id is too long", "manifest-malformed", [](JsonObject& d) { model_of(d)["id"] = std::string(129, 'a'); }},
      {"version has a slash", "manifest-malformed", [](JsonObject& d) { model_of(d)["version"] = "1/2"; }},
      {"no files", "manifest-malformed", [](JsonObject& d) { files_of(d).clear(); }},
      {"a file is a text", "json-wrong-type", [](JsonObject& d) { files_of(d)[0] = "config.json"; }},
      {"path with a slash", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = "a/config.json"; }},
      {"path of the parent", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = ".."; }},
      {"hidden path", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = ".config.json"; }},
      {"empty path", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = ""; }},
      {"path with capitals", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = "Config.json"; }},
      {"path too long", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = std::string(65, 'a'); }},
      {"path of the manifest", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = "manifest.json"; }},
      {"path of the DEK", "manifest-bad-path", [](JsonObject& d) { file_of(d, 0)["path"] = "wrapped_dek.bin"; }},
      {"unknown role", "manifest-malformed", [](JsonObject& d) { file_of(d, 0)["role"] = "code"; }},
      {"two configs", "manifest-malformed", [](JsonObject& d) { file_of(d, 2)["role"] = "config"; }},
      {"no weights", "manifest-malformed", [](JsonObject& d) { file_of(d, 1)["role"] = "pooling"; }},
      {"hash in capitals", "manifest-malformed", [](JsonObject& d) { file_of(d, 0)["sha256"] = std::string(64, 'A'); }},
      {"hash too short", "manifest-malformed", [](JsonObject& d) { file_of(d, 0)["sha256"] = std::string(62, 'a'); }},
      {"files not sorted", "manifest-unsorted", [](JsonObject& d) { std::swap(files_of(d)[0], files_of(d)[1]); }},
      {"a file twice", "manifest-duplicate",
       [](JsonObject& d) { files_of(d).insert(files_of(d).begin(), Json(file_of(d, 0))); }},
      {"too many files", "manifest-malformed",
       [](JsonObject& d) {
         while (files_of(d).size() <= kManifestFilesMax) files_of(d).push_back(Json(file_of(d, 0)));
       }},
      {"package id too long", "manifest-malformed", [](JsonObject& d) { package_of(d)["id"] = std::string(34, '0'); }},
      {"empty key id", "manifest-malformed", [](JsonObject& d) { package_of(d)["key_id"] = ""; }},
      {"key id with a quote", "manifest-malformed", [](JsonObject& d) { package_of(d)["key_id"] = "a\"b"; }},
      {"nothing encrypted", "manifest-malformed", [](JsonObject& d) { package_of(d)["encrypted"] = JsonArray{}; }},
      {"encrypted is a text", "json-wrong-type", [](JsonObject& d) { package_of(d)["encrypted"] = "config.json"; }},
      {"encrypted holds a number", "json-wrong-type", [](JsonObject& d) { package_of(d)["encrypted"] = JsonArray{1}; }},
      {"encrypted names a stranger", "manifest-bad-path",
       [](JsonObject& d) { package_of(d)["encrypted"] = JsonArray{"other.bin"}; }},
      {"encrypted not sorted", "manifest-unsorted",
       [](JsonObject& d) { package_of(d)["encrypted"] = JsonArray{"tokenizer.json", "config.json"}; }},
      {"encrypted twice", "manifest-duplicate",
       [](JsonObject& d) { package_of(d)["encrypted"] = JsonArray{"config.json", "config.json"}; }},
      {"created is no time", "time-malformed", [](JsonObject& d) { package_of(d)["created"] = "yesterday"; }},
      {"created is not in UTC", "manifest-malformed",
       [](JsonObject& d) { package_of(d)["created"] = "2026-11-25T13:08:00+01:00"; }},
  };
}

TEST(Manifest, RefusesEachBadFormWithItsOwnError) {
  for (const BadForm& bad : bad_forms()) {
    JsonObject changed = document();
    bad.change(changed);
    EXPECT_EQ(decode_error(resigned(changed)), bad.code) << bad.what;
  }
}

TEST(Manifest, TheUnchangedDocumentPassesTheTestOfBadForms) {
  EXPECT_EQ(decode_error(resigned(document())), "accepted");
}

TEST(Manifest, RefusesTwoFilesThatWouldHaveOneNameInThePackage) {
  JsonObject changed = document();
  JsonObject collides = file_of(changed, 1);
  collides["path"] = "model.safetensors.enc";
  files_of(changed).insert(files_of(changed).begin() + 2, Json(collides));
  EXPECT_EQ(decode_error(resigned(changed)), "manifest-duplicate");
}

TEST(Manifest, RefusesADuplicateMember) {
  std::string text = std::string(as_text(small().manifest_bytes()));
  text.insert(1, R"("schema":"eml-manifest/1",)");
  EXPECT_EQ(decode_error(as_bytes(text)), "json-duplicate-name");
}

TEST(Manifest, RefusesTrailingBytesAndOtherJson) {
  EXPECT_EQ(decode_error(concat(small().manifest_bytes(), as_bytes("x"))), "json-syntax");
  EXPECT_EQ(decode_error(as_bytes("[]")), "json-wrong-type");
  EXPECT_EQ(decode_error({}), "json-syntax");
  EXPECT_EQ(decode_error(Bytes(kManifestBytesMax + 1, ' ')), "json-too-large");
}

struct BadSignatures {
  const char* what;
  std::string_view code;
  JsonArray signatures;
};

TEST(Manifest, RefusesSignaturesOfABadForm) {
  const JsonObject good = document().at("signatures").as_array()[0].as_object();
  JsonObject unknown = good;
  unknown["extra"] = 1;
  JsonObject no_key = good;
  no_key.erase("key");
  JsonObject lower = good;
  lower["key"] = std::string(64, '0');
  JsonArray nine;
  while (nine.size() < 9) nine.push_back(Json(good));
  const std::vector<BadSignatures> table{
      {"none", "manifest-malformed", {}},
      {"too many", "manifest-malformed", nine},
      {"a text", "json-wrong-type", {"x"}},
      {"unknown member", "json-unknown-member", {Json(unknown)}},
      {"no key", "json-missing-member", {Json(no_key)}},
      {"twice", "manifest-duplicate", {Json(good), Json(good)}},
      {"not sorted", "manifest-unsorted", {Json(good), Json(lower)}},
  };
  for (const BadSignatures& bad : table) {
    JsonObject changed = document();
    changed["signatures"] = bad.signatures;
    EXPECT_EQ(decode_error(text_of(changed)), bad.code) << bad.what;
  }
}

TEST(Manifest, EverySignatureMustVerify) {
  const Ed25519Key second = test::signing_key("second publisher");
  const auto both = sign_manifest(small().manifest, {&small().publisher, &second});
  ASSERT_TRUE(both) << both.error().to_string();
  const auto model = verify_manifest(encode_manifest(*both));
  ASSERT_TRUE(model) << model.error().to_string();
  EXPECT_EQ(model->publishers.size(), 2U);
  for (const std::size_t i : {0U, 1U}) {
    Manifest broken = *both;
    broken.signatures[i].signature[0] ^= 1;
    const auto refused = verify_manifest(encode_manifest(broken));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), kManifestSignature);
    EXPECT_EQ(refused.error().first(), i);
  }
}

TEST(Manifest, ASignatureOverAnotherLabelDoesNotVerify) {
  JsonObject body = document();
  body.erase("signatures");
  Manifest manifest = small().manifest;
  manifest.signatures[0].signature =
      small().publisher.sign(concat(label("eml policy v1"), as_bytes(canonical_json(body))));
  EXPECT_EQ(verify_manifest(encode_manifest(manifest)).error().code(), kManifestSignature);
}

TEST(Manifest, OfAStrangerIsGenuineAndNotAccepted) {
  const ManifestExpectation stranger{.publishers = {test::signing_key("stranger").public_key()}, .minimum_serials = {}};
  EXPECT_TRUE(verify_manifest(small().manifest_bytes()));
  EXPECT_EQ(accept_manifest(small().manifest_bytes(), stranger).error().code(), kManifestPublisher);
  EXPECT_EQ(accept_manifest(small().manifest_bytes(), {}).error().code(), kManifestPublisher);
}

TEST(Manifest, WithAnOlderSerialThanTheMinimumIsRefused) {
  ManifestExpectation expectation = small().expectation();
  expectation.minimum_serials = {{"small-model", 3}, {"another-model", 99}};
  EXPECT_TRUE(accept_manifest(small().manifest_bytes(), expectation));
  expectation.minimum_serials["small-model"] = 4;
  const auto refused = accept_manifest(small().manifest_bytes(), expectation);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), kManifestSerial);
  EXPECT_EQ(refused.error().first(), 4U);
  EXPECT_EQ(refused.error().second(), 3U);
}

TEST(Manifest, IsNotSignedIfItBreaksARule) {
  Manifest manifest = small().manifest;
  manifest.model_id = "";
  EXPECT_EQ(sign_manifest(manifest, {&small().publisher}).error().code(), kManifestMalformed);
  EXPECT_EQ(sign_manifest(small().manifest, {}).error().code(), kManifestMalformed);
}

}  // namespace
}  // namespace eml
