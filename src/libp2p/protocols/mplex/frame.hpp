// The header of an Mplex message: two unsigned varints in their shortest form, stream id and flag in the first, the
// length of the data in the second. A codec without state. Specification: mplex, section "Message format".
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::mplex {

inline constexpr std::string_view kProtocolId = "/mplex/6.7.0";
inline constexpr std::size_t kMaxMessage = 1 << 20;  // data of one message
inline constexpr std::uint64_t kMaxWireId = (std::uint64_t{1} << 60) - 1;
inline constexpr std::size_t kMaxReadHeader = 9 + 9;  // a header that is not whole is shorter
inline constexpr std::size_t kMaxHeader = 9 + 3;      // one that we write

// "Initiator" and "receiver" say what the sender of the message is to the stream: both sides may open one with the same
// id.
enum class Flag : std::uint8_t {
  new_stream = 0,
  message_receiver = 1,
  message_initiator = 2,
  close_receiver = 3,
  close_initiator = 4,
  reset_receiver = 5,
  reset_initiator = 6,
};

// As on the wire; the flag may be 7, which the specification does not know.
struct Header {
  std::uint64_t stream_id = 0;
  std::uint8_t flag = 0;
  std::size_t length = 0;

  // Whether the sender of the message says that it has opened the stream.
  bool by_initiator() const { return flag % 2 == 0; }
  friend bool operator==(const Header&, const Header&) = default;
};

inline Header make_header(Flag flag, std::uint64_t stream_id, std::size_t length) {
  return {stream_id, static_cast<std::uint8_t>(flag), length};
}

struct ReadHeader {
  Header header;
  std::size_t size = 0;  // bytes it took
};

// Errc::truncated when the view ends inside it; malformed for a varint that is too long or not in its shortest form;
// too_large for more than kMaxMessage bytes of data.
Result<ReadHeader> read_header(ByteView in);
std::size_t header_size(const Header& header);
// Writes at the front of `out`, which holds header_size(header) bytes at least; returns the bytes written.
std::size_t write_header(MutableBytes out, const Header& header);

}  // namespace libp2p::mplex
