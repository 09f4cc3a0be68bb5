#include "opstack/payload/block.hpp"

namespace opstack::payload {

std::size_t Block::memory_bytes() const {
  const std::size_t transactions = envelope ? envelope->payload.transactions.memory_bytes(body.owner()) : 0;
  return 1000 + body.memory_bytes() + transactions;
}

Result<Block> decode_block(Version version, SharedSlice body) {
  OPP2P_TRY(auto envelope, decode_envelope(version, body));
  return Block(version, std::make_shared<const Envelope>(std::move(envelope)), std::move(body));
}

Block encode_block(Version version, SharedEnvelope envelope) {
  auto body = libp2p::share(encode_envelope(version, *envelope));
  return Block(version, std::move(envelope), std::move(body));
}

}  // namespace opstack::payload
