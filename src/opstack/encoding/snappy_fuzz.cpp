// Any bytes as a block: the library and the walk that finds faults agree, and contents survive another round. The same
// bytes as frames: a decoder that gets them whole and one that gets them in pieces agree. The same bytes as contents:
// they come back.
#include <algorithm>

#include "opstack/encoding/snappy_block.hpp"
#include "opstack/encoding/snappy_frame.hpp"
#include "testing/fuzz_script.hpp"

namespace {

using libp2p::fuzzing::require;

constexpr std::size_t kBound = 1 << 20;

void block(libp2p::ByteView data) {
  using namespace libp2p;
  const auto contents = opstack::encoding::snappy_decompress(data, kBound);
  if (contents) {
    require(contents->size() <= kBound);
    require(opstack::encoding::check_snappy_block(data).has_value());
    require(*opstack::encoding::snappy_decompress(opstack::encoding::snappy_compress(*contents), kBound) == *contents);
  } else if (!(contents.error() == libp2p::Errc::too_large)) {
    require(!opstack::encoding::check_snappy_block(data).has_value());
    require(contents.error().offset() && *contents.error().offset() <= data.size());
  }
}

void frames(libp2p::ByteView data) {
  using namespace libp2p;
  const auto whole = opstack::encoding::snappy_frame_decode(data, kBound);
  opstack::encoding::SnappyFrameDecoder decoder(kBound);
  libp2p::Bytes out;
  libp2p::Result<void> status;
  const std::size_t step = 1 + (data.empty() ? 0 : data[data.size() / 2]);
  for (std::size_t at = 0; status && at < data.size(); at += step) {
    status = decoder.push(data.subspan(at, std::min(step, data.size() - at)), out);
    decoder.check();
  }
  if (status) status = decoder.finish();
  require(status.has_value() == whole.has_value());
  if (whole) require(out == *whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const libp2p::ByteView input(data, size);
  block(input);
  frames(input);
  const auto stream = opstack::encoding::snappy_frame_encode(input);
  require(libp2p::equal(*opstack::encoding::snappy_frame_decode(stream, size), input));
  return 0;
}
