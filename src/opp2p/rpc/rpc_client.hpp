// A JSON-RPC client over HTTP, blocking, one request at a time: for command lines that ask a running node. Bounds: an
// answer of 64 MiB.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p {

class RpcClient {
 public:
  // `token`: the node's (rpc.token in its data folder), for methods that change something; may be empty.
  RpcClient(std::string host, std::uint16_t port, std::string token = {}, libp2p::Nanos timeout = libp2p::Seconds(5))
      : host_(std::move(host)), port_(port), token_(std::move(token)), timeout_(timeout) {}

  // The result. Errc::unreachable when nobody answers, Errc::denied with the server's text for an error that it
  // reports.
  libp2p::Result<boost::json::value> call(std::string_view method, boost::json::array params = {}) const;

 private:
  std::string host_;
  std::uint16_t port_;
  std::string token_;
  libp2p::Nanos timeout_;
};

}  // namespace opp2p
