#include "libp2p/host/connection_rates.hpp"

#include <gtest/gtest.h>

#include "libp2p/host/host_test_support.hpp"
#include "libp2p/multiformats/address_blocks.hpp"

namespace libp2p {
namespace {

using testing_host::kStart;

AddressBlocks blocks_of(const std::string& ip) {
  const bool v6 = ip.find(':') != std::string::npos;
  return multiformats::address_blocks(Multiaddr::from_text((v6 ? "/ip6/" : "/ip4/") + ip + "/tcp/1").value());
}

struct Rates : ConnectionRates {
  explicit Rates(std::size_t entries = kEntries) : ConnectionRates({0.2, 16}, {0.5, 80}, entries) {}
  int burst(const std::string& ip, MonoTime now) {
    int taken = 0;
    while (taken < 1000 && try_take(blocks_of(ip), now) == ShareFull::none) ++taken;
    return taken;
  }
};

TEST(ConnectionRates, an_address_has_sixteen_at_once_and_one_each_five_seconds) {
  Rates rates;
  EXPECT_EQ(rates.burst("192.0.2.1", kStart), 16);
  EXPECT_EQ(rates.try_take(blocks_of("192.0.2.1"), kStart + Millis(4900)), ShareFull::narrow);
  EXPECT_EQ(rates.burst("192.0.2.1", kStart + Seconds(5)), 1);
  EXPECT_EQ(rates.burst("192.0.2.1", kStart + Seconds(15)), 2);
  EXPECT_EQ(rates.burst("192.0.2.2", kStart), 16) << "another address has its own";
  EXPECT_EQ(rates.burst("192.0.2.1", kStart + Seconds(1000)), 16);
}

TEST(ConnectionRates, the_largest_burst_there_is_refuses_nobody) {
  ConnectionRates rates({0.2, 4294967295.0}, {0.2, 4294967295.0});
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(rates.try_take(blocks_of("192.0.2.1"), kStart), ShareFull::none) << i;
}

TEST(ConnectionRates, a_56_has_sixteen_and_a_48_eighty) {
  Rates rates;
  EXPECT_EQ(rates.burst("2001:db8:1:1::1", kStart), 16);
  EXPECT_EQ(rates.burst("2001:db8:1:ff::2", kStart), 0) << "the same /56";
  int wide = 16;
  for (const auto* ip :
       {"2001:db8:1:100::1", "2001:db8:1:200::1", "2001:db8:1:300::1", "2001:db8:1:400::1", "2001:db8:1:500::1"}) {
    wide += rates.burst(ip, kStart);
  }
  EXPECT_EQ(wide, 80);
  EXPECT_EQ(rates.try_take(blocks_of("2001:db8:1:600::1"), kStart), ShareFull::wide);
  EXPECT_EQ(rates.burst("2001:db8:2::1", kStart), 16);
}

TEST(ConnectionRates, loopback_has_no_limit) {
  Rates rates;
  EXPECT_EQ(rates.burst("127.0.0.1", kStart), 1000);
  EXPECT_EQ(rates.burst("::1", kStart), 1000);
  EXPECT_EQ(rates.size(), 0u);
}

TEST(ConnectionRates, a_full_table_forgets_the_bucket_that_has_lost_least) {
  Rates rates(4);
  EXPECT_EQ(rates.burst("192.0.2.1", kStart), 16);
  for (int i = 1; i <= 200; ++i) {
    EXPECT_EQ(rates.try_take(blocks_of("198.51.100." + std::to_string(i)), kStart), ShareFull::none);
  }
  EXPECT_EQ(rates.size(), 4u);
  EXPECT_EQ(rates.burst("192.0.2.1", kStart), 0)
      << "many addresses that come once do not give the first its burst again";
  // Those that are full again go first.
  EXPECT_EQ(rates.try_take(blocks_of("203.0.113.1"), kStart + Seconds(6)), ShareFull::none);
  EXPECT_EQ(rates.size(), 2u);
}

}  // namespace
}  // namespace libp2p
