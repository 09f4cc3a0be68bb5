#include "libp2p/storage/lmdb/lmdb_file_check.hpp"

#include <algorithm>
#include <unordered_set>

#include "libp2p/storage/lmdb/lmdb_layout.hpp"

namespace libp2p::storage {

using namespace lmdb_layout;

namespace {

// Pages at the end of the file that a transaction has taken and given back without writing them.
constexpr std::uint64_t kMostUnwritten = 1 << 17;

bool is_less(ByteView a, ByteView b) { return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end()); }

// Where the keys of a subtree lie: at or above `from`, below `to`. Empty: no bound.
struct KeyRange {
  ByteView from;
  ByteView to;
};

enum class TreeUse : std::uint8_t { free_pages, tables, records };

class FileWalk {
 public:
  FileWalk(const ReadAt& read, std::uint64_t file_size, std::uint64_t most_pages)
      : read_(read), file_size_(file_size), most_pages_(most_pages) {}

  Result<LmdbFileState> run() {
    OPP2P_TRYV(read_metas());
    state_.page_size = meta_.page_size;
    state_.pages = meta_.last_page + 1;
    file_pages_ = std::min(file_size_ / meta_.page_size, state_.pages);
    taken_.resize(file_pages_);
    OPP2P_TRYV(check_tree(meta_.free, TreeUse::free_pages, "free pages", UINT64_MAX));
    OPP2P_TRYV(check_tree(meta_.main, TreeUse::tables, "tables", UINT64_MAX));
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      const std::uint64_t left = most_pages_ - std::min(most_pages_, state_.checked);
      OPP2P_TRYV(check_tree(tables_[i].tree, TreeUse::records, tables_[i].name, left / (tables_.size() - i)));
    }
    OPP2P_TRYV(check_sum());
    return state_;
  }

 private:
  struct Table {
    std::string name;
    Tree tree;
  };

  static Error damaged(std::uint64_t page, std::string_view what) {
    return fail(Errc::malformed, "page " + std::to_string(page) + " " + std::string(what));
  }

  Result<void> read_exactly(std::uint64_t offset, MutableBytes out, std::uint64_t page) {
    ++state_.checked;
    left_ -= std::min<std::uint64_t>(left_, 1);
    OPP2P_TRY(const std::size_t size, read_(offset, out));
    if (size != out.size()) return damaged(page, "is beyond the end of the file");
    return {};
  }

  // The two are of the last two transactions, each in its place; the later one counts.
  Result<void> read_metas() {
    ByteArray<kMetaSize> bytes{};
    Meta metas[kMetaPages];
    for (std::uint64_t i = 0; i < kMetaPages; ++i) {
      OPP2P_TRYV(read_exactly(i == 0 ? 0 : metas[0].page_size, bytes, i));
      OPP2P_TRY(metas[i], read_meta(bytes, i));
    }
    const std::uint64_t later = metas[0].transaction < metas[1].transaction ? 1 : 0;
    meta_ = metas[later];
    const std::uint64_t other = metas[1 - later].transaction;
    const bool is_new = meta_.transaction == 0 && other == 0;
    if (metas[0].page_size != metas[1].page_size || meta_.transaction % 2 != later ||
        (!is_new && meta_.transaction != other + 1))
      return damaged(later, "does not follow the one of the transaction before");
    if ((meta_.free.flags & ~kNoSubfolder) != kIntegerKeys)
      return damaged(later, "has wrong flags of its list of free pages");
    if (meta_.last_page < kMetaPages - 1 || meta_.last_page >= kNoPage / kMostPage)
      return damaged(later, "names a last page that cannot be");
    return {};
  }

  // Pages from `first` on are in use, or free, and nothing else has them.
  Result<void> take(std::uint64_t first, std::uint64_t count, bool is_used) {
    if (first < kMetaPages || count == 0 || first > meta_.last_page || count > meta_.last_page - first + 1)
      return damaged(first, "is named and is no page of the database");
    if (is_used && first + count > file_pages_) return damaged(first, "is beyond the end of the file");
    sum_ += count;
    for (std::uint64_t page = first; page < first + count; ++page) {
      const bool taken = page < file_pages_ ? taken_[page] : !taken_beyond_.insert(page).second;
      if (taken) return damaged(page, "is used twice");
      if (page < file_pages_) taken_[page] = true;
    }
    return {};
  }

  Result<void> check_tree(const Tree& tree, TreeUse use, const std::string& name, std::uint64_t most_pages) {
    if (use != TreeUse::free_pages && tree.flags != 0)
      return fail(Errc::mismatch, "its table '" + name + "' is none that opp2p makes");
    const bool is_empty = tree.root == kNoPage;
    if (is_empty != (tree.depth == 0) || tree.depth > kMostDepth)
      return fail(Errc::malformed, "the record of its table '" + name + "' is wrong");
    use_ = use;
    tree_ = &tree;
    found_ = {};
    left_ = most_pages;
    bool is_complete = true;
    if (!is_empty) OPP2P_TRYV(check_page(tree.root, 1, {}, is_complete));
    state_.is_complete = state_.is_complete && is_complete;
    const bool is_counted = found_.branch_pages == tree.branch_pages && found_.leaf_pages == tree.leaf_pages &&
                            found_.overflow_pages == tree.overflow_pages && found_.entries == tree.entries;
    if (is_complete && !is_counted)
      return fail(Errc::malformed, "its table '" + name + "' has other entries and pages than its record says");
    if (!is_complete) sum_ += missing_pages(tree);
    return {};
  }

  // Of the table, those that were not looked at.
  std::uint64_t missing_pages(const Tree& tree) const {
    const auto less = [](std::uint64_t all, std::uint64_t seen) { return all - std::min(all, seen); };
    return less(tree.leaf_pages, found_.leaf_pages) + less(tree.overflow_pages, found_.overflow_pages);
  }

  Result<void> check_page(std::uint64_t number, unsigned depth, const KeyRange& range, bool& is_complete) {
    OPP2P_TRYV(take(number, 1, true));
    const bool is_lowest = depth == tree_->depth;
    if (is_lowest && left_ == 0) {
      ++found_.leaf_pages;
      is_complete = false;
      return {};
    }
    Bytes bytes(meta_.page_size);
    OPP2P_TRYV(read_exactly(number * meta_.page_size, bytes, number));
    TreePage page;
    OPP2P_TRYV(page.read(bytes, number));
    if (page.is_branch() == is_lowest) return damaged(number, "is in the wrong level of its tree");
    OPP2P_TRYV(check_order(page, number, range));
    if (!is_lowest) return check_children(page, depth, range, is_complete);
    ++found_.leaf_pages;
    for (const Entry& entry : page.entries()) OPP2P_TRYV(check_entry(entry, number));
    return {};
  }

  // From the last one on: what is newest has the highest number.
  Result<void> check_children(const TreePage& page, unsigned depth, const KeyRange& range, bool& is_complete) {
    ++found_.branch_pages;
    const auto& entries = page.entries();
    for (std::size_t i = entries.size(); i-- > 0;) {
      const KeyRange below{i == 0 ? range.from : entries[i].key,
                           i + 1 < entries.size() ? entries[i + 1].key : range.to};
      OPP2P_TRYV(check_page(entries[i].child, depth + 1, below, is_complete));
    }
    return {};
  }

  bool in_order(ByteView a, ByteView b) const {
    return use_ == TreeUse::free_pages ? load_number(a.data()) < load_number(b.data()) : is_less(a, b);
  }

  // The first key of a branch stands for all that is lower, whatever its bytes.
  Result<void> check_order(const TreePage& page, std::uint64_t number, const KeyRange& range) const {
    const auto& entries = page.entries();
    const std::size_t first = page.is_branch() ? 1 : 0;
    for (std::size_t i = first; i < entries.size(); ++i) {
      const ByteView key = entries[i].key;
      if (use_ == TreeUse::free_pages && key.size() != sizeof(std::uint64_t))
        return damaged(number, "has a key that is no number");
      const bool above = i == first ? range.from.empty() || !in_order(key, range.from)  //
                                    : in_order(entries[i - 1].key, key);
      if (!above || (!range.to.empty() && !in_order(key, range.to))) return damaged(number, "has keys in no order");
    }
    return {};
  }

  Result<void> check_entry(const Entry& entry, std::uint64_t page) {
    ++found_.entries;
    std::uint64_t first = 0;
    if ((entry.flags & kBigValue) != 0) {
      first = load_number(entry.value.data());
      if (first < kMetaPages || first >= file_pages_) return damaged(page, "names a page beyond the end of the file");
      ByteArray<kPageHeader> header{};
      OPP2P_TRYV(read_exactly(first * meta_.page_size, header, first));
      OPP2P_TRY(const auto pages, read_overflow(header, first, entry.value_size, meta_.page_size));
      OPP2P_TRYV(take(first, pages, true));
      found_.overflow_pages += pages;
    }
    if (use_ == TreeUse::free_pages) return check_free(entry, first, page);
    if ((entry.flags & kTreeValue) == 0) return {};
    if (use_ != TreeUse::tables || entry.value.size() != kTreeRecord || entry.flags != kTreeValue)
      return damaged(page, "has the record of a table where none can be");
    if (tables_.size() == kMostTables) return fail(Errc::mismatch, "it has more tables than opp2p makes");
    tables_.push_back({std::string(as_text(entry.key)), read_tree(entry.value.data())});
    return {};
  }

  // The pages that one transaction has freed: their count, then their numbers from the highest on.
  Result<void> check_free(const Entry& entry, std::uint64_t first, std::uint64_t page) {
    if ((entry.flags & kTreeValue) != 0 || load_number(entry.key.data()) > meta_.transaction)
      return damaged(page, "has a list of free pages that cannot be");
    Bytes large;
    ByteView list = entry.value;
    if (first != 0) {
      large.resize(entry.value_size);
      OPP2P_TRYV(read_exactly(first * meta_.page_size + kPageHeader, large, first));
      list = large;
    }
    constexpr std::size_t kNumber = sizeof(std::uint64_t);
    const std::uint64_t most = list.size() / kNumber;
    const std::uint64_t count = most == 0 ? 0 : load_number(list.data());
    if (most == 0 || count >= most) return damaged(page, "has a list of free pages that is cut short");
    std::uint64_t before = kNoPage;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const std::uint64_t free = load_number(list.data() + i * kNumber);
      if (free >= before) return damaged(page, "has a list of free pages in no order");
      OPP2P_TRYV(take(free, 1, false));
      before = free;
    }
    return {};
  }

  // Each page of the database is in use or free.
  Result<void> check_sum() const {
    if (sum_ + kMetaPages > state_.pages || state_.pages - sum_ - kMetaPages > kMostUnwritten)
      return fail(Errc::malformed, "it has " + std::to_string(state_.pages) + " pages, and " +
                                       std::to_string(sum_ + kMetaPages) + " are in use or free");
    return {};
  }

  static constexpr std::size_t kMostTables = 64;

  const ReadAt& read_;
  const std::uint64_t file_size_;
  const std::uint64_t most_pages_;
  Meta meta_;
  LmdbFileState state_;
  std::uint64_t file_pages_ = 0;                    // of the database that are in the file
  std::uint64_t sum_ = 0;                           // pages that are in use or free
  std::vector<bool> taken_;                         // by page
  std::unordered_set<std::uint64_t> taken_beyond_;  // the same of pages that the file lacks
  std::vector<Table> tables_;
  // Of the tree that is being checked.
  TreeUse use_ = TreeUse::records;
  const Tree* tree_ = nullptr;
  Tree found_;
  std::uint64_t left_ = 0;  // pages, before leaves are left out
};

}  // namespace

Result<LmdbFileState> check_lmdb_file(const ReadAt& read, std::uint64_t file_size, std::uint64_t most_pages) {
  return FileWalk(read, file_size, most_pages).run();
}

}  // namespace libp2p::storage
