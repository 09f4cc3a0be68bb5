// Decides which requests of web browsers a server of the node answers. A page of any website can make a visitor's
// browser send requests to the visitor's machine and network. The browser marks them with the headers Origin and
// Sec-Fetch-Site, which a page can neither change nor omit; other clients send neither. A request with such a header is
// refused, unless
// --rpc.cors lists the page's origin. Host is checked on these requests only. An attacker can point a DNS name at the
// node, so an unknown name is refused there; containers reach the node under names that it does not know, so other
// clients may use any name.
//
// Pure functions. Source: Fetch Standard, "Origin header" and "Fetch Metadata Request Headers"; op-node surface,
// section 10 (CORS "*").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libp2p/base/result.hpp"

namespace opp2p {

struct BrowserHeaders {
  std::optional<std::string> origin;
  std::string fetch_site;  // empty: none was sent
  std::string host;
};

class BrowserRules {
 public:
  BrowserRules() = default;
  // Origins separated by commas, or "*". Errc::invalid_argument names the one that is none.
  static libp2p::Result<BrowserRules> from_text(std::string_view list);
  // For metrics: no page may read them, and there is no option to allow it.
  static BrowserRules of_metrics();

  // Why the request is refused; nothing when it is not.
  std::optional<std::string> refusal(const BrowserHeaders& request) const;
  // What Access-Control-Allow-Origin says to an allowed origin.
  std::string allow_origin(const std::string& origin) const { return any_ ? "*" : origin; }

 private:
  bool names(std::string_view origin) const;
  bool is_own_host(std::string_view host) const;
  std::string refuse(const std::string& who, const std::string& origin = {}) const;
  bool any_ = false;
  bool of_metrics_ = false;
  std::vector<std::string> origins_;
};

}  // namespace opp2p
