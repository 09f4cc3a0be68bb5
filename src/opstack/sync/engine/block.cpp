#include "opstack/sync/engine/block.hpp"

namespace opstack::sync {

std::size_t Block::memory_bytes() const {
  std::size_t total = 1000 + (body ? body->size() : 0);
  if (envelope)
    for (const auto& transaction : envelope->payload.transactions) total += transaction.size() + 24;
  return total;
}

Block make_block(payload::Version version, payload::SharedEnvelope envelope) {
  auto body = libp2p::share(payload::encode_envelope(version, *envelope));
  return Block(version, std::move(envelope), std::move(body));
}

Result<Block> decode_block(payload::Version version, SharedBytes body) {
  OPP2P_TRY(auto envelope, payload::decode_envelope(version, *body));
  return Block(version, std::make_shared<const payload::Envelope>(std::move(envelope)), std::move(body));
}

}  // namespace opstack::sync
