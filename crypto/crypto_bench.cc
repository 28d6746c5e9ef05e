// Costs of the primitives, next to OpenSSL's own interface where a comparison says what our layer adds.
#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/hpke.h"
#include "crypto/openssl.h"
#include "crypto/testing.h"
#include "crypto/x25519.h"

namespace eml {
namespace {

using test::CountingRandom;

void set_bytes(benchmark::State& state) { state.SetBytesProcessed(state.iterations() * state.range(0)); }

void sha256_whole(benchmark::State& state) {
  const Bytes text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(sha256(text));
  set_bytes(state);
}
BENCHMARK(sha256_whole)->Arg(64)->Arg(1024)->Arg(65536)->Arg(1 << 20);

void x25519_keygen(benchmark::State& state) {
  CountingRandom random;
  for (auto _ : state) benchmark::DoNotOptimize(X25519Key::generate(random));
}
BENCHMARK(x25519_keygen);

void x25519_shared_secret(benchmark::State& state) {
  CountingRandom random;
  const X25519Key a = X25519Key::generate(random);
  const X25519Key b = X25519Key::generate(random);
  for (auto _ : state) benchmark::DoNotOptimize(a.shared_secret(b.public_key()));
}
BENCHMARK(x25519_shared_secret);

void ed25519_sign(benchmark::State& state) {
  CountingRandom random;
  const Ed25519Key key = Ed25519Key::generate(random);
  const Bytes text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(text));
}
BENCHMARK(ed25519_sign)->Arg(64)->Arg(1024);

void ed25519_verify(benchmark::State& state) {
  CountingRandom random;
  const Ed25519Key key = Ed25519Key::generate(random);
  const Bytes text(static_cast<std::size_t>(state.range(0)), 'x');
  const Ed25519Signature signature = key.sign(text);
  for (auto _ : state) benchmark::DoNotOptimize(verify_ed25519(key.public_key(), text, signature));
}
BENCHMARK(ed25519_verify)->Arg(64)->Arg(1024);

void hkdf_expand_32(benchmark::State& state) {
  const SecretBytes prk(32);
  for (auto _ : state) benchmark::DoNotOptimize(hkdf_expand(prk, label("eml key v1"), 32));
}
BENCHMARK(hkdf_expand_32);

const Bytes kInfo(48, 'i');

void hpke_setup_sender(benchmark::State& state) {
  CountingRandom random;
  const KemKeyPair skR = *KemKeyPair::generate(kKemX25519HkdfSha256, random);
  for (auto _ : state) {
    benchmark::DoNotOptimize(HpkeSender::setup(kKemX25519HkdfSha256, skR.public_key(), kInfo, random));
  }
}
BENCHMARK(hpke_setup_sender);

void hpke_setup_receiver(benchmark::State& state) {
  CountingRandom random;
  const KemKeyPair skR = *KemKeyPair::generate(kKemX25519HkdfSha256, random);
  const HpkeSender sender = *HpkeSender::setup(kKemX25519HkdfSha256, skR.public_key(), kInfo, random);
  for (auto _ : state) benchmark::DoNotOptimize(HpkeReceiver::setup(skR, sender.enc(), kInfo));
}
BENCHMARK(hpke_setup_receiver);

// The cryptography of one handshake, both sides on one core: fresh KEM key, server's signature, client's verification
// of it, encapsulation, decapsulation, three exports each. Evidence is not part of it.
void handshake_primitives(benchmark::State& state) {
  CountingRandom random;
  const Ed25519Key channel_key = Ed25519Key::generate(random);
  const Bytes t1(52, 't');
  for (auto _ : state) {
    const KemKeyPair skR = *KemKeyPair::generate(kKemX25519HkdfSha256, random);
    const Ed25519Signature signature = channel_key.sign(t1);
    if (!verify_ed25519(channel_key.public_key(), t1, signature)) std::abort();
    const HpkeSender sender = *HpkeSender::setup(kKemX25519HkdfSha256, skR.public_key(), kInfo, random);
    const HpkeReceiver receiver = *HpkeReceiver::setup(skR, sender.enc(), kInfo);
    for (const char* name : {"eml c2s v1", "eml s2c v1", "eml channel id v1"}) {
      benchmark::DoNotOptimize(sender.export_secret(label(name), 32));
      benchmark::DoNotOptimize(receiver.export_secret(label(name), 32));
    }
  }
}
BENCHMARK(handshake_primitives);

constexpr ByteArray<kAeadNonceSize> kNonce = {1};
const Bytes kAad(5, 'a');

void aead_seal(benchmark::State& state) {
  AeadKey key{SecretBytes(kAeadKeySize)};
  Bytes buffer(static_cast<std::size_t>(state.range(0)) + kAeadTagSize);
  for (auto _ : state) {
    key.seal(buffer, kNonce, kAad, ByteView(buffer).first(buffer.size() - kAeadTagSize));
    benchmark::ClobberMemory();
  }
  set_bytes(state);
}
BENCHMARK(aead_seal)->Arg(64)->Arg(16384)->Arg(65536);

void aead_open(benchmark::State& state) {
  AeadKey key{SecretBytes(kAeadKeySize)};
  Bytes sealed(static_cast<std::size_t>(state.range(0)) + kAeadTagSize);
  key.seal(sealed, kNonce, kAad, ByteView(sealed).first(sealed.size() - kAeadTagSize));
  Bytes out(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    if (!key.open(out, kNonce, kAad, sealed)) std::abort();
    benchmark::ClobberMemory();
  }
  set_bytes(state);
}
BENCHMARK(aead_open)->Arg(64)->Arg(16384)->Arg(65536);

// OpenSSL by itself, written as `openssl speed -evp` does it: one keyed context, a nonce a record, no checks.
void aead_seal_raw_evp(benchmark::State& state) {
  const openssl::CipherCtx ctx(EVP_CIPHER_CTX_new());
  const Bytes key(32);
  EVP_EncryptInit_ex(ctx.get(), EVP_chacha20_poly1305(), nullptr, key.data(), nullptr);
  Bytes buffer(static_cast<std::size_t>(state.range(0)) + kAeadTagSize);
  const int size = static_cast<int>(state.range(0));
  int written = 0;
  for (auto _ : state) {
    EVP_EncryptInit_ex(ctx.get(), nullptr, nullptr, nullptr, kNonce.data());
    EVP_EncryptUpdate(ctx.get(), nullptr, &written, kAad.data(), 5);
    EVP_EncryptUpdate(ctx.get(), buffer.data(), &written, buffer.data(), size);
    EVP_EncryptFinal_ex(ctx.get(), buffer.data() + size, &written);
    EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_GET_TAG, 16, buffer.data() + size);
    benchmark::ClobberMemory();
  }
  set_bytes(state);
}
BENCHMARK(aead_seal_raw_evp)->Arg(64)->Arg(16384)->Arg(65536);

}  // namespace
}  // namespace eml
