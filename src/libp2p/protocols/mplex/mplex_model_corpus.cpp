#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) { corpus.save_scripts({150, 1000, 3000}); }

}  // namespace libp2p::fuzzing
