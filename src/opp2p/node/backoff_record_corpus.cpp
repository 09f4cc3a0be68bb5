#include "opp2p/node/backoff_record.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

// One of before, and one of a clock that was set back.
void make_corpus(Corpus& corpus) {
  const auto peer = PeerId::from_bytes(Bytes{0x00, 0x01, 0x07}).value();
  const std::vector<gossipsub::BackoffLeft> left = {{"/optimism/10/3/blocks", peer, Seconds(12)},
                                                    {"t", peer, Seconds(62)}};
  corpus.save("before", to_bytes(opp2p::backoff_record(left, from_unix_seconds(1'759'999'995))));
  corpus.save("set_back", to_bytes(opp2p::backoff_record(left, from_unix_seconds(1'770'000'000))));
}

}  // namespace libp2p::fuzzing
