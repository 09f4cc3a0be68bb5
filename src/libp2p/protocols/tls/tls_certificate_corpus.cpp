#include "libp2p/protocols/tls/forged_certificate_test.hpp"
#include "testing/corpus.hpp"

namespace libp2p::fuzzing {

// Of Ed25519 keys, whose signatures are the same with every OpenSSL. Certificates of P-256, whose are not, lie beside
// them (made-*).
void make_corpus(Corpus& corpus) {
  using namespace tls::test;
  SeededRng rng(1);
  const auto world = tls::OpenSslWorld::make(rng).value();
  const auto identity = identity_key(5);
  const auto with = [&](Forgery how) {
    how.key = "ED25519";
    return forge(identity, how, *world);
  };
  corpus.save("ed25519", with({}).to_der());
  corpus.save("secp256k1-identity",
              forge(identity_key(6, crypto::KeyType::secp256k1), {.key = "ED25519"}, *world).to_der());
  corpus.save("unknown-critical", with({.other_critical = "1.2.3.4"}).to_der());
  corpus.save("unique-id", with_unique_id(with({}), *world));
}

}  // namespace libp2p::fuzzing
