#include "libp2p/host/dial_target.hpp"

#include "libp2p/base/peer_text.hpp"

namespace libp2p {

using multiformats::Protocol;

namespace {

Error not_dialable(const Multiaddr& address, std::string_view why) {
  return fail(Errc::unsupported, "'" + peer_text(address.text()) + "' cannot be used: " + std::string(why));
}

}  // namespace

Result<DialTarget> dial_target(const Multiaddr& address) {
  const auto parts = address.components();
  DialTarget out;
  std::size_t at = 0;
  std::string zone;
  if (parts.empty()) return fail(Errc::invalid_argument, "the address is empty");
  if (parts[at].protocol == Protocol::ip6zone && parts.size() > 1) {
    zone = std::string(as_text(parts[at].value));
    ++at;
  }
  switch (parts[at].protocol) {
    case Protocol::ip4: out.host = *address.value_of(Protocol::ip4); break;
    case Protocol::ip6: out.host = *address.value_of(Protocol::ip6); break;
    case Protocol::dns: out.family = runtime::Family::any; out.is_name = true; break;
    case Protocol::dns4: out.family = runtime::Family::ip4; out.is_name = true; break;
    case Protocol::dns6: out.family = runtime::Family::ip6; out.is_name = true; break;
    case Protocol::dnsaddr:
      return not_dialable(address, "/dnsaddr needs TXT records, which are not looked up; give the /ip4, /ip6 or /dns address");
    default: return not_dialable(address, "it must begin with /ip4, /ip6, /dns, /dns4 or /dns6");
  }
  if (out.is_name) out.host = std::string(as_text(parts[at].value));
  if (!zone.empty()) {
    if (parts[at].protocol != Protocol::ip6) return not_dialable(address, "/ip6zone must be followed by /ip6");
    out.host.append("%").append(zone);
  }
  ++at;
  if (at >= parts.size() || parts[at].protocol != Protocol::tcp || parts[at].value.size() != 2) {
    return not_dialable(address, "only /tcp is spoken behind the host");
  }
  out.port = load_be16(parts[at].value.data());
  ++at;
  if (at < parts.size() && parts[at].protocol == Protocol::p2p) ++at;
  if (at != parts.size()) return not_dialable(address, "only /p2p/ID may follow /tcp");
  return out;
}

Multiaddr to_multiaddr(const runtime::Endpoint& endpoint) {
  std::string text;
  const auto percent = endpoint.ip.find('%');
  if (percent != std::string::npos) text.append("/ip6zone/").append(endpoint.ip.substr(percent + 1));
  const bool v6 = endpoint.ip.find(':') != std::string::npos;
  text.append(v6 ? "/ip6/" : "/ip4/").append(endpoint.ip.substr(0, percent));
  text.append("/tcp/").append(std::to_string(endpoint.port));
  auto parsed = Multiaddr::from_text(text);
  return parsed ? std::move(*parsed) : Multiaddr();
}

}  // namespace libp2p
