// Snappy's block format: one compressed string with its length in front, as OP Stack gossip messages are sent.
// Stateless and thread-safe. The announced length is checked against the caller's bound before anything is allocated;
// an input that is refused is read once more to say at which byte it is wrong. Source: google/snappy
// format_description.txt.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace opstack::encoding {

// The length that a compressed block announces. Errc::malformed when the block does not start with a
// number of at most 32 bits in at most ten bytes; it may be padded, as for Go.
libp2p::Result<std::size_t> snappy_decoded_length(libp2p::ByteView block);

// The contents. Errc::too_large when more than `max_size` bytes are announced, Errc::malformed for a corrupt block (one
// that gives more or less than it announces, too).
libp2p::Result<libp2p::Bytes> snappy_decompress(libp2p::ByteView block, std::size_t max_size);

// The same behind what `out` holds, which an error leaves as it was.
libp2p::Result<void> append_snappy_decompressed(libp2p::Bytes& out, libp2p::ByteView block, std::size_t max_size);

libp2p::Bytes snappy_compress(libp2p::ByteView data);
// The longest block that `size` bytes can become.
std::size_t snappy_max_compressed_length(std::size_t size);
// Compresses behind what `out` holds and returns the number of bytes added.
std::size_t append_snappy_compressed(libp2p::Bytes& out, libp2p::ByteView data);

// Walks the elements of a block without producing output. Success exactly when snappy_decompress() would succeed with
// no bound; the error names the offset of the element that is wrong.
libp2p::Result<void> check_snappy_block(libp2p::ByteView block);

}  // namespace opstack::encoding
