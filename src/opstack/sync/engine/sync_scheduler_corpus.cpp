// Seeds of sync_scheduler: scripts from a fixed seed, and one in which two gaps of different branches are filled.
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  corpus.save_scripts({120, 600, 2500});
  Bytes script;
  for (std::uint8_t peer = 1; peer <= 5; ++peer) append(script, Bytes{0, peer});
  append(script, Bytes{2, 2, 0, 40, 5, 9, 40, 5});  // two gaps below blocks of number 40, of forks 0 and 1
  for (int round = 0; round < 100; ++round) append(script, Bytes{4, 0, 1, 7, 7, 0, 9, 20});
  corpus.save("two-gaps", script);
}

}  // namespace libp2p::fuzzing
