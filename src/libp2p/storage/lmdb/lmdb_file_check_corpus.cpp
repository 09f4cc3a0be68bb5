#include "testing/corpus.hpp"
#include "testing/lmdb_pages.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  using testing_files::LmdbPages;
  LmdbPages pages;
  corpus.save("whole", pages.bytes);
  corpus.save("without-free-pages-at-its-end", ByteView(pages.bytes).first(8 * LmdbPages::kSize));
  pages.put(LmdbPages::place(5, 12), std::uint16_t{14});
  corpus.save("damaged-leaf", pages.bytes);
}

}  // namespace libp2p::fuzzing
