#include <gmock/gmock.h>
#include <sys/resource.h>

#include "libp2p/runtime/asio/asio_runtime.hpp"

namespace libp2p::runtime {
namespace {

TEST(InterfaceIps, hold_this_machines_loopback_behind_what_others_can_reach) {
  AsioRuntime rt;
  const auto ips = rt.interface_ips().value();
  ASSERT_THAT(ips, testing::Contains("127.0.0.1"));
  bool loopback = false;
  for (const auto& ip : ips) {
    EXPECT_THAT(ip, testing::Not(testing::AnyOf("0.0.0.0", "::", testing::StartsWith("fe80:"))));
    const bool own = ip.starts_with("127.") || ip == "::1";
    EXPECT_TRUE(own || !loopback) << ip << " follows an address of loopback";
    loopback = loopback || own;
  }
}

TEST(InterfaceIps, are_an_error_and_not_none_when_the_system_does_not_tell_them) {
  AsioRuntime rt;
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit none{0, files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto ips = rt.interface_ips();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  ASSERT_FALSE(ips);
  EXPECT_THAT(ips.error().message(), testing::HasSubstr("cannot read the interfaces of this machine"));
}

}  // namespace
}  // namespace libp2p::runtime
