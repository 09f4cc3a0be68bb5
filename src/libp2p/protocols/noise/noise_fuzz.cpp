#include <algorithm>
#include <cstdlib>

#include "libp2p/protocols/noise/handshake.hpp"
#include "libp2p/protocols/noise/transport.hpp"

// Any bytes to both sides of a handshake, as a payload, and as sealed messages: nothing forged passes, nothing crashes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using namespace libp2p::noise;
  const ByteView in(data, size);
  SeededRng rng(1);
  const auto key = crypto::PrivateKey::generate(crypto::KeyType::ed25519, rng).value();
  const auto credentials = Credentials::make(key, rng).value();

  if (const auto payload = decode_payload(in)) {
    const auto again = decode_payload(encode_payload(*payload));
    if (!again || *again != *payload) std::abort();
  }
  for (const bool initiator : {true, false}) {
    Handshake handshake(initiator, credentials, {}, rng);
    std::size_t at = 0;
    while (at < in.size()) {
      const auto taken = handshake.on_bytes(in.subspan(at));
      handshake.check();
      if (!taken || *taken == 0) break;
      at += *taken;
    }
    if (handshake.finished()) std::abort();
  }
  Transport transport({rng.array<32>(), rng.array<32>()});
  Bytes copy(in.begin(), in.end());
  const auto taken = transport.open_all(copy, [](MutableBytes) -> Result<void> { std::abort(); });
  if (taken && *taken != 0) std::abort();
  return 0;
}
