// The first byte says which form the rest is read as. What is taken must survive the way through the other form.
#include <cstdlib>

#include "libp2p/multiformats/multiaddr.hpp"

using libp2p::ByteView;
using libp2p::Multiaddr;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  const auto address = data[0] % 2 == 0 ? Multiaddr::from_bytes(rest) : Multiaddr::from_text(libp2p::as_text(rest));
  if (!address) return 0;
  const auto from_bytes = Multiaddr::from_bytes(address->bytes());
  const auto from_text = Multiaddr::from_text(address->text());
  if (!from_bytes || !from_text || *from_bytes != *address || *from_text != *address) std::abort();
  if (!address->starts_with(address->without_peer_id())) std::abort();
  (void)address->peer_id();
  return 0;
}
