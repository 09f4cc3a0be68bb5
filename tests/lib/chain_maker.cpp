// chain_maker GENESIS_TIME BLOCKS BLOCK_SIZE [FORK_AFTER] prints one line with the rollup configuration and the signer
// of a MadeChain, then one line per block with its envelope in the JSON of the RPC. Blocks above FORK_AFTER are those
// of another branch.
#include <cstdio>
#include <cstdlib>

#include "lib/made_chain.hpp"
#include "opstack/payload/payload_json.hpp"

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: chain_maker GENESIS_TIME BLOCKS BLOCK_SIZE [FORK_AFTER]\n");
    return 2;
  }
  MadeChain made(std::strtoull(argv[1], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
  std::printf("%s\n", boost::json::serialize(made.about()).c_str());
  const auto blocks = std::strtoull(argv[2], nullptr, 10);
  const auto fork_after = argc == 5 ? std::strtoull(argv[4], nullptr, 10) : blocks;
  for (std::uint64_t made_so_far = 0; made_so_far < blocks; ++made_so_far) {
    if (made_so_far == fork_after) made.chain.diverge(1);
    std::printf("%s\n", boost::json::serialize(opstack::payload::to_json(made.chain.next())).c_str());
  }
  return 0;
}
