#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  corpus.save("whole",
              std::string_view("1234 (a name) with ) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 15 16 17 18 9876 1048576 "
                               "256 20 21\n"));
  corpus.save("short", std::string_view("1 (x) S 1 2 3"));
}

}  // namespace libp2p::fuzzing
