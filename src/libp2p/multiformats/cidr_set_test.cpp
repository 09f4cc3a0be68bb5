#include "libp2p/multiformats/cidr_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "libp2p/base/rng.hpp"
#include "libp2p/multiformats/ip_text.hpp"

namespace libp2p::multiformats {
namespace {

Cidr block(std::string_view text) { return Cidr::from_text(text).value(); }
std::string covering(const CidrSet& set, std::string_view ip) {
  const auto found = set.covering(parse_ip(ip).value());
  return found ? found->text() : "none";
}

TEST(CidrSet, gives_the_narrowest_block_that_has_an_address) {
  CidrSet set;
  for (const auto* text : {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "fd00::/8", "fd00:1::/32"}) {
    EXPECT_TRUE(set.insert(block(text)));
    EXPECT_FALSE(set.insert(block(text)));
  }
  EXPECT_EQ(set.size(), 5u);
  EXPECT_EQ(covering(set, "10.1.2.3"), "10.1.2.3/32");
  EXPECT_EQ(covering(set, "10.1.2.4"), "10.1.0.0/16");
  EXPECT_EQ(covering(set, "10.2.0.0"), "10.0.0.0/8");
  EXPECT_EQ(covering(set, "11.0.0.0"), "none");
  EXPECT_EQ(covering(set, "fd00:1::9"), "fd00:1::/32");
  EXPECT_EQ(covering(set, "fd01::9"), "fd00::/8");
  EXPECT_FALSE(set.covering(Bytes(5)));
  EXPECT_TRUE(set.erase(block("10.1.0.0/16")));
  EXPECT_FALSE(set.erase(block("10.1.0.0/16")));
  EXPECT_EQ(covering(set, "10.1.2.4"), "10.0.0.0/8");
}

TEST(CidrSet, all_of_a_family_is_a_block_too) {
  CidrSet set;
  set.insert(block("0.0.0.0/0"));
  EXPECT_EQ(covering(set, "255.255.255.255"), "0.0.0.0/0");
  EXPECT_EQ(covering(set, "::1"), "none");
  EXPECT_EQ(set.covering(map_ip4({1, 2, 3, 4})), block("0.0.0.0/0"));
}

// Against a scan of a plain list, with blocks that come and go and addresses near their edges.
TEST(CidrSet, agrees_with_a_scan_of_a_list) {
  SeededRng rng(7);
  CidrSet set;
  std::vector<Cidr> list;
  const auto some_ip = [&rng] {
    Bytes ip(rng.next_u64() % 2 == 0 ? 4 : 16);
    for (auto& byte : ip) byte = static_cast<std::uint8_t>(rng.next_u64() % 3);  // few values, so that blocks overlap
    return ip;
  };
  for (int step = 0; step < 4000; ++step) {
    const Bytes ip = some_ip();
    const Cidr one = Cidr::of(ip, static_cast<unsigned>(rng.next_u64() % (8 * ip.size() + 1)));
    const auto known = std::find(list.begin(), list.end(), one);
    if (rng.next_u64() % 3 == 0) {
      EXPECT_EQ(set.erase(one), known != list.end());
      if (known != list.end()) list.erase(known);
    } else {
      EXPECT_EQ(set.insert(one), known == list.end());
      if (known == list.end()) list.push_back(one);
    }
    const Bytes asked = some_ip();
    std::optional<Cidr> narrowest;
    for (const Cidr& each : list) {
      if (each.contains(asked) && (!narrowest || each.prefix() > narrowest->prefix())) narrowest = each;
    }
    ASSERT_EQ(set.covering(asked), narrowest) << step;
  }
  EXPECT_EQ(set.size(), list.size());
  EXPECT_GT(set.size(), 50u);
  EXPECT_TRUE(std::is_sorted(set.blocks().begin(), set.blocks().end()));
}

}  // namespace
}  // namespace libp2p::multiformats
