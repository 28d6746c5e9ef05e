// Records: any plaintext that opens, and any frame that does not. Property: what opens is sealed again to a record that
// opens to the same; bytes that were not sealed never open.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "channel/control.h"
#include "crypto/hash.h"
#include "tests/support/channel_pair.h"

namespace {

using namespace eml;
using namespace eml::test;

SecretBytes secret() { return copy_to_secret(sha256(as_bytes("fuzz"))); }

void payloads(const RecordView& record) {
  static_cast<void>(decode_settings(record.payload));
  static_cast<void>(decode_reset(record));
  static_cast<void>(decode_close(record));
  static_cast<void>(decode_goaway(record));
  static_cast<void>(check_ping(record));
}

void sealed_plaintext(ByteView bytes) {
  Bytes plaintext = to_bytes(bytes.first(std::min(bytes.size(), kRecordPlaintextMax)));
  plaintext.resize(std::max(plaintext.size(), kRecordPlaintextMin));
  KeyChain chain(secret());
  const KeyChain::Use use = *chain.use();
  const FrameHeader header = frame_header(FrameType::kRecord, plaintext.size() + kAeadTagSize);
  Bytes wire = concat(header, plaintext, Bytes(kAeadTagSize));
  use.key->seal(MutableByteView(wire).subspan(kFrameHeaderSize), use.sequence, header, plaintext);
  RecordOpener opener{KeyChain(secret())};
  Bytes plain(plaintext.size());
  const auto record = opener.open(plain, raw_frame(wire));
  if (!record) return;
  payloads(*record);
  RecordSealer sealer{KeyChain(secret())};
  Bytes again(RecordSealer::frame_size(record->payload.size(), Padding::kPadme));
  const RecordPart part{
      .kind = record->kind, .flags = record->flags, .stream = record->stream, .payload = record->payload};
  if (!sealer.seal(again, part)) std::abort();
  RecordOpener second{KeyChain(secret())};
  Bytes plain_again(again.size() - kFrameHeaderSize - kAeadTagSize);
  const auto back = second.open(plain_again, raw_frame(again));
  const bool same = back && back->kind == record->kind && back->flags == record->flags &&
                    back->stream == record->stream && equal(back->payload, record->payload);
  if (!same) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  if ((data[0] & 1) == 0) {
    sealed_plaintext(bytes);
  } else if (bytes.size() >= kRecordBodyMin && bytes.size() <= kRecordBodyMax) {
    RecordOpener opener{KeyChain(secret())};
    Bytes plain(bytes.size() - kAeadTagSize);
    if (opener.open(plain, raw_frame(frame_bytes(4, bytes)))) std::abort();
  }
  return 0;
}
