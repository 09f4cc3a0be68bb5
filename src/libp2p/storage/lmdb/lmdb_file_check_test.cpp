#include "libp2p/storage/lmdb/lmdb_file_check.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "testing/lmdb_pages.hpp"

namespace libp2p::storage {
namespace {

using ::testing::HasSubstr;
using testing_files::LmdbPages;

Result<LmdbFileState> check_pages(const Bytes& file, std::uint64_t most_pages = UINT64_MAX) {
  const ReadAt read = [&file](std::uint64_t offset, MutableBytes out) -> Result<std::size_t> {
    if (offset >= file.size()) return std::size_t{0};
    const auto size = std::min<std::size_t>(out.size(), file.size() - offset);
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
    return size;
  };
  return check_lmdb_file(read, file.size(), most_pages);
}

// What the check says of a whole database after one number of it was changed.
template <class T>
std::string after(std::size_t page, std::size_t offset, T value) {
  LmdbPages pages;
  pages.put(LmdbPages::place(page, offset), value);
  const auto checked = check_pages(pages.bytes);
  return checked ? "sound" : checked.error().message();
}

TEST(LmdbFileCheck, takes_a_whole_database_and_counts_its_pages) {
  const LmdbPages pages;
  const auto checked = check_pages(pages.bytes);
  ASSERT_TRUE(checked) << checked.error().message();
  EXPECT_EQ(checked->page_size, LmdbPages::kSize);
  EXPECT_EQ(checked->pages, LmdbPages::kCount);
  EXPECT_TRUE(checked->is_complete);
}

TEST(LmdbFileCheck, takes_one_whose_free_pages_at_the_end_are_missing_and_no_other) {
  Bytes file = LmdbPages().bytes;
  file.resize(8 * LmdbPages::kSize);
  EXPECT_TRUE(check_pages(file));
  file.resize(8 * LmdbPages::kSize - 1);
  EXPECT_THAT(check_pages(file).error().message(), HasSubstr("beyond the end of the file"));
  for (const std::size_t size : {0, 1, 100, 512, 700, 1024})
    EXPECT_EQ(check_pages(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))).error(),
              Errc::malformed);
}

TEST(LmdbFileCheck, names_the_page_and_what_is_wrong_with_it) {
  EXPECT_THAT(after(0, 16, std::uint32_t{0}), HasSubstr("page 0 does not begin a database of LMDB"));
  EXPECT_THAT(after(1, 20, std::uint32_t{2}), HasSubstr("page 1 is of another version of LMDB"));
  EXPECT_THAT(after(1, 40, std::uint32_t{500}), HasSubstr("page 1 names a size of pages that cannot be"));
  EXPECT_THAT(after(1, 44, std::uint16_t{12}), HasSubstr("page 1 has wrong flags"));
  EXPECT_THAT(after(1, 136, std::uint64_t{1} << 60), HasSubstr("page 1 names a last page that cannot be"));
  EXPECT_THAT(after(1, 136, std::uint64_t{1} << 30), HasSubstr("are in use or free"));
  EXPECT_THAT(after(1, 136, std::uint64_t{8}), HasSubstr("page 9 is named and is no page of the database"));
  EXPECT_THAT(after(1, 144, std::uint64_t{3}), HasSubstr("does not follow the one of the transaction before"));
  EXPECT_THAT(after(1, 128, std::uint64_t{7}), HasSubstr("page 7 is no page of a tree"));
  EXPECT_THAT(after(1, 120, std::uint64_t{2}), HasSubstr("other entries and pages than its record says"));
  EXPECT_THAT(after(1, 94, std::uint16_t{0}), HasSubstr("the record of its table 'tables' is wrong"));
  EXPECT_THAT(after(5, 0, std::uint64_t{6}), HasSubstr("page 5 is no page of a tree"));
  EXPECT_THAT(after(5, 10, std::uint16_t{0x12}), HasSubstr("page 5 is no page of a tree"));
  EXPECT_THAT(after(5, 12, std::uint16_t{14}), HasSubstr("page 5 has no sound table of entries"));
  EXPECT_THAT(after(5, 12, std::uint16_t{16}), HasSubstr("page 5 has too few entries"));
  EXPECT_THAT(after(5, 14, std::uint16_t{600}), HasSubstr("page 5 has no sound table of entries"));
  EXPECT_THAT(after(5, 16, std::uint16_t{20}), HasSubstr("page 5 has an entry that lies outside of it"));
  EXPECT_THAT(after(7, 0, std::uint64_t{8}), HasSubstr("page 7 is no page of a large value"));
  EXPECT_THAT(after(7, 12, std::uint32_t{0}), HasSubstr("page 7 has no room for its value"));
  EXPECT_THAT(after(7, 12, std::uint32_t{2}), HasSubstr("page 8 is"));
}

TEST(LmdbFileCheck, follows_no_circle_and_takes_no_page_twice) {
  LmdbPages pages;
  const auto upper = LmdbPages::place(4, 512 - 8 - 10);  // of the branch's second entry, the child
  ASSERT_EQ(pages.bytes[upper], 6);
  pages.put(upper, std::uint16_t{5});
  EXPECT_THAT(check_pages(pages.bytes).error().message(), HasSubstr("page 5 has keys in no order"));
  pages.put(upper, std::uint16_t{4});
  EXPECT_THAT(check_pages(pages.bytes).error().message(), HasSubstr("page 4 is used twice"));
  pages.put(upper, std::uint16_t{9});
  EXPECT_THAT(check_pages(pages.bytes).error().message(), HasSubstr("page 9 is used twice"));
}

TEST(LmdbFileCheck, leaves_out_leaves_beyond_its_bound_and_checks_branches_all_the_same) {
  LmdbPages pages;
  const auto some = check_pages(pages.bytes, 6);  // both metas, the two lower trees, the branch, the last leaf
  ASSERT_TRUE(some) << some.error().message();
  EXPECT_FALSE(some->is_complete);
  pages.put(LmdbPages::place(5, 12), std::uint16_t{14});
  EXPECT_TRUE(check_pages(pages.bytes, 6)) << "a leaf that is not looked at";
  pages.put(LmdbPages::place(6, 12), std::uint16_t{14});
  EXPECT_FALSE(check_pages(pages.bytes, 6)) << "the last one is";
}

TEST(LmdbFileCheck, a_table_of_another_kind_is_none_of_ours) {
  const auto flags_of_record = LmdbPages::place(3, 512 - 48 + 4 - 1);  // behind the head of the entry and its key
  for (const std::uint16_t flags : {4, 16}) {
    LmdbPages pages;
    pages.put(flags_of_record, flags);
    EXPECT_EQ(check_pages(pages.bytes).error(), Errc::mismatch) << flags;
  }
}

TEST(LmdbFileCheck, passes_on_what_the_disk_says) {
  const auto checked = check_lmdb_file(
      [](std::uint64_t, MutableBytes) -> Result<std::size_t> { return Error(Errc::io); }, 10'000, UINT64_MAX);
  EXPECT_EQ(checked.error(), Errc::io);
}

}  // namespace
}  // namespace libp2p::storage
