// Ethereum's RLP (Yellow Paper, appendix B). Encoding appends to a byte string and makes no other allocation. A list
// header needs the size of its contents, which the rlp_*_size functions compute. Decoding is strict: each value has one
// encoding. It reads only the given view, copies nothing and does not recurse.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::multiformats {

std::size_t rlp_string_size(ByteView value);
std::size_t rlp_uint_size(std::uint64_t value);
// A list whose items take `contents` bytes together.
std::size_t rlp_list_size(std::size_t contents);

// Header of a string of `size` bytes that is not one byte below 0x80, or of a list; at most 9 bytes. Returns what it
// wrote.
std::size_t write_rlp_header(std::uint8_t* out, std::size_t size, bool list);

void append_rlp_string(Bytes& out, ByteView value);
// An integer is its big-endian bytes without leading zeros; zero is the empty string.
void append_rlp_uint(Bytes& out, std::uint64_t value);
// A big-endian integer of any width, written without its leading zeros.
void append_rlp_big_endian(Bytes& out, ByteView value);
void append_rlp_list_header(Bytes& out, std::size_t contents);

ByteView without_leading_zeros(ByteView big_endian);

struct RlpItem {
  bool list = false;
  ByteView payload;   // the string, or the encodings of the list's items
  ByteView encoding;  // header and payload
};

// Reads items one after another out of a view. Offsets in errors count from the start of the outermost view.
class RlpReader {
 public:
  explicit RlpReader(ByteView in, std::size_t base_offset = 0) : in_(in), base_(base_offset) {}

  bool done() const { return at_ == in_.size(); }
  std::size_t offset() const { return base_ + at_; }

  Result<RlpItem> item();
  Result<ByteView> string();
  Result<std::uint64_t> uint64();  // no leading zeros, at most 8 bytes
  // A reader of the items inside the next one, which must be a list.
  Result<RlpReader> list();
  // A string of exactly N bytes.
  template <std::size_t N>
  Result<ByteArray<N>> fixed() {
    const std::size_t start = offset();
    OPP2P_TRY(const ByteView value, string());
    if (value.size() != N)
      return Error::at(start, Errc::malformed,
                       "RLP: a string of " + std::to_string(value.size()) + " bytes instead of " + std::to_string(N));
    ByteArray<N> out;
    std::copy(value.begin(), value.end(), out.begin());
    return out;
  }
  // Errc::malformed when something follows.
  Result<void> expect_done() const;

 private:
  ByteView in_;
  std::size_t base_;
  std::size_t at_ = 0;
};

}  // namespace libp2p::multiformats
