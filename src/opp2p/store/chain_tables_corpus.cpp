#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) { corpus.save_scripts({150, 600, 1000, 1500, 2000}); }

}  // namespace libp2p::fuzzing
