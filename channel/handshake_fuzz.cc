// Both ends of the handshake against any bytes. Property: a hello that a server answers re-encodes to the same bytes; a
// server_hello that was not signed by the epoch's key is never accepted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "channel/handshake_messages.h"
#include "tests/support/channel_pair.h"

namespace {

using namespace eml;
using namespace eml::test;

const TestEpoch& epoch() {
  static const TestEpoch one;
  return one;
}

void server_side(ByteView body) {
  SeededRandom random("fuzz");
  ServerHandshake server(epoch().identity());
  const Bytes frame = frame_bytes(1, body);
  if (server.on_client_hello(raw_frame(frame), random)) {
    const auto hello = decode_client_hello(body);
    if (!hello || encode_client_hello(*hello) != frame) std::abort();
  }
}

void finish_side(ByteView body) {
  SeededRandom random("fuzz");
  ServerHandshake server(epoch().identity());
  const Bytes hello = frame_bytes(1, *from_hex("0001" + std::string(64, '0') + "010020"));
  if (!server.on_client_hello(raw_frame(hello), random)) std::abort();
  static_cast<void>(server.on_client_finish(raw_frame(frame_bytes(3, body))));
}

// With `good` the input stands behind a prefix of what the server really said, so that the fuzzer gets past the bundle.
void client_side(ByteView body, bool good) {
  SeededRandom random("fuzz");
  ClientHandshake client({.expectation = epoch().expectation()});
  const Bytes hello = *client.start(random);
  Bytes answer = frame_bytes(2, body);
  if (good) {
    ServerHandshake server(epoch().identity());
    answer = *server.on_client_hello(raw_frame(hello), random);
    const Bytes original = answer;
    for (std::size_t i = 0; i + 3 <= body.size(); i += 3) {
      const std::size_t at = (std::size_t{body[i]} << 8 | body[i + 1]) % (answer.size() - kFrameHeaderSize);
      answer[kFrameHeaderSize + at] ^= body[i + 2];
    }
    if (answer == original) return;
  }
  if (client.on_server_hello(raw_frame(answer), random)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView body(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      server_side(body);
      break;
    case 1:
      finish_side(body);
      break;
    case 2:
      client_side(body, false);
      break;
    default:
      client_side(body, true);
      break;
  }
  return 0;
}
