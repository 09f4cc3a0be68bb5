#include "libp2p/protocols/mplex/frame.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  const auto save = [&corpus](const std::string& name, const mplex::Header& header) {
    Bytes out(mplex::kMaxHeader);
    out.resize(mplex::write_header(out, header));
    corpus.save(name, out);
  };
  save("open", mplex::make_header(mplex::Flag::new_stream, 0, 1));
  save("largest", {mplex::kMaxWireId, 7, mplex::kMaxMessage});
  save("message", mplex::make_header(mplex::Flag::message_receiver, 300, 5000));
  corpus.save("too-large", *from_hex("02818040"));
  corpus.save("padded", *from_hex("028000"));
  corpus.save("endless", Bytes(18, 0xff));
}

}  // namespace libp2p::fuzzing
