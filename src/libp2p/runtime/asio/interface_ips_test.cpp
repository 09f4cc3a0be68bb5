#include <gmock/gmock.h>

#include "libp2p/runtime/asio/asio_runtime.hpp"

namespace libp2p::runtime {
namespace {

TEST(InterfaceIps, hold_this_machines_loopback_behind_what_others_can_reach) {
  AsioRuntime rt;
  const auto ips = rt.interface_ips();
  ASSERT_THAT(ips, testing::Contains("127.0.0.1"));
  bool loopback = false;
  for (const auto& ip : ips) {
    EXPECT_THAT(ip, testing::Not(testing::AnyOf("0.0.0.0", "::", testing::StartsWith("fe80:"))));
    const bool own = ip.starts_with("127.") || ip == "::1";
    EXPECT_TRUE(own || !loopback) << ip << " follows an address of loopback";
    loopback = loopback || own;
  }
}

}  // namespace
}  // namespace libp2p::runtime
