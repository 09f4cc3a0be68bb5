// The two helpers that the payload's SSZ needs: a reader that takes fixed-size fields from the front of a view that was
// checked to be long enough, and a writer into a string of known size. SSZ is little-endian; a variable part is named by
// its 4-byte offset. Source: consensus-specs ssz/simple-serialize.md, "Serialization".
#pragma once

#include <algorithm>

#include "libp2p/base/bytes.hpp"

namespace libp2p::wire {

// Precondition of every call: that many bytes are left. Callers check the whole fixed part once.
class SszReader {
 public:
  explicit SszReader(ByteView in) : in_(in) {}

  template <std::size_t N>
  ByteArray<N> fixed() {
    ByteArray<N> out;
    std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(at_), N, out.begin());
    at_ += N;
    return out;
  }
  std::uint64_t u64() {
    at_ += 8;
    return load_le64(in_.data() + at_ - 8);
  }
  std::uint32_t offset() {
    at_ += 4;
    return load_le32(in_.data() + at_ - 4);
  }
  // A 256-bit integer, which is held big-endian everywhere else.
  ByteArray<32> uint256() {
    auto out = fixed<32>();
    std::reverse(out.begin(), out.end());
    return out;
  }
  std::size_t position() const { return at_; }

 private:
  ByteView in_;
  std::size_t at_ = 0;
};

// Precondition: `out` is as long as what is written to it.
class SszWriter {
 public:
  explicit SszWriter(MutableBytes out) : out_(out) {}

  SszWriter& bytes(ByteView value) {
    std::copy(value.begin(), value.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += value.size();
    return *this;
  }
  SszWriter& u64(std::uint64_t value) {
    store_le64(out_.data() + at_, value);
    at_ += 8;
    return *this;
  }
  SszWriter& offset(std::size_t value) {
    store_le32(out_.data() + at_, static_cast<std::uint32_t>(value));
    at_ += 4;
    return *this;
  }
  SszWriter& uint256(const ByteArray<32>& big_endian) {
    std::reverse_copy(big_endian.begin(), big_endian.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += 32;
    return *this;
  }
  std::size_t position() const { return at_; }

 private:
  MutableBytes out_;
  std::size_t at_ = 0;
};

}  // namespace libp2p::wire
