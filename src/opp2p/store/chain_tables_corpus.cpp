#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) { corpus.save_scripts({150, 400, 1000}); }

}  // namespace libp2p::fuzzing
