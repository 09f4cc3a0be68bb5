// For the tests of signed messages: keys, and a message that owns its fields.
#pragma once

#include <string>
#include <string_view>

#include "libp2p/base/rng.hpp"
#include "libp2p/protocols/gossipsub/signatures.hpp"

namespace libp2p::gossipsub::test {

inline crypto::PrivateKey signing_key(std::uint64_t seed, crypto::KeyType type = crypto::KeyType::ed25519) {
  SeededRng rng(seed);
  return crypto::PrivateKey::generate(type, rng).value();
}

struct OwnedMessage {
  std::string topic;
  Bytes data;
  Authorship author;

  // Of a signed message.
  Message view() const {
    Message out;
    out.topic = topic;
    out.data = ByteView(data);
    out.from = ByteView(author.from);
    out.seqno = ByteView(author.seqno);
    out.signature = ByteView(author.signature);
    if (!author.key.empty()) out.key = ByteView(author.key);
    return out;
  }
  Rpc rpc() const {
    Rpc out;
    out.publish.push_back(view());
    return out;
  }
};

inline OwnedMessage signed_message(Signatures& by, std::string_view topic, std::string_view data) {
  return {std::string(topic), to_bytes(data), by.sign(topic, as_bytes(data)).value()};
}

}  // namespace libp2p::gossipsub::test
