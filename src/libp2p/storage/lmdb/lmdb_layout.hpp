// The bytes of a database file of LMDB 0.9 on a machine of 64 bits: its meta pages, the pages of its trees, and the
// entries on them. Pure functions and plain values over bytes that may be damaged; a view is valid as long as the bytes
// of its page. Thread: any. Source: LMDB 0.9, mdb.c, "MDB_page", "MDB_node", "MDB_db", "MDB_meta".
#pragma once

#include <cstdint>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::storage::lmdb_layout {

inline constexpr std::size_t kPageHeader = 16;  // bytes
inline constexpr std::size_t kEntryHeader = 8;
inline constexpr std::size_t kTreeRecord = 48;
inline constexpr std::size_t kMetaSize = kPageHeader + 24 + 2 * kTreeRecord + 16;
inline constexpr std::size_t kMetaPages = 2;
inline constexpr std::size_t kMaxKeySize = 511;
inline constexpr std::size_t kLeastPage = 512;
inline constexpr std::size_t kMostPage = 32768;
inline constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
inline constexpr unsigned kMostDepth = 32;             // of a tree; LMDB's cursors have no more
inline constexpr std::uint16_t kIntegerKeys = 0x08;    // a flag of a tree: keys are numbers of the machine
inline constexpr std::uint16_t kNoSubfolder = 0x4000;  // of the list of free pages: how the file was made
inline constexpr std::uint16_t kBigValue = 0x01;       // of an entry: the value is on pages of its own
inline constexpr std::uint16_t kTreeValue = 0x02;      // the value is the record of a tree
enum class PageKind : std::uint16_t { branch = 1, leaf = 2, overflow = 4, meta = 8 };

// What is on record of a tree.
struct Tree {
  std::uint32_t pad = 0;
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = kNoPage;
};
Tree read_tree(const std::uint8_t* bytes);  // of kTreeRecord bytes

struct Meta {
  std::uint64_t page_size = 0;
  Tree free;
  Tree main;
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};
// Of the first kMetaSize bytes of meta page `number`. Errc::malformed when it is none.
Result<Meta> read_meta(ByteView page, std::uint64_t number);

struct Entry {
  std::uint16_t flags = 0;
  ByteView key;
  std::uint64_t child = 0;       // of a branch: the page below
  std::uint32_t value_size = 0;  // of a leaf
  ByteView value;                // of a leaf, as it lies on the page: with kBigValue the number of the first page
};

// A page of a tree, whose entries are whole and fill its used part.
class TreePage {
 public:
  // `page` is a whole page with the number `number`. Errc::malformed when it is no such page.
  Result<void> read(ByteView page, std::uint64_t number);
  bool is_branch() const { return is_branch_; }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  Result<void> read_entry(ByteView page, std::size_t at);
  bool fill_used_part(std::size_t upper, std::size_t page_size) const;

  bool is_branch_ = false;
  std::vector<Entry> entries_;
  std::vector<std::uint16_t> size_at_;  // of the entry that begins at twice the index, or 0
};

// How many pages the first of a value's own pages says that there are. Errc::malformed when it is no such page, or they
// have no room for `value_size` bytes.
Result<std::uint64_t> read_overflow(ByteView header, std::uint64_t number, std::uint64_t value_size,
                                    std::uint64_t page_size);

std::uint64_t load_number(const std::uint8_t* bytes);  // of the machine, 8 bytes

}  // namespace libp2p::storage::lmdb_layout
