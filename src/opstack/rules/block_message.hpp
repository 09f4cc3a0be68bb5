// Makes the gossip message of a block: the body in the layout of the topic's version, signed, compressed. The version
// comes from the fork schedule, never from what the payload happens to hold (op-node infers it, and so encodes an
// Isthmus block whose withdrawals root is the empty trie's in a layout that its own topic refuses). The block is
// encoded once: what is signed, what is gossiped and the body that the message is returned with are the same bytes.
// Pure; safe on any thread. Source: op-node surface, 5.3, 5.7, 6.2.
#pragma once

#include <string>

#include "opstack/payload/block.hpp"
#include "opstack/rules/signing.hpp"
#include "opstack/rules/topics.hpp"

namespace opstack::rules {

struct BlockMessage {
  std::string topic;
  Version version = Version::v1;
  Signature signature{};
  libp2p::SharedBytes data;    // what is gossiped: snappy block of signature and body
  payload::SharedSlice body;   // what is signed
  libp2p::SharedBytes header;  // the block's, RLP
};

// Errc::invalid_argument for an envelope that is no block of this version, Errc::mismatch when its block hash is not
// that of its fields, Errc::too_large beyond what gossip carries.
Result<BlockMessage> make_block_message(const chain::ChainId& chain_id, Version version,
                                        const payload::Envelope& envelope, const Secret& secret);
// The same for a block that somebody else has signed. Errc::malformed for a signature that is nobody's; whether it is
// the right signer's is for the block rules to say.
Result<BlockMessage> make_signed_block_message(const chain::ChainId& chain_id, Version version,
                                               const payload::Envelope& envelope, const Signature& signature);

// Compresses signature and body as they are, without a check: for tests and for simulated intruders.
libp2p::Bytes compress_message(const Signature& signature, ByteView body);

}  // namespace opstack::rules
