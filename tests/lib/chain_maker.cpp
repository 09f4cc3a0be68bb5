// Makes a chain for tests that need more blocks than time allows to produce: chain_maker GENESIS_TIME BLOCKS BLOCK_SIZE prints a
// line with the rollup configuration and the signer, then one block's envelope a line, in the JSON of the RPC. The chain has a block
// a second and depends on the arguments only.
#include <cstdio>
#include <cstdlib>

#include "node/devnet/chain_builder.hpp"
#include "opstack/payload/payload_json.hpp"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: chain_maker GENESIS_TIME BLOCKS BLOCK_SIZE\n");
    return 2;
  }
  libp2p::SeededRng rng(1);
  opp2p::node::devnet::ChainOptions options;
  options.genesis_time = std::strtoull(argv[1], nullptr, 10);
  options.block_time = 1;
  options.block_size = std::strtoull(argv[3], nullptr, 10);
  opp2p::node::devnet::ChainBuilder chain(options, rng);
  const auto signer = libp2p::crypto::secp256k1::generate(rng);
  const boost::json::object about{{"rollupConfig", chain.rollup_config()},
                                  {"signerKey", libp2p::to_hex(signer)},
                                  {"signer", libp2p::to_hex0x(libp2p::crypto::secp256k1::address_of(signer))}};
  std::printf("%s\n", boost::json::serialize(about).c_str());
  for (auto left = std::strtoull(argv[2], nullptr, 10); left > 0; --left)
    std::printf("%s\n", boost::json::serialize(opstack::payload::to_json(chain.next())).c_str());
  return 0;
}
