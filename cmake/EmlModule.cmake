# eml_module(<folder> DEPS <folders...> [SUBFOLDERS <names...>] [PUBLIC_LIBS ...] [PRIVATE_LIBS ...] [TEST_LIBS ...]) makes
# the targets of one folder, with those subfolders that are no folder of their own in cmake/layers.txt:
#
#   eml_<folder>      static library of *.cc, or an interface library while there is none
#   <folder>_test     *_test.cc with GoogleTest, one ctest entry a case
#   <x>_fuzz          x_fuzz.cc with libFuzzer, where EML_FUZZ is on; tests/fuzz_corpus/<x>/ replayed is one ctest entry
#   <folder>_bench    *_bench.cc with Google Benchmark, in preset `bench`
#
# `/` becomes `_` in names. DEPS are folders; each must be allowed by cmake/layers.txt. LIBS are targets of
# cmake/EmlDependencies.cmake: eml_dep_crypto, _ssl, _asio, _json, _url, _fmt, _pcre2, _utf8proc, _sqlite, _toml, _cli11.
# What a public header includes is PUBLIC; the rest is PRIVATE. eml_dep_fmt is given to every module.
#
# Elsewhere: eml_test, eml_fuzz, eml_judge_test (below), for whole-system tests in tests/<x>/CMakeLists.txt.
#
# eml_archive(<name> <folder> [LIBS ...]) makes one static archive of a folder and all below it (below).
#
# eml_program(<folder> [NAME <file name>] DEPS ... [LIBS ...]) makes a program of *.cc in the folder.

# Reads cmake/layers.txt into EML_FOLDERS, EML_MAY_<folder> (direct) and EML_REACH_<folder> (with all that these reach).
macro(eml_read_layers)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/layers.txt)
  file(STRINGS ${CMAKE_SOURCE_DIR}/cmake/layers.txt eml_lines REGEX "^[a-z]")
  set(EML_FOLDERS "")
  foreach(line IN LISTS eml_lines)
    if(NOT line MATCHES "^([a-z/_]+)( pure)?:(.*)$")
      message(FATAL_ERROR "cmake/layers.txt: not a rule: ${line}")
    endif()
    set(folder ${CMAKE_MATCH_1})
    separate_arguments(direct UNIX_COMMAND "${CMAKE_MATCH_3}")
    set(reach ${direct})
    foreach(dep IN LISTS direct)
      if(NOT dep IN_LIST EML_FOLDERS)
        message(FATAL_ERROR "cmake/layers.txt: ${folder} may include ${dep}, which is not below it")
      endif()
      list(APPEND reach ${EML_REACH_${dep}})
    endforeach()
    list(REMOVE_DUPLICATES reach)
    list(APPEND EML_FOLDERS ${folder})
    set(EML_REACH_${folder} ${reach})
  endforeach()
endmacro()
eml_read_layers()

function(eml_check_deps folder)
  # apps/<x> is ruled by `apps`, and is the same folder to the table as any other apps/<y>.
  string(REGEX REPLACE "^apps/.*" "apps" rule ${folder})
  if(NOT rule IN_LIST EML_FOLDERS)
    message(FATAL_ERROR "${folder} has no rule in cmake/layers.txt")
  endif()
  foreach(dep IN LISTS ARGN)
    if(NOT dep IN_LIST EML_REACH_${rule} AND NOT (rule STREQUAL "apps" AND dep MATCHES "^apps/"))
      message(FATAL_ERROR "${folder} must not depend on ${dep} (cmake/layers.txt)")
    endif()
    set_property(GLOBAL APPEND PROPERTY EML_WANTED "${folder}>${dep}")
  endforeach()
endfunction()

# A dependency on a folder that does not exist is an error, but only at the end: folders may come in any order.
function(eml_check_modules)
  get_property(wanted GLOBAL PROPERTY EML_WANTED)
  foreach(pair IN LISTS wanted)
    string(REPLACE ">" ";" pair ${pair})
    list(GET pair 0 folder)
    list(GET pair 1 dep)
    string(REPLACE / _ id ${dep})
    if(NOT TARGET eml_${id})
      message(WARNING "${folder} depends on ${dep}, which does not exist: it will not link")
    endif()
  endforeach()
  if(EML_FUZZ)
    get_property(fuzzers GLOBAL PROPERTY EML_FUZZERS)
    add_custom_target(fuzzers DEPENDS ${fuzzers})
  endif()
endfunction()

function(eml_targets out)
  set(targets "")
  foreach(dep IN LISTS ARGN)
    string(REPLACE / _ id ${dep})
    list(APPEND targets eml_${id})
  endforeach()
  set(${out} ${targets} PARENT_SCOPE)
endfunction()

function(eml_module folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPS;SUBFOLDERS;PUBLIC_LIBS;PRIVATE_LIBS;TEST_LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "eml_module(${folder}): what is ${arg_UNPARSED_ARGUMENTS}?")
  endif()
  eml_check_deps(${folder} ${arg_DEPS})
  eml_targets(deps ${arg_DEPS})
  string(REPLACE / _ id ${folder})
  set(dir ${CMAKE_CURRENT_SOURCE_DIR})

  set(patterns ${dir}/*.cc)
  foreach(sub IN LISTS arg_SUBFOLDERS)
    if(${folder}/${sub} IN_LIST EML_FOLDERS)
      message(FATAL_ERROR "${folder}/${sub} is a folder of its own (cmake/layers.txt)")
    endif()
    list(APPEND patterns ${dir}/${sub}/*.cc)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  set(tests ${sources})
  set(fuzzers ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")

  if(sources)
    add_library(eml_${id} STATIC ${sources})
    target_link_libraries(eml_${id} PUBLIC eml_flags eml_dep_fmt ${deps} ${arg_PUBLIC_LIBS} PRIVATE ${arg_PRIVATE_LIBS})
  else()
    add_library(eml_${id} INTERFACE)
    target_link_libraries(eml_${id} INTERFACE eml_flags eml_dep_fmt ${deps} ${arg_PUBLIC_LIBS})
  endif()

  if(tests AND EML_TESTS)
    eml_test(${id}_test SOURCES ${tests} LIBS eml_${id} ${arg_TEST_LIBS} ${arg_PRIVATE_LIBS})
  endif()
  foreach(source IN LISTS fuzzers)
    eml_fuzz(${source} eml_${id} ${arg_TEST_LIBS})
  endforeach()
  if(benches AND EML_BENCH)
    add_executable(${id}_bench ${benches})
    target_link_libraries(${id}_bench PRIVATE eml_${id} ${arg_TEST_LIBS} ${arg_PRIVATE_LIBS} benchmark::benchmark_main)
  endif()
endfunction()

# eml_test(<name> SOURCES <files...> LIBS <targets...>): a GoogleTest program; each case is one ctest entry, so that a
# skipped case is counted as skipped. The cases are listed when ctest starts, not while building.
function(eml_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${name} ${arg_SOURCES})
  # Half of the time to compile a test goes into making it fast.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  target_link_libraries(${name} PRIVATE ${arg_LIBS} eml_test_support eml_flags GTest::gtest_main GTest::gmock rapidcheck
    rapidcheck_gtest)
  gtest_discover_tests(${name} TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTIES TIMEOUT 300)
endfunction()

# eml_fuzz(<x_fuzz.cc> <targets...>)
function(eml_fuzz source)
  if(NOT EML_FUZZ)
    return()
  endif()
  get_filename_component(name ${source} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" what ${name})
  set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz_corpus/${what})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${ARGN} eml_flags)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_test(NAME fuzz_replay/${what} COMMAND ${name} -runs=0 -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/ ${corpus}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(fuzz_replay/${what} PROPERTIES TIMEOUT 300)
  set_property(GLOBAL APPEND PROPERTY EML_FUZZERS ${name})
endfunction()

# eml_judge_test(<name> <group> <script.py> <args...>): a Python test against the implementations of tests/judges/requirements-<group>.txt;
# one ctest entry, skipped (exit 77) where they are not installed.
function(eml_judge_test name group script)
  add_test(NAME judge/${name} COMMAND ${CMAKE_SOURCE_DIR}/tools/with-judge ${group} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN}
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(judge/${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600)
endfunction()

# eml_archive(<name> <folder> [LIBS <static targets...>]) makes lib<name>.a: the folder's library with every folder that
# it reaches, fmt and LIBS in one static archive, for programs in other languages. They link the C++ runtime besides.
function(eml_archive name folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LIBS")
  eml_targets(modules ${folder} ${EML_REACH_${folder}})
  set(targets eml_dep_fmt ${arg_LIBS})
  foreach(module IN LISTS modules)
    get_target_property(type ${module} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      list(PREPEND targets ${module})
    endif()
  endforeach()
  list(TRANSFORM targets REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
  set(out ${CMAKE_BINARY_DIR}/lib${name}.a)
  add_custom_command(OUTPUT ${out} COMMAND ${CMAKE_COMMAND} -E rm -f ${out} COMMAND ${CMAKE_AR} qcLS ${out} ${archives}
    COMMAND ${CMAKE_RANLIB} ${out} DEPENDS ${targets} VERBATIM)
  add_custom_target(${name}_archive ALL DEPENDS ${out})
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${out})
  add_dependencies(${name} ${name}_archive)
endfunction()

function(eml_program folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME" "DEPS;LIBS")
  eml_check_deps(${folder} ${arg_DEPS})
  eml_targets(deps ${arg_DEPS})
  get_filename_component(name ${folder} NAME)
  if(arg_NAME)
    set(name ${arg_NAME})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz|bench)\\.cc$")
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE eml_flags eml_dep_fmt ${deps} ${arg_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endfunction()

# Every tests/<x>/CMakeLists.txt.
function(eml_add_system_tests)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/CMakeLists.txt)
  foreach(file IN LISTS files)
    get_filename_component(dir ${file} DIRECTORY)
    if(NOT dir STREQUAL ${CMAKE_SOURCE_DIR}/tests/support)
      add_subdirectory(${dir})
    endif()
  endforeach()
endfunction()
