// Any bytes as a database file: the check answers, and reads nothing beyond the file. Input: the file.
#include <algorithm>

#include "libp2p/storage/lmdb/lmdb_file_check.hpp"
#include "testing/fuzz_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  const ByteView file(data, size);
  const storage::ReadAt read = [file](std::uint64_t offset, MutableBytes out) -> Result<std::size_t> {
    fuzzing::require(out.size() <= 2 * file.size() + (1 << 16));
    if (offset >= file.size()) return std::size_t{0};
    const auto there = file.subspan(offset, std::min<std::size_t>(out.size(), file.size() - offset));
    std::copy(there.begin(), there.end(), out.begin());
    return there.size();
  };
  for (const std::uint64_t most : {std::uint64_t{0}, std::uint64_t{3}, UINT64_MAX}) {
    const auto checked = storage::check_lmdb_file(read, file.size(), most);
    fuzzing::require(checked || checked.error() == Errc::malformed || checked.error() == Errc::mismatch);
  }
  return 0;
}
