#include "base/secret.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/secret_pool.h"

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, size) static_cast<void>(data)
#define ASAN_UNPOISON_MEMORY_REGION(data, size) static_cast<void>(data)
#endif

namespace eml {
namespace {

std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

// The raw system call: sanitizers turn mlock() into a no-op because their shadow memory cannot be locked, but one
// mapping of 1 MiB can.
bool lock(void* data, std::size_t size) {
  const bool locked = ::syscall(SYS_mlock, data, size) == 0;
  const bool no_dump = ::madvise(data, size, MADV_DONTDUMP) == 0;
  // Zeros in a child rather than MADV_DONTFORK's fault: a child may run destructors of secrets.
  const bool no_fork = ::madvise(data, size, MADV_WIPEONFORK) == 0;
  return locked && no_dump && no_fork;
}

}  // namespace

SecretPool& SecretPool::instance() {
  static SecretPool* const pool = new SecretPool;
  return *pool;
}

SecretPool::SecretPool() {
  const std::size_t guard = round_up(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), kChunkBytes);
  void* whole = ::mmap(nullptr, kPoolBytes + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (whole == MAP_FAILED) return;
  std::uint8_t* const data = static_cast<std::uint8_t*>(whole) + guard;
  if (::mprotect(data, kPoolBytes, PROT_READ | PROT_WRITE) != 0) return;
  base_ = data;
  locked_ = lock(base_, kPoolBytes);
  ASAN_POISON_MEMORY_REGION(base_, kPoolBytes);
}

std::uint8_t* SecretPool::allocate(std::size_t size) {
  const std::lock_guard guard(mutex_);
  std::uint8_t* data = nullptr;
  std::size_t held = 0;
  if (base_ != nullptr && size <= kChunkBytes) {
    held = std::max(kSlotBytesMin, std::bit_ceil(size));
    data = take_slot(held);
  } else if (base_ != nullptr && size <= kPoolBytes) {
    held = round_up(size, kChunkBytes);
    data = take_run(held / kChunkBytes);
  }
  if (data == nullptr) {
    ++fallback_count_;
    data = static_cast<std::uint8_t*>(::operator new(size));
    std::memset(data, 0, size);
    return data;
  }
  used_bytes_ += held;
  ASAN_UNPOISON_MEMORY_REGION(data, size);
  return data;
}

std::uint8_t* SecretPool::take_slot(std::size_t slot_bytes) {
  const std::size_t slots = kChunkBytes / slot_bytes;
  std::size_t chosen = kChunks;
  for (std::size_t i = 0; i < kChunks; ++i) {
    if (chunks_[i].slot_bytes == slot_bytes && chunks_[i].used < slots) {
      chosen = i;
      break;
    }
    if (chunks_[i].slot_bytes == 0 && chosen == kChunks) chosen = i;
  }
  if (chosen == kChunks) return nullptr;
  Chunk& chunk = chunks_[chosen];
  chunk.slot_bytes = slot_bytes;
  std::size_t slot = 0;
  while (chunk.taken[slot]) ++slot;
  chunk.taken[slot] = true;
  ++chunk.used;
  return chunk_data(chosen) + slot * slot_bytes;
}

std::size_t SecretPool::free_run(std::size_t chunks) const {
  std::size_t run = 0;
  for (std::size_t i = 0; i < kChunks; ++i) {
    run = chunks_[i].slot_bytes == 0 ? run + 1 : 0;
    if (run == chunks) return i + 1 - chunks;
  }
  return kChunks;
}

std::uint8_t* SecretPool::take_run(std::size_t chunks) {
  const std::size_t first = free_run(chunks);
  if (first == kChunks) return nullptr;
  for (std::size_t i = first; i < first + chunks; ++i) {
    chunks_[i].slot_bytes = kChunkBytes;
    chunks_[i].used = 1;
    chunks_[i].taken[0] = true;
  }
  return chunk_data(first);
}

void SecretPool::release(std::uint8_t* data, std::size_t size) noexcept {
  wipe(data, size);
  if (!contains(data)) {
    ::operator delete(data);
    return;
  }
  const std::lock_guard guard(mutex_);
  const std::size_t offset = static_cast<std::size_t>(data - base_);
  const std::size_t first = offset / kChunkBytes;
  if (size > kChunkBytes) {
    const std::size_t held = round_up(size, kChunkBytes);
    for (std::size_t i = first; i < first + held / kChunkBytes; ++i) chunks_[i] = Chunk{};
    used_bytes_ -= held;
    ASAN_POISON_MEMORY_REGION(data, held);
    return;
  }
  Chunk& chunk = chunks_[first];
  used_bytes_ -= chunk.slot_bytes;
  ASAN_POISON_MEMORY_REGION(data, chunk.slot_bytes);
  chunk.taken[offset % kChunkBytes / chunk.slot_bytes] = false;
  if (--chunk.used == 0) chunk.slot_bytes = 0;
}

bool SecretPool::contains(const std::uint8_t* data) const {
  return base_ != nullptr && data >= base_ && data < base_ + kPoolBytes;
}

SecretMemoryStatus SecretPool::status() const {
  const std::lock_guard guard(mutex_);
  return {.locked = locked_,
          .pool_bytes = base_ == nullptr ? 0 : kPoolBytes,
          .used_bytes = used_bytes_,
          .fallback_count = fallback_count_};
}

// Free slots are poisoned under AddressSanitizer; reading them is the point here.
__attribute__((no_sanitize("address"))) std::size_t SecretPool::count_nonzero_bytes() const {
  const std::lock_guard guard(mutex_);
  std::size_t count = 0;
  const volatile std::uint8_t* const data = base_;
  for (std::size_t i = 0; base_ != nullptr && i < kPoolBytes; ++i) count += data[i] != 0 ? 1U : 0U;
  return count;
}

SecretBytes::SecretBytes(std::size_t size)
    : data_(size == 0 ? nullptr : SecretPool::instance().allocate(size)), size_(size) {}

void SecretBytes::clear() noexcept {
  if (data_ != nullptr) SecretPool::instance().release(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

SecretBytes copy_to_secret(ByteView bytes) {
  SecretBytes secret(bytes.size());
  std::ranges::copy(bytes, secret.write(SecretAccess::i_am_cryptography_or_a_test()).begin());
  return secret;
}

SecretMemoryStatus secret_memory_status() { return SecretPool::instance().status(); }

Status require_locked_secrets() {
  const SecretMemoryStatus status = secret_memory_status();
  if (status.locked) return {};
  return fail(kSecretMemoryUnlocked,
              "memory for keys cannot be locked; raise RLIMIT_MEMLOCK (ulimit -l) to 1 MiB or more", status.pool_bytes);
}

Status harden_process() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) {
    return fail(kHardeningFailed, "core dumps cannot be switched off", static_cast<std::uint64_t>(errno));
  }
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail(kHardeningFailed, "ptrace cannot be switched off", static_cast<std::uint64_t>(errno));
  }
  return {};
}

}  // namespace eml
