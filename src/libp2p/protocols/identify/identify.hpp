// The messages of identify and identify/push: what a peer says about itself. On the stream they are one or more parts,
// each a protobuf message behind its length, that are merged in order: go-libp2p sends the signed record in a second
// part when the whole is above 2 KiB. A codec without state. Bounds: kMaxPart bytes a part and kMaxParts of them,
// kMaxEntries addresses and as many protocols. Specification: identify; the signed record is field 8 of go-libp2p's
// message.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::identify {

inline constexpr std::string_view kProtocol = "/ipfs/id/1.0.0";
inline constexpr std::string_view kPushProtocol = "/ipfs/id/push/1.0.0";

inline constexpr std::size_t kMaxPart = 8192;  // go-libp2p reads no larger one
inline constexpr std::size_t kMaxParts = 9;    // nor more of them: its tenth reading has to find the end
inline constexpr std::size_t kMaxEntries = 1000;
// Above this the signed record goes into a part of its own, because older peers read no larger message.
inline constexpr std::size_t kSplitAbove = 2048;
// The most bytes that a whole answer takes on the stream.
inline constexpr std::size_t kMaxAnswer = kMaxParts * (kMaxPart + 2);

// A push may leave out what has not changed, so an absent field differs from an empty one. Lists cannot show the
// difference.
struct Message {
  std::optional<Bytes> public_key;  // a PublicKey message
  std::vector<Bytes> listen_addrs;  // binary multiaddrs, unchecked
  std::vector<std::string> protocols;
  std::optional<Bytes> observed_addr;  // where the sender sees the reader
  std::optional<std::string> protocol_version;
  std::optional<std::string> agent_version;
  std::optional<Bytes> signed_peer_record;  // an envelope, unchecked

  friend bool operator==(const Message&, const Message&) = default;
};

// One message without a length; fields in the order of their numbers.
Bytes encode(const Message& message);
// Errc::malformed, or exhausted above kMaxEntries. Unknown fields are skipped; of a repeated single field the last
// counts.
Result<Message> decode(ByteView message);

// All parts with their lengths, as they go on the stream.
Bytes encode_parts(const Message& message);
// The whole of a stream up to its end, as go-libp2p reads it: nothing at all is an empty message. Errc::truncated when
// it ends inside a part, too_large above the bounds.
Result<Message> decode_parts(ByteView stream);

}  // namespace libp2p::identify
