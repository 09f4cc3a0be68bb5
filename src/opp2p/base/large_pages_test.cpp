#include "opp2p/base/large_pages.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace opp2p {
namespace {

// Whether the kernel was asked for large pages where `address` is.
bool has_large_pages(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool is_there = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " ", &begin, &end) == 2) {
      const auto at = reinterpret_cast<std::uintptr_t>(address);
      is_there = begin <= at && at < end;
    } else if (is_there && line.starts_with("VmFlags:")) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return false;
}

// 64 MiB in pieces of 64 KiB, after as many have been freed.
int run_with_large_pages() {
  use_large_pages();
  {
    const std::vector<std::vector<char>> freed(1024, std::vector<char>(64 << 10));
  }
  std::vector<std::unique_ptr<char[]>> pieces;
  for (int i = 0; i < 1024; ++i) pieces.push_back(std::make_unique<char[]>(64 << 10));
  return has_large_pages(pieces.back().get()) && !has_large_pages(&pieces) ? 0 : 1;
}

// In a process of its own, whose heap it is.
TEST(LargePagesDeathTest, are_asked_for_where_a_large_heap_is) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the sanitizer's allocator has a heap of its own";
#endif
  if (::mallopt(M_TRIM_THRESHOLD, 128 << 10) != 1) GTEST_SKIP() << "this is not the allocator of glibc";
  EXPECT_EXIT(std::exit(run_with_large_pages()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace opp2p
