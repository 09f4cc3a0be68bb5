#include "libp2p/multiformats/cidr.hpp"

#include <gtest/gtest.h>

#include "libp2p/multiformats/ip_text.hpp"

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

// One text for each block, whatever it was written like; nothing where it is refused.
TEST(Cidr, has_one_text_for_every_spelling) {
  const std::pair<const char*, const char*> rows[] = {
      {"10.1.2.3/8", "10.0.0.0/8"},
      {"10.0.0.1", "10.0.0.1/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"10.0.0.0/08", "10.0.0.0/8"},
      {"2001:DB8:0:0::1/32", "2001:db8::/32"},
      {"2001:0db8::0001", "2001:db8::1/128"},
      {"::/0", "::/0"},
      {"fe80::1%eth0", "fe80::1/128"},
      {"fe80::1%eth0/10", "fe80::/10"},
      {"::ffff:1.2.3.4", "1.2.3.4/32"},
      {"::ffff:1.2.3.4/120", "1.2.3.0/24"},
      {"::FFFF:102:304/128", "1.2.3.4/32"},
      {"0:0:0:0:0:ffff:0:0/96", "0.0.0.0/0"},
      {"::1.2.3.4/128", "::102:304/128"},
      {"64:ff9b::1.2.3.4/96", "64:ff9b::/96"},
      {"::fffe:0:0/95", "::fffe:0:0/95"},
      {"::ffff:0:0/95", ""},
      {"::ffff:1.2.3.4/32", ""},
      {"::ffff:1.2.3.4/129", ""},
      {"010.0.0.0/8", ""},
      {"10.0.0.0/+8", ""},
      {"10.0.0.0/8/8", ""},
      {"10.0.0.0%eth0/8", ""},
      {"fe80::1%/64", ""},
      {"fe80::1%a b/64", ""},
      {" 10.0.0.0/8", ""},
      {"10.0.0.0/99999999999", ""},
  };
  for (const auto& [text, canonical] : rows) {
    const auto block = Cidr::from_text(text);
    EXPECT_EQ(block ? block->text() : "", canonical) << text;
    if (!block) continue;
    EXPECT_EQ(Cidr::from_text(block->text()).value(), *block) << text;
  }
}

TEST(Cidr, a_mapped_ip4_address_is_the_ip4_address) {
  const Cidr ten = Cidr::from_text("10.0.0.0/8").value();
  EXPECT_TRUE(ten.contains(map_ip4({10, 1, 2, 3})));
  EXPECT_FALSE(ten.contains(map_ip4({11, 1, 2, 3})));
  EXPECT_EQ(Cidr::single(map_ip4({10, 0, 0, 1})), Cidr::from_text("10.0.0.1").value());
  EXPECT_EQ(Cidr::of(map_ip4({10, 1, 2, 3}), 8), ten);
  EXPECT_FALSE(Cidr::from_text("::/0").value().contains(map_ip4({10, 0, 0, 1})));
  EXPECT_FALSE(Cidr::from_text("::/80").value().contains(Bytes{10, 0, 0, 1}));
  for (const std::size_t size : {0U, 3U, 5U, 15U, 17U}) EXPECT_FALSE(ten.contains(Bytes(size, 10))) << size;
}

TEST(Cidr, stands_in_the_order_of_numbers_with_ip4_first) {
  const char* const sorted[] = {"0.0.0.0/0",   "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16",
                                "10.0.0.1/32", "::/0",      "::1/128",    "2001:db8::/32"};
  for (std::size_t i = 1; i < std::size(sorted); ++i) {
    EXPECT_LT(Cidr::from_text(sorted[i - 1]).value(), Cidr::from_text(sorted[i]).value()) << sorted[i];
  }
}

}  // namespace
}  // namespace libp2p::multiformats
