#include "opp2p/rpc/gate_arguments.hpp"

#include <bit>
#include <charconv>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/host/gater.hpp"
#include "libp2p/multiformats/address_blocks.hpp"
#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/multiformats/multibase.hpp"

namespace opp2p {
namespace {

using libp2p::Bytes;
using libp2p::ByteView;

// An IPv6 address with a zone, a block, a mask in base64: none is longer.
constexpr std::size_t kLongestText = 128;
constexpr std::size_t kShownText = 64;

RpcError invalid_request() { return server_error("invalid request"); }

std::string shown(std::string_view text) { return libp2p::peer_text(text, kShownText); }

// How many bits are set, when those come first.
std::optional<unsigned> prefix_of(ByteView mask) {
  unsigned bits = 0;
  bool ended = false;
  for (const auto byte : mask) {
    const auto ones = static_cast<unsigned>(std::countl_one(byte));
    if (ended ? byte != 0 : std::popcount(byte) != static_cast<int>(ones)) return std::nullopt;
    bits += ones;
    ended = ended || ones < 8;
  }
  return bits;
}

Bytes mask_of(unsigned bits, std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size && bits > 0; ++i) {
    const unsigned ones = std::min(bits, 8U);
    out[i] = static_cast<std::uint8_t>(0xff00U >> ones);
    bits -= ones;
  }
  return out;
}

std::string ip_text(ByteView ip) {
  return ip.size() == 4 ? libp2p::multiformats::ip4_text(ip) : libp2p::multiformats::ip6_text(ip);
}

Argument<GateTarget> target_of_cidr(std::string_view text) {
  if (text.size() > kLongestText || text.find('/') == std::string_view::npos)
    return invalid_argument(0, "invalid subnet: '" + shown(text) + "' is no block of addresses such as 10.0.0.0/8");
  const auto block = libp2p::Cidr::from_text(text);
  if (!block) return invalid_argument(0, "invalid subnet: " + block.error().text());
  return GateTarget{GateTarget::Kind::subnet, {}, block->text()};
}

const json::string* text_in(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found != nullptr ? found->if_string() : nullptr;
}

Argument<GateTarget> target_of_object(const json::object& object) {
  if (object.empty()) return invalid_request();
  const auto* ip = text_in(object, "IP");
  const auto* mask = text_in(object, "Mask");
  constexpr const char* kWant = R"(invalid subnet: want {"IP":"10.0.0.0","Mask":"/wAAAA=="} or "10.0.0.0/8")";
  if (ip == nullptr || mask == nullptr || ip->size() > kLongestText || mask->size() > kLongestText)
    return invalid_argument(0, kWant);
  const auto address = libp2p::multiformats::parse_ip(std::string_view(*ip));
  if (!address) return invalid_argument(0, "invalid IP address: " + shown(*ip));
  const auto decoded = libp2p::multiformats::decode_multibase("M" + std::string(*mask));
  if (!decoded) return invalid_argument(0, "invalid subnet: the mask is not base64");
  ByteView bits(decoded->bytes);
  // Go has masks of IPv4 in 16 bytes, too; the first twelve are of the mapping.
  if (address->size() == 4 && bits.size() == 16) bits = bits.subspan(12);
  if (bits.size() != address->size())
    return invalid_argument(0, "invalid subnet: the mask has " + std::to_string(bits.size()) + " bytes, the address " +
                                   std::to_string(address->size()));
  const auto prefix = prefix_of(bits);
  if (!prefix) return invalid_argument(0, "invalid subnet: the ones of the mask do not all come first");
  return target_of_cidr(ip_text(*address) + "/" + std::to_string(*prefix));
}

}  // namespace

Argument<GateTarget> gate_peer_argument(const json::array& params) {
  const auto peer = peer_argument(params, 0);
  if (!peer) return peer.error();
  return GateTarget{GateTarget::Kind::peer, *peer, {}};
}

Argument<GateTarget> gate_ip_argument(const json::array& params) {
  const auto& given = argument(params, 0);
  if (!given.is_string()) return invalid_argument(0, "invalid IP address: want a text");
  const std::string_view text = given.get_string();
  if (text.empty()) return invalid_request();
  const auto ip = text.size() <= kLongestText ? libp2p::canonical_ip(text)
                                              : libp2p::Result<std::string>(libp2p::Error(libp2p::Errc::malformed));
  if (!ip) return invalid_argument(0, "invalid IP address: " + shown(text));
  return GateTarget{GateTarget::Kind::ip, {}, *ip};
}

Argument<GateTarget> gate_subnet_argument(const json::array& params) {
  const auto& given = argument(params, 0);
  if (given.is_null()) return invalid_request();
  if (const auto* object = given.if_object()) return target_of_object(*object);
  if (const auto* text = given.if_string()) return target_of_cidr(std::string_view(*text));
  return invalid_argument(0, "invalid subnet: want an object of IP and Mask, or a text such as 10.0.0.0/8");
}

Argument<GateTarget> peer_or_ip_argument(const json::array& params, std::size_t index) {
  const auto& given = argument(params, index);
  const auto text = given.is_string() ? std::string_view(given.get_string()) : std::string_view();
  if (text.size() <= kLongestText)
    if (const auto ip = libp2p::canonical_ip(text)) return GateTarget{GateTarget::Kind::ip, {}, *ip};
  const auto peer = peer_argument(params, index);
  if (!peer) return invalid_argument(index, "want a peer id or an IP address");
  return GateTarget{GateTarget::Kind::peer, *peer, {}};
}

json::value subnet_json(std::string_view cidr) {
  const auto slash = cidr.rfind('/');
  if (slash == std::string_view::npos) return nullptr;
  const auto ip = libp2p::multiformats::parse_ip(cidr.substr(0, slash));
  unsigned bits = 0;
  const auto digits = cidr.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (!ip || error != std::errc() || end != digits.data() + digits.size() || bits > 8 * ip->size()) return nullptr;
  const auto mask =
      libp2p::multiformats::encode_multibase(libp2p::multiformats::Base::base64_pad, mask_of(bits, ip->size()));
  json::object out;
  out["IP"] = ip_text(*ip);
  out["Mask"] = mask.substr(1);
  return out;
}

}  // namespace opp2p
