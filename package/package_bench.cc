// Decryption of a package beside what it is made of: ChaCha20-Poly1305 alone over the same segments, and SHA-256 alone.
// Real time: decrypt_file on two threads is to be compared with both halves on one.
#include <benchmark/benchmark.h>

#include <atomic>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "package/dek.h"
#include "package/encrypted_file.h"

namespace eml {
namespace {

constexpr std::size_t kSize = 90'868'376;  // the weights of all-MiniLM-L6-v2

struct File {
  File() {
    system_random().fill(plaintext);
    hash = sha256(plaintext);
    const auto status = encrypt_file(context, dek, plaintext, system_random(), [&](ByteView bytes) -> Status {
      file.insert(file.end(), bytes.begin(), bytes.end());
      return {};
    });
    if (!status) std::abort();
  }
  FileContext context{.package_id = {}, .path = "model.safetensors", .plaintext_size = kSize};
  SecretBytes dek = random_dek(system_random());
  Bytes plaintext = Bytes(kSize);
  Hash32 hash{};
  Bytes file;
  Bytes target = Bytes(kSize);
};

File& shared_file() {
  static File file;
  return file;
}

ParallelFor on_threads(std::size_t threads) {
  return [threads](std::size_t count, const std::function<void(std::size_t)>& body) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < count; i = next++) body(i);
    };
    std::vector<std::thread> others;
    for (std::size_t t = 1; t < threads; ++t) others.emplace_back(work);
    work();
    for (std::thread& thread : others) thread.join();
  };
}

void set_rate(benchmark::State& state) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kSize));
}

void decrypt(benchmark::State& state) {
  File& file = shared_file();
  const ParallelFor parallel_for = on_threads(static_cast<std::size_t>(state.range(0)));
  const ViewSource source(file.file);
  for (auto _ : state) {
    if (!decrypt_file(source, file.context, file.hash, file.dek, file.target, parallel_for)) std::abort();
  }
  set_rate(state);
}
BENCHMARK(decrypt)->Arg(1)->Arg(2)->Arg(4)->UseRealTime()->Unit(benchmark::kMillisecond);

void aead_alone(benchmark::State& state) {
  File& file = shared_file();
  AeadKey key(file.dek);
  Bytes sealed(kSegmentSize + kAeadTagSize);
  key.seal(sealed, {}, {}, ByteView(file.plaintext).first(kSegmentSize));
  for (auto _ : state) {
    for (std::size_t at = 0; at + kSegmentSize <= kSize; at += kSegmentSize) {
      if (!key.open(MutableByteView(file.target).subspan(at, kSegmentSize), {}, {}, sealed)) std::abort();
    }
  }
  set_rate(state);
}
BENCHMARK(aead_alone)->UseRealTime()->Unit(benchmark::kMillisecond);

void sha256_alone(benchmark::State& state) {
  const File& file = shared_file();
  for (auto _ : state) benchmark::DoNotOptimize(sha256(file.plaintext));
  set_rate(state);
}
BENCHMARK(sha256_alone)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace eml
