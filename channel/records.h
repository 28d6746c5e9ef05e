// Records: what a channel carries once its keys stand, sealed one by one with keys that change every 65,536 records.
// Source: docs/spec/channel.md, 3 (keys) and 4 (records).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "channel/frame.h"
#include "channel/limits.h"
#include "crypto/numbered_aead.h"

namespace eml {

inline constexpr ErrorCode kRecordUnauthentic{ErrorClass::kUnauthentic, "record-unauthentic"};
inline constexpr ErrorCode kRecordMalformed{ErrorClass::kMalformed, "record-malformed"};
inline constexpr ErrorCode kRecordUnknownKind{ErrorClass::kMalformed, "record-unknown-kind"};
inline constexpr ErrorCode kRecordBadFlags{ErrorClass::kMalformed, "record-bad-flags"};
inline constexpr ErrorCode kRecordPaddingNotZero{ErrorClass::kMalformed, "record-padding-not-zero"};
inline constexpr ErrorCode kRecordSequenceExhausted{ErrorClass::kLimit, "record-sequence-exhausted"};

enum class RecordKind : std::uint8_t {
  kSettings = 1,
  kData = 2,
  kReset = 3,
  kStatement = 4,
  kGoaway = 5,
  kPing = 6,
  kClose = 7,
};

inline constexpr std::uint8_t kFlagEnd = 1;    // DATA: end of this side's message
inline constexpr std::uint8_t kFlagLast = 1;   // STATEMENT: the last one of the stream
inline constexpr std::uint8_t kFlagReply = 1;  // PING

inline constexpr std::size_t kRecordHeaderSize = 10;
inline constexpr std::size_t kRecordPlaintextMin = 256;
inline constexpr std::size_t kRecordPlaintextMax = 65536;
inline constexpr std::size_t kRecordPayloadMax = kRecordPlaintextMax - kRecordHeaderSize;
// A DATA record is at most 16 KiB with its header: then Padme adds nothing, and a stream waits at most that long for
// its turn.
inline constexpr std::size_t kDataPayloadMax = 16384 - kRecordHeaderSize;
inline constexpr std::uint64_t kRecordsPerKey = 65536;
inline constexpr std::uint64_t kSequenceEnd = std::uint64_t{1} << 48;

// Padding says what sizes may tell: kPadme for whole messages, kStreamed (512 or the next power of two) for answers
// that leave while they are made.
enum class Padding : std::uint8_t { kPadme, kStreamed };

// padded_size gives the plaintext size of a record with that payload, 256 to 65,536.
std::size_t padded_size(std::size_t payload_size, Padding padding);

// RecordView is one opened record. `payload` views the buffer it was opened into.
struct RecordView {
  RecordKind kind = RecordKind::kClose;
  std::uint8_t flags = 0;
  StreamId stream = 0;
  ByteView payload;
};

// RecordPart is what goes into a record; the payload is copied once, into the place where it is sealed.
struct RecordPart {
  RecordKind kind = RecordKind::kClose;
  std::uint8_t flags = 0;
  StreamId stream = 0;
  ByteView payload;  // at most kRecordPayloadMax
  Padding padding = Padding::kPadme;
};

// KeyChain is one direction's key schedule: x_g, with key_g and iv_g ready for use. Going to g + 1 wipes x_g.
class KeyChain {
 public:
  // `x_0` is consumed.
  explicit KeyChain(SecretBytes x_0);
  // for_test starts at `sequence` with the secret of its generation (sequence >> 16): a test cannot seal 2^48 records.
  static KeyChain for_test(SecretBytes x_g, std::uint64_t sequence);

  // use returns the key for the next record and that record's number. kRecordSequenceExhausted at 2^48.
  struct Use {
    NumberedAead* key;
    std::uint64_t sequence;
  };
  Result<Use> use();
  std::uint64_t sequence() const { return sequence_; }

 private:
  void derive();

  SecretBytes x_;
  std::optional<NumberedAead> key_;
  std::uint64_t generation_ = 0;
  std::uint64_t sequence_ = 0;
};

// RecordSealer makes record frames.
class RecordSealer {
 public:
  explicit RecordSealer(KeyChain keys) : keys_(std::move(keys)) {}

  // frame_size is how many bytes seal will write for that payload.
  static std::size_t frame_size(std::size_t payload_size, Padding padding) {
    return kFrameHeaderSize + padded_size(payload_size, padding) + kAeadTagSize;
  }
  // seal writes one whole frame to `out`, which has exactly frame_size bytes and need not be initialised. No
  // allocation but at a change of key. Errors: kRecordMalformed if the payload is too long; kRecordSequenceExhausted.
  Status seal(MutableByteView out, const RecordPart& part);
  std::uint64_t sequence() const { return keys_.sequence(); }

 private:
  KeyChain keys_;
};

// RecordOpener opens record frames in their order.
class RecordOpener {
 public:
  explicit RecordOpener(KeyChain keys) : keys_(std::move(keys)) {}

  // open decrypts `frame` (type record) into `out`, which has frame.body.size() - 16 bytes and may be the body's own
  // memory. Errors: kRecordUnauthentic, after which nothing opens any more; kRecordMalformed, kRecordUnknownKind,
  // kRecordBadFlags, kRecordPaddingNotZero for what an authentic peer should not have sent. The caller wipes `out`.
  Result<RecordView> open(MutableByteView out, const Frame& frame);
  std::uint64_t sequence() const { return keys_.sequence(); }

 private:
  KeyChain keys_;
  bool dead_ = false;
};

}  // namespace eml
