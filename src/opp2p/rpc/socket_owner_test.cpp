#include "opp2p/rpc/socket_owner.hpp"

#include <gtest/gtest.h>

namespace opp2p {
namespace {

constexpr std::string_view kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:2549 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0\n"
    "   1: 0100007F:254A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n"
    "   2: 00000000:254B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 1 1 0\n"
    "   3: 0200007F:254C 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 1 1 0\n"
    "   4: 0100007F:254C 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1001        0 1 1 0\n"
    "   5: 0000000000000000FFFF00000100007F:254D 00000000:0000 0A 0:0 00:0 0  1002 0 1\n"
    "   6: 00000000000000000000000001000000:254E 00000000:0000 0A 0:0 00:0 0  1003 0 1\n"
    "nonsense\n   7: 0100007F 0 0A\n   8: 0100007F:ZZZZ 0 0A 0 0 0 x\n";

TEST(SocketOwner, is_a_stranger_when_it_is_neither_root_nor_the_expected_one) {
  EXPECT_EQ(stranger_in(kTable, "127.0.0.1", 9545, 1000), std::nullopt);
  EXPECT_EQ(stranger_in(kTable, "127.0.0.1", 9545, 0), 1000u);
  EXPECT_EQ(stranger_in(kTable, "127.0.0.1", 9546, 1000), std::nullopt) << "root may read every secret";
  EXPECT_EQ(stranger_in(kTable, "127.0.0.1", 9547, 1000), 1001u) << "it listens at all addresses";
  EXPECT_EQ(stranger_in(kTable, "127.0.0.1", 9548, 1000), std::nullopt) << "another address, and a connection";
  EXPECT_EQ(stranger_in(kTable, "127.0.0.2", 9548, 1000), 1001u);
  EXPECT_EQ(stranger_in(kTable, "127.0.0.1", 9549, 1000), 1002u) << "mapped into IPv6";
  EXPECT_EQ(stranger_in(kTable, "::1", 9550, 1000), 1003u);
  EXPECT_EQ(stranger_in(kTable, "no address", 9545, 0), std::nullopt);
  EXPECT_EQ(stranger_in("", "127.0.0.1", 9545, 0), std::nullopt);
}

}  // namespace
}  // namespace opp2p
