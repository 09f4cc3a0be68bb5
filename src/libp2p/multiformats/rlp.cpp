#include "libp2p/multiformats/rlp.hpp"

#include <algorithm>

namespace libp2p::multiformats {
namespace {

std::size_t big_endian_size(std::uint64_t value) {
  std::size_t size = 0;
  for (; value != 0; value >>= 8) ++size;
  return size;
}

std::size_t header_size(std::size_t size) { return size < 56 ? 1 : 1 + big_endian_size(size); }

}  // namespace

std::size_t rlp_string_size(ByteView value) {
  return value.size() == 1 && value[0] < 0x80 ? 1 : header_size(value.size()) + value.size();
}

std::size_t rlp_uint_size(std::uint64_t value) { return value < 0x80 ? 1 : 1 + big_endian_size(value); }

std::size_t rlp_list_size(std::size_t contents) { return header_size(contents) + contents; }

std::size_t write_rlp_header(std::uint8_t* out, std::size_t size, bool list) {
  const std::uint8_t base = list ? 0xc0 : 0x80;
  if (size < 56) {
    out[0] = static_cast<std::uint8_t>(base + size);
    return 1;
  }
  const std::size_t bytes = big_endian_size(size);
  out[0] = static_cast<std::uint8_t>(base + 55 + bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[1 + i] = static_cast<std::uint8_t>(size >> (8 * (bytes - 1 - i)));
  return 1 + bytes;
}

void append_rlp_string(Bytes& out, ByteView value) {
  if (value.size() != 1 || value[0] >= 0x80) {
    std::uint8_t header[9];
    append(out, {header, write_rlp_header(header, value.size(), false)});
  }
  append(out, value);
}

void append_rlp_uint(Bytes& out, std::uint64_t value) {
  std::uint8_t raw[8];
  store_be64(raw, value);
  append_rlp_big_endian(out, raw);
}

void append_rlp_big_endian(Bytes& out, ByteView value) { append_rlp_string(out, without_leading_zeros(value)); }

void append_rlp_list_header(Bytes& out, std::size_t contents) {
  std::uint8_t header[9];
  append(out, {header, write_rlp_header(header, contents, true)});
}

ByteView without_leading_zeros(ByteView big_endian) {
  const auto first = std::find_if(big_endian.begin(), big_endian.end(), [](std::uint8_t b) { return b != 0; });
  return big_endian.subspan(static_cast<std::size_t>(first - big_endian.begin()));
}

Result<RlpItem> RlpReader::item() {
  const auto wrong = [this](Errc code, const char* text) {
    return Error::at(offset(), code, std::string("RLP: ") + text);
  };
  const ByteView left = in_.subspan(at_);
  if (left.empty()) return wrong(Errc::truncated, "an item is missing");
  const std::uint8_t first = left[0];
  RlpItem out;
  std::size_t header = 1;
  std::size_t size = 0;
  if (first < 0x80) {
    header = 0;
    size = 1;
  } else {
    out.list = first >= 0xc0;
    const std::size_t short_size = first - (out.list ? 0xc0u : 0x80u);
    size = short_size;
    if (short_size > 55) {
      const std::size_t bytes = short_size - 55;
      if (left.size() < 1 + bytes) return wrong(Errc::truncated, "the length of an item is cut off");
      if (left[1] == 0) return wrong(Errc::malformed, "the length of an item has a leading zero");
      std::uint64_t value = 0;
      for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | left[1 + i];
      if (value < 56) return wrong(Errc::malformed, "the length of an item is not in its shortest form");
      header = 1 + bytes;
      if (value > left.size() - header) return wrong(Errc::truncated, "an item runs past the end");
      size = static_cast<std::size_t>(value);
    }
  }
  if (size > left.size() - header) return wrong(Errc::truncated, "an item runs past the end");
  out.payload = left.subspan(header, size);
  out.encoding = left.first(header + size);
  if (first == 0x81 && out.payload[0] < 0x80)
    return wrong(Errc::malformed, "a single byte is not in its shortest form");
  at_ += header + size;
  return out;
}

Result<ByteView> RlpReader::string() {
  const std::size_t start = offset();
  const std::size_t before = at_;
  OPP2P_TRY(const auto next, item());
  if (!next.list) return next.payload;
  at_ = before;
  return Error::at(start, Errc::malformed, "RLP: a list where a string is expected");
}

Result<std::uint64_t> RlpReader::uint64() {
  const std::size_t start = offset();
  OPP2P_TRY(const ByteView raw, string());
  if (raw.size() > 8) return Error::at(start, Errc::malformed, "RLP: an integer of more than 64 bits");
  if (!raw.empty() && raw[0] == 0) return Error::at(start, Errc::malformed, "RLP: an integer with a leading zero");
  std::uint64_t value = 0;
  for (const std::uint8_t byte : raw) value = value << 8 | byte;
  return value;
}

Result<RlpReader> RlpReader::list() {
  const std::size_t start = offset();
  const std::size_t before = at_;
  OPP2P_TRY(const auto next, item());
  if (next.list) return RlpReader(next.payload, start + (next.encoding.size() - next.payload.size()));
  at_ = before;
  return Error::at(start, Errc::malformed, "RLP: a string where a list is expected");
}

Result<void> RlpReader::expect_done() const {
  if (done()) return {};
  return Error::at(offset(), Errc::malformed, "RLP: " + std::to_string(in_.size() - at_) + " bytes too many");
}

}  // namespace libp2p::multiformats
