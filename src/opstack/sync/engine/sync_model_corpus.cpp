// Seeds of sync_model: scripts from a fixed seed, and two in which gaps of both branches are filled by peers of both,
// with a store that keeps up and one that does not.
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  corpus.save_scripts({120, 800, 3000});
  for (const bool lists : {false, true}) {
    Bytes script{lists, 0, 30, 0};  // a gap of branch 0
    for (std::uint8_t peer = 3; peer <= 5; ++peer) append(script, Bytes{0, peer});
    append(script, Bytes{3, 0, 1, 25, 1});  // and one of branch 1
    for (int round = 0; round < 60; ++round) {
      append(script, Bytes{10, 0, 0, 13, 10, 0, 0, 10});  // a block of each branch
      if (round % 20 < 15) append(script, Bytes{6, 0, 6, 0});
      append(script, Bytes{9, 0, 2});
      if (round % 16 == 15) append(script, Bytes{5, 0, 0, 3, 8, 0});  // another source brings some
    }
    corpus.save(lists ? "two-branches-listed-each-block" : "two-branches", script);
  }
}

}  // namespace libp2p::fuzzing
