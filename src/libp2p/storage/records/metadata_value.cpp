#include "libp2p/storage/records/metadata_value.hpp"

#include <algorithm>
#include <optional>

#include "libp2p/base/peer_text.hpp"

namespace libp2p::storage {
namespace {

// Go's ids of the types that are built in, of which a value here is made.
constexpr std::int64_t kStringType = 6;
constexpr std::int64_t kInterfaceType = 8;
// The ids that we give to the two types that are not: encoders count up from here.
constexpr std::int64_t kEmptyStructType = 64;
constexpr std::int64_t kMapType = 65;

constexpr std::string_view kStringName = "string";
constexpr std::string_view kProtocolsName = "map[protocol.ID]struct {}";  // before go-libp2p v0.25 of strings
constexpr std::string_view kOldProtocolsName = "map[string]struct {}";

class GobReader {
 public:
  explicit GobReader(ByteView bytes, std::size_t offset = 0) : bytes_(bytes), offset_(offset) {}

  bool at_end() const { return at_ == bytes_.size(); }
  Error error(Errc code, std::string_view what) const {
    return Error::at(offset_ + at_, code, "gob value: " + std::string(what));
  }

  // Below 128 a byte; above, a byte with the negated count of the big-endian bytes that follow.
  Result<std::uint64_t> read_unsigned() {
    if (at_end()) return cut_off();
    const std::uint8_t first = bytes_[at_++];
    if (first < 0x80) return first;
    const std::size_t count = 256U - first;
    if (count > 8) return error(Errc::malformed, "number of more than eight bytes");
    if (bytes_.size() - at_ < count) return cut_off();
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < count; ++i) out = out << 8 | bytes_[at_++];
    return out;
  }
  // The lowest bit says that the others are complemented.
  Result<std::int64_t> read_signed() {
    OPP2P_TRY(const auto number, read_unsigned());
    const auto half = static_cast<std::int64_t>(number >> 1);
    return (number & 1) != 0 ? ~half : half;
  }
  Result<ByteView> read_bytes() {
    OPP2P_TRY(const auto size, read_unsigned());
    if (size > bytes_.size() - at_) return cut_off();
    const auto out = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += out.size();
    return out;
  }
  Result<std::string_view> read_text() {
    OPP2P_TRY(const auto bytes, read_bytes());
    return as_text(bytes);
  }
  // A length and a reader of that many bytes.
  Result<GobReader> read_part() {
    OPP2P_TRY(const auto bytes, read_bytes());
    return GobReader(bytes, offset_ + at_ - bytes.size());
  }
  Result<void> expect(std::uint64_t wanted, std::string_view what) {
    OPP2P_TRY(const auto number, read_unsigned());
    if (number != wanted) return error(Errc::malformed, "no " + std::string(what));
    return {};
  }
  Result<void> expect_end() const {
    if (!at_end()) return error(Errc::malformed, "bytes behind its end");
    return {};
  }

 private:
  Error cut_off() const { return error(Errc::truncated, "ends within a field"); }

  ByteView bytes_;
  std::size_t offset_;
  std::size_t at_ = 0;
};

// The two definitions that a set of protocols comes with: a map, and a struct without fields.
struct Definitions {
  struct Map {
    std::int64_t id;
    std::int64_t key;
    std::int64_t element;
  };
  std::optional<Map> map;
  std::optional<std::int64_t> empty_struct;
};

// The fields of a struct stand in their order, each with its distance to the one before, and end with 0.
class FieldReader {
 public:
  explicit FieldReader(GobReader& in) : in_(in) {}
  // The field's number from 1, or 0 at the end.
  Result<std::uint64_t> next() {
    OPP2P_TRY(const auto distance, in_.read_unsigned());
    if (distance == 0) return 0;
    if (distance > kMostFields - field_) return in_.error(Errc::malformed, "field that its type does not have");
    return field_ += distance;
  }

 private:
  static constexpr std::uint64_t kMostFields = 16;
  GobReader& in_;
  std::uint64_t field_ = 0;
};

// Name and id, which every definition begins with.
Result<std::int64_t> read_common(GobReader& in) {
  std::int64_t id = 0;
  FieldReader fields(in);
  for (;;) {
    OPP2P_TRY(const auto field, fields.next());
    if (field == 0) return id;
    if (field == 1) {
      OPP2P_TRYV(in.read_text());
    } else if (field == 2) {
      OPP2P_TRY(id, in.read_signed());
    } else {
      return in.error(Errc::malformed, "field that its type does not have");
    }
  }
}

Error no_set(const GobReader& in) { return in.error(Errc::unsupported, "protocols are not a set of texts"); }

Result<void> read_map_definition(GobReader& in, Definitions& out) {
  Definitions::Map map{};
  FieldReader fields(in);
  for (;;) {
    OPP2P_TRY(const auto field, fields.next());
    switch (field) {
      case 0: out.map = map; return {};
      case 1: {
        OPP2P_TRY(map.id, read_common(in));
        break;
      }
      case 2: {
        OPP2P_TRY(map.key, in.read_signed());
        break;
      }
      case 3: {
        OPP2P_TRY(map.element, in.read_signed());
        break;
      }
      default: return no_set(in);
    }
  }
}

Result<void> read_struct_definition(GobReader& in, Definitions& out) {
  std::int64_t id = 0;
  FieldReader fields(in);
  for (;;) {
    OPP2P_TRY(const auto field, fields.next());
    if (field == 0) break;
    if (field != 1) return no_set(in);  // it has fields
    OPP2P_TRY(id, read_common(in));
  }
  out.empty_struct = id;
  return {};
}

Result<void> read_definition(GobReader& in, Definitions& out) {
  FieldReader fields(in);
  OPP2P_TRY(const auto kind, fields.next());
  constexpr std::uint64_t kStruct = 3;
  constexpr std::uint64_t kMap = 4;
  if (kind == kMap && !out.map) {
    OPP2P_TRYV(read_map_definition(in, out));
  } else if (kind == kStruct && !out.empty_struct) {
    OPP2P_TRYV(read_struct_definition(in, out));
  } else {
    return no_set(in);
  }
  return in.expect(0, "end of a definition");
}

Result<MetadataValue> read_string(GobReader& in) {
  OPP2P_TRY(const auto type, in.read_signed());
  if (type != kStringType) return in.error(Errc::malformed, "text of another type");
  OPP2P_TRY(auto value, in.read_part());
  OPP2P_TRYV(in.expect_end());
  OPP2P_TRYV(value.expect(0, "mark of a single value"));
  OPP2P_TRY(const auto text, value.read_text());
  OPP2P_TRYV(value.expect_end());
  return MetadataValue(std::string(text));
}

Result<MetadataValue> read_set(GobReader value) {
  OPP2P_TRYV(value.expect(0, "mark of a single value"));
  OPP2P_TRY(const auto count, value.read_unsigned());
  if (count > kMaxStoredProtocols)
    return value.error(Errc::too_large, "more than " + std::to_string(kMaxStoredProtocols) + " protocols");
  StoredProtocols out;
  for (std::uint64_t i = 0; i < count; ++i) {
    OPP2P_TRY(const auto id, value.read_text());
    OPP2P_TRYV(value.expect(0, "end of an empty struct"));
    out.ids.emplace_back(id);
  }
  OPP2P_TRYV(value.expect_end());
  std::sort(out.ids.begin(), out.ids.end());
  out.ids.erase(std::unique(out.ids.begin(), out.ids.end()), out.ids.end());
  return MetadataValue(std::move(out));
}

// Behind the type's name comes its first definition, which ends the message. More definitions follow as messages of
// their own, and last the value, with the type's id and its size.
Result<MetadataValue> read_protocols(GobReader& message, GobReader& whole) {
  Definitions types;
  for (GobReader part = message;;) {
    OPP2P_TRY(const auto id, part.read_signed());
    if (id < 0) {
      OPP2P_TRYV(read_definition(part, types));
      OPP2P_TRYV(part.expect_end());
      OPP2P_TRY(part, whole.read_part());
      continue;
    }
    if (!types.map || !types.empty_struct || types.map->id != id || types.map->key != kStringType ||
        types.map->element != *types.empty_struct)
      return no_set(part);
    OPP2P_TRY(const auto value, part.read_part());
    OPP2P_TRYV(part.expect_end());
    return read_set(value);
  }
}

void append_unsigned(Bytes& out, std::uint64_t value) {
  if (value < 0x80) return out.push_back(static_cast<std::uint8_t>(value));
  std::uint8_t big[8];
  store_be64(big, value);
  const auto* first = std::find_if(big, big + 8, [](std::uint8_t b) { return b != 0; });
  const auto count = static_cast<std::size_t>(big + 8 - first);
  out.push_back(static_cast<std::uint8_t>(256U - count));
  append(out, {first, count});
}

void append_signed(Bytes& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  append_unsigned(out, value < 0 ? ~bits << 1 | 1 : bits << 1);
}

void append_part(Bytes& out, ByteView part) {
  append_unsigned(out, part.size());
  append(out, part);
}

// The two definitions. In each: the kind, then a struct that begins with the struct of name (left out: none) and id.
void append_map_definition(Bytes& out) {
  append_signed(out, -kMapType);
  append(out, as_bytes(std::string_view("\x04\x01\x02", 3)));
  append_signed(out, kMapType);
  append(out, as_bytes(std::string_view("\x00\x01", 2)));
  append_signed(out, kStringType);
  out.push_back(1);
  append_signed(out, kEmptyStructType);
  append(out, as_bytes(std::string_view("\x00\x00", 2)));
}

Bytes struct_definition() {
  Bytes out;
  append_signed(out, -kEmptyStructType);
  append(out, as_bytes(std::string_view("\x03\x01\x02", 3)));
  append_signed(out, kEmptyStructType);
  append(out, as_bytes(std::string_view("\x00\x00\x00", 3)));
  return out;
}

// What follows in the message that has begun, and the messages behind it.
Bytes finish(Bytes message, const std::string& text) {
  append_part(message, as_bytes(kStringName));
  append_signed(message, kStringType);
  Bytes value{0};
  append_part(value, as_bytes(text));
  append_part(message, value);
  Bytes out;
  append_part(out, message);
  return out;
}

Bytes finish(Bytes message, const StoredProtocols& protocols) {
  append_part(message, as_bytes(kProtocolsName));
  append_map_definition(message);
  Bytes set{0};
  append_unsigned(set, protocols.ids.size());
  for (const auto& id : protocols.ids) {
    append_part(set, as_bytes(id));
    set.push_back(0);
  }
  Bytes value;
  append_signed(value, kMapType);
  append_part(value, set);
  Bytes out;
  append_part(out, message);
  append_part(out, struct_definition());
  append_part(out, value);
  return out;
}

}  // namespace

Bytes encode_metadata_value(const MetadataValue& value) {
  Bytes message;
  append_signed(message, kInterfaceType);
  message.push_back(0);
  return std::visit([&](const auto& content) { return finish(std::move(message), content); }, value);
}

Result<MetadataValue> decode_metadata_value(ByteView bytes) {
  if (bytes.size() > kMaxMetadataValue)
    return fail(Errc::too_large, "gob value has " + std::to_string(bytes.size()) + " bytes, at most " +
                                     std::to_string(kMaxMetadataValue) + " are allowed");
  GobReader whole(bytes);
  OPP2P_TRY(auto message, whole.read_part());
  OPP2P_TRY(const auto type, message.read_signed());
  if (type != kInterfaceType) return message.error(Errc::unsupported, "not an interface, as go-libp2p writes it");
  OPP2P_TRYV(message.expect(0, "mark of a single value"));
  OPP2P_TRY(const auto name, message.read_text());
  if (name != kStringName && name != kProtocolsName && name != kOldProtocolsName)
    return message.error(Errc::unsupported, "type " + peer_text(name.substr(0, 64)) + " is not read here");
  OPP2P_TRY(auto value, name == kStringName ? read_string(message) : read_protocols(message, whole));
  OPP2P_TRYV(whole.expect_end());
  return value;
}

}  // namespace libp2p::storage
