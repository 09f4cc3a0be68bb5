// A JSON-RPC client over HTTP, blocking, one request at a time: for command lines that ask a running node. Bounds: an
// answer of 64 MiB. The server is not trusted: an answer that is not JSON-RPC is an error, and the token is sent only
// with methods that change something.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"

namespace opp2p {

class RpcClient {
 public:
  // `token`: the node's (rpc.token in its data folder), for change(); may be empty, or why it could not be read: then
  // change() answers that.
  RpcClient(std::string host, std::uint16_t port, libp2p::Result<std::string> token = std::string(),
            libp2p::Nanos timeout = libp2p::Seconds(5))
      : host_(std::move(host)), port_(port), token_(std::move(token)), timeout_(timeout) {}

  // The result. Errc::unreachable when nobody listens, Errc::timed_out when nobody answers in time, Errc::denied with
  // the server's text for an error that it reports, Errc::malformed for an answer that is not JSON-RPC.
  libp2p::Result<boost::json::value> call(std::string_view method, boost::json::array params = {}) const;
  // The same with the token, for the methods that want it.
  libp2p::Result<boost::json::value> change(std::string_view method, boost::json::array params = {}) const;

 private:
  libp2p::Result<boost::json::value> ask(std::string_view method, boost::json::array params,
                                         const std::string& token) const;

  std::string host_;
  std::uint16_t port_;
  libp2p::Result<std::string> token_;
  libp2p::Nanos timeout_;
};

// What a server answered with this HTTP status and body. `where` names the server in errors.
libp2p::Result<boost::json::value> read_rpc_answer(unsigned status, std::string_view body, const std::string& where);

}  // namespace opp2p
