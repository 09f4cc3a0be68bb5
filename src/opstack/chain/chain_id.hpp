// A chain id: an integer of up to 256 bits, which is what signatures commit to and topics spell in decimal. Real ones
// fit 64 bits. A plain value. Source: op-node surface, 5.2 and 5.3.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace opstack::chain {

class ChainId {
 public:
  ChainId() = default;
  // Chain ids are written as plain numbers everywhere, so this is no explicit conversion.
  ChainId(std::uint64_t id) { libp2p::store_be64(big_endian_.data() + 24, id); }  // NOLINT(google-explicit-constructor)

  // Decimal digits only; Errc::malformed for other text and for what needs more than 256 bits.
  static libp2p::Result<ChainId> from_decimal(std::string_view text);

  const libp2p::ByteArray<32>& big_endian() const { return big_endian_; }
  std::string to_decimal() const;
  std::optional<std::uint64_t> as_u64() const;

  friend bool operator==(const ChainId&, const ChainId&) = default;

 private:
  libp2p::ByteArray<32> big_endian_{};
};

}  // namespace opstack::chain
