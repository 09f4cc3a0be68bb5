#include <cstdlib>

#include "libp2p/protocols/mplex/frame.hpp"

// A header that is read is written as the same bytes, and every cut of it is truncated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace libp2p;
  using namespace libp2p::mplex;
  const ByteView in(data, size);
  const auto read = read_header(in);
  if (!read) {
    if (read.error() == Errc::truncated && size >= kMaxReadHeader) std::abort();
    return 0;
  }
  if (read->header.length > kMaxMessage || read->header.stream_id > kMaxWireId || read->size > kMaxHeader) std::abort();
  Bytes again(kMaxHeader);
  again.resize(write_header(again, read->header));
  if (!equal(again, in.first(read->size)) || header_size(read->header) != read->size) std::abort();
  for (std::size_t cut = 0; cut < read->size; ++cut) {
    const auto part = read_header(in.first(cut));
    if (part || part.error() != Errc::truncated) std::abort();
  }
  return 0;
}
