# Compiler, warnings, sanitizers, hardening. Everything here is for the whole tree; -march stays the x86-64 baseline.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines. Use clang++-19 (as the presets do) or g++ 13.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_LINK_DEPENDS_NO_SHARED ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)

find_program(EML_CCACHE ccache)
if(EML_CCACHE)
  # Paths below the tree are hashed as relative ones, so that another clone finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${EML_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# eml_flags carries what every target of ours is compiled and linked with. It is one interface target, so that third-party
# code can be built without our warnings.
add_library(eml_flags INTERFACE)
target_include_directories(eml_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(eml_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough -Wundef -Wunused -Wextra-semi
  -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # The fields that a designated initialiser leaves out have their defaults; to repeat them is noise.
  target_compile_options(eml_flags INTERFACE -Wno-missing-designated-field-initializers)
endif()
if(EML_WERROR)
  target_compile_options(eml_flags INTERFACE -Werror)
endif()

# Absolute paths of the builder do not reach the program, nor ccache's keys.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
find_program(EML_LLD NAMES ld.lld-19 ld.lld)
if(EML_LLD AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_link_options(-fuse-ld=lld)
endif()

foreach(sanitizer IN LISTS EML_SANITIZE)
  add_compile_options(-fsanitize=${sanitizer})
  add_link_options(-fsanitize=${sanitizer})
endforeach()
if(EML_SANITIZE)
  add_compile_options(-fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_compile_definitions(EML_SANITIZED=1)
endif()
if(NOT EML_SANITIZE OR NOT "thread" IN_LIST EML_SANITIZE)
  # Bounds and iterator checks of libstdc++ wherever speed is not the point.
  add_compile_definitions($<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
endif()
if(EML_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(EML_HARDEN)
  add_compile_options(-D_FORTIFY_SOURCE=3 -fstack-clash-protection -fcf-protection=full -ffunction-sections -fdata-sections)
  add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -Wl,--as-needed -Wl,--build-id=sha1 -Wl,-s
    -static-libstdc++ -static-libgcc) # what attests its own bytes must not change with the machine; and it starts faster
endif()
if(EML_LTO)
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin)
endif()
