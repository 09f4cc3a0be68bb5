// The id of a gossip message: what peers tell each other that they have. It is taken from the contents, not from the
// compressed bytes, so that two compressions of a block are one message. Pure; safe on any thread.
// Source: op-node surface, 5.4 (the code's formula: the specification leaves the topic out).
#pragma once

#include <string_view>

#include "libp2p/base/bytes.hpp"

namespace opstack::rules {

using MessageId = libp2p::ByteArray<20>;

// No RPC and no decompressed message may be longer.
inline constexpr std::size_t kMaxGossipSize = 10 * 1024 * 1024;
// A signature and one byte.
inline constexpr std::size_t kMinGossipSize = 66;

MessageId message_id(std::string_view topic, libp2p::ByteView data);

// The id and, when the data is well-formed snappy of at most kMaxGossipSize bytes, its contents, which block rules can
// use instead of decompressing once more.
struct MessageContents {
  MessageId id{};
  libp2p::SharedBytes decompressed;  // null when the data is no such snappy
};
// How many bytes read_message() would unpack, told without doing so: 0 for data that it does not unpack.
std::size_t announced_size(libp2p::ByteView data);
MessageContents read_message(std::string_view topic, libp2p::ByteView data);

}  // namespace opstack::rules
