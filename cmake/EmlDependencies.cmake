# What we use of others, each as one target eml_dep_NAME with system include paths. What ends up in the program is linked
# statically: a program that attests its own bytes must not change with the machine's libraries.

find_package(Threads REQUIRED)

# OpenSSL 3.5 LTS: the machine's if it has that release as a static library (Debian 13), else our own, built once into the
# user's cache.
set(OPENSSL_USE_STATIC_LIBS TRUE)
macro(eml_forget_openssl)
  foreach(entry OPENSSL_INCLUDE_DIR OPENSSL_CRYPTO_LIBRARY OPENSSL_SSL_LIBRARY)
    unset(${entry} CACHE)
    unset(${entry})
  endforeach()
endmacro()
if(NOT OPENSSL_ROOT_DIR)
  find_package(OpenSSL 3.5 QUIET)
  if(NOT OPENSSL_FOUND OR OPENSSL_VERSION VERSION_GREATER_EQUAL 3.6)
    message(STATUS "OpenSSL 3.5: not on this machine, using tools/openssl")
    set(EML_OWN_OPENSSL ON CACHE INTERNAL "OPENSSL_ROOT_DIR is where tools/openssl built it")
  endif()
endif()
if(EML_OWN_OPENSSL)
  # Asked each time: a build folder must not go on with the release that it was first configured with.
  execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/openssl OUTPUT_VARIABLE eml_openssl OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  if(NOT OPENSSL_ROOT_DIR STREQUAL eml_openssl)
    eml_forget_openssl()
    set(OPENSSL_ROOT_DIR ${eml_openssl} CACHE PATH "static OpenSSL 3.5" FORCE)
  endif()
endif()
find_package(OpenSSL 3.5 REQUIRED)
add_library(eml_dep_crypto INTERFACE)
target_link_libraries(eml_dep_crypto INTERFACE OpenSSL::Crypto Threads::Threads)
add_library(eml_dep_ssl INTERFACE)
target_link_libraries(eml_dep_ssl INTERFACE OpenSSL::SSL eml_dep_crypto)
# By name and never ALL: that hides the sanitizers' own interceptors.
target_link_options(eml_dep_crypto INTERFACE -Wl,--exclude-libs,libssl.a:libcrypto.a)

set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81.0 EXACT REQUIRED CONFIG COMPONENTS headers json url)
add_library(eml_dep_asio STATIC third_party/asio/asio.cc)
target_link_libraries(eml_dep_asio PUBLIC Boost::headers Threads::Threads)
target_compile_definitions(eml_dep_asio PUBLIC BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION)
add_library(eml_dep_json INTERFACE)
target_link_libraries(eml_dep_json INTERFACE Boost::json)
add_library(eml_dep_url INTERFACE)
target_link_libraries(eml_dep_url INTERFACE Boost::url)

# Debian ships fmt as a shared library only, and its header-only form costs every file a second; so one file of it is ours.
find_package(fmt 9 REQUIRED)
get_target_property(eml_fmt_include fmt::fmt INTERFACE_INCLUDE_DIRECTORIES)
add_library(eml_dep_fmt STATIC third_party/fmt/format.cc)
target_include_directories(eml_dep_fmt SYSTEM PUBLIC ${eml_fmt_include})

# eml_static_archive makes eml_dep_<name> out of an archive and a header, for libraries whose CMake package or pkg-config
# file only knows the shared form.
function(eml_static_archive name archive header)
  find_library(EML_ARCHIVE_${name} NAMES ${archive})
  find_path(EML_INCLUDE_${name} NAMES ${header})
  if(EML_ARCHIVE_${name} AND EML_INCLUDE_${name})
    add_library(eml_dep_${name} INTERFACE)
    target_link_libraries(eml_dep_${name} INTERFACE ${EML_ARCHIVE_${name}} ${CMAKE_DL_LIBS} Threads::Threads ${ARGN})
    target_include_directories(eml_dep_${name} SYSTEM INTERFACE ${EML_INCLUDE_${name}})
  else()
    message(FATAL_ERROR "${archive} or ${header} is missing: ./dev setup installs it")
  endif()
endfunction()
eml_static_archive(pcre2 libpcre2-8.a pcre2.h)
eml_static_archive(utf8proc libutf8proc.a utf8proc.h)
target_compile_definitions(eml_dep_utf8proc INTERFACE UTF8PROC_STATIC)
eml_static_archive(sqlite libsqlite3.a sqlite3.h m)

# Header-only.
find_path(EML_INCLUDE_toml toml++/toml.h REQUIRED)
add_library(eml_dep_toml INTERFACE)
target_include_directories(eml_dep_toml SYSTEM INTERFACE ${EML_INCLUDE_toml})
find_path(EML_INCLUDE_cli11 CLI/CLI.hpp REQUIRED)
add_library(eml_dep_cli11 INTERFACE)
target_include_directories(eml_dep_cli11 SYSTEM INTERFACE ${EML_INCLUDE_cli11})

if(EML_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  include(GoogleTest)
endif()
if(EML_BENCH)
  find_package(benchmark REQUIRED)
endif()
