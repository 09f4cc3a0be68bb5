set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(PROJECT_IS_TOP_LEVEL)
  find_program(CCACHE ccache)
  if(CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  endif()
  find_program(MOLD mold)
  if(MOLD)
    add_link_options(-fuse-ld=mold)
  endif()
endif()

# Warnings belong to our own targets only, never to those who link them.
set(OPP2P_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wconversion
    -Wno-sign-conversion -Werror=return-type)

# Tests are compiled for a quick build, whatever the libraries that they test are compiled for.
set(OPP2P_TEST_OPTIONS ${OPP2P_WARNINGS} $<$<CONFIG:Release>:-O0>)

# Every library of ours is instrumented for coverage; the targets themselves link libFuzzer (fuzz/CMakeLists.txt).
if(OPP2P_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "OPP2P_FUZZ needs clang: add -DCMAKE_CXX_COMPILER=clang++-19")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
endif()

if(OPP2P_SANITIZE)
  add_compile_options(-fsanitize=${OPP2P_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${OPP2P_SANITIZE})
  if(OPP2P_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)
  endif()
endif()
