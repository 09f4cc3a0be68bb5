#include "opp2p/rpc/rpc_arguments.hpp"

#include <algorithm>
#include <stdexcept>

namespace opp2p {
namespace {

// A peer id has at most 59 characters in base58; longer texts are not even decoded.
constexpr std::size_t kLongestPeerId = 128;
constexpr std::size_t kLongestHash = 66;
constexpr const char* kWantHash = "want a block's hash: 0x and 64 hexadecimal digits";

}  // namespace

void throw_exception_from_error(const RpcError& error, const boost::source_location&) {
  throw std::logic_error(error.message);
}

RpcError invalid_argument(std::size_t index, const std::string& why) {
  return {kInvalidParams, "invalid argument " + std::to_string(index) + ": " + why};
}

RpcError server_error(std::string text) { return {kServerError, std::move(text)}; }

const json::value& argument(const json::array& params, std::size_t index) {
  static const json::value kNone;
  return index < params.size() ? params[index] : kNone;
}

Argument<libp2p::PeerId> peer_argument(const json::array& params, std::size_t index) {
  const auto& given = argument(params, index);
  const auto text = given.is_string() ? std::string_view(given.get_string()) : std::string_view();
  if (text.size() > kLongestPeerId)
    return invalid_argument(index, "failed to parse peer ID: it has " + std::to_string(text.size()) +
                                       " characters, at most " + std::to_string(kLongestPeerId) + " are allowed");
  const auto peer = libp2p::PeerId::from_text(text);
  if (!peer) return invalid_argument(index, "failed to parse peer ID: " + peer.error().message());
  return *peer;
}

std::optional<std::uint64_t> number_of(const json::value& value) {
  boost::system::error_code error;
  if (value.is_number()) {
    const auto out = value.to_number<std::uint64_t>(error);
    if (!error) return out;
  }
  return std::nullopt;
}

Argument<opstack::payload::Hash> hash_argument(const json::array& params, std::size_t index) {
  const auto& given = argument(params, index);
  const auto text = given.is_string() ? std::string_view(given.get_string()) : std::string_view();
  if (text.size() > kLongestHash) return invalid_argument(index, kWantHash);
  const auto bytes = libp2p::from_hex(text);
  opstack::payload::Hash hash{};
  if (!bytes || bytes->size() != hash.size()) return invalid_argument(index, kWantHash);
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return hash;
}

}  // namespace opp2p
