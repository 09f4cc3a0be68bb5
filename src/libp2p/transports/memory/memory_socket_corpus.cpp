#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) { corpus.save_scripts({100, 500, 2000}); }

}  // namespace libp2p::fuzzing
