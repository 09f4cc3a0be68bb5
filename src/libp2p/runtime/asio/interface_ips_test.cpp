#include "libp2p/runtime/asio/interface_ips.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/in.h>

#include <deque>

namespace libp2p::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A list as getifaddrs(3) makes it.
class Interfaces {
 public:
  Interfaces& add(unsigned flags, sockaddr* address) {
    entries_.push_back({});
    entries_.back().ifa_flags = flags;
    entries_.back().ifa_addr = address;
    if (entries_.size() > 1) entries_[entries_.size() - 2].ifa_next = &entries_.back();
    return *this;
  }
  Interfaces& ip4(unsigned flags, const char* text) {
    auto& address = ip4_.emplace_back();
    address.sin_family = AF_INET;
    inet_pton(AF_INET, text, &address.sin_addr);
    return add(flags, reinterpret_cast<sockaddr*>(&address));
  }
  Interfaces& ip6(unsigned flags, const char* text) {
    auto& address = ip6_.emplace_back();
    address.sin6_family = AF_INET6;
    inet_pton(AF_INET6, text, &address.sin6_addr);
    return add(flags, reinterpret_cast<sockaddr*>(&address));
  }
  std::vector<std::string> ips() const { return ips_of(entries_.empty() ? nullptr : &entries_.front()); }

 private:
  std::deque<ifaddrs> entries_;  // deques, because the entries point at each other
  std::deque<sockaddr_in> ip4_;
  std::deque<sockaddr_in6> ip6_;
};

TEST(InterfaceIps, are_those_of_interfaces_that_are_up_each_once_and_loopback_last) {
  EXPECT_THAT(Interfaces()
                  .ip4(IFF_UP | IFF_LOOPBACK, "127.0.0.1")
                  .ip4(IFF_UP, "10.0.0.1")
                  .ip6(IFF_UP | IFF_LOOPBACK, "::1")
                  .ip6(IFF_UP, "fe80::1")
                  .ip6(IFF_UP, "2001:db8::1")
                  .ip4(0, "10.0.0.9")
                  .ip4(IFF_UP, "10.0.0.1")
                  .ips(),
              ElementsAre("10.0.0.1", "2001:db8::1", "127.0.0.1", "::1"));
}

TEST(InterfaceIps, an_interface_without_an_address_or_with_one_of_another_kind_has_none) {
  sockaddr packet{};
  packet.sa_family = AF_PACKET;
  EXPECT_THAT(Interfaces().add(IFF_UP, nullptr).add(0, nullptr).add(IFF_UP, &packet).ips(), IsEmpty());
  EXPECT_THAT(Interfaces().ips(), IsEmpty());
}

}  // namespace
}  // namespace libp2p::runtime
