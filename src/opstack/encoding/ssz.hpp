// The two helpers that the payload's SSZ needs: a reader that takes fixed-size fields from the front of a view that was
// checked to be long enough, and a writer into a string of known size. SSZ is little-endian; a variable part is named
// by its 4-byte offset. Source: consensus-specs ssz/simple-serialize.md, "Serialization".
#pragma once

#include <algorithm>

#include "libp2p/base/assert.hpp"
#include "libp2p/base/bytes.hpp"

namespace opstack::encoding {

// Precondition of every call: that many bytes are left. Callers check the whole fixed part once.
class SszReader {
 public:
  explicit SszReader(libp2p::ByteView in) : in_(in) {}

  template <std::size_t N>
  libp2p::ByteArray<N> fixed() {
    expect(N);
    libp2p::ByteArray<N> out;
    std::copy_n(in_.begin() + static_cast<std::ptrdiff_t>(at_), N, out.begin());
    at_ += N;
    return out;
  }
  std::uint64_t u64() {
    expect(8);
    at_ += 8;
    return libp2p::load_le64(in_.data() + at_ - 8);
  }
  std::uint32_t offset() {
    expect(4);
    at_ += 4;
    return libp2p::load_le32(in_.data() + at_ - 4);
  }
  // A 256-bit integer, which is held big-endian everywhere else.
  libp2p::ByteArray<32> uint256() {
    auto out = fixed<32>();
    std::reverse(out.begin(), out.end());
    return out;
  }
  std::size_t position() const { return at_; }

 private:
  void expect(std::size_t size) const {
    OPP2P_ASSERT(size <= in_.size() - at_, "the fixed part was checked to be there", size, in_, at_);
  }
  libp2p::ByteView in_;
  std::size_t at_ = 0;
};

// Precondition: `out` is as long as what is written to it.
class SszWriter {
 public:
  explicit SszWriter(libp2p::MutableBytes out) : out_(out) {}

  SszWriter& bytes(libp2p::ByteView value) {
    expect(value.size());
    std::copy(value.begin(), value.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += value.size();
    return *this;
  }
  SszWriter& u64(std::uint64_t value) {
    expect(8);
    libp2p::store_le64(out_.data() + at_, value);
    at_ += 8;
    return *this;
  }
  SszWriter& offset(std::size_t value) {
    expect(4);
    OPP2P_ASSERT(value <= 0xffff'ffff, "an offset has four bytes", value);
    libp2p::store_le32(out_.data() + at_, static_cast<std::uint32_t>(value));
    at_ += 4;
    return *this;
  }
  SszWriter& uint256(const libp2p::ByteArray<32>& big_endian) {
    expect(32);
    std::reverse_copy(big_endian.begin(), big_endian.end(), out_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += 32;
    return *this;
  }
  std::size_t position() const { return at_; }

 private:
  void expect(std::size_t size) const {
    OPP2P_ASSERT(size <= out_.size() - at_, "the output is as long as what is written to it", size, out_, at_);
  }
  libp2p::MutableBytes out_;
  std::size_t at_ = 0;
};

}  // namespace opstack::encoding
