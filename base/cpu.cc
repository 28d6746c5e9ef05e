#include "base/cpu.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace eml {
namespace {

#if defined(__x86_64__)

struct Leaf {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

Leaf cpuid(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  Leaf out;
  if (__get_cpuid_count(leaf, subleaf, &out.a, &out.b, &out.c, &out.d) == 0) return {};
  return out;
}

bool bit(std::uint32_t word, unsigned index) { return ((word >> index) & 1U) != 0; }

// Read by the instruction itself: the intrinsic would need a target attribute.
std::uint64_t xcr0() {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

constexpr std::uint64_t kAllState = ~std::uint64_t{0};

std::uint64_t saved_state() { return bit(cpuid(1).c, 27) ? xcr0() : 0; }

CpuFeatures detect(std::uint64_t state) {
  CpuFeatures out;
  const Leaf one = cpuid(1);
  const bool os_avx = (state & 0x6) == 0x6;          // XMM, YMM
  const bool os_avx512 = (state & 0xe6) == 0xe6;     // and opmask, ZMM
  const bool os_amx = (state & 0x60000) == 0x60000;  // TILECFG, TILEDATA
  const Leaf seven = cpuid(7);
  const Leaf seven_one = cpuid(7, 1);
  out.avx2 = os_avx && bit(one.c, 28) && bit(one.c, 12) && bit(seven.b, 5);
  out.avx512 = os_avx512 && out.avx2 && bit(seven.b, 16) && bit(seven.b, 17) && bit(seven.b, 30) && bit(seven.b, 31);
  out.avx512_vnni = out.avx512 && bit(seven.c, 11);
  out.avx512_bf16 = out.avx512 && bit(seven_one.a, 5);
  out.amx_bf16 = os_amx && bit(seven.d, 24) && bit(seven.d, 22);
  out.amx_int8 = os_amx && bit(seven.d, 24) && bit(seven.d, 25);
  return out;
}

#else

constexpr std::uint64_t kAllState = 0;

std::uint64_t saved_state() { return 0; }

CpuFeatures detect(std::uint64_t) { return {}; }

#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect(saved_state());
  return features;
}

const CpuFeatures& cpu_hardware() {
  static const CpuFeatures features = detect(kAllState);
  return features;
}

int request_amx() {
#if defined(__x86_64__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  static const int result = ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0 ? 0 : errno;
  return result;
#else
  return EOPNOTSUPP;
#endif
}

std::string cpu_model() {
#if defined(__x86_64__)
  std::array<char, 49> name{};
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Leaf part = cpuid(0x80000002U + i);
    std::memcpy(name.data() + 16U * i, &part, sizeof part);
  }
  const std::string text(name.data());
  const std::size_t first = text.find_first_not_of(' ');
  if (first != std::string::npos) return text.substr(first, text.find_last_not_of(' ') - first + 1);
#endif
  return "unknown";
}

}  // namespace eml
