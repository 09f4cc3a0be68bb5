#include "libp2p/storage/lmdb/lmdb_layout.hpp"

#include <bit>

namespace libp2p::storage::lmdb_layout {
namespace {

constexpr std::uint32_t kMagic = 0xbeefc0de;
constexpr std::uint32_t kVersion = 1;

// LMDB's numbers are those of the machine.
template <class T>
T load(const std::uint8_t* bytes) {
  T out;
  std::memcpy(&out, bytes, sizeof out);
  return out;
}

Error damaged(std::uint64_t number, std::string_view what) {
  return fail(Errc::malformed, "page " + std::to_string(number) + " " + std::string(what));
}

std::uint64_t page_number(ByteView page) { return load<std::uint64_t>(page.data()); }
std::uint16_t page_flags(ByteView page) { return load<std::uint16_t>(page.data() + 10); }

std::size_t even(std::size_t size) { return size + size % 2; }

}  // namespace

std::uint64_t load_number(const std::uint8_t* bytes) { return load<std::uint64_t>(bytes); }

Tree read_tree(const std::uint8_t* bytes) {
  Tree out;
  out.pad = load<std::uint32_t>(bytes);
  out.flags = load<std::uint16_t>(bytes + 4);
  out.depth = load<std::uint16_t>(bytes + 6);
  out.branch_pages = load_number(bytes + 8);
  out.leaf_pages = load_number(bytes + 16);
  out.overflow_pages = load_number(bytes + 24);
  out.entries = load_number(bytes + 32);
  out.root = load_number(bytes + 40);
  return out;
}

Result<Meta> read_meta(ByteView page, std::uint64_t number) {
  if (page.size() < kMetaSize) return damaged(number, "is cut short");
  const std::uint8_t* const at = page.data() + kPageHeader;
  if (page_number(page) != number || page_flags(page) != static_cast<std::uint16_t>(PageKind::meta) ||
      load<std::uint32_t>(at) != kMagic)
    return damaged(number, "does not begin a database of LMDB");
  if (load<std::uint32_t>(at + 4) != kVersion) return damaged(number, "is of another version of LMDB");
  Meta out;
  out.free = read_tree(at + 24);
  out.main = read_tree(at + 24 + kTreeRecord);
  out.last_page = load_number(at + 24 + 2 * kTreeRecord);
  out.transaction = load_number(at + 32 + 2 * kTreeRecord);
  out.page_size = out.free.pad;
  if (!std::has_single_bit(out.page_size) || out.page_size < kLeastPage || out.page_size > kMostPage)
    return damaged(number, "names a size of pages that cannot be");
  return out;
}

Result<void> TreePage::read(ByteView page, std::uint64_t number) {
  entries_.clear();
  const auto flags = page_flags(page);
  is_branch_ = flags == static_cast<std::uint16_t>(PageKind::branch);
  if (page_number(page) != number || (!is_branch_ && flags != static_cast<std::uint16_t>(PageKind::leaf)))
    return damaged(number, "is no page of a tree");
  const std::size_t lower = load<std::uint16_t>(page.data() + 12);
  const std::size_t upper = load<std::uint16_t>(page.data() + 14);
  if (lower < kPageHeader || lower % 2 != 0 || upper % 2 != 0 || lower > upper || upper > page.size())
    return damaged(number, "has no sound table of entries");
  const std::size_t count = (lower - kPageHeader) / 2;
  if (count < (is_branch_ ? 2u : 1u)) return damaged(number, "has too few entries");
  size_at_.assign(page.size() / 2, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = load<std::uint16_t>(page.data() + kPageHeader + 2 * i);
    if (at < upper || at % 2 != 0 || at + kEntryHeader > page.size())
      return damaged(number, "has an entry that lies outside of it");
    auto entry = read_entry(page, at);
    if (!entry) return entry.error().within("page " + std::to_string(number));
  }
  if (!fill_used_part(upper, page.size())) return damaged(number, "has entries that overlap or leave a gap");
  return {};
}

// LMDB moves the entries of a page together when one goes, so they fill the part from `upper` to the end.
bool TreePage::fill_used_part(std::size_t upper, std::size_t page_size) const {
  std::size_t found = 0;
  std::size_t at = upper;
  for (; at < page_size && size_at_[at / 2] != 0; ++found) at += size_at_[at / 2];
  return at == page_size && found == entries_.size();
}

Result<void> TreePage::read_entry(ByteView page, std::size_t at) {
  const std::uint8_t* const head = page.data() + at;
  const auto low = load<std::uint16_t>(head);
  const auto high = load<std::uint16_t>(head + 2);
  Entry out;
  out.flags = load<std::uint16_t>(head + 4);
  const std::size_t key_size = load<std::uint16_t>(head + 6);
  const bool is_first = entries_.empty();
  if (key_size > kMaxKeySize || (key_size == 0 && !(is_branch_ && is_first)))
    return fail(Errc::malformed, "a key has a size that cannot be");
  std::size_t size = kEntryHeader + key_size;
  if (is_branch_) {
    out.child = std::uint64_t{low} | std::uint64_t{high} << 16 | std::uint64_t{out.flags} << 32;
    out.flags = 0;
  } else {
    if ((out.flags & ~(kBigValue | kTreeValue)) != 0) return fail(Errc::malformed, "an entry has unknown flags");
    out.value_size = std::uint32_t{low} | std::uint32_t{high} << 16;
    // An entry is at most half a page, so that a page can be split; what is larger has pages of its own.
    const std::size_t most = ((page.size() - kPageHeader) / 2 & ~std::size_t{1}) - 2;
    const std::size_t on_page = (out.flags & kBigValue) != 0 ? sizeof(std::uint64_t) : out.value_size;
    if (on_page > most || size + on_page > most) return fail(Errc::malformed, "an entry is too large for a page");
    size += on_page;
  }
  size = even(size);
  if (at + size > page.size() || size_at_[at / 2] != 0)
    return fail(Errc::malformed, "an entry reaches beyond the page, or is there twice");
  size_at_[at / 2] = static_cast<std::uint16_t>(size);
  out.key = page.subspan(at + kEntryHeader, key_size);
  if (!is_branch_) {
    const std::size_t on_page = (out.flags & kBigValue) != 0 ? sizeof(std::uint64_t) : out.value_size;
    out.value = page.subspan(at + kEntryHeader + key_size, on_page);
  }
  entries_.push_back(out);
  return {};
}

Result<std::uint64_t> read_overflow(ByteView header, std::uint64_t number, std::uint64_t value_size,
                                    std::uint64_t page_size) {
  if (header.size() < kPageHeader || page_number(header) != number ||
      page_flags(header) != static_cast<std::uint16_t>(PageKind::overflow))
    return damaged(number, "is no page of a large value");
  const std::uint64_t pages = load<std::uint32_t>(header.data() + 12);
  if (pages * page_size < kPageHeader + value_size) return damaged(number, "has no room for its value");
  return pages;
}

}  // namespace libp2p::storage::lmdb_layout
