#include "opp2p/base/large_pages.hpp"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <climits>
#include <cstdint>
#include <cstdlib>

namespace opp2p {
namespace {

constexpr std::size_t kLargePage = 2 << 20;
constexpr int kHeap = 1536 << 20;      // below the largest threshold for giving back, INT_MAX
constexpr int kUsualStep = 128 << 10;  // by which a heap of glibc grows
constexpr int kMaxInHeap = 32 << 20;   // the largest that glibc allows; what is larger has pages of its own

}  // namespace

void use_large_pages() {
  // Other allocators refuse.
  if (::mallopt(M_MMAP_THRESHOLD, kMaxInHeap) != 1 || ::mallopt(M_TRIM_THRESHOLD, INT_MAX) != 1) return;
  ::mallopt(M_TOP_PAD, kHeap);
  void* const grown = std::malloc(kMaxInHeap / 2);  // more than a new heap has: it grows, and by all of kHeap
  ::mallopt(M_TOP_PAD, kUsualStep);
  const auto begin = (reinterpret_cast<std::uintptr_t>(grown) + kLargePage - 1) / kLargePage * kLargePage;
  const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  if (grown != nullptr && begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
  std::free(grown);
}

}  // namespace opp2p
