#include "opstack/encoding/snappy_frame.hpp"

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/crc32c.hpp"
#include "opstack/encoding/snappy_block.hpp"

namespace opstack::encoding {
namespace {

constexpr std::uint8_t kCompressed = 0x00;
constexpr std::uint8_t kUncompressed = 0x01;
constexpr std::uint8_t kLastUnskippable = 0x7f;
constexpr std::uint8_t kIdentifier = 0xff;
constexpr std::array<std::uint8_t, 6> kIdentifierBody = {'s', 'N', 'a', 'P', 'p', 'Y'};

void store_chunk_header(std::uint8_t* p, std::uint8_t type, std::size_t body_size) {
  OPP2P_ASSERT(body_size <= kSnappyMaxChunkBody, "a chunk that is written can be read", body_size);
  p[0] = type;
  p[1] = static_cast<std::uint8_t>(body_size);
  p[2] = static_cast<std::uint8_t>(body_size >> 8);
  p[3] = static_cast<std::uint8_t>(body_size >> 16);
}

void append_chunk(libp2p::Bytes& out, libp2p::ByteView contents) {
  const std::size_t start = out.size();
  out.resize(start + 8);
  std::size_t size = append_snappy_compressed(out, contents);
  std::uint8_t type = kCompressed;
  if (size >= contents.size() - contents.size() / 8) {
    out.resize(start + 8);
    libp2p::append(out, contents);
    size = contents.size();
    type = kUncompressed;
  }
  store_chunk_header(out.data() + start, type, size + 4);
  libp2p::store_le32(out.data() + start + 4, libp2p::masked_crc32c(libp2p::crc32c(contents)));
}

}  // namespace

void append_snappy_frames(libp2p::Bytes& out, libp2p::ByteView data) {
  if (data.empty()) return;
  // Chunks take no more than their contents and a header; the compressor wants room for a sixth more while it works.
  const std::size_t chunks = data.size() / kSnappyMaxChunkContents + 1;
  out.reserve(out.size() + 10 + data.size() + 8 * chunks + kSnappyMaxChunkContents / 6 + 64);
  out.resize(out.size() + 4);
  store_chunk_header(out.data() + out.size() - 4, kIdentifier, kIdentifierBody.size());
  libp2p::append(out, kIdentifierBody);
  for (std::size_t at = 0; at < data.size(); at += kSnappyMaxChunkContents)
    append_chunk(out, data.subspan(at, std::min(kSnappyMaxChunkContents, data.size() - at)));
}

libp2p::Bytes snappy_frame_encode(libp2p::ByteView data) {
  libp2p::Bytes out;
  append_snappy_frames(out, data);
  return out;
}

SnappyFrameDecoder::SnappyFrameDecoder(std::size_t max_output, std::size_t max_input)
    : max_output_(max_output), max_input_(max_input) {}

libp2p::Error SnappyFrameDecoder::wrong(libp2p::Errc code, std::string text) const {
  return libp2p::Error::at(chunk_start_, code, "snappy frames: " + std::move(text));
}

libp2p::Result<void> SnappyFrameDecoder::push(libp2p::ByteView piece, libp2p::Bytes& out) {
  if (failed_) return *failed_;
  const std::size_t before = out.size();
  auto taken = take(piece, out);
  if (!taken) {
    out.resize(before);  // no partial state on error
    failed_ = taken.error();
  }
  return taken;
}

libp2p::Result<void> SnappyFrameDecoder::take(libp2p::ByteView piece, libp2p::Bytes& out) {
  if (piece.size() > max_input_ - std::min(consumed_, max_input_))
    return wrong(libp2p::Errc::too_large,
                 "the stream is longer than the " + std::to_string(max_input_) + " bytes allowed");
  while (!piece.empty()) {
    if (header_filled_ < 4) {
      if (header_filled_ == 0) chunk_start_ = consumed_;
      header_[header_filled_++] = piece.front();
      piece = piece.subspan(1);
      ++consumed_;
      if (header_filled_ < 4) continue;
      OPP2P_TRYV(begin_chunk());
    }
    OPP2P_ASSERT(body_.size() <= body_size_ && body_size_ <= kSnappyMaxChunkBody, "one chunk at most is held", body_,
                 body_size_);
    const std::size_t n = std::min(piece.size(), body_size_ - body_.size());
    const bool whole_here = body_.empty() && n == body_size_;
    if (!whole_here) libp2p::append(body_, piece.first(n));
    const libp2p::ByteView body = whole_here ? piece.first(n) : libp2p::ByteView(body_);
    consumed_ += n;
    if (body.size() == body_size_) {
      OPP2P_TRYV(end_chunk(body, out));
      body_.clear();
      header_filled_ = 0;
    }
    piece = piece.subspan(n);
  }
  return {};
}

libp2p::Result<void> SnappyFrameDecoder::begin_chunk() {
  const std::uint8_t type = header_[0];
  body_size_ = std::size_t{header_[1]} | std::size_t{header_[2]} << 8 | std::size_t{header_[3]} << 16;
  if (!identified_ && type != kIdentifier)
    return wrong(libp2p::Errc::malformed, "the stream does not start with its identifier");
  if (type == kIdentifier && body_size_ != kIdentifierBody.size())
    return wrong(libp2p::Errc::malformed,
                 "an identifier chunk of " + std::to_string(body_size_) + " bytes instead of 6");
  if (type > kUncompressed && type <= kLastUnskippable)
    return wrong(libp2p::Errc::unsupported, "reserved chunk type " + std::to_string(type) + " that may not be skipped");
  if (body_size_ > kSnappyMaxChunkBody)
    return wrong(libp2p::Errc::too_large, "a chunk of " + std::to_string(body_size_) + " bytes, at most " +
                                              std::to_string(kSnappyMaxChunkBody) + " are allowed");
  if (type <= kUncompressed && body_size_ < 4)
    return wrong(libp2p::Errc::malformed, "a data chunk without room for its checksum");
  return {};
}

libp2p::Result<void> SnappyFrameDecoder::end_chunk(libp2p::ByteView body, libp2p::Bytes& out) {
  switch (header_[0]) {
    case kIdentifier:
      if (!libp2p::equal(body, kIdentifierBody))
        return wrong(libp2p::Errc::malformed, "the stream's identifier is not sNaPpY");
      identified_ = true;
      return {};
    case kCompressed: return data_chunk(body, true, out);
    case kUncompressed: return data_chunk(body, false, out);
    default: return {};  // padding and what may be skipped
  }
}

libp2p::Result<void> SnappyFrameDecoder::data_chunk(libp2p::ByteView body, bool compressed, libp2p::Bytes& out) {
  const std::uint32_t announced = libp2p::load_le32(body.data());
  const libp2p::ByteView contents = body.subspan(4);
  std::size_t size = contents.size();
  if (compressed) {
    auto length = snappy_decoded_length(contents);
    if (!length) return wrong(length.error().code(), length.error().text());
    size = *length;
  }
  if (size > kSnappyMaxChunkContents)
    return wrong(libp2p::Errc::malformed,
                 "a chunk holds " + std::to_string(size) + " bytes, at most 65536 are allowed");
  if (size > max_output_ - produced_)
    return wrong(libp2p::Errc::too_large,
                 "the stream holds more than the " + std::to_string(max_output_) + " bytes allowed");
  // Into `out` at once: push() takes back what an error leaves there.
  const std::size_t before = out.size();
  if (!compressed) {
    libp2p::append(out, contents);
  } else if (auto given = append_snappy_decompressed(out, contents, kSnappyMaxChunkContents); !given) {
    return wrong(given.error().code(), given.error().text());
  }
  if (libp2p::masked_crc32c(libp2p::crc32c(libp2p::ByteView(out).subspan(before))) != announced)
    return wrong(libp2p::Errc::mismatch, "the checksum of a chunk does not match");
  OPP2P_ASSERT(out.size() == before + size, "a chunk gives what was announced", out, before, size);
  produced_ += size;
  OPP2P_ASSERT(produced_ <= max_output_, "the decoder never gives more than its bound", produced_, max_output_);
  return {};
}

libp2p::Result<void> SnappyFrameDecoder::finish() {
  if (failed_) return *failed_;
  if (header_filled_ != 0)
    return libp2p::Error::at(consumed_, libp2p::Errc::truncated,
                             "snappy frames: the stream ends within the chunk at byte " + std::to_string(chunk_start_));
  return {};
}

void SnappyFrameDecoder::check() const {
  OPP2P_CHECK(consumed_ <= max_input_, "no more is taken than is allowed", consumed_, max_input_);
  OPP2P_CHECK(produced_ <= max_output_, "no more is given than is allowed", produced_, max_output_);
  OPP2P_CHECK(identified_ || produced_ == 0, "contents follow the identifier", produced_);
  OPP2P_CHECK(body_.size() <= kSnappyMaxChunkBody, "one chunk at most is held", body_);
  if (failed_) return;
  OPP2P_CHECK(header_filled_ <= 4 && (header_filled_ == 4 || body_.empty()), "a body follows its header",
              header_filled_, body_);
  OPP2P_CHECK(header_filled_ < 4 || body_.size() < body_size_, "a chunk that is held is not whole", body_, body_size_);
  OPP2P_CHECK(header_filled_ == 0 || consumed_ == chunk_start_ + header_filled_ + body_.size(),
              "what is held are the last bytes of the stream", consumed_, chunk_start_, header_filled_, body_);
}

libp2p::Result<libp2p::Bytes> snappy_frame_decode(libp2p::ByteView stream, std::size_t max_output) {
  SnappyFrameDecoder decoder(max_output);
  libp2p::Bytes out;
  OPP2P_TRYV(decoder.push(stream, out));
  OPP2P_TRYV(decoder.finish());
  return out;
}

}  // namespace opstack::encoding
