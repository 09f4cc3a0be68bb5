// The components of a multiaddr: the known protocols, the kind of value of each, and the conversion of a value between
// text and bytes. Private to multiaddr.cpp; others use libp2p/multiformats/multiaddr.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"

namespace libp2p::multiformats {

enum class ValueKind : std::uint8_t {
  none,
  ip4,
  ip6,
  zone,
  prefix_length,
  port,
  name,
  peer,
  path,
  cert_hash,
  http_path,
  number,
  onion,
  onion3,
  garlic64,
  garlic32,
};

struct ProtocolEntry {
  Protocol protocol;
  std::string_view name;
  ValueKind kind;
};

// Null for a code or name that is not in the table.
const ProtocolEntry* find_protocol(std::uint64_t code);
const ProtocolEntry* find_protocol(std::string_view name);

inline constexpr std::size_t kVariableSize = ~std::size_t{0};
// Bytes of a value of the kind; kVariableSize for one with a length prefix.
std::size_t value_size(ValueKind kind);

Result<Bytes> value_from_text(ValueKind kind, std::string_view text);
// `value` must have passed check_value().
std::string value_to_text(ValueKind kind, ByteView value);
Result<void> check_value(ValueKind kind, ByteView value);

}  // namespace libp2p::multiformats
