#include "engine/kernels/amx_permission.h"

#include "base/cpu.h"

#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace eml::kernels {
namespace {

// Linux saves tile data only for processes that asked. Source: Documentation/arch/x86/xstate.rst.
bool ask() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;               // XFEATURE_XTILE_DATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

}  // namespace

bool amx_permitted() {
  static const bool permitted = cpu_features().avx512 && cpu_features().amx_bf16 && cpu_features().amx_int8 && ask();
  return permitted;
}

}  // namespace eml::kernels
