#include "libp2p/protocols/tls/forged_certificate_test.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

void make_corpus(Corpus& corpus) {
  using namespace tls::test;
  SeededRng rng(1);
  const auto world = tls::OpenSslWorld::make(rng).value();
  const auto identity = identity_key(5);
  corpus.save("p256", forge(identity, {}, *world).to_der());
  corpus.save("ed25519", forge(identity, {.key = "ED25519"}, *world).to_der());
  corpus.save("secp256k1-identity", forge(identity_key(6, crypto::KeyType::secp256k1), {}, *world).to_der());
  corpus.save("sha1", forge(identity, {.digest = EVP_sha1()}, *world).to_der());
  corpus.save("unknown-critical", forge(identity, {.other_critical = "1.2.3.4"}, *world).to_der());
  corpus.save("unique-id", with_unique_id(forge(identity, {}, *world)));
}

}  // namespace libp2p::fuzzing
