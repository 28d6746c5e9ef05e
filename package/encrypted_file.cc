#include "package/encrypted_file.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/key_commitment.h"
#include "encoding/reader.h"

namespace eml {

namespace {

constexpr std::string_view kMagic = "EMLSTRM1";
// The index is 32 bits in the nonce; JSON integers end before that is reached.
constexpr std::uint64_t kPlaintextSizeMax = std::uint64_t{1} << 52;

Bytes context_bytes(const FileContext& context) {
  return Writer()
      .bytes(context.package_id)
      .u16(static_cast<std::uint16_t>(context.path.size()))
      .bytes(as_bytes(context.path))
      .u64(context.plaintext_size)
      .take();
}

struct FileKeys {
  SecretBytes key;
  Hash32 check{};
};

FileKeys derive_keys(const FileContext& context, ByteView salt, const SecretBytes& dek) {
  const Bytes ctx = context_bytes(context);
  const SecretBytes prk = hkdf_extract(salt, dek);
  return {.key = hkdf_expand(prk, concat(label("eml file key v1"), ctx), kAeadKeySize),
          .check = key_commitment(prk, concat(label("eml file check v1"), ctx))};
}

struct SegmentPlace {
  std::uint64_t index;
  std::uint64_t count;
};

ByteArray<kAeadNonceSize> segment_nonce(SegmentPlace place) {
  const Bytes nonce =
      Writer().zeros(7).u32(static_cast<std::uint32_t>(place.index)).u8(place.index + 1 == place.count ? 1 : 0).take();
  return *to_array<kAeadNonceSize>(nonce);
}

struct SegmentRange {
  std::uint64_t offset;  // in the plaintext
  std::size_t size;
};

SegmentRange segment_range(std::uint64_t index, std::uint64_t plaintext_size) {
  const std::uint64_t offset = index * kSegmentSize;
  return {.offset = offset,
          .size = static_cast<std::size_t>(std::min<std::uint64_t>(kSegmentSize, plaintext_size - offset))};
}

struct Header {
  PackageId package_id{};
  ByteArray<32> salt{};
  Hash32 check{};
};

Result<Header> decode_header(ByteView bytes) {
  Reader in(bytes);
  EML_TRY(const ByteView magic, in.bytes(kMagic.size()));
  if (as_text(magic) != kMagic) return fail(kEncfileMalformed, "not an EMLSTRM1 file");
  EML_TRY(const std::uint32_t segment_size, in.u32());
  if (segment_size != kSegmentSize) return fail(kEncfileSegmentSize, "another segment size", segment_size);
  EML_TRY(const std::uint32_t reserved, in.u32());
  if (reserved != 0) return fail(kEncfileMalformed, "reserved bytes of the header are not zero");
  Header header;
  EML_TRY(header.package_id, in.array<16>());
  EML_TRY(header.salt, in.array<32>());
  EML_TRY(header.check, in.array<32>());
  return header;
}

// Steps 1 to 4 of docs/spec/package.md, 3.
Result<SecretBytes> open_header(const EncryptedSource& source, const FileContext& context, const SecretBytes& dek) {
  if (source.size() < kEncfileHeaderSize) {
    return fail(kEncfileTruncated, "shorter than its header (wanted, got)", kEncfileHeaderSize, source.size());
  }
  ByteArray<kEncfileHeaderSize> scratch{};
  EML_TRY(const ByteView bytes, source.read(0, scratch));
  EML_TRY(const Header header, decode_header(bytes));
  if (header.package_id != context.package_id) return fail(kEncfileOtherPackage, "a file of another package");
  const std::uint64_t wanted = encrypted_size(context.plaintext_size);
  if (source.size() < wanted) return fail(kEncfileTruncated, "the file was cut (wanted, got)", wanted, source.size());
  if (source.size() > wanted)
    return fail(kEncfileExtraBytes, "bytes follow the last segment (wanted, got)", wanted, source.size());
  FileKeys keys = derive_keys(context, header.salt, dek);
  if (keys.check != header.check)
    return fail(kEncfileWrongKey, "the key is not the one that this file was encrypted with");
  return std::move(keys.key);
}

// Buffers for ciphertext, one a concurrent call, kept between segments: allocating a MiB costs 256 page faults.
class ScratchPool {
 public:
  std::unique_ptr<Bytes> take() {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) return std::make_unique<Bytes>(kSegmentSize + kAeadTagSize);
    auto out = std::move(free_.back());
    free_.pop_back();
    return out;
  }
  void give(std::unique_ptr<Bytes> buffer) {
    const std::scoped_lock lock(mutex_);
    free_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Bytes>> free_;
};

// One run of decrypt_file: what its concurrent calls share.
class Decryption {
 public:
  Decryption(const EncryptedSource& source, const SecretBytes& key, MutableByteView target)
      : source_(source), key_(key), target_(target), count_(segment_count(target.size())), ready_(count_) {}

  std::uint64_t count() const { return count_; }

  void run(std::uint64_t index) {
    // Segments above a failed one are of no use; those below decide which error is told.
    if (index > failed_.load(std::memory_order_relaxed)) return;
    if (auto status = open_segment(index); !status) {
      record(index, status.error());
      return;
    }
    ready_[index].store(true, std::memory_order_release);
    // Whoever finds the hash free takes it as far as it goes; the others go on decrypting.
    if (const std::unique_lock lock(hashing_, std::try_to_lock); lock.owns_lock()) hash_what_is_ready();
  }

  Result<Hash32> finish() {
    if (error_) return std::unexpected(diagnose());
    const std::scoped_lock lock(hashing_);
    hash_what_is_ready();
    return hash_.finish();
  }

 private:
  Status open_segment(std::uint64_t index) {
    const SegmentRange range = segment_range(index, target_.size());
    auto scratch = scratch_.take();
    auto status = open_with(*scratch, {.index = index, .count = count_}, range);
    scratch_.give(std::move(scratch));
    return status;
  }

  Status open_with(Bytes& scratch, SegmentPlace place, SegmentRange range) {
    EML_TRY(const ByteView sealed, read_segment(scratch, place.index, range));
    AeadKey aead(key_);
    const MutableByteView out = target_.subspan(static_cast<std::size_t>(range.offset), range.size);
    if (!aead.open(out, segment_nonce(place), {}, sealed)) {
      return fail(kEncfileSegmentDamaged, "a segment does not open (segment)", place.index);
    }
    return {};
  }

  Result<ByteView> read_segment(Bytes& scratch, std::uint64_t index, SegmentRange range) const {
    const std::uint64_t offset = kEncfileHeaderSize + index * (kSegmentSize + kAeadTagSize);
    return source_.read(offset, MutableByteView(scratch).first(range.size + kAeadTagSize));
  }

  void record(std::uint64_t index, const Error& error) {
    const std::scoped_lock lock(failing_);
    if (index >= failed_.load()) return;
    failed_ = index;
    error_ = error;
  }

  void hash_what_is_ready() {
    for (; hashed_ < count_ && ready_[hashed_].load(std::memory_order_acquire); ++hashed_) {
      const SegmentRange range = segment_range(hashed_, target_.size());
      hash_.update(target_.subspan(static_cast<std::size_t>(range.offset), range.size));
    }
  }

  // A segment that opens in another place was moved there; the file is refused either way, this only says how.
  Error diagnose() {
    const std::uint64_t index = failed_;
    if (!(error_->code() == kEncfileSegmentDamaged)) return *error_;
    // Enough for 4 GiB; beyond it the explanation is not worth the time.
    const std::uint64_t candidates = std::min<std::uint64_t>(count_, 4096);
    for (std::uint64_t other = 0; other < candidates; ++other) {
      if (other == index || !opens_as(index, other)) continue;
      if (opens_as(other, index)) {
        return {kEncfileSegmentsSwapped, "two segments have changed places (place, segment)", index, other};
      }
      if (opens_as(other, other)) {
        return {kEncfileSegmentRepeated, "a segment stands in another's place too (place, segment)", index, other};
      }
      return {kEncfileSegmentsReordered, "a segment stands in another's place (place, segment)", index, other};
    }
    return *error_;
  }

  // Whether what stands at `place` is segment `segment`. Used after a failure only: it overwrites the target.
  bool opens_as(std::uint64_t place, std::uint64_t segment) {
    const SegmentRange range = segment_range(place, target_.size());
    const auto scratch = scratch_.take();
    const auto sealed = read_segment(*scratch, place, range);
    AeadKey aead(key_);
    const MutableByteView out = target_.subspan(static_cast<std::size_t>(range.offset), range.size);
    const bool opened = sealed && aead.open(out, segment_nonce({.index = segment, .count = count_}), {}, *sealed);
    return opened;
  }

  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  const EncryptedSource& source_;
  const SecretBytes& key_;
  MutableByteView target_;
  std::uint64_t count_;
  std::vector<std::atomic<bool>> ready_;
  ScratchPool scratch_;

  std::mutex hashing_;
  std::uint64_t hashed_ = 0;
  Sha256 hash_;

  std::mutex failing_;
  std::atomic<std::uint64_t> failed_ = kNone;
  std::optional<Error> error_;
};

Status decrypt_into(const EncryptedSource& source, const FileContext& context, const Hash32& expected,
                    const SecretBytes& dek, MutableByteView target, const ParallelFor& parallel_for) {
  EML_TRY(const SecretBytes key, open_header(source, context, dek));
  Decryption decryption(source, key, target);
  parallel_for(static_cast<std::size_t>(decryption.count()), [&](std::size_t index) { decryption.run(index); });
  EML_TRY(const Hash32 hash, decryption.finish());
  if (hash != expected) return fail(kEncfilePlaintextHash, "the plaintext is not the one of the manifest");
  return {};
}

}  // namespace

std::uint64_t segment_count(std::uint64_t plaintext_size) {
  return std::max<std::uint64_t>(1, (plaintext_size + kSegmentSize - 1) / kSegmentSize);
}

std::uint64_t encrypted_size(std::uint64_t plaintext_size) {
  return kEncfileHeaderSize + plaintext_size + kAeadTagSize * segment_count(plaintext_size);
}

FileEncryptor::FileEncryptor(FileContext context, const SecretBytes& dek, Random& random)
    : context_(std::move(context)) {
  const auto salt = random.array<32>();
  FileKeys keys = derive_keys(context_, salt, dek);
  key_ = std::move(keys.key);
  header_ = Writer(kEncfileHeaderSize)
                .bytes(as_bytes(kMagic))
                .u32(static_cast<std::uint32_t>(kSegmentSize))
                .u32(0)
                .bytes(context_.package_id)
                .bytes(salt)
                .bytes(keys.check)
                .take();
}

Bytes FileEncryptor::segment(std::uint64_t index, ByteView plaintext) const {
  Bytes out(plaintext.size() + kAeadTagSize);
  AeadKey aead(key_);
  aead.seal(out, segment_nonce({.index = index, .count = segment_count(context_.plaintext_size)}), {}, plaintext);
  return out;
}

Status encrypt_file(const FileContext& context, const SecretBytes& dek, ByteView plaintext, Random& random,
                    const ByteSink& sink) {
  if (plaintext.size() != context.plaintext_size || context.plaintext_size >= kPlaintextSizeMax) {
    return fail(kEncfileTarget, "the plaintext has another size than its context (wanted, got)", context.plaintext_size,
                plaintext.size());
  }
  const FileEncryptor encryptor(context, dek, random);
  EML_CHECK(sink(encryptor.header()));
  for (std::uint64_t i = 0; i < segment_count(context.plaintext_size); ++i) {
    const SegmentRange range = segment_range(i, context.plaintext_size);
    EML_CHECK(sink(encryptor.segment(i, plaintext.subspan(static_cast<std::size_t>(range.offset), range.size))));
  }
  return {};
}

Status decrypt_file(const EncryptedSource& source, const FileContext& context, const Hash32& expected,
                    const SecretBytes& dek, MutableByteView target, const ParallelFor& parallel_for) {
  if (target.size() != context.plaintext_size || context.plaintext_size >= kPlaintextSizeMax) {
    return fail(kEncfileTarget, "the target has another size than the plaintext (wanted, got)", context.plaintext_size,
                target.size());
  }
  auto status = decrypt_into(source, context, expected, dek, target, parallel_for);
  if (!status) wipe(target);
  return status;
}

}  // namespace eml
