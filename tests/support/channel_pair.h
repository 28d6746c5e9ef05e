// What the tests, fuzz targets and benchmarks of this folder share: a server's epoch and a client's expectation made by
// a fake TEE, both ends of a handshake, and a pair of channels with a pipe between them. Test-only; header-only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "channel/client_channel.h"
#include "channel/handshake.h"
#include "channel/server_channel.h"
#include "tests/support/fake_tee.h"
#include "tests/support/seeded_random.h"

namespace eml::test {

// TestEpoch is one machine, its serve bundle and a policy that accepts it.
struct TestEpoch {
  explicit TestEpoch(std::string_view seed = "machine a")
      : tee(seed), bundle(tee.serve_bundle()), policy(tee.policy()) {}
  ServeIdentity identity() const { return {.bundle = bundle, .channel_key = &tee.channel_key(), .owner = {}}; }
  BundleExpectation expectation() const { return FakeTee::expectation(policy); }
  ClientChannelOptions client_options() const {
    ClientChannelOptions out;
    out.handshake.expectation = expectation();
    return out;
  }

  FakeTee tee;
  Bytes bundle;
  Policy policy;
};

// frame_of views one whole frame without any judgement; `whole` has at least a header.
inline Frame raw_frame(ByteView whole) {
  return {.type = static_cast<FrameType>(whole[4]),
          .header = whole.first(kFrameHeaderSize),
          .body = whole.subspan(kFrameHeaderSize),
          .whole = whole};
}

// frame_bytes builds a frame with the length that its body has.
inline Bytes frame_bytes(std::uint8_t type, ByteView body) {
  return concat(frame_header(static_cast<FrameType>(type), body.size()), body);
}

// KeyPair of both ends, as a finished handshake leaves them.
struct BothKeys {
  ChannelKeys client;
  ChannelKeys server;
};

inline Result<BothKeys> shake_hands(const TestEpoch& epoch, Random& random) {
  ServerHandshake server(epoch.identity());
  ClientHandshake client({.expectation = epoch.expectation()});
  EML_TRY(const Bytes hello, client.start(random));
  EML_TRY(const Bytes answer, server.on_client_hello(raw_frame(hello), random));
  EML_TRY(ClientHandshake::Finished done, client.on_server_hello(raw_frame(answer), random));
  EML_TRY(ChannelKeys keys, server.on_client_finish(raw_frame(done.client_finish)));
  return BothKeys{.client = std::move(done.keys), .server = std::move(keys)};
}

// Pair is a client and a server with a pipe between them and a clock that a test moves.
struct Pair {
  explicit Pair(const TestEpoch& epoch, const ChannelLimits& limits = {}, RequestBudget* budget = nullptr)
      : random("pair"),
        server(epoch.identity(), limits, random, now, budget),
        client(epoch.client_options(), random, now) {}

  Bytes take_client_output() {
    Bytes out = to_bytes(client.output());
    client.consume_output(out.size());
    return out;
  }
  Bytes take_server_output() {
    Bytes out = to_bytes(server.output());
    server.consume_output(out.size(), now);
    return out;
  }
  // settle carries bytes both ways until both are silent, and collects events.
  void settle() {
    for (;;) {
      const Bytes up = take_client_output();
      if (!up.empty() && !server.closed()) static_cast<void>(server.on_bytes(up, now));
      collect();
      const Bytes down = take_server_output();
      if (!down.empty() && !client.closed()) static_cast<void>(client.on_bytes(down, now));
      collect();
      if (up.empty() && down.empty()) return;
    }
  }
  void collect() {
    ServerEvent s;
    while (server.next_event(s)) server_events.push_back(std::move(s));
    ClientEvent c;
    while (client.next_event(c)) client_events.push_back(std::move(c));
  }
  // count tells how many events of a kind came so far.
  std::size_t count(ServerEvent::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(server_events, kind, &ServerEvent::kind));
  }
  std::size_t count(ClientEvent::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(client_events, kind, &ClientEvent::kind));
  }
  const ServerEvent* last(ServerEvent::Kind kind) const {
    for (auto it = server_events.rbegin(); it != server_events.rend(); ++it) {
      if (it->kind == kind) return &*it;
    }
    return nullptr;
  }
  const ClientEvent* last(ClientEvent::Kind kind) const {
    for (auto it = client_events.rbegin(); it != client_events.rend(); ++it) {
      if (it->kind == kind) return &*it;
    }
    return nullptr;
  }

  Millis now = 1000;
  SeededRandom random;
  ServerChannel server;
  ClientChannel client;
  std::vector<ServerEvent> server_events;
  std::vector<ClientEvent> client_events;
};

// RawPeer has an end's keys and says what it likes: records in the right form with wrong content, or any plaintext.
struct RawPeer {
  explicit RawPeer(ChannelKeys channel_keys) : keys(std::move(channel_keys)) {}

  Bytes record(RecordKind kind, std::uint8_t flags, StreamId stream, ByteView payload) {
    Bytes out(RecordSealer::frame_size(payload.size(), Padding::kPadme));
    const Status sealed = keys.sealer.seal(out, {.kind = kind, .flags = flags, .stream = stream, .payload = payload});
    return sealed ? out : Bytes{};
  }
  Bytes data(StreamId stream, std::string_view text, bool end = true) {
    return record(RecordKind::kData, end ? kFlagEnd : 0, stream, as_bytes(text));
  }

  struct Opened {
    RecordKind kind;
    std::uint8_t flags;
    StreamId stream;
    Bytes payload;
  };
  // read opens all record frames of `wire`; a frame that does not open ends it.
  std::vector<Opened> read(ByteView wire) {
    std::vector<Opened> out;
    FrameDecoder frames(FrameType::kRecord);
    while (!wire.empty()) {
      const auto frame = frames.next(wire);
      if (!frame || !*frame) break;
      Bytes plain((*frame)->body.size() - kAeadTagSize);
      const auto view = keys.opener.open(plain, **frame);
      if (!view) break;
      out.push_back({view->kind, view->flags, view->stream, to_bytes(view->payload)});
    }
    return out;
  }

  ChannelKeys keys;
};

inline Bytes u16_payload(std::uint16_t v) { return {static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)}; }
inline Bytes u32_payload(std::uint32_t v) {
  return {static_cast<std::uint8_t>(v >> 24), static_cast<std::uint8_t>(v >> 16), static_cast<std::uint8_t>(v >> 8),
          static_cast<std::uint8_t>(v)};
}

// RawClient is a RawPeer that shook hands with a ServerChannel.
struct RawClient {
  explicit RawClient(const TestEpoch& epoch, const ChannelLimits& limits = {}, RequestBudget* budget = nullptr)
      : random("raw client"), server(epoch.identity(), limits, random, now, budget) {
    ClientHandshake handshake({.expectation = epoch.expectation()});
    static_cast<void>(server.on_bytes(*handshake.start(random), now));
    const Bytes answer = output();
    ClientHandshake::Finished done = *handshake.on_server_hello(raw_frame(answer), random);
    static_cast<void>(server.on_bytes(done.client_finish, now));
    peer.emplace(std::move(done.keys));
    settings = peer->read(output());
    events();
  }
  Bytes output() {
    Bytes out = to_bytes(server.output());
    server.consume_output(out.size(), now);
    return out;
  }
  std::vector<RawPeer::Opened> answers() { return peer->read(output()); }
  Status send(RecordKind kind, std::uint8_t flags, StreamId stream, ByteView payload) {
    return server.on_bytes(peer->record(kind, flags, stream, payload), now);
  }
  Status data(StreamId stream, std::string_view text, bool end = true) {
    return server.on_bytes(peer->data(stream, text, end), now);
  }
  std::vector<ServerEvent> events() {
    std::vector<ServerEvent> out;
    ServerEvent event;
    while (server.next_event(event)) out.push_back(std::move(event));
    return out;
  }

  Millis now = 1000;
  SeededRandom random;
  ServerChannel server;
  std::optional<RawPeer> peer;
  std::vector<RawPeer::Opened> settings;
};

// RawServer is a RawPeer that shook hands with a ClientChannel; it has said SETTINGS unless told not to.
struct RawServer {
  explicit RawServer(const TestEpoch& epoch, std::optional<Settings> settings = Settings{})
      : random("raw server"), client(epoch.client_options(), random, 0) {
    ServerHandshake handshake(epoch.identity());
    const Bytes hello = output();
    static_cast<void>(client.on_bytes(*handshake.on_client_hello(raw_frame(hello), random), 0));
    const Bytes finish = output();
    peer.emplace(*handshake.on_client_finish(raw_frame(finish)));
    if (settings) static_cast<void>(send(RecordKind::kSettings, 0, 0, encode_settings(*settings)));
    events();
  }
  Bytes output() {
    Bytes out = to_bytes(client.output());
    client.consume_output(out.size());
    return out;
  }
  std::vector<RawPeer::Opened> said() { return peer->read(output()); }
  Status send(RecordKind kind, std::uint8_t flags, StreamId stream, ByteView payload) {
    return client.on_bytes(peer->record(kind, flags, stream, payload), 0);
  }
  std::vector<ClientEvent> events() {
    std::vector<ClientEvent> out;
    ClientEvent event;
    while (client.next_event(event)) out.push_back(std::move(event));
    return out;
  }

  SeededRandom random;
  ClientChannel client;
  std::optional<RawPeer> peer;
};

}  // namespace eml::test
