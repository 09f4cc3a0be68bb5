// The two kinds of clients of the RPC: those that send the node's token, and strangers. Says who may call methods that
// change something, and in which memory account the requests and answers of a client are counted. Strangers cannot fill
// the account of clients that send the token.
//
// Owner: JsonRpc; the HTTP server uses it too. Thread: protect() before the first request, the rest from any. Bounds:
// one limit in bytes for each account.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "opp2p/rpc/rpc_text.hpp"

namespace opp2p {

class ClientAccounts {
 public:
  // Limits of the two accounts, in bytes.
  ClientAccounts(std::size_t strangers, std::size_t with_token);

  // From now on methods that change something want this token.
  void protect(std::string token);
  // Whether a client that sends this token may change something. Without a token of the node everybody may.
  bool may_change(std::string_view token) const;
  // Whether the node has a token and this is it.
  bool has_token(std::string_view token) const { return token_ && may_change(token); }

  const SharedAccount& strangers() const { return strangers_; }
  // The account of a client that sends this token.
  const SharedAccount& account_of(std::string_view token) const { return has_token(token) ? with_token_ : strangers_; }

 private:
  SharedAccount strangers_;
  SharedAccount with_token_;
  std::optional<std::string> token_;
};

}  // namespace opp2p
