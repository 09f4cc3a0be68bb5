#include <cstdlib>

#include "opstack/sync/wire/codec.hpp"

// The first byte chooses how the rest is cut into pieces. An answer that is taken whole must be taken in pieces, with
// the same contents, and what was taken must survive being encoded again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using namespace opstack::sync::wire;
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0];
  const libp2p::ByteView answer(data + 1, size - 1);
  constexpr std::size_t kSmall = 1 << 20;

  ResponseDecoder whole(kSmall, kSmall);
  const bool whole_ok = whole.push(answer) && whole.finish();
  whole.check();
  ResponseDecoder pieces(kSmall, kSmall);
  bool pieces_ok = true;
  for (std::size_t at = 0; pieces_ok && at < answer.size(); at += step) {
    pieces_ok = static_cast<bool>(pieces.push(answer.subspan(at, std::min(step, answer.size() - at))));
    pieces.check();
  }
  pieces_ok = pieces_ok && pieces.finish();
  pieces.check();
  if (whole_ok != pieces_ok || whole.body() != pieces.body() || whole.body().size() > kSmall) std::abort();

  if (whole_ok && !whole.refused()) {
    ResponseDecoder again;
    if (!again.push(encode_response(*whole.version(), whole.body()))) std::abort();
    if (!again.finish() || again.body() != whole.body() || again.version() != whole.version()) std::abort();
  }
  (void)decode_request(answer);
  return 0;
}
