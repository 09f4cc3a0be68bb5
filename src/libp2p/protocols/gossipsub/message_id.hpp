// The name of a gossip message: a content hash (20 bytes for OP Stack blocks), or its author and number; held in place
// so that the caches that are full of them allocate nothing per entry. A value; ordered; hashable with a key of the
// process's own.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"

namespace libp2p::gossipsub {

// An author has at most 39 bytes (a secp256k1 key in a peer id), a number 8.
inline constexpr std::size_t kMaxMessageIdSize = 48;

class MessageId {
 public:
  MessageId() = default;

  // Nothing for an id that is longer than any of ours can be: such an id names no message that this node knows.
  static std::optional<MessageId> from(ByteView bytes) {
    if (bytes.size() > kMaxMessageIdSize) return std::nullopt;
    MessageId id;
    id.size_ = static_cast<std::uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
    return id;
  }

  ByteView bytes() const { return {bytes_.data(), size_}; }
  bool empty() const { return size_ == 0; }
  // Eight bytes from `at` on, which is below kMaxMessageIdSize and divisible by eight; zeros beyond the id.
  std::uint64_t word(std::size_t at) const {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at, sizeof word);
    return word;
  }

  // All words of the array, so that it takes no call.
  friend bool operator==(const MessageId& a, const MessageId& b) {
    std::uint64_t difference = a.size_ ^ b.size_;
    for (std::size_t at = 0; at < kMaxMessageIdSize; at += 8) difference |= a.word(at) ^ b.word(at);
    return difference == 0;
  }
  friend auto operator<=>(const MessageId&, const MessageId&) = default;

 private:
  ByteArray<kMaxMessageIdSize> bytes_{};  // zero beyond size_
  std::uint8_t size_ = 0;
};

// Hash of a table whose keys come from the network: the secret keeps a peer from choosing where its messages land.
struct MessageIdHash {
  std::uint64_t secret = 0;

  std::size_t operator()(const MessageId& id) const {
    std::uint64_t mixed = secret ^ id.bytes().size();
    for (std::size_t at = 0; at < id.bytes().size(); at += 8) {
      mixed = (mixed ^ id.word(at)) * 0x9e3779b97f4a7c15ULL;
      mixed ^= mixed >> 32;
    }
    return static_cast<std::size_t>(mixed);
  }
};

// A message's name and, where the data had to be unpacked for it, what was in it: that goes with the validation, so
// that nobody unpacks it again.
struct Named {
  Named(const MessageId& i, SharedBytes c = nullptr)
      : id(i), contents(std::move(c)) {}  // NOLINT(google-explicit-constructor)
  MessageId id;
  SharedBytes contents;
};

// How a network names its messages by what is in them. Called on the router's thread for every message that comes in,
// but for copies of the last ones, or goes out.
using MessageIdFn = std::function<Named(std::string_view topic, ByteView data)>;

}  // namespace libp2p::gossipsub
