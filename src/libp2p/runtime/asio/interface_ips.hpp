// What AsioRuntime says about the machine's interfaces.
#pragma once

#include <ifaddrs.h>

#include <string>
#include <vector>

namespace libp2p::runtime {

// The IP addresses of a list of getifaddrs(3) as text, each once: those of interfaces that are up, without link-local
// ones of IPv6, those of loopback last.
std::vector<std::string> ips_of(const ifaddrs* first);

}  // namespace libp2p::runtime
