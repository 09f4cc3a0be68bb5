#include "libp2p/protocols/multistream/negotiator.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  Bytes listener_reads, dialer_reads;
  for (const std::string_view text : {"/multistream/1.0.0", "ls", "/b", "/a"})
    multistream::append_message(listener_reads, text);
  for (const std::string_view text : {"/multistream/1.0.0", "na", "/b"})
    multistream::append_message(dialer_reads, text);
  corpus.save("listener-reads", with_first(63, listener_reads));
  corpus.save("dialer-reads", with_first(1, dialer_reads));
  Bytes long_name;
  multistream::append_message(long_name, "/multistream/1.0.0");
  multistream::append_message(long_name, "/" + std::string(900, 'x'));
  corpus.save("long-name", with_first(9, long_name));
}

}  // namespace libp2p::fuzzing
