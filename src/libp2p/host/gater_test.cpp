#include "libp2p/host/gater.hpp"

#include <gtest/gtest.h>

namespace libp2p {
namespace {

using namespace std::string_view_literals;

TEST(CanonicalIp, has_one_text_for_one_address) {
  EXPECT_EQ(canonical_ip("::ffff:1.2.3.4").value(), "1.2.3.4");
  EXPECT_EQ(canonical_ip("::FFFF:102:304").value(), "1.2.3.4");
  EXPECT_EQ(canonical_ip("fd00:0:0::1").value(), "fd00::1");
  EXPECT_EQ(canonical_ip("::0.1.0.1").value(), canonical_ip("::1:1").value());
  EXPECT_EQ(canonical_ip("fe80::1%eth0").value(), "fe80::1");
}

TEST(CanonicalIp, refuses_text_with_more_behind_the_address) {
  for (const auto text : {"10.0.0.1\0x"sv, "10.0.0.1\0"sv, "::1\0junk"sv, "10.0.0.1 "sv, "10.0.0.01"sv, ""sv}) {
    EXPECT_FALSE(canonical_ip(text)) << text;
  }
  EXPECT_FALSE(Subnet::from_text("10.0.0.0\0/8"sv));
}

}  // namespace
}  // namespace libp2p
