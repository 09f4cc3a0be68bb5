#include <cstdlib>

#include "libp2p/protocols/multistream/negotiator.hpp"

// Any bytes, in pieces, to a listener and to a dialer: no crash, no byte taken behind the settling message, answers
// bounded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using namespace libp2p::multistream;
  if (size < 1) return 0;
  const Matcher accepts = [](std::string_view protocol) { return protocol == "/a"; };
  const Lister list = [] { return std::vector<std::string>{"/a"}; };
  const std::size_t step = 1 + data[0] % 64;
  const ByteView in(data + 1, size - 1);
  for (auto side : {Negotiator::listener(&accepts, &list), Negotiator::dialer({"/a", "/b"})}) {
    std::size_t answered = 0;
    for (std::size_t at = 0; at < in.size(); at += step) {
      const auto part = in.subspan(at, std::min(step, in.size() - at));
      const bool settled = side.settled();
      const auto taken = side.on_bytes(part);
      side.check();
      if (!taken) break;
      if (*taken > part.size() || (settled && *taken != 0)) std::abort();
      if (!side.settled() && *taken != part.size()) std::abort();
      answered += side.take_output().size();
    }
    if (answered > (kMaxProposals + 2) * 32) std::abort();
  }
  return 0;
}
