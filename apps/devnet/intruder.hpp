// The devnet's intruder: the forger of sim/adversary.hpp as a process with real sockets. It publishes one kind of
// invalid block after another. It has the sequencer's key, so that its blocks reach the rules after the signature.
//
// Thread: the caller's, until a signal ends it (opp2p/base/end_signals.hpp).
#pragma once

#include <string>
#include <vector>

#include "libp2p/base/result.hpp"
#include "libp2p/crypto/secp256k1.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "opstack/testing/chain_builder.hpp"

namespace opp2p::devnet {

struct IntruderOptions {
  opstack::testing::ChainOptions chain;
  libp2p::crypto::secp256k1::Secret signer{};
  std::vector<libp2p::Multiaddr> peers;
  std::string data_dir;  // node.json is written there, as a node does
};

libp2p::Result<void> run_intruder(const IntruderOptions& options);

}  // namespace opp2p::devnet
