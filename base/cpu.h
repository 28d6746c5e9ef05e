// What the processor can do and the operating system lets us use.
#pragma once

#include <string>

namespace eml {

// CpuFeatures are true only if the instruction set is there and the operating system saves its registers (XGETBV).
// On processors other than x86-64 all are false.
struct CpuFeatures {
  bool avx2 = false;         // with FMA
  bool avx512 = false;       // F, BW, DQ, VL
  bool avx512_vnni = false;  // 8-bit dot products
  bool avx512_bf16 = false;
  bool amx_bf16 = false;  // hardware and XCR0 only: using it also needs permission from the kernel (arch_prctl)
  bool amx_int8 = false;
};

// cpu_features asks the processor once; later calls return the same.
const CpuFeatures& cpu_features();

// cpu_hardware is what the processor has, whether or not the operating system saves its registers. To explain, not to
// choose by.
const CpuFeatures& cpu_hardware();

// request_amx asks the kernel once for this process's permission to use tiles; later calls return the same. 0, or an
// errno: EOPNOTSUPP (no such hardware or kernel), EPERM or ENOSYS (seccomp) ... It holds for threads made afterwards.
int request_amx();

// cpu_model is the processor's own name for itself, trimmed; "unknown" where it has none. For benchmark tables.
std::string cpu_model();

}  // namespace eml
