// What the tests of this folder and of keys share: packages in memory. Test-only.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/testing.h"
#include "package/dek.h"
#include "package/package.h"
#include "tests/support/seeded_random.h"

namespace eml::test {

using Members = std::map<std::string, Bytes>;

// MemorySink keeps what make_package writes, and checks the sizes that it announced.
class MemorySink final : public PackageSink {
 public:
  Status begin(std::string_view name, std::uint64_t size) override {
    EXPECT_TRUE(open_.empty()) << "a member was begun before the last one ended";
    open_ = name;
    announced_ = size;
    EXPECT_FALSE(members.contains(open_));
    members[open_];
    return {};
  }
  Status write(ByteView bytes) override {
    Bytes& member = members[open_];
    member.insert(member.end(), bytes.begin(), bytes.end());
    return {};
  }
  Status end() override {
    EXPECT_EQ(members[open_].size(), announced_);
    open_.clear();
    return {};
  }
  Members members;

 private:
  std::string open_;
  std::uint64_t announced_ = 0;
};

// MemoryReader reads a package from Members; `targets` are where plaintexts lie.
class MemoryReader final : public PackageReader {
 public:
  explicit MemoryReader(const Members& members) : members_(members) {}
  Result<ByteView> clear(const ModelFile& file) override { return ByteView(members_.at(file.path)); }
  Result<const EncryptedSource*> encrypted(const ModelFile& file, std::string_view name) override {
    const auto at = sources_.insert_or_assign(file.path, ViewSource(members_.at(std::string(name))));
    return &at.first->second;
  }
  Result<MutableByteView> target(const ModelFile& file) override {
    Bytes& target = targets[file.path];
    target.assign(file.size, 0xee);
    return MutableByteView(target);
  }
  std::map<std::string, Bytes> targets;

 private:
  const Members& members_;
  std::map<std::string, ViewSource> sources_;
};

// parallel_for_on is a ParallelFor with `threads` threads.
inline ParallelFor parallel_for_on(std::size_t threads) {
  return [threads](std::size_t count, const std::function<void(std::size_t)>& body) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> running;
    for (std::size_t t = 0; t < threads; ++t) {
      running.emplace_back([&] {
        for (std::size_t i = next++; i < count; i = next++) body(i);
      });
    }
    for (std::thread& thread : running) thread.join();
  };
}

inline Ed25519Key signing_key(std::string_view seed) {
  return *Ed25519Key::from_seed(copy_to_secret(sha256(as_bytes(seed))));
}

inline KemKeyPair kem_key(std::string_view seed) {
  return *KemKeyPair::derive(kKemX25519HkdfSha256, copy_to_secret(sha256(as_bytes(seed))));
}

// patterned_bytes differ at every place, so that no two segments are alike.
inline Bytes patterned_bytes(std::size_t size) {
  Bytes out(size);
  SeededRandom("pattern").fill(out);
  return out;
}

// SmallModel is a model with two and a bit segments of weights, packaged for `wrapping`.
struct SmallModel {
  explicit SmallModel(std::string_view random_seed = "package", std::size_t weights_size = 2 * kSegmentSize + 1000)
      : weights(patterned_bytes(weights_size)) {
    SeededRandom random(random_seed);
    manifest = *make_package(request(), files(), random, sink);
  }

  PackageRequest request() const {
    return {.model_id = "small-model",
            .version = "1.0.0",
            .serial = 3,
            .key_id = x25519_key_id(wrapping.public_key()),
            .created = 1'764'072'000,
            .publishers = {&publisher}};
  }
  std::vector<PlainFile> files() const {
    return {{.path = "tokenizer.json", .role = FileRole::kTokenizer, .bytes = tokenizer, .encrypt = false},
            {.path = "model.safetensors", .role = FileRole::kWeights, .bytes = weights, .encrypt = true},
            {.path = "config.json", .role = FileRole::kConfig, .bytes = config, .encrypt = false}};
  }
  const Bytes& manifest_bytes() const { return sink.members.at("manifest.json"); }
  const Bytes& wrapped_dek() const { return sink.members.at("wrapped_dek.bin"); }
  ManifestExpectation expectation() const { return {.publishers = {publisher.public_key()}, .minimum_serials = {}}; }
  TrustedManifest trusted() const { return *accept_manifest(manifest_bytes(), expectation()); }
  SecretBytes dek() const {
    return std::move(*unwrap_dek(wrapped_dek(), manifest.package_id, manifest.key_id, wrapping));
  }

  Ed25519Key publisher = signing_key("publisher");
  KemKeyPair wrapping = kem_key("wrapping");
  Bytes config = to_bytes(R"({"hidden_size":4})");
  Bytes tokenizer = to_bytes(R"({"version":"1.0"})");
  Bytes weights;
  MemorySink sink;
  Manifest manifest;
};

}  // namespace eml::test
