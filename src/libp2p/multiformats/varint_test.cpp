#include "libp2p/multiformats/varint.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p::multiformats {
namespace {

TEST(Varint, reads_back_what_it_wrote_and_wants_every_byte_of_it) {
  SeededRng rng(1);
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t value = rng.next_u64() >> (1 + rng.below(63));
    Bytes out{0xaa};
    append_varint(out, value);
    ASSERT_EQ(out.size(), 1 + varint_size(value));
    const auto view = ByteView(out).subspan(1);
    const auto back = read_varint(view).value();
    ASSERT_EQ(back.value, value);
    ASSERT_EQ(back.size, view.size());
    for (std::size_t n = 0; n < view.size(); ++n) ASSERT_EQ(read_varint(view.first(n)).error(), Errc::truncated);
    out.push_back(0xff);
    ASSERT_EQ(read_varint(ByteView(out).subspan(1)).value().size, varint_size(value));
  }
}

TEST(Varint, sizes_change_at_every_seventh_bit) {
  EXPECT_EQ(varint_size(0), 1U);
  for (unsigned bits = 1; bits < 64; ++bits) {
    const std::uint64_t first = std::uint64_t{1} << (bits - 1);
    EXPECT_EQ(varint_size(first), (bits + 6) / 7) << bits;
    EXPECT_EQ(varint_size(first | (first - 1)), (bits + 6) / 7) << bits;
  }
  EXPECT_EQ(varint_size(~std::uint64_t{0}), 10U);
}

TEST(Varint, refuses_longer_forms_and_more_than_nine_bytes) {
  EXPECT_EQ(read_varint(Bytes{0x81, 0x00}).error(), Errc::malformed);
  EXPECT_EQ(read_varint(Bytes{0x80, 0x80, 0x00}).error(), Errc::malformed);
  EXPECT_EQ(read_varint(Bytes(9, 0xff)).error(), Errc::malformed);
  EXPECT_EQ(read_varint(Bytes(8, 0xff)).error(), Errc::truncated);
  Bytes largest(8, 0xff);
  largest.push_back(0x7f);
  EXPECT_EQ(read_varint(largest).value().value, ~std::uint64_t{0} >> 1);
}

}  // namespace
}  // namespace libp2p::multiformats
