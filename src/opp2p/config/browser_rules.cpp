#include "opp2p/config/browser_rules.hpp"

#include <algorithm>
#include <charconv>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/multiformats/cidr.hpp"

namespace opp2p {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// "example.org" of "example.org:80", "::1" of "[::1]:80".
std::string_view name_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

std::string_view host_of(std::string_view origin) { return origin.substr(origin.find("://") + 3); }

// scheme://host or scheme://host:port, as browsers send it.
bool is_origin(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const auto host = host_of(text);
  if (host.empty() || host.find_first_of("/?#@ *") != std::string_view::npos) return false;
  if (host.starts_with('[') && host.find(']') == std::string_view::npos) return false;
  const auto name = name_of(host);
  if (name.empty()) return false;
  const auto rest = host.substr(host.starts_with('[') ? std::min(name.size() + 2, host.size()) : name.size());
  return rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1)));
}

// What a client sent, in an error.
std::string shown(std::string_view text) { return libp2p::peer_text(text, 100); }

}  // namespace

libp2p::Result<BrowserRules> BrowserRules::from_text(std::string_view list) {
  BrowserRules out;
  while (!list.empty()) {
    const auto comma = list.find(',');
    auto one = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.empty()) continue;
    if (one == "*")
      out.any_ = true;
    else if (is_origin(one))
      out.origins_.push_back(lower(one));
    else
      return libp2p::fail(libp2p::Errc::invalid_argument,
                          "'" + std::string(one) +
                              "' is not an origin; write for example https://status.example.org or " +
                              "http://127.0.0.1:3000, without a path, or * for any");
  }
  return out;
}

BrowserRules BrowserRules::of_metrics() {
  BrowserRules out;
  out.of_metrics_ = true;
  return out;
}

bool BrowserRules::names(std::string_view origin) const {
  return any_ || std::find(origins_.begin(), origins_.end(), lower(origin)) != origins_.end();
}

// An address, localhost, or the host of an origin that is allowed.
bool BrowserRules::is_own_host(std::string_view host) const {
  const auto name = lower(name_of(host));
  if (any_ || name == "localhost" || name.ends_with(".localhost")) return true;
  if (libp2p::Cidr::from_text(name)) return true;
  return std::any_of(origins_.begin(), origins_.end(),
                     [&](const auto& origin) { return name_of(host_of(origin)) == name; });
}

// `origin`: the one to allow, when it is not the one that asks.
std::string BrowserRules::refuse(const std::string& who, const std::string& origin) const {
  if (of_metrics_)
    return who + " may not read this node's metrics, and no option allows it; let the page ask Prometheus instead";
  return who + " may not use this RPC; start the node with --rpc.cors ORIGIN to allow it" +
         (origin.empty() ? "" : " (" + origin + ")");
}

std::optional<std::string> BrowserRules::refusal(const BrowserHeaders& request) const {
  if (request.origin && !names(*request.origin)) return refuse("a web page of " + shown(*request.origin));
  const bool foreign = request.fetch_site == "cross-site" || request.fetch_site == "same-site";
  if (!request.origin && foreign && !any_)
    return refuse("a web page of another site (Sec-Fetch-Site: " + request.fetch_site + ")");
  const bool of_a_page = request.origin || foreign || request.fetch_site == "same-origin";
  if (of_a_page && !is_own_host(request.host))
    return refuse("a web page of the host " + shown(request.host) + ", which is not known to be this node,",
                  "http://" + shown(request.host));
  return std::nullopt;
}

}  // namespace opp2p
