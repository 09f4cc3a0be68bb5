// Reads the arguments of JSON-RPC methods, and makes op-node's errors of them. Pure functions; what a client sent is
// cut before it stands in an error. Source: op-node surface, sections 10 and 14.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libp2p/multiformats/peer_id.hpp"
#include "opp2p/rpc/json_rpc.hpp"
#include "opstack/payload/block.hpp"

namespace opp2p {

// An argument, or what the client is answered instead.
template <class T>
class Argument : public boost::system::result<T, RpcError> {
 public:
  using boost::system::result<T, RpcError>::result;  // as in libp2p::Result
};
[[noreturn]] void throw_exception_from_error(const RpcError& error, const boost::source_location& where);

// -32602 "invalid argument 0: why".
RpcError invalid_argument(std::size_t index, const std::string& why);
// -32000.
RpcError server_error(std::string text);

// An optional parameter that was left out is null.
const json::value& argument(const json::array& params, std::size_t index);

Argument<libp2p::PeerId> peer_argument(const json::array& params, std::size_t index);
std::optional<std::uint64_t> number_of(const json::value& value);
Argument<opstack::payload::Hash> hash_argument(const json::array& params, std::size_t index);

}  // namespace opp2p
