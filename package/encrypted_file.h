// Encrypted file (`x.enc`): segments of ChaCha20-Poly1305 under a key of its own.
// Source: docs/spec/package.md, 3. Field names are the page's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "package/manifest.h"
#include "package/parallel_for.h"

namespace eml {

inline constexpr ErrorCode kEncfileMalformed{ErrorClass::kMalformed, "encfile-malformed"};
inline constexpr ErrorCode kEncfileSegmentSize{ErrorClass::kUnsupported, "encfile-segment-size"};
inline constexpr ErrorCode kEncfileOtherPackage{ErrorClass::kUnauthentic, "encfile-other-package"};
inline constexpr ErrorCode kEncfileTruncated{ErrorClass::kMalformed, "encfile-truncated"};
inline constexpr ErrorCode kEncfileExtraBytes{ErrorClass::kMalformed, "encfile-extra-bytes"};
inline constexpr ErrorCode kEncfileWrongKey{ErrorClass::kUnauthentic, "encfile-wrong-key"};
inline constexpr ErrorCode kEncfileSegmentsSwapped{ErrorClass::kUnauthentic, "encfile-segments-swapped"};
inline constexpr ErrorCode kEncfileSegmentsReordered{ErrorClass::kUnauthentic, "encfile-segments-reordered"};
inline constexpr ErrorCode kEncfileSegmentRepeated{ErrorClass::kUnauthentic, "encfile-segment-repeated"};
inline constexpr ErrorCode kEncfileSegmentDamaged{ErrorClass::kUnauthentic, "encfile-segment-damaged"};
inline constexpr ErrorCode kEncfilePlaintextHash{ErrorClass::kUnauthentic, "encfile-plaintext-hash"};
inline constexpr ErrorCode kEncfileTarget{ErrorClass::kInternal, "encfile-target"};

// A segment is 1 MiB: small enough that a few per core fit into the cache, large enough that tag and set-up vanish.
inline constexpr std::size_t kSegmentSize = 1U << 20;
inline constexpr std::size_t kEncfileHeaderSize = 96;

// FileContext is what a file's key is bound to. All of it comes from the signed manifest.
struct FileContext {
  PackageId package_id{};
  std::string path;                  // of the plaintext
  std::uint64_t plaintext_size = 0;  // bytes, below 2^52
};

// segment_count is max(1, ceil(n / kSegmentSize)); encrypted_size is that of the whole file.
std::uint64_t segment_count(std::uint64_t plaintext_size);
std::uint64_t encrypted_size(std::uint64_t plaintext_size);

// ByteSink takes the next bytes of an output, in order.
using ByteSink = std::function<Status(ByteView)>;

// FileEncryptor makes one encrypted file, piece by piece: header, then segments 0, 1, ... in any order, each into
// memory of the caller. Its key is fresh: every encryptor has a new salt.
class FileEncryptor {
 public:
  FileEncryptor(FileContext context, const SecretBytes& dek, Random& random);
  ByteView header() const { return header_; }
  // segment seals segment `index` of the plaintext. `plaintext` is exactly that segment.
  Bytes segment(std::uint64_t index, ByteView plaintext) const;

 private:
  FileContext context_;
  SecretBytes key_;
  Bytes header_;
};

// encrypt_file writes header and segments of `plaintext` (context.plaintext_size bytes, else kEncfileTarget) to `sink`,
// one segment in memory at a time. Errors: the sink's.
Status encrypt_file(const FileContext& context, const SecretBytes& dek, ByteView plaintext, Random& random,
                    const ByteSink& sink);

// EncryptedSource is an encrypted file that is read in pieces, from several threads at a time: a mapping, a file
// descriptor, an object in a bucket.
class EncryptedSource {
 public:
  virtual ~EncryptedSource() = default;
  virtual std::uint64_t size() const = 0;
  // read gives bytes [offset, offset + scratch.size()): a view into memory of its own, or of `scratch`, which it has
  // filled. The range is within size(). The view is used until the next call with the same scratch.
  virtual Result<ByteView> read(std::uint64_t offset, MutableByteView scratch) const = 0;
};

// ViewSource is a file that lies in memory.
class ViewSource final : public EncryptedSource {
 public:
  explicit ViewSource(ByteView bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<ByteView> read(std::uint64_t offset, MutableByteView scratch) const override {
    return bytes_.subspan(static_cast<std::size_t>(offset), scratch.size());
  }

 private:
  ByteView bytes_;
};

// decrypt_file decrypts `source` into `target`, which has exactly context.plaintext_size bytes (kEncfileTarget) and
// becomes the only copy of the plaintext. Segments are decrypted through `parallel_for`; the SHA-256 follows right
// behind them and is compared with `expected`. The integers of kEncfileSegmentsSwapped, kEncfileSegmentsReordered and
// kEncfileSegmentRepeated are the place and where the segment in it belongs, that of kEncfileSegmentDamaged is the
// place; with several damaged segments the lowest one is named, on any machine. On any error `target` is wiped. Errors:
// in the order of docs/spec/package.md, 3; those of `source`.
Status decrypt_file(const EncryptedSource& source, const FileContext& context, const Hash32& expected,
                    const SecretBytes& dek, MutableByteView target, const ParallelFor& parallel_for);

}  // namespace eml
