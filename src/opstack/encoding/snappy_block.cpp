#include "opstack/encoding/snappy_block.hpp"

#include <snappy-sinksource.h>
#include <snappy.h>

#include <algorithm>
#include <cstring>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/uvarint.hpp"

namespace opstack::encoding {
namespace {

struct Header {
  std::size_t length;  // announced
  std::size_t size;    // bytes the header takes
};

// As Go's binary.Uvarint, which reads it for op-node: padding is allowed.
libp2p::Result<Header> read_header(libp2p::ByteView block) {
  const auto number = libp2p::read_uvarint(block);
  if (number.fault == libp2p::Uvarint::Fault::truncated)
    return libp2p::Error::at(number.size, libp2p::Errc::malformed,
                             "snappy: the length in front of the block is cut off");
  if (number.fault == libp2p::Uvarint::Fault::overflow)
    return libp2p::Error::at(number.size, libp2p::Errc::malformed,
                             "snappy: the announced length does not end within ten bytes and 64 bits");
  if (number.value > 0xffffffff)
    return libp2p::Error::at(number.size - 1, libp2p::Errc::malformed,
                             "snappy: the announced length does not fit 32 bits");
  return Header{static_cast<std::size_t>(number.value), number.size};
}

// What the library reads of a length.
constexpr std::size_t kLibraryHeader = 5;

// A block whose length takes more bytes than the library reads, given to it with the length in its shortest form.
class ShortenedBlock : public snappy::Source {
 public:
  ShortenedBlock(const Header& header, libp2p::ByteView block) : body_(block.subspan(header.size)) {
    for (std::size_t value = header.length;; value >>= 7) {
      length_[length_size_++] = static_cast<std::uint8_t>(value < 0x80 ? value : value | 0x80);
      if (value < 0x80) break;
    }
  }
  std::size_t Available() const override { return length_size_ - length_taken_ + body_.size(); }
  const char* Peek(std::size_t* size) override {
    const bool first = length_taken_ < length_size_;
    const libp2p::ByteView piece =
        first ? libp2p::ByteView(length_).subspan(length_taken_, length_size_ - length_taken_) : body_;
    *size = piece.size();
    return reinterpret_cast<const char*>(piece.data());
  }
  void Skip(std::size_t count) override {
    const std::size_t of_length = std::min(count, length_size_ - length_taken_);
    length_taken_ += of_length;
    body_ = body_.subspan(count - of_length);
  }

 private:
  libp2p::ByteArray<kLibraryHeader> length_{};
  std::size_t length_size_ = 0;
  std::size_t length_taken_ = 0;
  libp2p::ByteView body_;
};

bool uncompress(const Header& header, libp2p::ByteView block, libp2p::MutableBytes out) {
  char* const to = reinterpret_cast<char*>(out.data());
  if (header.size <= kLibraryHeader)
    return snappy::RawUncompress(reinterpret_cast<const char*>(block.data()), block.size(), to);
  ShortenedBlock source(header, block);
  return snappy::RawUncompress(&source, to);
}

// One element: how many bytes it takes, how many it gives, and for a copy from how far back.
struct Element {
  std::size_t taken;
  std::uint64_t given;
  std::uint64_t offset;  // 0 for a literal
};

libp2p::Result<Element> read_element(libp2p::ByteView block, std::size_t at) {
  const std::uint8_t tag = block[at];
  const std::size_t left = block.size() - at - 1;
  const std::uint8_t* p = block.data() + at + 1;
  const auto cut = [at] { return libp2p::Error::at(at, libp2p::Errc::malformed, "snappy: an element is cut off"); };
  switch (tag & 3) {
    case 0: {
      std::uint64_t length = tag >> 2;
      const std::size_t extra = length < 60 ? 0 : static_cast<std::size_t>(length - 59);
      if (left < extra) return cut();
      if (extra > 0) {
        length = 0;
        for (std::size_t i = 0; i < extra; ++i) length |= std::uint64_t{p[i]} << (8 * i);
      }
      ++length;
      if (length > left - extra)
        return libp2p::Error::at(at, libp2p::Errc::malformed,
                                 "snappy: a literal of " + std::to_string(length) + " bytes runs past the input");
      return Element{1 + extra + static_cast<std::size_t>(length), length, 0};
    }
    case 1:
      if (left < 1) return cut();
      return Element{2, 4u + (tag >> 2 & 7u), std::uint64_t{tag & 0xe0u} << 3 | p[0]};
    case 2:
      if (left < 2) return cut();
      return Element{3, 1u + (tag >> 2), std::uint64_t{p[0]} | std::uint64_t{p[1]} << 8};
    default:
      if (left < 4) return cut();
      return Element{5, 1u + (tag >> 2), libp2p::load_le32(p)};
  }
}

// Whether a literal may be there whose length is given as 0xffffffff. It has 2^32 bytes; the library adds the one in 32
// bits, takes it for none and goes on, while Go refuses it: who forwarded such a block would be blamed.
bool may_hold_wrapped_literal(libp2p::ByteView block) {
  static constexpr std::uint8_t kWrapped[] = {63 << 2, 0xff, 0xff, 0xff, 0xff};
  constexpr std::size_t kStep = 256;
  for (std::size_t at = 0; at < block.size(); at += kStep) {
    // Four times 0xff in a row holds an aligned pair of them, which is quicker to look for.
    const std::size_t pairs = std::min(kStep, block.size() - at) / 2;
    unsigned found = 0;
    for (std::size_t i = 0; i < pairs; ++i) {
      std::uint16_t pair = 0;
      std::memcpy(&pair, block.data() + at + 2 * i, 2);
      found += pair == 0xffff ? 1 : 0;
    }
    if (found == 0) continue;
    const std::size_t from = at - std::min<std::size_t>(at, 4);
    const libp2p::ByteView around = block.subspan(from, std::min(block.size() - from, kStep + 8));
    if (std::search(around.begin(), around.end(), std::begin(kWrapped), std::end(kWrapped)) != around.end())
      return true;
  }
  return false;
}

}  // namespace

libp2p::Result<std::size_t> snappy_decoded_length(libp2p::ByteView block) {
  OPP2P_TRY(const auto header, read_header(block));
  return header.length;
}

libp2p::Result<void> check_snappy_block(libp2p::ByteView block) {
  OPP2P_TRY(const auto header, read_header(block));
  std::uint64_t given = 0;
  for (std::size_t at = header.size; at < block.size();) {
    OPP2P_TRY(const auto element, read_element(block, at));
    const bool copy = (block[at] & 3) != 0;
    if (copy && (element.offset == 0 || element.offset > given))
      return libp2p::Error::at(at, libp2p::Errc::malformed,
                               "snappy: a copy from " + std::to_string(element.offset) + " bytes back, where " +
                                   std::to_string(given) + " are there");
    OPP2P_ASSERT(element.taken <= block.size() - at, "an element that is read is whole", element.taken, at);
    given += element.given;
    if (given > header.length)
      return libp2p::Error::at(
          at, libp2p::Errc::malformed,
          "snappy: the elements give more than the announced " + std::to_string(header.length) + " bytes");
    at += element.taken;
  }
  if (given != header.length)
    return libp2p::Error::at(block.size(), libp2p::Errc::malformed,
                             "snappy: the elements give " + std::to_string(given) + " bytes, " +
                                 std::to_string(header.length) + " were announced");
  return {};
}

libp2p::Result<libp2p::Bytes> snappy_decompress(libp2p::ByteView block, std::size_t max_size) {
  libp2p::Bytes out;
  OPP2P_TRYV(append_snappy_decompressed(out, block, max_size));
  return out;
}

libp2p::Result<void> append_snappy_decompressed(libp2p::Bytes& out, libp2p::ByteView block, std::size_t max_size) {
  OPP2P_TRY(const auto header, read_header(block));
  if (header.length > max_size)
    return libp2p::Error::at(0, libp2p::Errc::too_large,
                             "snappy: " + std::to_string(header.length) + " bytes are announced, at most " +
                                 std::to_string(max_size) + " are allowed");
  // A block cannot hold more than 64 bytes for each three of its own: one that announces more is refused before its
  // announcement is believed with an allocation.
  if (header.length / 64 > block.size()) {
    OPP2P_TRYV(check_snappy_block(block));
    return libp2p::Error::at(0, libp2p::Errc::malformed, "snappy: the block is too short for what it announces");
  }
  OPP2P_ASSERT(header.size <= block.size() && header.length <= max_size, "what is announced is allowed", header.length,
               max_size);
  const std::size_t before = out.size();
  out.resize(before + header.length);
  const bool whole = uncompress(header, block, libp2p::MutableBytes(out).subspan(before));
  if (whole && !may_hold_wrapped_literal(block)) return {};
  libp2p::Result<void> checked = check_snappy_block(block);
  if (whole && checked) return checked;
  out.resize(before);
  if (!checked) return checked;
  return libp2p::Error::at(0, libp2p::Errc::malformed, "snappy: the block is corrupt");
}

std::size_t snappy_max_compressed_length(std::size_t size) { return snappy::MaxCompressedLength(size); }

std::size_t append_snappy_compressed(libp2p::Bytes& out, libp2p::ByteView data) {
  const std::size_t before = out.size();
  out.resize(before + snappy::MaxCompressedLength(data.size()));
  std::size_t written = 0;
  snappy::RawCompress(reinterpret_cast<const char*>(data.data()), data.size(),
                      reinterpret_cast<char*>(out.data() + before), &written);
  OPP2P_ASSERT(before + written <= out.size(), "the compressor keeps within its bound", written, data);
  out.resize(before + written);
  return written;
}

libp2p::Bytes snappy_compress(libp2p::ByteView data) {
  libp2p::Bytes out;
  append_snappy_compressed(out, data);
  return out;
}

}  // namespace opstack::encoding
