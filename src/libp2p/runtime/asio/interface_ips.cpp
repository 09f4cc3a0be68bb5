#include "libp2p/runtime/asio/interface_ips.hpp"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "libp2p/runtime/asio/asio_runtime.hpp"

namespace libp2p::runtime {

std::vector<std::string> ips_of(const ifaddrs* first) {
  std::vector<std::string> reachable, loopback;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_UP) == 0) continue;
    char text[INET6_ADDRSTRLEN] = {};
    const int family = at->ifa_addr->sa_family;
    const void* ip = nullptr;
    if (family == AF_INET) {
      ip = &reinterpret_cast<const sockaddr_in*>(at->ifa_addr)->sin_addr;
    } else if (family == AF_INET6) {
      const in6_addr& ip6 = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr)->sin6_addr;
      if (IN6_IS_ADDR_LINKLOCAL(&ip6)) continue;
      ip = &ip6;
    }
    if (ip == nullptr || inet_ntop(family, ip, text, sizeof(text)) == nullptr) continue;
    auto& list = (at->ifa_flags & IFF_LOOPBACK) != 0 ? loopback : reachable;
    if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
  }
  reachable.insert(reachable.end(), loopback.begin(), loopback.end());
  return reachable;
}

Result<std::vector<std::string>> AsioRuntime::interface_ips() const {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0)
    return fail(Errc::io, "cannot read the interfaces of this machine: " + std::generic_category().message(errno));
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(first, &freeifaddrs);
  return ips_of(first);
}

}  // namespace libp2p::runtime
