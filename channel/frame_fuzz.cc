// Frames out of any bytes, cut in two anywhere. Property: where the cut is makes no difference to frames or error, and
// what is kept stays small.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "channel/frame.h"

namespace {

using namespace eml;

struct Outcome {
  std::vector<Bytes> frames;
  std::string_view error;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(FrameType expected, ByteView bytes, std::size_t cut) {
  Outcome out;
  FrameDecoder decoder(expected);
  for (ByteView input : {bytes.first(cut), bytes.subspan(cut)}) {
    while (!input.empty()) {
      const auto frame = decoder.next(input);
      if (!frame) {
        out.error = frame.error().code().name;
        return out;
      }
      if (*frame) out.frames.push_back(to_bytes((*frame)->whole));
      if (decoder.kept_capacity() > 2 * (bytes.size() + kFrameHeaderSize)) std::abort();
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto expected = static_cast<FrameType>(1 + data[0] % 4);
  const ByteView bytes(data + 2, size - 2);
  const std::size_t cut = bytes.empty() ? 0 : data[1] * bytes.size() / 256;
  if (!(run(expected, bytes, cut) == run(expected, bytes, bytes.size()))) std::abort();
  return 0;
}
