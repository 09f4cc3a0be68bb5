// Any bytes as a peer's certificate. A verdict does not change when it is asked again, and what is taken proves a key
// that is one.
#include <vector>

#include "libp2p/protocols/tls/certificate.hpp"
#include "testing/fuzz_script.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using fuzzing::require;
  static SeededRng rng(1);
  static const auto world = tls::OpenSslWorld::make(rng).value();
  constexpr UnixTime kNow = from_unix_seconds(1'800'000'000);
  const std::vector<Bytes> chain = {Bytes(data, data + size)};
  const auto key = tls::verify_chain(chain, kNow, *world);
  const auto again = tls::verify_chain(chain, kNow, *world);
  require(key.has_value() == again.has_value());
  require(!key || tls::read_certificate(chain[0], *world));
  if (!key) return 0;
  require(*key == *again && crypto::PublicKey::from_protobuf(key->to_protobuf()).value() == *key);
  return 0;
}
