// A chain that is made in advance, for tests and loads that need many blocks. It has one block per second and depends
// only on its arguments, so two programs make the same chain.
#pragma once

#include "opstack/testing/chain_builder.hpp"

struct MadeChain {
  MadeChain(std::uint64_t genesis_time, std::size_t block_size)
      : rng(1), chain(options_of(genesis_time, block_size), rng), signer(libp2p::crypto::secp256k1::generate(rng)) {}

  boost::json::object about() const {
    return {{"rollupConfig", chain.rollup_config()},
            {"signerKey", libp2p::to_hex(signer)},
            {"signer", libp2p::to_hex0x(libp2p::crypto::secp256k1::address_of(signer))}};
  }

  static opstack::testing::ChainOptions options_of(std::uint64_t genesis_time, std::size_t block_size) {
    opstack::testing::ChainOptions options;
    options.genesis_time = genesis_time;
    options.block_time = 1;
    options.block_size = block_size;
    return options;
  }

  libp2p::SeededRng rng;
  opstack::testing::ChainBuilder chain;
  libp2p::crypto::secp256k1::Secret signer;
};
