// Seeds of chain_over_store: scripts from a fixed seed, and one in which two segments above a hole displace each other
// while the disk fails, with each of the budgets and both kinds of stores.
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  corpus.save_scripts({100, 400, 800});
  for (const std::uint8_t first : std::initializer_list<std::uint8_t>{0, 3, 6, 128, 131, 134}) {
    Bytes script{first};
    append(script, Bytes{2, 37, 10, 31, 1, 38, 10, 38});       // 38 of branch 2, 39 of branch 1; each becomes the head
    append(script, Bytes{14, 2, 2, 35, 2, 36, 1, 36, 1, 37});  // and what is below them, while two writes fail
    append(script, Bytes{14, 0, 10, 10, 11, 0});               // sources
    for (std::uint8_t i = 0; i < 60; ++i) append(script, Bytes{8, i, 10, 2});
    append(script, Bytes{0xbf, 19, 12, 4, 0xbf, 10, 13, 0});  // runs of the trunk, another signer, a restart
    for (std::uint8_t i = 0; i < 30; ++i) append(script, Bytes{9, i, 10, 1});
    corpus.save("two-segments-" + std::to_string(first), script);
  }
}

}  // namespace libp2p::fuzzing
