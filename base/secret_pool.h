// The locked pool behind SecretBytes (secret.h). Internal to base/ and to tests: nobody else allocates here.
//
// One anonymous mapping between two guard pages, cut into chunks of 16 KiB. A chunk serves one size class (powers of
// two from 32 bytes) until its last slot is free; larger secrets take a run of whole chunks. Book-keeping lives outside
// the mapping, so that it holds key material or zeros and nothing else.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "base/secret.h"

namespace eml {

class SecretPool {
 public:
  static constexpr std::size_t kChunkBytes = 16 * 1024;
  // 1 MiB: 8192 epoch, channel and data keys with room to spare, and far below the usual RLIMIT_MEMLOCK of 8 MiB.
  static constexpr std::size_t kChunks = 64;
  static constexpr std::size_t kPoolBytes = kChunkBytes * kChunks;
  static constexpr std::size_t kSlotBytesMin = 32;

  // instance is the process's pool. It is never destroyed, so secrets in static objects stay valid to the end.
  static SecretPool& instance();

  SecretPool();
  SecretPool(const SecretPool&) = delete;
  SecretPool& operator=(const SecretPool&) = delete;

  // allocate gives zeroed memory for `size` bytes (size > 0), from the pool or else, counted, from the heap.
  std::uint8_t* allocate(std::size_t size);
  // release wipes the whole slot and takes it back. `size` is the size that was asked for.
  void release(std::uint8_t* data, std::size_t size) noexcept;

  SecretMemoryStatus status() const;
  bool contains(const std::uint8_t* data) const;
  // count_nonzero_bytes reads the whole pool, free slots too: tests prove with it that nothing is left behind.
  std::size_t count_nonzero_bytes() const;

 private:
  static constexpr std::size_t kSlotsMax = kChunkBytes / kSlotBytesMin;
  struct Chunk {
    std::size_t slot_bytes = 0;  // 0: free
    std::size_t used = 0;        // slots in use
    std::bitset<kSlotsMax> taken;
  };

  std::uint8_t* take_slot(std::size_t slot_bytes);
  std::uint8_t* take_run(std::size_t chunks);
  std::size_t free_run(std::size_t chunks) const;
  std::uint8_t* chunk_data(std::size_t chunk) const { return base_ + chunk * kChunkBytes; }

  mutable std::mutex mutex_;
  std::uint8_t* base_ = nullptr;  // null: no mapping at all, everything falls back
  bool locked_ = false;
  std::size_t used_bytes_ = 0;
  std::size_t fallback_count_ = 0;
  std::array<Chunk, kChunks> chunks_;
};

}  // namespace eml
