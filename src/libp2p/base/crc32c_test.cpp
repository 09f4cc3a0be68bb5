#include "libp2p/base/crc32c.hpp"

#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p {
namespace {

// The check value of the CRC catalogue.
TEST(Crc32c, of_the_digits_is_the_known_value_on_both_paths) {
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c_portable(as_bytes("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c_portable({}), 0u);
}

TEST(Crc32c, both_paths_agree_on_any_length_and_alignment) {
  SeededRng rng(3);
  Bytes data(16'384 + 64);  // several times what is taken in one go
  rng.fill(data);
  for (int i = 0; i < 500; ++i) {
    const auto from = static_cast<std::size_t>(rng.below(64));
    const auto size = static_cast<std::size_t>(rng.below(i % 2 == 0 ? 40 : 16'384));
    const ByteView view = ByteView(data).subspan(from, size);
    ASSERT_EQ(crc32c(view), crc32c_portable(view)) << from << " " << size;
  }
}

TEST(Crc32c, masking_can_be_undone) {
  const std::uint32_t crc = 0x12345678;
  const std::uint32_t rotated = masked_crc32c(crc) - 0xa282ead8u;
  EXPECT_EQ(rotated << 15 | rotated >> 17, crc);
}

}  // namespace
}  // namespace libp2p
