// The 12-byte header of a Yamux frame. A codec without state. Specification: yamux, section "Framing".
#pragma once

#include <span>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"

namespace libp2p::yamux {

inline constexpr std::string_view kProtocolId = "/yamux/1.0.0";
inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::uint8_t kVersion = 0;

enum class FrameType : std::uint8_t { data = 0, window_update = 1, ping = 2, go_away = 3 };

inline constexpr std::uint16_t kSyn = 1;
inline constexpr std::uint16_t kAck = 2;
inline constexpr std::uint16_t kFin = 4;
inline constexpr std::uint16_t kRst = 8;

// Why a session ends. Those above 2 are libp2p's codes of connections ("error-codes" of its specification), as
// go-libp2p sends and names them.
enum class GoAwayCode : std::uint32_t {
  normal = 0,
  protocol_error = 1,
  internal_error = 2,
  resource_limit = 0x1001,
  rate_limited = 0x1002,
  supplanted = 0x1004,
  garbage_collected = 0x1005,  // the connection manager trims
  shutdown = 0x1006,
  gated = 0x1007,
};

// As on the wire; version and type may hold what no specification knows.
struct Header {
  std::uint8_t version = kVersion;
  std::uint8_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t stream_id = 0;
  std::uint32_t length = 0;  // payload bytes, credit, ping value or go-away code

  bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  friend bool operator==(const Header&, const Header&) = default;
};

inline Header make_header(FrameType type, std::uint16_t flags, std::uint32_t stream_id, std::uint32_t length) {
  return {kVersion, static_cast<std::uint8_t>(type), flags, stream_id, length};
}

// Both take a span of exactly a header, so that its room is checked where the span is made.
inline Header read_header(std::span<const std::uint8_t, kHeaderSize> in) {
  const std::uint8_t* const p = in.data();
  return {p[0], p[1], load_be16(p + 2), load_be32(p + 4), load_be32(p + 8)};
}

inline void write_header(std::span<std::uint8_t, kHeaderSize> out, const Header& header) {
  std::uint8_t* const p = out.data();
  p[0] = header.version;
  p[1] = header.type;
  store_be16(p + 2, header.flags);
  store_be32(p + 4, header.stream_id);
  store_be32(p + 8, header.length);
}

// The header at the front of bytes that hold one.
inline std::span<const std::uint8_t, kHeaderSize> header_in(ByteView bytes) {
  OPP2P_ASSERT(bytes.size() >= kHeaderSize, "there are the bytes of a header", bytes);
  return bytes.first<kHeaderSize>();
}
inline std::span<std::uint8_t, kHeaderSize> header_in(MutableBytes bytes) {
  OPP2P_ASSERT(bytes.size() >= kHeaderSize, "there is room for a header", bytes);
  return bytes.first<kHeaderSize>();
}

}  // namespace libp2p::yamux
