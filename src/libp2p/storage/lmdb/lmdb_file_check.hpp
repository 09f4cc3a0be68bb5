// Whether the pages of a database file hold together. LMDB maps the file and follows whatever it finds there: on a
// damaged page it ends the process, by an assertion or by a signal. This reads the pages without a map, before LMDB
// does, and follows nothing that leads out of the file, is used twice, or is in no order.
//
// What it takes, LMDB can read and write without harm. It does not know whether keys and values are those that were
// written: their owners have checksums. Pure: the bytes come from a function. Thread: any. Bounds: memory of one bit
// for each page of the file, and one page for each level of a tree; `most_pages`.
#pragma once

#include <functional>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::storage {

// What is checked whenever a database is opened: 256 MiB in pages of 4 KiB.
inline constexpr std::uint64_t kPagesAtOpen = 1 << 16;

// Reads at `offset`; answers how many bytes, fewer than asked for at the end of the file only.
using ReadAt = std::function<Result<std::size_t>(std::uint64_t offset, MutableBytes out)>;

struct LmdbFileState {
  std::uint64_t page_size = 0;  // bytes
  std::uint64_t pages = 0;      // of the database. The file may lack some at its end that are free
  std::uint64_t checked = 0;    // pages that were read
  bool is_complete = true;      // all that are in use were checked
};

// Errc::malformed names the page and what is wrong with it, Errc::mismatch a database that opp2p does not make, and
// errors of `read` are passed on. Of a large database the entries of the last leaves are checked, `most_pages` of them
// in all; branches are always checked.
Result<LmdbFileState> check_lmdb_file(const ReadAt& read, std::uint64_t file_size, std::uint64_t most_pages);

}  // namespace libp2p::storage
