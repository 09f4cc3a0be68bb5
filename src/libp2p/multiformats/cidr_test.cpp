#include "libp2p/multiformats/cidr.hpp"

#include <gtest/gtest.h>

namespace libp2p::multiformats {
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
  EXPECT_FALSE(Cidr::from_text("10.0.0.0\0/8"sv));
}

TEST(Cidr, contains_the_addresses_of_its_prefix_and_no_others) {
  const Cidr ten = Cidr::from_text("10.1.2.3/9").value();
  EXPECT_EQ(ten.text(), "10.0.0.0/9");
  EXPECT_TRUE(ten.contains(Bytes{10, 127, 0, 1}));
  EXPECT_FALSE(ten.contains(Bytes{10, 128, 0, 1}));
  EXPECT_FALSE(ten.contains(Bytes(16, 10)));
  EXPECT_TRUE(Cidr::from_text("0.0.0.0/0").value().contains(Bytes{9, 9, 9, 9}));
  EXPECT_TRUE(Cidr::from_text("1.2.3.4").value().contains(Bytes{1, 2, 3, 4}));
  EXPECT_FALSE(Cidr::from_text("1.2.3.4").value().contains(Bytes{1, 2, 3, 5}));
}

TEST(Cidr, says_what_is_wrong) {
  for (const auto* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0/8", "::/129", "10.0.0.0/-1"}) {
    const auto cidr = Cidr::from_text(text);
    ASSERT_FALSE(cidr) << text;
    EXPECT_NE(cidr.error().message().find("is no address block"), std::string::npos);
  }
}

}  // namespace
}  // namespace libp2p::multiformats
