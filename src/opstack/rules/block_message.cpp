#include "opstack/rules/block_message.hpp"

#include "opstack/encoding/snappy_block.hpp"
#include "opstack/rules/message_id.hpp"

namespace opstack::rules {
namespace {

using libp2p::Bytes;
using libp2p::Errc;
using libp2p::Error;

Result<Bytes> encode_body(Version version, const payload::Envelope& envelope) {
  OPP2P_TRYV(payload::check_encodable(version, envelope));
  const auto actual = payload::compute_block_hash(envelope);
  if (actual != envelope.payload.block_hash)
    return Error(Errc::mismatch, "payload has bad block hash: " + libp2p::to_hex0x(envelope.payload.block_hash) +
                                     ", actual block hash is: " + libp2p::to_hex0x(actual));
  const std::size_t size = Signature().size() + payload::encoded_envelope_size(version, envelope);
  if (size > kMaxGossipSize)
    return Error(Errc::too_large, "block " + std::to_string(envelope.payload.block_number) + " takes " +
                                      std::to_string(size) + " bytes, gossip carries at most " +
                                      std::to_string(kMaxGossipSize));
  return payload::encode_envelope(version, envelope);
}

BlockMessage finish(const chain::ChainId& chain_id, Version version, const Signature& signature, ByteView body) {
  return {blocks_topic(chain_id, version), version, signature, libp2p::share(compress_message(signature, body))};
}

}  // namespace

Bytes compress_message(const Signature& signature, ByteView body) {
  Bytes contents;
  contents.reserve(signature.size() + body.size());
  libp2p::append(contents, signature);
  libp2p::append(contents, body);
  return opstack::encoding::snappy_compress(contents);
}

Result<BlockMessage> make_block_message(const chain::ChainId& chain_id, Version version,
                                        const payload::Envelope& envelope, const Secret& secret) {
  OPP2P_TRY(const Bytes body, encode_body(version, envelope));
  return finish(chain_id, version, sign_body(secret, chain_id, body), body);
}

Result<BlockMessage> make_signed_block_message(const chain::ChainId& chain_id, Version version,
                                               const payload::Envelope& envelope, const Signature& signature) {
  OPP2P_TRY(const Bytes body, encode_body(version, envelope));
  OPP2P_TRYV(recover_signer(chain_id, body, signature));
  return finish(chain_id, version, signature, body);
}

}  // namespace opstack::rules
