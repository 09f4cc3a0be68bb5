#include "libp2p/multiformats/ip_text.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include "libp2p/base/rng.hpp"

namespace libp2p::multiformats {
namespace {

std::string canonical_ip6(std::string_view text) {
  const auto six = parse_ip6(text);
  return six ? ip6_text(*six) : "refused";
}

// RFC 5952, sections 2 and 4.
TEST(IpText, what_lies_behind_the_text_is_not_read) {
  constexpr std::string_view kLonger = "1.2.3.45";
  EXPECT_EQ(ip4_text(parse_ip(kLonger.substr(0, 7)).value()), "1.2.3.4");
  EXPECT_EQ(ip4_text(parse_ip(kLonger).value()), "1.2.3.45");
}

TEST(IpText, prints_ipv6_as_rfc_5952_asks) {
  EXPECT_EQ(canonical_ip6("2001:0db8::0001"), "2001:db8::1");
  EXPECT_EQ(canonical_ip6("2001:db8:0:0:0:0:2:1"), "2001:db8::2:1");
  EXPECT_EQ(canonical_ip6("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  EXPECT_EQ(canonical_ip6("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");
  EXPECT_EQ(canonical_ip6("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");
  EXPECT_EQ(canonical_ip6("2001:DB8::ABCD"), "2001:db8::abcd");
  EXPECT_EQ(canonical_ip6("::"), "::");
  EXPECT_EQ(canonical_ip6("1::"), "1::");
  EXPECT_EQ(canonical_ip6("::1"), "::1");
  EXPECT_EQ(canonical_ip6("0:0:0:0:0:ffff:c000:201"), "::ffff:192.0.2.1");
  EXPECT_EQ(canonical_ip6("::192.0.2.1"), "::c000:201");
  EXPECT_EQ(canonical_ip6("64:ff9b::192.0.2.33"), "64:ff9b::c000:221");
  EXPECT_EQ(canonical_ip6("1:2:3:4:5:6:192.0.2.1"), "1:2:3:4:5:6:c000:201");
}

TEST(IpText, refuses_what_is_no_ipv6_address) {
  for (const auto* text : {"",
                           ":",
                           ":::",
                           "1",
                           "1:",
                           ":1",
                           "::1:",
                           ":::1",
                           "1::2::3",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1:2:3:4:5:6:7::8:9",
                           "1:2:3:4:5:6:7:8::",
                           "::1:2:3:4:5:6:7:8",
                           "12345::",
                           "g::",
                           "1::%eth0",
                           " ::1",
                           "::1 ",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1.2.3.4",
                           "1:2:3:4:5:1.2.3.4",
                           "::01.2.3.4",
                           "::256.2.3.4",
                           "1:::2"})
    EXPECT_FALSE(parse_ip6(text)) << text;
}

TEST(IpText, refuses_what_is_no_ipv4_address) {
  for (const auto* text :
       {"", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", ".1.2.3", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.04",
        "00.0.0.0", "1.2.3.4 ", "+1.2.3.4", "0x1.2.3.4", "999999999999.1.1.1"})
    EXPECT_FALSE(parse_ip4(text)) << text;
  EXPECT_EQ(ip4_text(parse_ip4("0.10.200.255").value()), "0.10.200.255");
}

TEST(IpText, reads_either_kind_as_a_socket_has_it) {
  EXPECT_EQ(parse_ip("192.0.2.1"), Bytes({192, 0, 2, 1}));
  EXPECT_EQ(parse_ip("::ffff:192.0.2.1"), Bytes({192, 0, 2, 1}));
  EXPECT_EQ(parse_ip("fe80::1%eth0"), Bytes({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
  for (const auto* text : {"", "%", "host", "1.2.3", "::1::"}) EXPECT_FALSE(parse_ip(text)) << text;
}

TEST(IpText, reads_back_what_it_prints_and_agrees_with_the_system) {
  SeededRng rng(1);
  for (int i = 0; i < 20000; ++i) {
    auto six = rng.array<16>();
    const auto zeros = rng.next_u64();  // many zero groups, so that runs of them are met
    for (std::size_t group = 0; group < 8; ++group) {
      if ((zeros >> group & 1) != 0) six[2 * group] = six[2 * group + 1] = 0;
    }
    const auto text = ip6_text(six);
    ASSERT_EQ(parse_ip6(text), six) << text;
    ByteArray<16> system;
    ASSERT_EQ(inet_pton(AF_INET6, text.c_str(), system.data()), 1) << text;
    ASSERT_EQ(system, six);
  }
}

TEST(IpText, agrees_with_the_system_about_mangled_addresses) {
  SeededRng rng(2);
  constexpr std::string_view kLetters = "0123456789abcdef::::..";
  for (int i = 0; i < 50000; ++i) {
    std::string text = i % 2 == 0 ? "2001:db8::1:2:1.2.3.4" : "1:2:3:4:5:6:7:8";
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(rng.below(text.size()));
      if (rng.below(2) == 0) {
        text[at] = kLetters[rng.below(kLetters.size())];
      } else {
        text.erase(at, 1);
      }
    }
    ByteArray<16> system;
    const bool good = inet_pton(AF_INET6, text.c_str(), system.data()) == 1;
    const auto mine = parse_ip6(text);
    ASSERT_EQ(mine.has_value(), good) << text;
    if (mine) {
      ASSERT_EQ(*mine, system) << text;
    }
  }
}

}  // namespace
}  // namespace libp2p::multiformats
