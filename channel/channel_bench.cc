// What the channel costs, beside the cipher alone: handshakes with local evidence, records, whole bodies, a round trip.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <openssl/evp.h>

#include "tests/support/channel_pair.h"

namespace {

using namespace eml;
using namespace eml::test;

const TestEpoch& epoch() {
  static const TestEpoch one;
  return one;
}

// As the programs do at start: bodies of a MiB come and go, and giving each back to the kernel costs more than opening
// it.
[[maybe_unused]] const bool kKeepHeap =
    mallopt(M_MMAP_THRESHOLD, 64 << 20) != 0 && mallopt(M_TRIM_THRESHOLD, 128 << 20) != 0;

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * static_cast<std::int64_t>(state.iterations()));
}

// The yardstick: ChaCha20-Poly1305 of OpenSSL on records of that size, one context, a nonce per record.
void raw_evp(benchmark::State& state) {
  const auto record = static_cast<std::size_t>(state.range(0));
  const auto body = static_cast<std::size_t>(state.range(1));
  Bytes in(record, 1);
  Bytes out(record + 16);
  EVP_CIPHER_CTX* ctx = EVP_CIPHER_CTX_new();
  const Bytes key(32, 2);
  Bytes nonce(12);
  EVP_EncryptInit_ex2(ctx, EVP_chacha20_poly1305(), key.data(), nonce.data(), nullptr);
  for (auto _ : state) {
    for (std::size_t done = 0; done < body; done += record) {
      int n = 0;
      ++nonce[0];
      EVP_EncryptInit_ex2(ctx, nullptr, nullptr, nonce.data(), nullptr);
      EVP_EncryptUpdate(ctx, nullptr, &n, in.data(), 5);
      EVP_EncryptUpdate(ctx, out.data(), &n, in.data(), static_cast<int>(record));
      EVP_EncryptFinal_ex(ctx, out.data() + record, &n);
      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out.data() + record);
    }
    benchmark::DoNotOptimize(out.data());
  }
  EVP_CIPHER_CTX_free(ctx);
  count_bytes(state, body);
}
BENCHMARK(raw_evp)->Args({16384, 16384})->Args({16384, 1 << 20})->Args({1 << 20, 1 << 20});

void seal_records(benchmark::State& state) {
  RecordSealer sealer{KeyChain(copy_to_secret(Bytes(32, 1)))};
  // Not at the same place of a page as `out`: there a copy stalls on its own stores, which bodies meet by chance only.
  const Bytes memory(kDataPayloadMax + 64, 7);
  const ByteView payload = ByteView(memory).subspan(64);
  Bytes out(RecordSealer::frame_size(payload.size(), Padding::kPadme));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sealer.seal(out, {.kind = RecordKind::kData, .stream = 1, .payload = payload}));
  }
  count_bytes(state, payload.size());
}
BENCHMARK(seal_records);

void open_records(benchmark::State& state) {
  // Enough records for one pass; sealing them is not timed.
  constexpr std::size_t kRecords = 64;
  RecordSealer sealer{KeyChain(copy_to_secret(Bytes(32, 1)))};
  const Bytes payload(kDataPayloadMax, 7);
  const std::size_t size = RecordSealer::frame_size(payload.size(), Padding::kPadme);
  Bytes wire(kRecords * size);
  for (std::size_t i = 0; i < kRecords; ++i) {
    static_cast<void>(
        sealer.seal(MutableByteView(wire).subspan(i * size, size), {.kind = RecordKind::kData, .payload = payload}));
  }
  Bytes plain(size - kFrameHeaderSize - kAeadTagSize);
  for (auto _ : state) {
    state.PauseTiming();
    RecordOpener opener{KeyChain(copy_to_secret(Bytes(32, 1)))};
    state.ResumeTiming();
    for (std::size_t i = 0; i < kRecords; ++i) {
      benchmark::DoNotOptimize(opener.open(plain, raw_frame(ByteView(wire).subspan(i * size, size))));
    }
  }
  count_bytes(state, kRecords * payload.size());
}
BENCHMARK(open_records);

void hello_of_client(benchmark::State& state) {
  for (auto _ : state) {
    ClientHandshake client({.expectation = epoch().expectation()});
    benchmark::DoNotOptimize(client.start(system_random()));
  }
}
BENCHMARK(hello_of_client);

void handshake_of_server(benchmark::State& state) {
  SeededRandom random("bench");
  ClientHandshake client({.expectation = epoch().expectation()});
  const Bytes hello = *client.start(random);
  const Bytes enc(32, 9);
  const Bytes finish = frame_bytes(3, enc);
  for (auto _ : state) {
    ServerHandshake server(epoch().identity());
    benchmark::DoNotOptimize(server.on_client_hello(raw_frame(hello), system_random()));
    benchmark::DoNotOptimize(server.on_client_finish(raw_frame(finish)));
  }
}
BENCHMARK(handshake_of_server);

// All of the client's work after the network: six checks of the evidence (or none of them, if remembered), signature,
// HPKE.
void handshake_of_client(benchmark::State& state) {
  VerifiedBundleCache cache;
  for (auto _ : state) {
    state.PauseTiming();
    ClientHandshake client({.expectation = epoch().expectation(), .cache = state.range(0) != 0 ? &cache : nullptr});
    ServerHandshake server(epoch().identity());
    const Bytes hello = *client.start(system_random());
    const Bytes answer = *server.on_client_hello(raw_frame(hello), system_random());
    state.ResumeTiming();
    benchmark::DoNotOptimize(client.on_server_hello(raw_frame(answer), system_random()));
  }
}
BENCHMARK(handshake_of_client)->ArgName("remembered")->Arg(0)->Arg(1);

void handshake_of_both(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(shake_hands(epoch(), system_random()));
}
BENCHMARK(handshake_of_both);

// carry moves all that one end says to the other, in pieces as a socket would give them.
template <typename From, typename To>
void carry(From& from, To& to, const auto& consume) {
  for (ByteView out = from.output(); !out.empty(); out = from.output()) {
    static_cast<void>(to.on_bytes(out, 0));
    consume(out.size());
  }
}

// A body from the server to the client: sealed, opened, put together. Both ends on one core.
void body_both_ends(benchmark::State& state) {
  Pair pair(epoch());
  pair.settle();
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    const StreamId id = *pair.client.send_request(UserText("q"));
    UserText body;
    body.resize(size);
    pair.settle();
    state.ResumeTiming();
    static_cast<void>(pair.server.send_response(id, std::move(body)));
    static_cast<void>(pair.server.send_statement(id, as_bytes("r"), StatementPosition::kLast));
    carry(pair.server, pair.client, [&](std::size_t n) { pair.server.consume_output(n, 0); });
    state.PauseTiming();
    pair.collect();
    pair.server_events.clear();
    pair.client_events.clear();
    state.ResumeTiming();
  }
  count_bytes(state, size);
}
BENCHMARK(body_both_ends)->Arg(16384)->Arg(1 << 20);

// The server's end alone: what send_response costs until the last byte is ready to be written.
void body_sealed(benchmark::State& state) {
  Pair pair(epoch());
  pair.settle();
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    const StreamId id = *pair.client.send_request(UserText("q"));
    UserText body;
    body.resize(size);
    static_cast<void>(pair.server.on_bytes(pair.take_client_output(), 0));
    state.ResumeTiming();
    static_cast<void>(pair.server.send_response(id, std::move(body)));
    for (std::size_t n = pair.server.output().size(); n != 0; n = pair.server.output().size())
      pair.server.consume_output(n, 0);
    state.PauseTiming();
    static_cast<void>(pair.server.send_statement(id, as_bytes("r"), StatementPosition::kLast));
    for (std::size_t n = pair.server.output().size(); n != 0; n = pair.server.output().size())
      pair.server.consume_output(n, 0);
    pair.client.cancel(id);
    pair.collect();
    pair.server_events.clear();
    pair.client_events.clear();
    state.ResumeTiming();
  }
  count_bytes(state, size);
}
BENCHMARK(body_sealed)->Arg(16384)->Arg(1 << 20);

// 64 bytes there and back with two statements, both ends, no socket.
void round_trip_64_bytes(benchmark::State& state) {
  Pair pair(epoch());
  pair.settle();
  const std::string text(64, 'x');
  ServerEvent asked;
  ClientEvent answered;
  for (auto _ : state) {
    const StreamId id = *pair.client.send_request(UserText(text));
    carry(pair.client, pair.server, [&](std::size_t n) { pair.client.consume_output(n); });
    while (pair.server.next_event(asked)) {
    }
    static_cast<void>(pair.server.send_response(id, UserText(text)));
    static_cast<void>(pair.server.send_statement(id, as_bytes(text), StatementPosition::kMore));
    static_cast<void>(pair.server.send_statement(id, as_bytes(text), StatementPosition::kLast));
    carry(pair.server, pair.client, [&](std::size_t n) { pair.server.consume_output(n, 0); });
    while (pair.client.next_event(answered)) {
    }
    while (pair.server.next_event(asked)) {
    }
  }
}
BENCHMARK(round_trip_64_bytes);

}  // namespace
