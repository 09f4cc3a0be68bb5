// The devnet's intruder: a peer with a valid connection that publishes what must not get in, one kind after another: a block
// signed by a stranger, one with a wrong hash, one from an hour ago, one in the layout of another version, and garbage. It is given
// the sequencer's key, because most rules are only reached behind a good signature.
//
// Thread: the caller's, until SIGINT or SIGTERM.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "crypto/secp256k1.hpp"
#include "multiformats/multiaddr.hpp"
#include "node/devnet/chain_builder.hpp"
#include "opstack/gossip/block_message.hpp"

namespace opp2p::node::devnet {

enum class Mischief : std::uint8_t { bad_signature, wrong_hash, stale, wrong_version, garbage };
inline constexpr std::size_t kMischiefs = 5;
std::string_view to_string(Mischief kind);

struct BadMessage {
  std::string topic;
  Bytes data;
};

// Makes bad messages out of blocks of a chain of its own. Pure: time and randomness are given.
class MischiefMaker {
 public:
  MischiefMaker(ChainOptions options, const libp2p::crypto::secp256k1::Secret& signer, libp2p::Rng& rng);
  // `now` in seconds since 1970. Every message is another one.
  BadMessage make(Mischief kind, std::uint64_t now);

 private:
  ChainBuilder chain_;
  libp2p::crypto::secp256k1::Secret signer_;
  libp2p::crypto::secp256k1::Secret stranger_;
  libp2p::Rng& rng_;
};

struct IntruderOptions {
  ChainOptions chain;
  libp2p::crypto::secp256k1::Secret signer{};
  std::vector<libp2p::Multiaddr> peers;
  std::string data_dir;  // node.json is written there, as a node does
};

libp2p::Result<void> run_intruder(const IntruderOptions& options);

}  // namespace opp2p::node::devnet
