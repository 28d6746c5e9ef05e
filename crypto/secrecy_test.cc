// What is left in this process's memory after keys have ended, on success and on failure.
//
// The whole address space is read through /proc/self/mem, freed blocks and dead stack frames included. The value that
// is looked for exists in the test only under a mask.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "base/clock.h"
#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/hkdf.h"
#include "crypto/hpke.h"
#include "crypto/init.h"
#include "crypto/key_file.h"
#include "crypto/testing.h"
#include "crypto/x25519.h"

namespace eml {
namespace {

using test::access;

constexpr std::uint8_t kMask = 0xa5;

// Masked is the middle of a secret, so that it cannot be found by looking for it. (Clamping changes the first and the
// last byte of an X25519 key.)
using Masked = ByteArray<16>;

Masked mask(ByteView bytes) {
  Masked out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = bytes[i + 8] ^ kMask;
  return out;
}

Masked mask(const SecretBytes& secret) { return mask(secret.read(access())); }

std::array<std::uint8_t, 1 << 16> window;

// count_in counts `wanted` in the mapping [begin, end), piece by piece; pieces overlap by 15 bytes.
__attribute__((no_sanitize("address", "undefined"))) int count_in(int memory, std::uintptr_t begin, std::uintptr_t end,
                                                                  const Masked& wanted) {
  int found = 0;
  constexpr std::size_t step = window.size() - 15;
  const std::uint8_t* const data = window.data();
  for (std::uintptr_t at = begin; at < end; at += step) {
    const ssize_t got =
        ::pread(memory, window.data(), std::min<std::size_t>(window.size(), end - at), static_cast<off_t>(at));
    if (got < 16) break;
    const std::uint8_t* const last = data + got - 16;
    for (const std::uint8_t* p = data; p <= last; ++p) {
      p = static_cast<const std::uint8_t*>(std::memchr(p, wanted[0] ^ kMask, static_cast<std::size_t>(last - p) + 1));
      if (p == nullptr) break;
      std::size_t same = 1;
      while (same < 16 && (p[same] ^ kMask) == wanted[same]) ++same;
      if (same == 16) ++found;
    }
  }
  return found;
}

// copies counts `wanted` in all writable memory but the window itself and huge mappings (a sanitizer's shadow).
int copies(const Masked& wanted) {
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  EXPECT_GE(memory, 0);
  std::ifstream maps("/proc/self/maps");
  int found = 0;
  const auto window_at = reinterpret_cast<std::uintptr_t>(window.data());
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char access_text[5] = {};
    if (std::sscanf(line.c_str(), "%zx-%zx %4s", &begin, &end, access_text) != 3) continue;
    if (access_text[0] != 'r' || access_text[1] != 'w' || end - begin > (std::uintptr_t{1} << 30)) continue;
    if (begin <= window_at && window_at < end) {
      found += count_in(memory, begin, window_at, wanted);
      begin = window_at + window.size();
    }
    found += count_in(memory, begin, end, wanted);
  }
  ::close(memory);
  wipe(window);
  return found;
}

SecretBytes random_secret(std::size_t size = 32) {
  SecretBytes secret(size);
  system_random().fill(secret.write(access()));
  return secret;
}

TEST(Secrecy, TheSearchFindsALiveSecretAndNotADeadOne) {
  SecretBytes secret = random_secret();
  const Masked wanted = mask(secret);
  EXPECT_EQ(copies(wanted), 1);
  secret.clear();
  EXPECT_EQ(copies(wanted), 0);
}

TEST(Secrecy, TheSearchFindsACopyThatWasFreedWithoutAWipe) {
  SecretBytes secret = random_secret();
  const Masked wanted = mask(secret);
  auto leak = std::make_unique<Bytes>(4096);
  std::ranges::copy(secret.read(access()), leak->begin() + 1000);
  secret.clear();
  leak.reset();
  EXPECT_GE(copies(wanted), 1);
}

TEST(Secrecy, OpenSslHasItsOwnHeapForSecrets) {
  EXPECT_EQ(init_crypto().size_bytes, 262144U);
  EXPECT_EQ(init_crypto().locked, init_crypto().locked) << "a second call changes nothing";
  ByteArray<8> out{};
  ASSERT_EQ(RAND_priv_bytes(out.data(), 8), 1);
  EXPECT_GT(init_crypto().used_bytes, 0U) << "OpenSSL's random generator is not in its locked heap";
}

TEST(Secrecy, PrivateKeysAreInTheLockedPool) {
  const std::size_t before = secret_memory_status().used_bytes;
  {
    const Ed25519Key signer = Ed25519Key::generate(system_random());
    EXPECT_EQ(secret_memory_status().used_bytes, before + 32);
    const X25519Key kem = X25519Key::generate(system_random());
    EXPECT_EQ(secret_memory_status().used_bytes, before + 64);
  }
  EXPECT_EQ(secret_memory_status().used_bytes, before);
}

// The scalar that signs: the first half of the seed's SHA-512.
Masked secret_scalar(const Ed25519Key& key) {
  const SecretBytes seed = key.export_seed(access());
  SecretBytes hash(64);
  EXPECT_EQ(
      EVP_Digest(seed.read(access()).data(), seed.size(), hash.write(access()).data(), nullptr, EVP_sha512(), nullptr),
      1);
  return mask(hash);
}

TEST(Secrecy, AnEd25519KeyIsThereOnceAndThenGone) {
  Masked wanted{};
  Masked scalar{};
  {
    const Ed25519Key key = Ed25519Key::generate(system_random());
    wanted = mask(key.export_seed(access()));
    EXPECT_EQ(copies(wanted), 1);
    scalar = secret_scalar(key);
    EXPECT_EQ(copies(scalar), 0);
    EXPECT_TRUE(verify_ed25519(key.public_key(), as_bytes("x"), key.sign(as_bytes("x"))));
    EXPECT_EQ(copies(wanted), 1) << "signing left a copy";
    EXPECT_EQ(copies(scalar), 0) << "signing left the scalar";
  }
  EXPECT_EQ(copies(wanted), 0);
}

TEST(Secrecy, AnX25519KeyAndItsSharedSecretAreGone) {
  SecretBytes secret = random_secret();
  const Masked private_key = mask(secret);
  Masked shared_secret{};
  {
    const X25519Key key = X25519Key::from_private(std::move(secret));
    EXPECT_EQ(copies(private_key), 1);
    const X25519Key peer = X25519Key::generate(system_random());
    shared_secret = mask(key.shared_secret(peer.public_key()).value());
    EXPECT_FALSE(key.shared_secret(X25519PublicKey{})) << "the failing way, too";
  }
  EXPECT_EQ(copies(private_key), 0);
  EXPECT_EQ(copies(shared_secret), 0);
}

TEST(Secrecy, HkdfLeavesNeitherItsInputsNorItsOutputs) {
  SecretBytes ikm = random_secret();
  SecretBytes prk = hkdf_extract(as_bytes("salt"), ikm);
  SecretBytes out = hkdf_expand(prk, as_bytes("info"), 100);
  const std::array<Masked, 5> wanted = {mask(ikm), mask(prk), mask(out.read(access())),
                                        mask(out.read(access()).subspan(32)), mask(out.read(access()).subspan(64))};
  ikm.clear();
  prk.clear();
  out.clear();
  for (const Masked& each : wanted) EXPECT_EQ(copies(each), 0);
}

TEST(Secrecy, AnAeadKeyAndAPlaintextThatDidNotOpenAreGone) {
  SecretBytes key_bytes = random_secret();
  const Masked key_masked = mask(key_bytes);
  SecretBytes text = random_secret(1000);
  const Masked beginning = mask(text);
  const Masked middle = mask(text.read(access()).subspan(512));
  {
    AeadKey key(key_bytes);
    key_bytes.clear();
    Bytes sealed(1016);
    key.seal(sealed, {}, {}, text.read(access()));
    text.clear();
    sealed.back() ^= 1;
    Bytes out(1000);
    EXPECT_FALSE(key.open(out, {}, {}, sealed));
  }
  EXPECT_EQ(copies(key_masked), 0);
  EXPECT_EQ(copies(beginning), 0);
  EXPECT_EQ(copies(middle), 0);
}

TEST(Secrecy, AnHpkeContextLeavesNothing) {
  std::vector<Masked> wanted;
  {
    SecretBytes skR_bytes = random_secret();
    wanted.push_back(mask(skR_bytes));
    const KemKeyPair skR = KemKeyPair::from_private(kKemX25519HkdfSha256, skR_bytes).value();
    skR_bytes.clear();
    HpkeSender sender =
        HpkeSender::setup(kKemX25519HkdfSha256, skR.public_key(), as_bytes("i"), system_random()).value();
    HpkeReceiver receiver = HpkeReceiver::setup(skR, sender.enc(), as_bytes("i")).value();
    const SecretBytes dek = random_secret();
    wanted.push_back(mask(dek));
    wanted.push_back(mask(sender.export_secret(as_bytes("x"), 32)));
    Bytes sealed = sender.seal(as_bytes("aad"), dek).value();
    EXPECT_TRUE(receiver.open(as_bytes("aad"), sealed));
    sealed[0] ^= 1;
    EXPECT_FALSE(receiver.open(as_bytes("aad"), sealed));
  }
  for (const Masked& each : wanted) EXPECT_EQ(copies(each), 0);
}

TEST(Secrecy, AKeyFileLeavesNeitherSeedNorTextWhetherItDecodesOrNot) {
  for (const bool good : {true, false}) {
    Masked seed{};
    Masked seed_text{};
    {
      const Ed25519Key key = Ed25519Key::generate(system_random());
      seed = mask(key.export_seed(access()));
      auto text = encode_private_key_file(KeyPurpose::kBroker, 0, key);
      const std::size_t seed_at = text.size() - 3 - 43;
      seed_text = mask(ByteView(text).subspan(seed_at));
      EXPECT_EQ(copies(seed_text), 1);
      if (!good) text[text.size() - 2] = 'x';  // the last thing that is read
      EXPECT_EQ(decode_private_key_file(text, KeyPurpose::kBroker).has_value(), good);
      EXPECT_EQ(copies(seed_text), 0);
    }
    EXPECT_EQ(copies(seed), 0);
    EXPECT_EQ(copies(seed_text), 0);
  }
}

}  // namespace
}  // namespace eml
