#include "libp2p/transports/tcp/tcp_address.hpp"

#include "libp2p/base/assert.hpp"

namespace libp2p::tcp {

using multiformats::Protocol;

Result<Endpoint> endpoint_of(const Multiaddr& address) {
  const auto parts = address.components();
  std::size_t at = 0;
  const bool zoned = parts.size() > 1 && parts[0].protocol == Protocol::ip6zone;
  if (zoned) ++at;
  const bool ip6 = at < parts.size() && parts[at].protocol == Protocol::ip6;
  const bool ip4 = at < parts.size() && parts[at].protocol == Protocol::ip4;
  if (zoned && !ip6) return fail(Errc::unsupported, "/ip6zone must be followed by /ip6");
  if (!ip4 && !ip6) return fail(Errc::unsupported, "it must begin with /ip4, /ip6, /dns, /dns4 or /dns6");
  ++at;
  if (at >= parts.size() || parts[at].protocol != Protocol::tcp || parts[at].value.size() != 2) {
    return fail(Errc::unsupported, "only /tcp is spoken behind the host");
  }
  if (at + 1 != parts.size()) return fail(Errc::unsupported, "only /p2p/ID may follow /tcp");
  const auto ip = address.value_of(ip4 ? Protocol::ip4 : Protocol::ip6);
  OPP2P_ASSERT(ip.has_value(), "an address with a component has its value", address);
  Endpoint out(*ip, load_be16(parts[at].value.data()));
  if (zoned) out.ip.append("%").append(as_text(parts[0].value));
  return out;
}

Result<Multiaddr> to_multiaddr(const Endpoint& endpoint) {
  std::string text;
  const auto percent = endpoint.ip.find('%');
  if (percent != std::string::npos) text.append("/ip6zone/").append(endpoint.ip.substr(percent + 1));
  const bool v6 = endpoint.ip.find(':') != std::string::npos;
  text.append(v6 ? "/ip6/" : "/ip4/").append(endpoint.ip.substr(0, percent));
  text.append("/tcp/").append(std::to_string(endpoint.port));
  return Multiaddr::from_text(text);
}

}  // namespace libp2p::tcp
