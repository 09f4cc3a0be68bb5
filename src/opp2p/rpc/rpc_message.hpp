// One message of a JSON-RPC request, single or of a batch: what it asks. Pure function of a parsed value whose ids were
// kept as they were sent (opp2p/rpc/rpc_ids.hpp). Source: JSON-RPC 2.0, section 4, as geth's server reads it.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace opp2p {

struct RpcMessage {
  enum class Kind : std::uint8_t {
    call,
    notification,  // a call without an id: it is done, and gets no answer
    answer,        // who sends one has taken us for a client: it gets none, as from geth
    invalid,
  };
  Kind kind = Kind::invalid;
  std::string id = "null";                     // as JSON; also of an invalid message that has one
  std::string_view method;                     // of the message
  const boost::json::value* params = nullptr;  // in the message; null without any
};

RpcMessage read_rpc_message(const boost::json::value& message);

}  // namespace opp2p
