#include "engine/huge_buffer.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>

namespace eml {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

Result<HugeBuffer> HugeBuffer::allocate(std::size_t floats) {
  const std::size_t bytes = (floats * sizeof(float) + kHugePage - 1) / kHugePage * kHugePage;
  const std::size_t mapped = bytes + kHugePage;  // room to align
  void* base = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) {
    return fail(kEngineMemory, "no memory for the model's weights or buffers", bytes,
                static_cast<std::uint64_t>(errno));
  }
  HugeBuffer out;
  out.base_ = base;
  out.mapped_ = mapped;
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  const std::size_t skip = (kHugePage - address % kHugePage) % kHugePage;
  char* aligned = static_cast<char*>(base) + skip;
  void* start = aligned;
  out.data_ = static_cast<float*>(start);
  out.floats_ = floats;
  // Both are wishes: without them the engine is slower or the core file (off anyway) larger.
  static_cast<void>(madvise(aligned, bytes, MADV_HUGEPAGE));
  static_cast<void>(madvise(aligned, bytes, MADV_DONTDUMP));
  return out;
}

HugeBuffer::~HugeBuffer() {
  if (base_ != nullptr) munmap(base_, mapped_);
}

}  // namespace eml
