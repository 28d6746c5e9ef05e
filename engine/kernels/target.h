// How a region of functions gets an instruction set that the rest of the tree must not use. -m flags would leak it into
// inline functions of shared headers; these attributes reach only what stands between the two macros.
#pragma once

#define EML_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define EML_TARGET_BEGIN(features) \
  EML_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define EML_TARGET_END EML_PRAGMA(clang attribute pop)
#define EML_UNROLL EML_PRAGMA(clang loop unroll(full))
#else
#define EML_TARGET_BEGIN(features) EML_PRAGMA(GCC push_options) EML_PRAGMA(GCC target(features))
#define EML_TARGET_END EML_PRAGMA(GCC pop_options)
#define EML_UNROLL EML_PRAGMA(GCC unroll 16)
#endif

#define EML_KERNEL [[gnu::always_inline]] inline
#define EML_KERNEL_LAMBDA __attribute__((always_inline))
