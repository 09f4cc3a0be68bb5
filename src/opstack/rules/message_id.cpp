#include "opstack/rules/message_id.hpp"

#include "libp2p/crypto/hash.hpp"
#include "opstack/encoding/snappy_block.hpp"

namespace opstack::rules {
namespace {

constexpr libp2p::ByteArray<4> kInvalidSnappy = {0, 0, 0, 0};
constexpr libp2p::ByteArray<4> kValidSnappy = {1, 0, 0, 0};

MessageId hash(const libp2p::ByteArray<4>& domain, std::string_view topic, libp2p::ByteView data) {
  std::uint8_t length[8];
  libp2p::store_le64(length, topic.size());
  const auto digest =
      libp2p::crypto::Sha256().update(domain).update(length).update(libp2p::as_bytes(topic)).update(data).finish();
  MessageId out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

}  // namespace

MessageContents read_message(std::string_view topic, libp2p::ByteView data) {
  auto contents = opstack::encoding::snappy_decompress(data, kMaxGossipSize);
  if (!contents) return {hash(kInvalidSnappy, topic, data), nullptr};
  MessageContents out{hash(kValidSnappy, topic, *contents), nullptr};
  out.decompressed = libp2p::share(std::move(*contents));
  return out;
}

std::size_t announced_size(libp2p::ByteView data) {
  const auto announced = opstack::encoding::snappy_decoded_length(data);
  return announced && *announced <= kMaxGossipSize ? *announced : 0;
}

MessageId message_id(std::string_view topic, libp2p::ByteView data) { return read_message(topic, data).id; }

}  // namespace opstack::rules
