// The logic of `opp2p inspect`: bytes and options in, JSON out. Pure; files, flags and printing are in
// inspect_commands.cpp. Malformed input is an error with the position of the byte. For gossip it is a verdict.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string_view>

#include "opstack/rules/block_rules.hpp"

namespace opp2p::inspect {

using libp2p::ByteView;
using libp2p::Result;

// Judges messages in order, as one validator that remembers the blocks it has seen.
class GossipInspector {
 public:
  // `topic` is used for message ids; the version and the chain id stand in `config`.
  GossipInspector(std::string topic, opstack::rules::BlockRulesConfig config, opstack::rules::SignerState signers,
                  libp2p::UnixTime now);

  // {verdict, reason, message_id, signature_address, block_hash, block_number, timestamp, transactions}; null where
  // unknown. What can be read of a block is told whatever the verdict.
  boost::json::object line(ByteView raw_message);

 private:
  std::string topic_;
  opstack::rules::BlockRules rules_;
  opstack::rules::SignerState signers_;
  libp2p::UnixTime now_;
};

// The envelope as Engine-API JSON, with "computed_block_hash".
Result<boost::json::object> payload(opstack::payload::Version version, ByteView body);

// A whole answer of payload_by_number: {code, result, version?, payload_version?, …as payload()}. Which of the two
// payload versions that a response version can mean is read from the payload's first offset unless `version` says it.
Result<boost::json::object> response(ByteView stream, std::optional<opstack::payload::Version> version);

// Text forms, or 0x-hex of the multihash.
Result<boost::json::object> peer_id(std::string_view text);
// Text, or 0x-hex of the binary form.
Result<boost::json::object> multiaddr(std::string_view text);

enum class KeyForm { public_protobuf, private_protobuf, secp256k1_secret, ed25519_seed };
// Hexadecimal text of a key. Of a private key only the public half is told.
Result<boost::json::object> key(KeyForm form, std::string_view hex);

boost::json::object message_id(std::string_view topic, ByteView raw_message);

}  // namespace opp2p::inspect
