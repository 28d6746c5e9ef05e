// Both channels, driven by an authentic peer that says anything in any order, and by a caller that does the same.
// Properties: no crash; every stream that was reported is answered for; what waits is bounded; kEnded is the last
// event.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tests/support/channel_pair.h"

namespace {

using namespace eml;
using namespace eml::test;

void need(bool condition) {
  if (!condition) std::abort();
}

const TestEpoch& epoch() {
  static const TestEpoch one;
  return one;
}

// Steps reads a program: one byte of argument, one of operation, and payloads. At most 100 steps, so that runs stay
// short.
class Steps {
 public:
  explicit Steps(ByteView bytes) : bytes_(bytes) {}
  bool more() { return !bytes_.empty() && ++steps_ <= 100; }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const std::uint8_t out = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return out;
  }
  ByteView payload() {
    const std::size_t size = std::min<std::size_t>(byte(), bytes_.size());
    const ByteView out = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return out;
  }

 private:
  ByteView bytes_;
  int steps_ = 0;
};

template <typename Raw>
void say(Raw& raw, Steps& steps) {
  const auto kind = static_cast<RecordKind>(steps.byte());
  const std::uint8_t flags = steps.byte();
  const StreamId stream = steps.byte();
  static_cast<void>(raw.send(kind, flags, stream, steps.payload()));
}

void server_side(Steps steps) {
  RequestBudget budget(4096);
  {
    RawClient raw(epoch(),
                  {.streams = 4, .request_bytes_max = 600, .response_bytes_max = 2000, .unfinished_bytes_max = 1000},
                  &budget);
    bool ended = false;
    while (steps.more()) {
      const StreamId stream = steps.byte() % 8;
      switch (steps.byte() % 10) {
        case 0:
          static_cast<void>(raw.server.send_response(stream, UserText(steps.payload())));
          break;
        case 1:
          static_cast<void>(raw.server.send_response(stream, UserText(steps.payload()), Statements::kNone));
          break;
        case 2:
          static_cast<void>(raw.server.send_response_part(stream, UserText(steps.payload()), AnswerPart::kMore));
          break;
        case 3:
          static_cast<void>(raw.server.send_statement(stream, steps.payload(), StatementPosition::kMore));
          break;
        case 4:
          static_cast<void>(raw.server.send_statement(stream, steps.payload(), StatementPosition::kLast));
          break;
        case 5:
          static_cast<void>(raw.server.reset(stream, ResetCode::kInternal));
          break;
        case 6:
          raw.now += steps.byte() * 500U;
          raw.server.on_time(raw.now);
          break;
        case 7:
          raw.server.consume_output(steps.byte() * 16U, raw.now);
          break;
        case 8:
          stream == 0 ? raw.server.goaway() : stream == 1 ? raw.server.close(CloseCode::kDone) : raw.server.on_eof();
          break;
        default:
          say(raw, steps);
          break;
      }
      for (const ServerEvent& event : raw.events()) {
        need(!ended);
        ended = event.kind == ServerEvent::Kind::kEnded;
        need(event.body.size() <= 600);
      }
      need(ended == raw.server.closed());
      need(raw.server.open_streams() <= 8);
      need(!ended || raw.server.open_streams() == 0);
      need(raw.server.output().size() <= Outbox::kSealAhead + kRecordBodyMax + kFrameHeaderSize);
      static_cast<void>(raw.server.deadline());
      static_cast<void>(raw.server.wants_pause());
    }
  }
  need(budget.used() == 0);
}

void client_side(Steps steps) {
  RawServer raw(epoch(),
                Settings{.streams = 4, .request_bytes_max = 100000, .response_bytes_max = 600, .idle_ms = 1000});
  bool ended = false;
  while (steps.more()) {
    const StreamId stream = steps.byte() % 8;
    switch (steps.byte() % 8) {
      case 0:
        static_cast<void>(raw.client.send_request(UserText(steps.payload())));
        break;
      case 1:
        static_cast<void>(raw.client.send_request(UserText(Bytes(90000, 'x')), ResponseMode::kParts));
        break;
      case 2:
        raw.client.cancel(stream);
        break;
      case 3:
        static_cast<void>(raw.client.ping({}));
        break;
      case 4:
        raw.client.consume_output(steps.byte() * 64U);
        break;
      case 5:
        stream == 0 ? raw.client.close() : stream == 1 ? raw.client.on_eof() : raw.client.on_time(stream);
        break;
      default:
        say(raw, steps);
        break;
    }
    for (const ClientEvent& event : raw.events()) {
      need(!ended);
      ended = event.kind == ClientEvent::Kind::kEnded;
      need(event.body.size() <= 600);
    }
    need(ended == raw.client.closed());
    need(raw.client.open_streams() <= 4);
    need(!ended || raw.client.open_streams() == 0);
    need(raw.client.output().size() <= Outbox::kSealAhead + kRecordBodyMax + kFrameHeaderSize);
  }
}

// Any bytes from the first on.
void bytes_side(ByteView bytes) {
  SeededRandom random("fuzz");
  ServerChannel server(epoch().identity(), {}, random, 0);
  static_cast<void>(server.on_bytes(bytes, 0));
  ClientChannel client(epoch().client_options(), random, 0);
  static_cast<void>(client.on_bytes(bytes, 0));
  need(!client.verified());
  need(!server.established() || bytes.size() > 79);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      server_side(Steps(bytes));
      break;
    case 1:
      client_side(Steps(bytes));
      break;
    default:
      bytes_side(bytes);
      break;
  }
  return 0;
}
