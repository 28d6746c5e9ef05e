// SecretBytes holds key material: in memory that is locked, kept out of core dumps and of forked children, and
// wiped on destruction. It cannot be copied, printed or compared with ==. Reading it needs a SecretAccess, and
// there is one greppable way to make one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace eml {

inline constexpr ErrorCode kSecretMemoryUnlocked{ErrorClass::kUnavailable, "secret-memory-unlocked"};
inline constexpr ErrorCode kHardeningFailed{ErrorClass::kUnavailable, "hardening-failed"};

// wipe overwrites `bytes` with zeros in a way that the compiler may not remove. Returns the bytes wiped.
std::size_t wipe(MutableByteView bytes);
std::size_t wipe(void* data, std::size_t size);

// SecretAccess permits reading key material. Only crypto/ and tests make one (a test over the sources says so).
class SecretAccess {
 public:
  static SecretAccess i_am_cryptography_or_a_test() { return SecretAccess(); }

 private:
  SecretAccess() = default;
};

// SecretBytes is a fixed-size buffer from the locked pool. An empty one (size 0) is what a moved-from or wiped
// one becomes. Thread-safety: as a plain buffer.
class SecretBytes {
 public:
  SecretBytes() = default;
  // Zero-filled. Exhaustion of the locked pool falls back to ordinary wiped memory and is counted
  // (secret_memory_status), so that a busy evaluation server degrades visibly rather than fails.
  explicit SecretBytes(std::size_t size);
  ~SecretBytes() { clear(); }
  SecretBytes(SecretBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      clear();
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  bool operator==(const SecretBytes&) const = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  ByteView read(SecretAccess) const { return {data_, size_}; }
  MutableByteView write(SecretAccess) { return {data_, size_}; }

  // clear wipes and gives the memory back; the object is empty afterwards.
  void clear() noexcept;

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// copy_to_secret copies `bytes` into a new secret; the caller wipes the source.
SecretBytes copy_to_secret(ByteView bytes);

// SecretMemoryStatus says how the pool stands, for start-up checks and metrics.
struct SecretMemoryStatus {
  bool locked;                 // mlock, MADV_DONTDUMP and MADV_WIPEONFORK took effect
  std::size_t pool_bytes;      // size of the locked pool
  std::size_t used_bytes;      // handed out now
  std::size_t fallback_count;  // secrets that did not fit into the pool since start
};
SecretMemoryStatus secret_memory_status();

// require_locked_secrets fails with kSecretMemoryUnlocked unless the pool is locked: production mode starts only
// after it succeeded.
Status require_locked_secrets();

// harden_process switches off core dumps and ptrace for this process (RLIMIT_CORE 0, PR_SET_DUMPABLE 0). Fails with
// kHardeningFailed (errno). Called first thing in main, before any secret exists.
Status harden_process();

}  // namespace eml
