// Snappy's framing format: a stream of checksummed chunks, as payload_by_number responses are sent. The encoder writes
// what the Go encoder writes (one chunk for each 64 KiB, uncompressed where compression saves less than an eighth). The
// decoder takes the stream in pieces of any size, holds at most one chunk (76,494 bytes) and never gives more than its
// bound. Owned by one reader; no thread of its own. Source: google/snappy framing_format.txt; the bound on a chunk is
// that of Go's.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace opstack::encoding {

inline constexpr std::size_t kSnappyMaxChunkContents = 65536;
// A checksum and the longest block that 65,536 bytes can become: no chunk of another kind may be longer either.
inline constexpr std::size_t kSnappyMaxChunkBody = 4 + 76490;

// Appends `data` as a whole stream. No data gives no bytes, not even the stream's identifier.
void append_snappy_frames(libp2p::Bytes& out, libp2p::ByteView data);
libp2p::Bytes snappy_frame_encode(libp2p::ByteView data);

class SnappyFrameDecoder {
 public:
  // More than `max_output` decompressed or `max_input` compressed bytes are Errc::too_large.
  explicit SnappyFrameDecoder(std::size_t max_output, std::size_t max_input = SIZE_MAX);

  // Takes the next piece and appends what it completes to `out`. After an error the decoder refuses everything with the
  // same error; offsets in errors count from the start of the stream and name the chunk that is wrong.
  libp2p::Result<void> push(libp2p::ByteView piece, libp2p::Bytes& out);
  // The stream has ended: Errc::truncated when it did so within a chunk.
  libp2p::Result<void> finish();

  std::size_t consumed() const { return consumed_; }
  std::size_t produced() const { return produced_; }

  // Every invariant, by assertion.
  void check() const;

 private:
  libp2p::Result<void> take(libp2p::ByteView piece, libp2p::Bytes& out);
  libp2p::Result<void> begin_chunk();
  libp2p::Result<void> end_chunk(libp2p::ByteView body, libp2p::Bytes& out);
  libp2p::Result<void> data_chunk(libp2p::ByteView body, bool compressed, libp2p::Bytes& out);
  libp2p::Error wrong(libp2p::Errc code, std::string text) const;

  std::size_t max_output_;
  std::size_t max_input_;
  std::size_t consumed_ = 0;
  std::size_t produced_ = 0;
  std::size_t chunk_start_ = 0;  // offset of the current chunk in the stream
  std::uint8_t header_[4] = {};
  std::size_t header_filled_ = 0;
  std::size_t body_size_ = 0;
  libp2p::Bytes body_;  // what is there of a chunk that came in pieces
  bool identified_ = false;
  std::optional<libp2p::Error> failed_;
};

// A whole stream at once.
libp2p::Result<libp2p::Bytes> snappy_frame_decode(libp2p::ByteView stream, std::size_t max_output);

}  // namespace opstack::encoding
