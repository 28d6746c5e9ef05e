// Letters as in docs/spec/channel.md, 3: x_g, key_g, iv_g.
#include "channel/records.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "crypto/hkdf.h"
#include "encoding/padme.h"
#include "encoding/reader.h"

namespace eml {
namespace {

void put_u32(std::uint8_t* out, std::size_t value) {
  for (std::size_t i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

// The only flag is 1, and only these kinds have it.
std::uint8_t allowed_flags(RecordKind kind) {
  const bool has_flag = kind == RecordKind::kData || kind == RecordKind::kStatement || kind == RecordKind::kPing;
  return has_flag ? 1 : 0;
}

Result<RecordView> parse(ByteView plaintext) {
  Reader in(plaintext);
  EML_TRY(const std::uint8_t kind, in.u8());
  EML_TRY(const std::uint8_t flags, in.u8());
  EML_TRY(const std::uint32_t stream, in.u32());
  EML_TRY(const std::uint32_t size, in.u32());
  if (kind < static_cast<std::uint8_t>(RecordKind::kSettings) || kind > static_cast<std::uint8_t>(RecordKind::kClose)) {
    return fail(kRecordUnknownKind, "a record has a kind that does not exist", kind);
  }
  RecordView record{.kind = static_cast<RecordKind>(kind), .flags = flags, .stream = stream, .payload = {}};
  if ((flags & ~allowed_flags(record.kind)) != 0)
    return fail(kRecordBadFlags, "a record has a flag that is not its kind's", flags);
  if (size > in.remaining()) return fail(kRecordMalformed, "a payload is larger than its record", size, in.remaining());
  EML_TRY(record.payload, in.bytes(size));
  if (!in.must_be_zero(in.remaining())) return fail(kRecordPaddingNotZero, "the padding of a record is not zero");
  return record;
}

}  // namespace

std::size_t padded_size(std::size_t payload_size, Padding padding) {
  const std::size_t size = kRecordHeaderSize + payload_size;
  if (padding == Padding::kStreamed) return std::max<std::size_t>(512, std::bit_ceil(size));
  return std::max(kRecordPlaintextMin, padme(size));
}

KeyChain::KeyChain(SecretBytes x_0) : x_(std::move(x_0)) { derive(); }

KeyChain KeyChain::for_test(SecretBytes x_g, std::uint64_t sequence) {
  KeyChain chain(std::move(x_g));
  chain.sequence_ = sequence;
  chain.generation_ = sequence / kRecordsPerKey;
  return chain;
}

void KeyChain::derive() {
  const SecretBytes key = hkdf_expand(x_, label("eml key v1"), kAeadKeySize);
  const SecretBytes iv = hkdf_expand(x_, label("eml iv v1"), kAeadNonceSize);
  key_.emplace(key, iv);
}

Result<KeyChain::Use> KeyChain::use() {
  if (sequence_ >= kSequenceEnd)
    return fail(kRecordSequenceExhausted, "a channel has sealed all the records that it may");
  if (sequence_ / kRecordsPerKey != generation_) {
    x_ = hkdf_expand(x_, label("eml next v1"), kAeadKeySize);
    ++generation_;
    derive();
  }
  return Use{.key = &*key_, .sequence = sequence_++};
}

Status RecordSealer::seal(MutableByteView out, const RecordPart& part) {
  if (part.payload.size() > kRecordPayloadMax)
    return fail(kRecordMalformed, "a payload is too large for a record", part.payload.size());
  const std::size_t plain_size = padded_size(part.payload.size(), part.padding);
  if (out.size() != kFrameHeaderSize + plain_size + kAeadTagSize)
    return fail(kInternalError, "a record's place has a wrong size");
  EML_TRY(const KeyChain::Use use, keys_.use());
  const FrameHeader header = frame_header(FrameType::kRecord, plain_size + kAeadTagSize);
  std::memcpy(out.data(), header.data(), header.size());
  std::uint8_t* const plain = out.data() + kFrameHeaderSize;
  plain[0] = static_cast<std::uint8_t>(part.kind);
  plain[1] = part.flags;
  put_u32(plain + 2, part.stream);
  put_u32(plain + 6, part.payload.size());
  if (!part.payload.empty()) std::memcpy(plain + kRecordHeaderSize, part.payload.data(), part.payload.size());
  const std::size_t used = kRecordHeaderSize + part.payload.size();
  std::memset(plain + used, 0, plain_size - used);
  use.key->seal({plain, plain_size + kAeadTagSize}, use.sequence, header, {plain, plain_size});
  return {};
}

Result<RecordView> RecordOpener::open(MutableByteView out, const Frame& frame) {
  if (dead_) return fail(kRecordUnauthentic, "a record did not open before");
  const bool sizes_fit = frame.type == FrameType::kRecord && frame.body.size() >= kRecordBodyMin &&
                         frame.body.size() <= kRecordBodyMax && out.size() == frame.body.size() - kAeadTagSize;
  if (!sizes_fit) return fail(kInternalError, "a record's place has a wrong size");
  EML_TRY(const KeyChain::Use use, keys_.use());
  if (!use.key->open(out, use.sequence, frame.header, frame.body)) {
    dead_ = true;
    return fail(kRecordUnauthentic, "a record does not open", use.sequence);
  }
  Result<RecordView> record = parse(out);
  dead_ = !record;
  return record;
}

}  // namespace eml
