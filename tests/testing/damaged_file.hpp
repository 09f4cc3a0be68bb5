// Damages a file of pages as disks, crashes and people do, and runs what opens it in a process of its own: whatever is
// in the file must end with an answer and not with a signal. Owner: a test. Thread: any.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/rng.hpp"

namespace testing_files {

inline constexpr std::size_t kPage = 4096;

// How many damages a test tries: OPP2P_DAMAGES, or `usual`.
inline std::uint64_t damages(std::uint64_t usual) {
  const char* text = std::getenv("OPP2P_DAMAGES");
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

inline libp2p::Bytes read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  return libp2p::to_bytes(text);
}

inline void write_whole(const std::filesystem::path& file, libp2p::ByteView bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << libp2p::as_text(bytes);
}

// Damages `bytes`, which are several pages, in the way that `seed` says, and answers what it did.
inline std::string damage(libp2p::Bytes& bytes, std::uint64_t seed) {
  libp2p::SeededRng rng(seed);
  const std::size_t pages = bytes.size() / kPage;
  // Every third time one of the first pages, where the database begins.
  const std::size_t page = rng.below(3) == 0 ? rng.below(std::min<std::size_t>(pages, 4)) : rng.below(pages);
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(page * kPage);
  const std::string where = " page " + std::to_string(page);
  const auto flip = [&](std::size_t from, std::size_t size) {
    bytes[page * kPage + from + rng.below(size)] ^= static_cast<std::uint8_t>(1 + rng.below(255));
  };
  switch (rng.below(8)) {
    case 0: std::fill(at, at + kPage, 0); return "zeroed" + where;
    case 1: rng.fill(libp2p::MutableBytes(&*at, kPage)); return "noise on" + where;
    case 2: {
      const std::size_t other = rng.below(pages);
      std::swap_ranges(at, at + kPage, bytes.begin() + static_cast<std::ptrdiff_t>(other * kPage));
      return "swapped" + where + " with " + std::to_string(other);
    }
    case 3: {
      const std::size_t other = rng.below(pages);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(other * kPage), kPage, at);
      return "copied page " + std::to_string(other) + " over" + where;
    }
    case 4: bytes.resize(rng.below(2) == 0 ? page * kPage : page * kPage + rng.below(kPage)); return "cut in" + where;
    case 5: flip(0, 16); return "flipped a byte of the header of" + where;
    case 6: flip(16, 200); return "flipped a byte near the beginning of" + where;
    default:
      for (std::uint64_t i = 0, count = 1 + rng.below(8); i < count; ++i) flip(0, kPage);
      return "flipped bytes of" + where;
  }
}

// What `run` answers, in a process of its own; above 1000 the signal that ended it.
inline int run_in_child(const std::function<int()>& run) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(run());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace testing_files
