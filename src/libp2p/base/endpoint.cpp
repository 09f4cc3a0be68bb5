#include "libp2p/base/endpoint.hpp"

namespace libp2p {

std::string Endpoint::to_string() const {
  const bool v6 = ip.find(':') != std::string::npos;
  std::string out;
  if (v6) out.append("[");
  out.append(ip);
  if (v6) out.append("]");
  return out.append(":").append(std::to_string(port));
}

}  // namespace libp2p
