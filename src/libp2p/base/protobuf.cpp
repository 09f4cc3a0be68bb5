#include "libp2p/base/protobuf.hpp"

#include "libp2p/base/assert.hpp"

namespace libp2p {
namespace {

constexpr std::size_t kUnbounded = static_cast<std::size_t>(-1);

// gogo/protobuf's reading of a number: ten bytes whose last may have any bits, of which those above 64 are lost. 0:
// refused.
std::size_t read_lossy(ByteView in, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < in.size() && i < kMaxUvarintSize; ++i) {
    value |= std::uint64_t{in[i] & 0x7fu} << (7 * i);
    if (in[i] < 0x80) return i + 1;
  }
  return 0;
}

// The size of a field as gogo/protobuf's skip function finds it: the ends of groups are counted, not compared.
// kUnbounded: refused.
std::size_t lossy_field_size(ByteView in) {
  std::size_t at = 0;
  std::size_t depth = 0;
  while (at < in.size()) {
    std::uint64_t tag = 0;
    const std::size_t tag_size = read_lossy(in.subspan(at), tag);
    if (tag_size == 0) return kUnbounded;
    at += tag_size;
    std::uint64_t value = 0;
    std::size_t size = 0;
    switch (tag & 7) {
      case 0:
        size = read_lossy(in.subspan(at), value);
        if (size == 0) return kUnbounded;
        break;
      case 1: size = 8; break;
      case 2: {
        const std::size_t prefix = read_lossy(in.subspan(at), value);
        if (prefix == 0 || value > in.size()) return kUnbounded;
        size = prefix + static_cast<std::size_t>(value);
        break;
      }
      case 3: ++depth; break;
      case 4:
        if (depth == 0) return kUnbounded;
        --depth;
        break;
      case 5: size = 4; break;
      default: return kUnbounded;
    }
    if (size > in.size() - at) return kUnbounded;
    at += size;
    if (depth == 0) return at;
  }
  return kUnbounded;
}

}  // namespace

Result<std::uint64_t> ProtobufReader::read_number() {
  const auto number = read_uvarint(rest());
  if (number.fault == Uvarint::Fault::truncated) return error(cut_off_, "a number goes past the end");
  if (number.fault == Uvarint::Fault::overflow) return error(Errc::malformed, "a number is longer than 64 bits");
  at_ += number.size;
  return number.value;
}

Result<void> ProtobufReader::read_tag(ProtobufField& out, std::uint64_t highest) {
  const auto* const before = at_;
  OPP2P_TRY(const auto tag, read_number());
  const std::uint64_t number = tag >> 3;
  if (number == 0 || number > highest) return error(Errc::malformed, "a field has an impossible number");
  if ((tag & 7) > 5) return error(Errc::malformed, "a field has an unknown wire type");
  out.number = static_cast<std::uint32_t>(number);
  out.type = static_cast<WireType>(tag & 7);
  out.tag_size = static_cast<std::size_t>(at_ - before);
  return {};
}

Result<void> ProtobufReader::take(std::uint64_t size, ProtobufField& out) {
  if (size > static_cast<std::uint64_t>(end_ - at_)) return error(cut_off_, "a field goes past the end");
  out.bytes = ByteView(at_, static_cast<std::size_t>(size));
  at_ += size;
  return {};
}

Result<void> ProtobufReader::read_value(ProtobufField& out) {
  switch (out.type) {
    case WireType::varint: {
      OPP2P_TRY(out.value, read_number());
      return {};
    }
    case WireType::fixed64: return take(8, out);
    case WireType::bytes: {
      OPP2P_TRY(const auto size, read_number());
      return take(size, out);
    }
    case WireType::fixed32: return take(4, out);
    case WireType::group: {
      const auto* const before = at_;
      OPP2P_TRYV(read_group(out.number));
      out.bytes = ByteView(before, at_);
      return {};
    }
    case WireType::end_group: break;
  }
  return error(Errc::malformed, "a group ends that did not begin");
}

Result<void> ProtobufReader::read_group(std::uint32_t number) {
  auto& open = open_groups_;
  open.assign(1, number);
  while (!open.empty()) {
    if (at_ == end_) return error(cut_off_, "a group does not end");
    ProtobufField inner;
    OPP2P_TRYV(read_tag(inner, kHighestWalked));
    if (inner.type == WireType::group) {
      if (open.size() == kMaxGroupDepth) return error(Errc::malformed, "groups are nested too deeply");
      open.push_back(inner.number);
    } else if (inner.type == WireType::end_group) {
      if (open.back() != inner.number) return error(Errc::malformed, "a group ends that did not begin");
      open.pop_back();
    } else {
      OPP2P_TRYV(read_value(inner));
    }
  }
  return {};
}

// Goes over the field at at_ as gogo/protobuf does; false when that would not take it, or would take it for a field
// that is known.
bool ProtobufReader::skip_kept() {
  if (*at_ < 0x80 && (*at_ >> 3) <= lenient_above_) return false;  // most fields: known by their first byte
  std::uint64_t tag = 0;
  if (read_lossy(rest(), tag) == 0) return false;
  const auto number = static_cast<std::int32_t>(static_cast<std::uint32_t>(tag >> 3));
  if (number <= 0 || static_cast<std::uint32_t>(number) <= lenient_above_ || (tag & 7) == 4) return false;
  const std::size_t size = lossy_field_size(rest());
  if (size == kUnbounded) return false;
  OPP2P_ASSERT(size > 0 && size <= static_cast<std::size_t>(end_ - at_), "each field takes bytes of the message", size);
  at_ += size;
  kept_ += size;
  return true;
}

// A field whose tag, and whose length or value, take one byte each; nothing else is decided here.
bool ProtobufReader::read_short(ProtobufField& out) {
  constexpr std::uint8_t kLowestTag = 1 << 3;
  const auto left = static_cast<std::size_t>(end_ - at_);
  if (left < 2 || at_[0] < kLowestTag || at_[0] >= 0x80 || at_[1] >= 0x80) return false;
  const auto type = static_cast<WireType>(at_[0] & 7);
  const std::size_t size = at_[1];
  if (type == WireType::bytes && size <= left - 2) {
    out.bytes = ByteView(at_ + 2, size);
    out.value_size = 1 + size;
  } else if (type == WireType::varint) {
    out.value = size;
    out.value_size = 1;
  } else {
    return false;
  }
  out.number = at_[0] >> 3;
  out.type = type;
  out.tag_size = 1;
  at_ += out.tag_size + out.value_size;
  return true;
}

Result<bool> ProtobufReader::next(ProtobufField& out) {
  // Before the strict reading, whose error takes a hundred times as long to make as such a field to pass over.
  while (lenient_above_ != 0 && at_ != end_ && skip_kept()) {
    if (kept_ > most_kept_)
      return error(Errc::too_large, "its unknown fields are more than " + std::to_string(most_kept_) + " bytes");
  }
  if (at_ == end_) return false;
  if (read_short(out)) return true;
  const auto* const before = at_;
  OPP2P_TRYV(read_tag(out, highest_));
  OPP2P_TRYV(read_value(out));
  OPP2P_ASSERT(at_ > before && at_ <= end_, "each field takes bytes of the message", at_ - before, end_ - before);
  out.value_size = static_cast<std::size_t>(at_ - before) - out.tag_size;
  return true;
}

Result<void> check_protobuf(ByteView message, std::string_view context, const std::uint8_t* start, Errc cut_off) {
  ProtobufReader fields(message, context, start, cut_off);
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, fields.next(field));
    if (!more) return {};
  }
}

}  // namespace libp2p
