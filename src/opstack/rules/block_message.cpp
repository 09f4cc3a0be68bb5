#include "opstack/rules/block_message.hpp"

#include <algorithm>
#include <utility>

#include "opstack/encoding/snappy_block.hpp"
#include "opstack/rules/message_id.hpp"

namespace opstack::rules {
namespace {

using libp2p::Bytes;
using libp2p::Errc;
using libp2p::Error;

// Room for the signature, and the body behind it. `header` gets the block's.
Result<Bytes> encode_contents(Version version, const payload::Envelope& envelope, libp2p::SharedBytes& header) {
  OPP2P_TRYV(payload::check_encodable(version, envelope));
  auto [rlp, actual] = payload::make_header(envelope);
  header = libp2p::share(std::move(rlp));
  if (actual != envelope.payload.block_hash)
    return Error(Errc::mismatch, "payload has bad block hash: " + libp2p::to_hex0x(envelope.payload.block_hash) +
                                     ", actual block hash is: " + libp2p::to_hex0x(actual));
  const std::size_t size = kSignatureSize + payload::encoded_envelope_size(version, envelope);
  if (size > kMaxGossipSize)
    return Error(Errc::too_large, "block " + std::to_string(envelope.payload.block_number) + " takes " +
                                      std::to_string(size) + " bytes, gossip carries at most " +
                                      std::to_string(kMaxGossipSize));
  Bytes contents(size);
  payload::write_envelope(version, envelope, libp2p::MutableBytes(contents).subspan(kSignatureSize));
  return contents;
}

BlockMessage finish(const chain::ChainId& chain_id, Version version, const Signature& signature, Bytes contents,
                    libp2p::SharedBytes header) {
  std::copy(signature.begin(), signature.end(), contents.begin());
  BlockMessage out;
  out.header = std::move(header);
  out.topic = blocks_topic(chain_id, version);
  out.version = version;
  out.signature = signature;
  out.data = libp2p::share(opstack::encoding::snappy_compress(contents));
  out.body = payload::SharedSlice(libp2p::share(std::move(contents))).subslice(kSignatureSize);
  return out;
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
  libp2p::SharedBytes header;
  OPP2P_TRY(Bytes contents, encode_contents(version, envelope, header));
  const Signature signature = sign_body(secret, chain_id, ByteView(contents).subspan(kSignatureSize));
  return finish(chain_id, version, signature, std::move(contents), std::move(header));
}

Result<BlockMessage> make_signed_block_message(const chain::ChainId& chain_id, Version version,
                                               const payload::Envelope& envelope, const Signature& signature) {
  libp2p::SharedBytes header;
  OPP2P_TRY(Bytes contents, encode_contents(version, envelope, header));
  OPP2P_TRYV(recover_signer(chain_id, ByteView(contents).subspan(kSignatureSize), signature));
  return finish(chain_id, version, signature, std::move(contents), std::move(header));
}

}  // namespace opstack::rules
