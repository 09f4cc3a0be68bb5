#include "libp2p/protocols/mplex/frame.hpp"

#include <gtest/gtest.h>

namespace libp2p::mplex {
namespace {

TEST(MplexFrame, survives_the_way_there_and_back_and_knows_its_size) {
  for (const std::uint64_t id :
       {std::uint64_t{0}, std::uint64_t{15}, std::uint64_t{16}, std::uint64_t{2047}, kMaxWireId}) {
    for (std::uint8_t flag = 0; flag < 8; ++flag) {
      for (const std::size_t length : {std::size_t{0}, std::size_t{127}, std::size_t{128}, kMaxMessage}) {
        const Header header{id, flag, length};
        Bytes out(kMaxHeader);
        const std::size_t size = write_header(out, header);
        EXPECT_EQ(size, header_size(header));
        out.resize(size);
        const auto read = read_header(out);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->header, header);
        EXPECT_EQ(read->size, size);
        for (std::size_t cut = 0; cut < size; ++cut)
          EXPECT_EQ(read_header(ByteView(out).first(cut)).error().code(), Errc::truncated);
      }
    }
  }
}

TEST(MplexFrame, refuses_long_and_padded_varints_and_messages_above_one_mebibyte) {
  const struct {
    const char* bytes;
    Errc code;
  } cases[] = {
      {"8000", Errc::malformed},                    // a header of two bytes that fits one
      {"028000", Errc::malformed},                  // the same of the length
      {"ffffffffffffffffff7f00", Errc::malformed},  // more than nine bytes
      {"02ffffffffffffffffff7f", Errc::malformed},
      {"02818040", Errc::too_large},  // 2^20 + 1
      {"02ffffffffffffffff7f", Errc::too_large},
  };
  for (const auto& item : cases) EXPECT_EQ(read_header(*from_hex(item.bytes)).error().code(), item.code) << item.bytes;
  EXPECT_TRUE(read_header(*from_hex("02808040")));  // 2^20
}

}  // namespace
}  // namespace libp2p::mplex
