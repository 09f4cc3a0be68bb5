// A file that is mapped into memory, as the kernel lists it. A page of one that was touched counts as this process's
// until it is given back, though the kernel could take it at any time; giving back loses nothing, the next touch maps
// it again. Pure value; thread: any, while the mapping exists. Linux only: elsewhere nothing is found, and nothing
// given back.
#pragma once

#include <cstddef>
#include <filesystem>

namespace libp2p::storage {

class FileMapping {
 public:
  FileMapping() = default;
  // Where `file` is mapped now.
  static FileMapping find(const std::filesystem::path& file);
  // Gives back what is mapped.
  void release() const;

 private:
  void* begin_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace libp2p::storage
