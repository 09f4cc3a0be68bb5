// chain_maker GENESIS_TIME BLOCKS BLOCK_SIZE prints one line with the rollup configuration and the signer of a
// MadeChain, then one line per block with its envelope in the JSON of the RPC.
#include <cstdio>
#include <cstdlib>

#include "lib/made_chain.hpp"
#include "opstack/payload/payload_json.hpp"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: chain_maker GENESIS_TIME BLOCKS BLOCK_SIZE\n");
    return 2;
  }
  MadeChain made(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  std::printf("%s\n", boost::json::serialize(made.about()).c_str());
  for (auto left = std::strtoull(argv[2], nullptr, 10); left > 0; --left)
    std::printf("%s\n", boost::json::serialize(opstack::payload::to_json(made.chain.next())).c_str());
  return 0;
}
