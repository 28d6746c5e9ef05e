#include "server/epoch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "attester/local_attester.h"
#include "package/manifest.h"

namespace eml {
namespace {

constexpr std::uint8_t kMask = 0xa5;

// RecordingRandom is the machine's randomness, and remembers what it gave: masked, so that it is no copy itself.
class RecordingRandom final : public Random {
 public:
  void fill(MutableByteView out) override {
    system_random().fill(out);
    Bytes masked(out.size());
    std::ranges::transform(out, masked.begin(), [](std::uint8_t byte) { return byte ^ kMask; });
    given.push_back(std::move(masked));
  }
  std::vector<Bytes> given;
};

// MemoryScan looks for masked needles in the writable memory of this process.
class MemoryScan {
 public:
  MemoryScan() : file_(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC)) {
    void* data = ::mmap(nullptr, kPiece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    buffer_ = static_cast<std::uint8_t*>(data);
  }
  ~MemoryScan() {
    ::munmap(buffer_, kPiece);
    ::close(file_);
  }
  MemoryScan(const MemoryScan&) = delete;
  MemoryScan& operator=(const MemoryScan&) = delete;
  bool usable() const { return file_ >= 0; }

  int count(const Bytes& masked) {
    int found = 0;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
      unsigned long begin = 0;
      unsigned long end = 0;
      char rights[5] = {};
      if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
      // What is larger is a sanitizer's shadow.
      if (rights[1] == 'w' && end - begin < (std::size_t{8} << 30)) found += count_in(begin, end, masked);
    }
    return found;
  }

 private:
  static constexpr std::size_t kPiece = 1 << 20;

  int count_in(std::uintptr_t begin, std::uintptr_t end, const Bytes& masked) {
    int found = 0;
    for (std::uintptr_t at = begin; at < end; at += kPiece - masked.size()) {
      const std::size_t size = std::min<std::size_t>(kPiece, end - at);
      const ssize_t n = ::pread(file_, buffer_, size, static_cast<off_t>(at));
      if (n <= 0) break;
      // The buffer's own mapping shows the buffer to itself.
      const auto own = reinterpret_cast<std::uintptr_t>(buffer_);
      if (at + size <= own || at >= own + kPiece) found += count_in_buffer(static_cast<std::size_t>(n), masked);
      wipe(buffer_, static_cast<std::size_t>(n));
      if (at + size == end) break;
    }
    return found;
  }

  int count_in_buffer(std::size_t size, const Bytes& masked) const {
    int found = 0;
    const std::uint8_t first = masked[0] ^ kMask;
    const std::uint8_t* const end = buffer_ + size;
    for (const std::uint8_t* at = std::find<const std::uint8_t*>(buffer_, end, first); at != end;
         at = std::find(at + 1, end, first)) {
      if (static_cast<std::size_t>(end - at) < masked.size()) break;
      found += std::equal(masked.begin(), masked.end(), at,
                          [](std::uint8_t want, std::uint8_t have) { return want == (have ^ kMask); })
                   ? 1
                   : 0;
    }
    return found;
  }

  int file_;
  std::uint8_t* buffer_;
};

// OtherAttester answers with bytes of its own, as a device would that is not what it says, or whose kind nobody here
// verifies.
class OtherAttester final : public Attester {
 public:
  OtherAttester(EvidenceKind kind, MadeEvidence made) : kind_(kind), made_(std::move(made)) {}
  EvidenceKind kind() const override { return kind_; }
  Result<MadeEvidence> attest(const Binding&, ByteView) override { return made_; }

 private:
  EvidenceKind kind_;
  MadeEvidence made_;
};

class EpochTest : public testing::Test {
 protected:
  EpochTest() {
    const Ed25519Key publisher = Ed25519Key::generate(system_random());
    Manifest manifest;
    manifest.model_id = "a-model";
    manifest.version = "1";
    manifest.serial = 1;
    manifest.files = {{.path = "config.json", .role = FileRole::kConfig, .size = 1},
                      {.path = "model.safetensors", .role = FileRole::kWeights, .size = 1},
                      {.path = "tokenizer.json", .role = FileRole::kTokenizer, .size = 1}};
    manifest.key_id = "test";
    manifest.encrypted = {"model.safetensors"};
    manifest.created = "2026-11-25T00:00:00Z";
    model.manifest = encode_manifest(sign_manifest(manifest, {&publisher}).value());
    model.identity = verify_manifest(model.manifest).value();
    config.mode = ServeMode::kEvaluation;
    config.issuer = "epoch.example";
    config.publishers = {publisher.public_key()};
    config.precision = "fp32";
    directory = std::filesystem::temp_directory_path() / ("eml-epoch-" + hex(system_random().array<8>()));
    attester = LocalAttester::open({.state_directory = directory}, system_random(), system_clock()).value();
  }
  ~EpochTest() override { std::filesystem::remove_all(directory); }

  EpochMaker maker(Random& random) { return {config, model, boot_id, *attester, random, system_clock(), metrics}; }

  ServeConfig config;
  ServedModel model;
  BootId boot_id = system_random().array<16>();
  std::string directory;
  std::unique_ptr<LocalAttester> attester;
  Metrics metrics;
};

TEST_F(EpochTest, KeysAreWipedWithTheLastHolder) {
  MemoryScan scan;
  if (!scan.usable()) GTEST_SKIP() << "this process may not read its own memory";
  RecordingRandom random;
  auto epoch = maker(random).make().value();
  ASSERT_EQ(random.given.size(), 2U);
  const auto second_holder = std::make_unique<std::shared_ptr<const Epoch>>(epoch);
  (void)epoch->receipt_key.sign(as_bytes("a receipt"));
  (void)epoch->channel_key.sign(as_bytes("a hello"));
  epoch.reset();
  for (const Bytes& seed : random.given) EXPECT_EQ(scan.count(seed), 1) << "in use there is exactly one copy";
  second_holder->reset();
  for (const Bytes& seed : random.given) EXPECT_EQ(scan.count(seed), 0);
}

TEST_F(EpochTest, IsCountedWhileItLives) {
  const EpochMaker epochs = maker(system_random());
  auto first = epochs.make().value();
  auto second = epochs.make().value();
  EXPECT_EQ(metrics.epochs.load(), 2);
  EXPECT_NE(first->binding.receipt_key, second->binding.receipt_key);
  EXPECT_NE(first->binding.channel_key, second->binding.channel_key);
  EXPECT_EQ(first->binding.boot_id, second->binding.boot_id);
  first.reset();
  EXPECT_EQ(metrics.epochs.load(), 1);
  second.reset();
  EXPECT_EQ(metrics.epochs.load(), 0);
}

TEST_F(EpochTest, SoftwareEvidenceIsForEvaluation) {
  const auto epoch = maker(system_random()).make().value();
  EXPECT_EQ(epoch->mode, SecurityMode::kEvaluation);
  EXPECT_EQ(epoch->measurements.type, MeasurementType::kLocal);
}

TEST_F(EpochTest, ProductionModeRefusesSoftwareEvidence) {
  config.mode = ServeMode::kProduction;
  const auto epoch = maker(system_random()).make();
  ASSERT_FALSE(epoch);
  EXPECT_EQ(epoch.error().code(), kNotAboveFloor);
  EXPECT_EQ(metrics.epochs.load(), 0);
}

TEST_F(EpochTest, EvidenceThatDoesNotVerifyHereStartsNoEpochOfAnyKind) {
  for (const auto kind : {EvidenceKind::kLocal, EvidenceKind::kTdx, EvidenceKind::kSevSnp, EvidenceKind::kNitro,
                          EvidenceKind::kConfidentialSpace, EvidenceKind::kTpm}) {
    OtherAttester other(kind, {.evidence = Bytes(1184, 1), .endorsements = {}});
    for (const auto mode : {ServeMode::kEvaluation, ServeMode::kProduction}) {
      config.mode = mode;
      const EpochMaker epochs(config, model, boot_id, other, system_random(), system_clock(), metrics);
      EXPECT_FALSE(epochs.make()) << to_string(kind);
    }
  }
  EXPECT_EQ(metrics.epochs.load(), 0);
}

TEST_F(EpochTest, TheAttestersEndorsementsAreInTheBundle) {
  const auto epoch = maker(system_random()).make().value();
  const MadeEvidence made{.evidence = Bytes{1},
                          .endorsements = {{.name = "vek", .fetched_at = 7, .bytes = Bytes{2, 3}}}};
  OtherAttester other(EvidenceKind::kSevSnp, made);
  const EpochMaker epochs(config, model, boot_id, other, system_random(), system_clock(), metrics);
  const EvidenceBundle bundle = decode_bundle(epochs.fresh_bundle(*epoch, Hash32{}).value()).value();
  EXPECT_EQ(bundle.evidence, made.evidence);
  ASSERT_EQ(bundle.endorsements.size(), 1U);
  EXPECT_EQ(bundle.endorsements[0].name, "vek");
  EXPECT_EQ(bundle.endorsements[0].fetched_at, 7);
  EXPECT_EQ(bundle.endorsements[0].bytes, (Bytes{2, 3}));
}

TEST_F(EpochTest, AModelWithoutItsManifestGetsNoEvidence) {
  model.identity.model_hash[0] ^= 1;  // loaded was another model than the manifest's
  const auto epoch = maker(system_random()).make();
  ASSERT_FALSE(epoch);
  EXPECT_EQ(epoch.error().code(), kBundleManifestHash);
}

TEST_F(EpochTest, FreshEvidenceIsOfTheSameEpochAndAnswersTheChallenge) {
  const EpochMaker epochs = maker(system_random());
  const auto epoch = epochs.make().value();
  const Hash32 challenge = system_random().array<32>();
  const Bytes bundle = epochs.fresh_bundle(*epoch, challenge).value();
  const Binding fresh = decode_binding(decode_bundle(bundle)->binding).value();
  EXPECT_EQ(fresh.challenge, challenge);
  EXPECT_EQ(fresh.receipt_key, epoch->binding.receipt_key);
  EXPECT_EQ(fresh.channel_key, epoch->binding.channel_key);
  EXPECT_EQ(fresh.boot_id, epoch->binding.boot_id);
  EXPECT_EQ(fresh.not_after, epoch->binding.not_after);
}

}  // namespace
}  // namespace eml
