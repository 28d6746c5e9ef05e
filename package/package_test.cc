#include "package/package.h"

#include <gtest/gtest.h>

#include "package/testing.h"

namespace eml {
namespace {

using test::MemoryReader;
using test::MemorySink;
using test::parallel_for_on;
using test::SmallModel;

std::string_view load_error(const SmallModel& model, const SecretBytes& dek) {
  MemoryReader reader(model.sink.members);
  const auto loaded = load_package(model.trusted(), reader, dek, serial_for);
  return loaded ? "loaded" : loaded.error().code().name;
}

std::vector<std::string> names_of(const test::Members& members) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : members) names.push_back(name);
  return names;
}

TEST(Package, HasTheFiveMembersAndTheManifestLast) {
  const SmallModel model;
  EXPECT_EQ(names_of(model.sink.members),
            (std::vector<std::string>{"config.json", "manifest.json", "model.safetensors.enc", "tokenizer.json",
                                      "wrapped_dek.bin"}));
  EXPECT_TRUE(check_members(model.manifest, names_of(model.sink.members)));
}

TEST(Package, LoadsEveryFileAsItWas) {
  const SmallModel model;
  MemoryReader reader(model.sink.members);
  const auto loaded = load_package(model.trusted(), reader, model.dek(), parallel_for_on(2));
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  EXPECT_EQ(loaded->model.model_hash, model_hash(model.manifest));
  ASSERT_EQ(loaded->files.size(), 3U);
  EXPECT_EQ(to_bytes(loaded->files[0].bytes), model.config);
  EXPECT_EQ(to_bytes(loaded->files[1].bytes), model.weights);
  EXPECT_EQ(to_bytes(loaded->files[2].bytes), model.tokenizer);
  EXPECT_EQ(loaded->files[0].role, FileRole::kConfig);
  EXPECT_EQ(loaded->files[1].role, FileRole::kWeights);
  EXPECT_EQ(loaded->files[2].role, FileRole::kTokenizer);
  EXPECT_EQ(loaded->files[1].bytes.data(), reader.targets["model.safetensors"].data())
      << "a second copy of the weights";
}

TEST(Package, HoldsNoClearWeights) {
  const SmallModel model;
  const ByteView needle = ByteView(model.weights).first(16);
  for (const auto& [name, bytes] : model.sink.members) {
    EXPECT_EQ(as_text(bytes).find(as_text(needle)), std::string_view::npos) << name;
  }
}

TEST(Package, WithAChangedClearFileIsRefused) {
  for (const char* name : {"config.json", "tokenizer.json"}) {
    SmallModel model("clear", 10);
    model.sink.members[name][3] ^= 1;
    EXPECT_EQ(load_error(model, model.dek()), "package-file-hash") << name;
    model.sink.members[name].pop_back();
    EXPECT_EQ(load_error(model, model.dek()), "package-file-size") << name;
  }
}

TEST(Package, WithAChangedWeightIsRefused) {
  SmallModel model;
  model.sink.members["model.safetensors.enc"][kEncfileHeaderSize + 100] ^= 1;
  EXPECT_EQ(load_error(model, model.dek()), "encfile-segment-damaged");
}

TEST(Package, WithAFileOfAnotherPackageIsRefused) {
  SmallModel model("one", 10);
  SmallModel other("two", 10);
  model.sink.members["model.safetensors.enc"] = other.sink.members["model.safetensors.enc"];
  EXPECT_EQ(load_error(model, model.dek()), "encfile-other-package");
  EXPECT_EQ(load_error(model, other.dek()), "encfile-other-package");
}

TEST(Package, UnderTheDekOfAnotherPackageIsRefused) {
  const SmallModel model("one", 10);
  const SmallModel other("two", 10);
  EXPECT_EQ(load_error(model, other.dek()), "encfile-wrong-key");
}

TEST(Package, WithTheWrappedDekOfAnotherPackageIsRefused) {
  const SmallModel model("one", 10);
  const SmallModel other("two", 10);
  const auto dek = unwrap_dek(other.wrapped_dek(), model.manifest.package_id, model.manifest.key_id, model.wrapping);
  ASSERT_FALSE(dek);
  EXPECT_EQ(dek.error().code(), kDekUnwrap);
}

TEST(Package, MembersAreExactlyThoseOfTheManifest) {
  const SmallModel model("members", 10);
  const std::vector<std::string> whole = names_of(model.sink.members);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::vector<std::string> names = whole;
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(check_members(model.manifest, names).error().code(), kPackageMissingMember) << whole[i];
    names = whole;
    names.push_back(whole[i]);
    EXPECT_EQ(check_members(model.manifest, names).error().code(), kPackageDuplicateMember) << whole[i];
  }
  std::vector<std::string> names = whole;
  names.emplace_back("evil.so");
  EXPECT_EQ(check_members(model.manifest, names).error().code(), kPackageUnknownMember);
  EXPECT_EQ(check_members(model.manifest, {}).error().code(), kPackageMissingMember);
  names = whole;
  names.emplace_back("model.safetensors");  // the clear weights beside the encrypted ones
  EXPECT_EQ(check_members(model.manifest, names).error().code(), kPackageUnknownMember);
}

TEST(Package, IsNotBegunIfItsRequestBreaksARule) {
  const SmallModel model("request", 10);
  test::SeededRandom random("request");
  const auto refused = [&](const PackageRequest& request, std::vector<PlainFile> files) {
    MemorySink sink;
    const auto made = make_package(request, std::move(files), random, sink);
    EXPECT_TRUE(sink.members.empty()) << "something was written";
    return made ? std::string_view("made") : made.error().code().name;
  };
  PackageRequest request = model.request();
  request.model_id = "not a name";
  EXPECT_EQ(refused(request, model.files()), "manifest-malformed");
  request = model.request();
  request.publishers.clear();
  EXPECT_EQ(refused(request, model.files()), "manifest-malformed");
  request = model.request();
  request.key_id = "projects/p/cryptoKeys/k";
  EXPECT_EQ(refused(request, model.files()), "dek-key-id");
  auto files = model.files();
  files[0].path = "../evil";
  EXPECT_EQ(refused(model.request(), files), "manifest-bad-path");
  files = model.files();
  files.push_back(files[0]);
  EXPECT_EQ(refused(model.request(), files), "manifest-duplicate");
}

// A disk that is full at the n-th write.
class FullSink final : public PackageSink {
 public:
  explicit FullSink(int left) : left_(left) {}
  Status begin(std::string_view name, std::uint64_t) override {
    last_ = name;
    return step();
  }
  Status write(ByteView) override { return step(); }
  Status end() override { return step(); }
  std::string_view last() const { return last_; }
  static constexpr ErrorCode kTestFull{ErrorClass::kUnavailable, "test-full"};

 private:
  Status step() {
    if (left_-- == 0) return fail(kTestFull, "full");
    return {};
  }
  int left_;
  std::string last_;
};

TEST(Package, StopsAtTheFirstFailureOfItsSink) {
  const SmallModel model("full", 10);
  for (int n = 0;; ++n) {
    test::SeededRandom random("full");
    FullSink sink(n);
    const auto made = make_package(model.request(), model.files(), random, sink);
    if (made) {
      EXPECT_EQ(n, 16);  // five members of begin, write, end, and a header
      break;
    }
    ASSERT_LT(n, 16);
    EXPECT_EQ(made.error().code(), FullSink::kTestFull);
  }
}

TEST(Package, GivesFilesTheirUsualRoles) {
  EXPECT_EQ(default_role("config.json"), FileRole::kConfig);
  EXPECT_EQ(default_role("tokenizer.json"), FileRole::kTokenizer);
  EXPECT_EQ(default_role("model-00001-of-00002.safetensors"), FileRole::kWeights);
  EXPECT_EQ(default_role("pooling.json"), FileRole::kPooling);
  EXPECT_EQ(default_role("sentence_bert_config.json"), FileRole::kSentence);
  EXPECT_EQ(default_role("README.md"), std::nullopt);
}

}  // namespace
}  // namespace eml
