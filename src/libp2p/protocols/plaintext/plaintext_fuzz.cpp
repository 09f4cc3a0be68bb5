#include <cstdlib>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/protocols/plaintext/handshake.hpp"

// Any bytes as an Exchange message, and to a handshake in two different cuts: both take the same bytes, and who is
// taken is who the key says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using namespace libp2p::plaintext;
  const ByteView in(data, size);

  if (const auto exchange = decode_exchange(in)) {
    const auto again = decode_exchange(encode_exchange(*exchange));
    if (!again || *again != *exchange) std::abort();
  }

  Bytes framed;
  multiformats::append_varint(framed, size);
  append(framed, in);
  for (const ByteView bytes : {in, ByteView(framed)}) {
    Handshake whole({}, std::nullopt);
    const auto taken = whole.on_bytes(bytes);
    whole.check();
    if (taken && *taken > bytes.size()) std::abort();
    if (whole.finished() != (taken && *taken > 0)) std::abort();
    if (taken && *taken == 0 && bytes.size() > kMaxUnread) std::abort();
    if (whole.finished() && !whole.remote_peer().matches(whole.remote_key())) std::abort();

    // As a driver presents it: one byte more each time, until something is taken.
    Handshake split({}, std::nullopt);
    for (std::size_t n = 0; n <= bytes.size(); ++n) {
      const auto step = split.on_bytes(bytes.first(n));
      if (step && *step == 0) continue;
      if (step.has_value() != taken.has_value() || (step && *step != *taken)) std::abort();
      break;
    }
    if (split.finished() != whole.finished()) std::abort();
  }
  return 0;
}
