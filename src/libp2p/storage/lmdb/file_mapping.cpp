#include "libp2p/storage/lmdb/file_mapping.hpp"

#include <sys/mman.h>

#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>

namespace libp2p::storage {

FileMapping FileMapping::find(const std::filesystem::path& file) {
  FileMapping out;
  std::error_code error;
  const auto path = std::filesystem::canonical(file, error);
  if (error) return out;
  std::ifstream maps("/proc/self/maps");
  // "begin-end flags offset device inode path"
  for (std::string line; std::getline(maps, line);) {
    if (!line.ends_with(" " + path.string())) continue;
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    const char* const last = line.data() + line.size();
    const auto first = std::from_chars(line.data(), last, begin, 16);
    if (first.ec != std::errc() || *first.ptr != '-') continue;
    if (std::from_chars(first.ptr + 1, last, end, 16).ec != std::errc()) continue;
    out.begin_ = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr)
    out.size_ = end - begin;
    break;
  }
  return out;
}

void FileMapping::release() const {
  if (begin_ != nullptr) ::madvise(begin_, size_, MADV_DONTNEED);
}

}  // namespace libp2p::storage
