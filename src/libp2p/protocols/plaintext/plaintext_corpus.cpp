#include "libp2p/protocols/plaintext/exchange.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  using namespace plaintext;
  SeededRng rng(6);
  for (const auto type : {crypto::KeyType::ed25519, crypto::KeyType::secp256k1}) {
    const auto key = crypto::PrivateKey::generate(type, rng).value().public_key();
    const std::string name(crypto::to_string(type));
    Bytes framed = framed_exchange(key);
    corpus.save("framed-" + name, framed);
    corpus.save("message-" + name, ByteView(framed).subspan(1));
    append(framed, as_bytes("what follows"));
    corpus.save("followed-" + name, framed);
  }
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value().public_key();
  const Exchange foreign{Bytes(34, 0x12), key.to_protobuf()};
  corpus.save("wrong-id", encode_exchange(foreign));
  Bytes twice = encode_exchange(foreign);
  append(twice, encode_exchange(foreign));
  corpus.save("merged", twice);
}

}  // namespace libp2p::fuzzing
