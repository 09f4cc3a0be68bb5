#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) { corpus.save_scripts({200, 1000, 4000}); }

}  // namespace libp2p::fuzzing
