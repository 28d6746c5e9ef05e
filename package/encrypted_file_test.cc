#include "package/encrypted_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/hash.h"
#include "package/testing.h"

namespace eml {
namespace {

using test::parallel_for_on;
using test::patterned_bytes;
using test::SeededRandom;

constexpr std::size_t kSealedSegment = kSegmentSize + kAeadTagSize;

// One encrypted file with all that its reader knows.
struct Sealed {
  explicit Sealed(std::size_t size, std::string_view seed = "file") : plaintext(patterned_bytes(size)) {
    context.plaintext_size = size;
    SeededRandom random(seed);
    const auto status = encrypt_file(context, dek, plaintext, random, [&](ByteView bytes) -> Status {
      file.insert(file.end(), bytes.begin(), bytes.end());
      return {};
    });
    EXPECT_TRUE(status);
  }

  Status decrypt(const ParallelFor& parallel_for = serial_for) {
    target.assign(context.plaintext_size, 0xee);
    return decrypt_file(ViewSource(file), context, sha256(plaintext), dek, target, parallel_for);
  }

  // error decrypts, expects a failure, and that nothing of the plaintext is left.
  Error error(const ParallelFor& parallel_for = serial_for) {
    const auto status = decrypt(parallel_for);
    if (status) {
      ADD_FAILURE() << "decrypted";
      return {kInternalError, "decrypted"};
    }
    EXPECT_TRUE(std::ranges::all_of(target, [](std::uint8_t b) { return b == 0; })) << "the target was not wiped";
    return status.error();
  }

  MutableByteView segment(std::size_t i) {
    const std::size_t begin = kEncfileHeaderSize + i * kSealedSegment;
    return MutableByteView(file).subspan(begin, std::min(kSealedSegment, file.size() - begin));
  }
  void swap_segments(std::size_t a, std::size_t b) { std::ranges::swap_ranges(segment(a), segment(b)); }

  FileContext context{.package_id = {1, 2, 3}, .path = "model.safetensors"};
  SecretBytes dek = copy_to_secret(patterned_bytes(32));
  Bytes plaintext;
  Bytes file;
  Bytes target;
};

TEST(EncryptedFile, OfEverySizeAroundASegmentComesBack) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kSegmentSize - 1, kSegmentSize, kSegmentSize + 1,
                                 2 * kSegmentSize, 3 * kSegmentSize + 17}) {
    Sealed sealed(size);
    EXPECT_EQ(sealed.file.size(), encrypted_size(size));
    for (const std::size_t threads : {1U, 3U}) {
      const auto status = sealed.decrypt(parallel_for_on(threads));
      ASSERT_TRUE(status) << size << ": " << status.error().to_string();
      EXPECT_EQ(sealed.target, sealed.plaintext);
    }
  }
}

TEST(EncryptedFile, ComesBackWhateverTheOrderOfSegments) {
  Sealed sealed(5 * kSegmentSize + 1);
  const ParallelFor backwards = [](std::size_t count, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = count; i-- > 0;) body(i);
  };
  ASSERT_TRUE(sealed.decrypt(backwards));
  EXPECT_EQ(sealed.target, sealed.plaintext);
}

TEST(EncryptedFile, IsAnotherEachTime) {
  const Sealed a(100, "a");
  const Sealed b(100, "b");
  EXPECT_NE(to_bytes(ByteView(a.file).subspan(kEncfileHeaderSize)),
            to_bytes(ByteView(b.file).subspan(kEncfileHeaderSize)));
}

TEST(EncryptedFile, WithAnotherMagicIsRefused) {
  Sealed sealed(10);
  sealed.file[7] = '2';
  EXPECT_EQ(sealed.error().code(), kEncfileMalformed);
}

TEST(EncryptedFile, WithAnotherSegmentSizeIsRefused) {
  Sealed sealed(10);
  sealed.file[9] ^= 0x30;
  EXPECT_EQ(sealed.error().code(), kEncfileSegmentSize);
}

TEST(EncryptedFile, WithReservedBytesIsRefused) {
  for (std::size_t i = 12; i < 16; ++i) {
    Sealed sealed(10);
    sealed.file[i] = 1;
    EXPECT_EQ(sealed.error().code(), kEncfileMalformed);
  }
}

TEST(EncryptedFile, OfAnotherPackageIsRefused) {
  Sealed sealed(10);
  sealed.context.package_id[0] ^= 1;
  EXPECT_EQ(sealed.error().code(), kEncfileOtherPackage);
}

TEST(EncryptedFile, OfAnotherPackageWithTheIdPaintedOverIsRefused) {
  Sealed sealed(10);
  sealed.context.package_id[0] ^= 1;
  sealed.file[16] ^= 1;
  EXPECT_EQ(sealed.error().code(), kEncfileWrongKey);
}

TEST(EncryptedFile, UnderAWrongKeyIsRefused) {
  Sealed sealed(10);
  sealed.dek = copy_to_secret(Bytes(32, 7));
  EXPECT_EQ(sealed.error().code(), kEncfileWrongKey);
}

TEST(EncryptedFile, UnderAnotherPathIsRefused) {
  Sealed sealed(10);
  sealed.context.path = "tokenizer.json";
  EXPECT_EQ(sealed.error().code(), kEncfileWrongKey);
}

TEST(EncryptedFile, WithAnotherSaltOrCheckIsRefused) {
  for (std::size_t i = 32; i < kEncfileHeaderSize; ++i) {
    Sealed sealed(10);
    sealed.file[i] ^= 0x80;
    EXPECT_EQ(sealed.error().code(), kEncfileWrongKey) << i;
  }
}

TEST(EncryptedFile, CutAnywhereIsTruncated) {
  Sealed whole(40);
  const Bytes file = whole.file;
  for (std::size_t n = 0; n < file.size(); ++n) {
    whole.file.assign(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_EQ(whole.error().code(), kEncfileTruncated) << n;
  }
}

TEST(EncryptedFile, CutAtASegmentIsTruncated) {
  Sealed sealed(3 * kSegmentSize);
  sealed.file.resize(kEncfileHeaderSize + 2 * kSealedSegment);
  EXPECT_EQ(sealed.error().code(), kEncfileTruncated);
}

// The size in the manifest would have to lie too: then the key is another.
TEST(EncryptedFile, CutAtASegmentDoesNotPassForAShorterFile) {
  Sealed sealed(3 * kSegmentSize);
  sealed.file.resize(kEncfileHeaderSize + 2 * kSealedSegment);
  sealed.context.plaintext_size = 2 * kSegmentSize;
  EXPECT_EQ(sealed.error().code(), kEncfileWrongKey);
}

TEST(EncryptedFile, WithBytesBehindIsRefused) {
  Sealed sealed(kSegmentSize);
  sealed.file.push_back(0);
  EXPECT_EQ(sealed.error().code(), kEncfileExtraBytes);
}

TEST(EncryptedFile, WithSwappedSegmentsIsRefusedAndSaysWhichTwo) {
  Sealed sealed(4 * kSegmentSize + 5);
  sealed.swap_segments(1, 3);
  const Error error = sealed.error(parallel_for_on(2));
  EXPECT_EQ(error.code(), kEncfileSegmentsSwapped);
  EXPECT_EQ(error.first(), 1U);
  EXPECT_EQ(error.second(), 3U);
}

TEST(EncryptedFile, WithReorderedSegmentsIsRefusedAndSaysWhichIsFirst) {
  Sealed sealed(4 * kSegmentSize);
  sealed.swap_segments(0, 1);
  sealed.swap_segments(1, 2);  // 1 2 0 3
  const Error error = sealed.error();
  EXPECT_EQ(error.code(), kEncfileSegmentsReordered);
  EXPECT_EQ(error.first(), 0U);
  EXPECT_EQ(error.second(), 1U);
}

TEST(EncryptedFile, WithTheLastSegmentInAnothersPlaceIsRefused) {
  Sealed sealed(3 * kSegmentSize);  // the last one is full too
  sealed.swap_segments(0, 2);
  const Error error = sealed.error();
  EXPECT_EQ(error.code(), kEncfileSegmentsSwapped);
  EXPECT_EQ(error.second(), 2U);
}

TEST(EncryptedFile, WithARepeatedSegmentIsRefused) {
  Sealed sealed(3 * kSegmentSize);
  std::ranges::copy(sealed.segment(0), sealed.segment(1).begin());
  const Error error = sealed.error();
  EXPECT_EQ(error.code(), kEncfileSegmentRepeated);
  EXPECT_EQ(error.first(), 1U);
  EXPECT_EQ(error.second(), 0U);
}

TEST(EncryptedFile, WithAFlippedBitIsRefusedAndNamesTheSegment) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{12345}, kSegmentSize, kSealedSegment - 1}) {
    Sealed sealed(3 * kSegmentSize);
    sealed.segment(1)[at] ^= 4;
    const Error error = sealed.error();
    EXPECT_EQ(error.code(), kEncfileSegmentDamaged);
    EXPECT_EQ(error.first(), 1U);
  }
}

TEST(EncryptedFile, OfWhichEveryByteIsAuthenticated) {
  Sealed sealed(20);
  for (std::size_t i = kEncfileHeaderSize; i < sealed.file.size(); ++i) {
    sealed.file[i] ^= 1;
    EXPECT_EQ(sealed.error().code(), kEncfileSegmentDamaged) << i;
    sealed.file[i] ^= 1;
  }
}

TEST(EncryptedFile, NamesTheLowestDamagedSegmentInAnyOrderAndOnAnyNumberOfThreads) {
  Sealed sealed(6 * kSegmentSize);
  for (const std::size_t i : {2U, 4U, 5U}) sealed.segment(i)[0] ^= 1;
  const ParallelFor backwards = [](std::size_t count, const std::function<void(std::size_t)>& body) {
    for (std::size_t i = count; i-- > 0;) body(i);
  };
  for (const ParallelFor& order : {ParallelFor(serial_for), ParallelFor(backwards), parallel_for_on(4)}) {
    const Error error = sealed.error(order);
    EXPECT_EQ(error.code(), kEncfileSegmentDamaged);
    EXPECT_EQ(error.first(), 2U);
  }
}

TEST(EncryptedFile, WithAnotherPlaintextThanTheManifestSaysIsRefused) {
  Sealed sealed(kSegmentSize + 1);
  sealed.plaintext[5] ^= 1;  // only the expected hash is made of it
  EXPECT_EQ(sealed.error().code(), kEncfilePlaintextHash);
}

TEST(EncryptedFile, IsNotDecryptedIntoATargetOfAnotherSize) {
  Sealed sealed(10);
  Bytes target(11);
  const auto status =
      decrypt_file(ViewSource(sealed.file), sealed.context, sha256(sealed.plaintext), sealed.dek, target, serial_for);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), kEncfileTarget);
}

// A source that fails on one range, as a disk does, and copies the others into the scratch.
class FailingSource final : public EncryptedSource {
 public:
  FailingSource(ByteView bytes, std::uint64_t bad_offset) : bytes_(bytes), bad_offset_(bad_offset) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<ByteView> read(std::uint64_t offset, MutableByteView scratch) const override {
    if (offset == bad_offset_) return fail(kTestUnreadable, "bad sector", offset);
    std::ranges::copy(bytes_.subspan(offset, scratch.size()), scratch.begin());
    return ByteView(scratch);
  }
  static constexpr ErrorCode kTestUnreadable{ErrorClass::kUnavailable, "test-unreadable"};

 private:
  ByteView bytes_;
  std::uint64_t bad_offset_;
};

TEST(EncryptedFile, ThatCannotBeReadFailsWithTheSourcesError) {
  Sealed sealed(3 * kSegmentSize);
  for (const std::uint64_t offset : {std::uint64_t{0}, kEncfileHeaderSize + std::uint64_t{kSealedSegment}}) {
    sealed.target.assign(sealed.plaintext.size(), 0xee);
    const auto status = decrypt_file(FailingSource(sealed.file, offset), sealed.context, sha256(sealed.plaintext),
                                     sealed.dek, sealed.target, parallel_for_on(2));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), FailingSource::kTestUnreadable);
  }
  const auto status = decrypt_file(FailingSource(sealed.file, 1), sealed.context, sha256(sealed.plaintext), sealed.dek,
                                   sealed.target, parallel_for_on(2));
  EXPECT_TRUE(status);
}

TEST(EncryptedFile, IsNotWrittenOnIfTheSinkFails) {
  SeededRandom random("sink");
  int calls = 0;
  const Bytes plaintext(2 * kSegmentSize);
  const auto status = encrypt_file({.path = "x", .plaintext_size = plaintext.size()}, copy_to_secret(Bytes(32, 1)),
                                   plaintext, random, [&](ByteView) -> Status {
                                     if (++calls == 2) return fail(FailingSource::kTestUnreadable, "full");
                                     return {};
                                   });
  ASSERT_FALSE(status);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace eml
