set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(PROJECT_IS_TOP_LEVEL)
  find_program(CCACHE ccache)
  if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  endif()
  find_program(MOLD mold)
  if(MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

# g++ collects its garbage too often for sources that are this large: each of them compiles a tenth quicker with more memory.
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options("SHELL:--param ggc-min-expand=300" "SHELL:--param ggc-min-heapsize=600000")
endif()

# Warnings belong to our own targets only, never to those who link them.
set(OPP2P_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wconversion
    -Wno-sign-conversion -Werror=return-type)
# A limit that nobody uses is a limit that does not hold. g++ finds constants of arithmetic types, clang durations too.
list(APPEND OPP2P_WARNINGS -Wunused-const-variable)
# Several sources at once: g++ takes each for a header, whose types should not have members of types that only one source knows.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND OPP2P_WARNINGS -Wno-subobject-linkage)
endif()

# Tests are compiled for a quick build, whatever the libraries that they test are compiled for.
set(OPP2P_TEST_OPTIONS ${OPP2P_WARNINGS} $<$<CONFIG:Release>:-O0>)

# Headers of others are compiled once (cmake/headers): those that most files include in library_headers, GoogleTest and what tests use beside
# it in test_headers. Both define as little as any of their users: g++ passes a precompiled header by where a macro of it is missing.
function(opp2p_precompile target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # without it ccache passes these files by
  endif()
  target_precompile_headers(${target} ${ARGN})
endfunction()

# What libraries of ours are compiled with. Only g++ uses library_headers, so that a build with clang shows an include that is missing.
set(OPP2P_LIBRARY_HEADERS OFF)
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(OPP2P_LIBRARY_HEADERS ON)
endif()
function(opp2p_library_options target)
  target_compile_options(${target} PRIVATE ${OPP2P_WARNINGS})
  if(OPP2P_LIBRARY_HEADERS)
    opp2p_precompile(${target} REUSE_FROM library_headers)
  endif()
endfunction()

# Tests include so much that eight of their sources at once take about as long as two alone. Only g++ compiles them so: a build with clang
# shows an include that is missing.
set(OPP2P_TESTS_TOGETHER OFF)
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(OPP2P_TESTS_TOGETHER ON)
endif()

# What every test program needs.
function(opp2p_test_options target)
  target_compile_options(${target} PRIVATE ${OPP2P_TEST_OPTIONS})
  target_link_libraries(${target} PRIVATE GTest::gmock GTest::gtest_main opp2p_test_support)
  opp2p_precompile(${target} REUSE_FROM test_headers)
  if(OPP2P_TESTS_TOGETHER)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# Every library of ours is instrumented for coverage; the targets themselves link libFuzzer (fuzz/CMakeLists.txt).
if(OPP2P_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "OPP2P_FUZZ needs clang: add -DCMAKE_CXX_COMPILER=clang++-19")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(OPP2P_SANITIZE)
  add_compile_options(-fsanitize=${OPP2P_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${OPP2P_SANITIZE})
  if(OPP2P_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
  # Clang links the sanitizer into the program, with the only operator new that it may have.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    set(OPP2P_OPERATOR_NEW_IS_TAKEN ON)
    add_compile_definitions(OPP2P_OPERATOR_NEW_IS_TAKEN)
  endif()
endif()
