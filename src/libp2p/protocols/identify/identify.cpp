#include "libp2p/protocols/identify/identify.hpp"

#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::identify {
namespace {

constexpr protozero::pbf_tag_type kPublicKey = 1;
constexpr protozero::pbf_tag_type kListenAddrs = 2;
constexpr protozero::pbf_tag_type kProtocols = 3;
constexpr protozero::pbf_tag_type kObservedAddr = 4;
constexpr protozero::pbf_tag_type kProtocolVersion = 5;
constexpr protozero::pbf_tag_type kAgentVersion = 6;
constexpr protozero::pbf_tag_type kSignedPeerRecord = 8;

protozero::data_view as_data(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void add(protozero::pbf_writer& writer, protozero::pbf_tag_type tag, const std::optional<Bytes>& field) {
  if (field) writer.add_bytes(tag, as_data(*field));
}

void add(protozero::pbf_writer& writer, protozero::pbf_tag_type tag, const std::optional<std::string>& field) {
  if (field) writer.add_string(tag, *field);
}

// False when a list is full. Every field that is known is a string of bytes.
bool take_field(protozero::pbf_tag_type tag, std::string_view value, Message& out) {
  switch (tag) {
    case kPublicKey: out.public_key = to_bytes(value); break;
    case kListenAddrs:
      if (out.listen_addrs.size() == kMaxEntries) return false;
      out.listen_addrs.push_back(to_bytes(value));
      break;
    case kProtocols:
      if (out.protocols.size() == kMaxEntries) return false;
      out.protocols.emplace_back(value);
      break;
    case kObservedAddr: out.observed_addr = to_bytes(value); break;
    case kProtocolVersion: out.protocol_version = std::string(value); break;
    case kAgentVersion: out.agent_version = std::string(value); break;
    case kSignedPeerRecord: out.signed_peer_record = to_bytes(value); break;
    default: break;
  }
  return true;
}

// Reads on top of what earlier parts have said.
Result<void> merge(ByteView message, Message& out) {
  ProtobufReader reader(message, "identify message");
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return {};
    if (!field.is_bytes()) continue;
    if (!take_field(field.number, as_text(field.bytes), out))
      return Error(Errc::exhausted, "identify message with more than " + std::to_string(kMaxEntries) + " entries");
  }
}

void append_part(Bytes& out, const Bytes& part) {
  multiformats::append_varint(out, part.size());
  append(out, part);
}

}  // namespace

Bytes encode(const Message& message) {
  std::string out;
  protozero::pbf_writer writer(out);
  add(writer, kPublicKey, message.public_key);
  for (const auto& address : message.listen_addrs) writer.add_bytes(kListenAddrs, as_data(address));
  for (const auto& protocol : message.protocols) writer.add_string(kProtocols, protocol);
  add(writer, kObservedAddr, message.observed_addr);
  add(writer, kProtocolVersion, message.protocol_version);
  add(writer, kAgentVersion, message.agent_version);
  add(writer, kSignedPeerRecord, message.signed_peer_record);
  return to_bytes(out);
}

Result<Message> decode(ByteView message) {
  Message out;
  OPP2P_TRYV(merge(message, out));
  return out;
}

Bytes encode_parts(const Message& message) {
  Bytes out;
  const Bytes whole = encode(message);
  if (!message.signed_peer_record || whole.size() <= kSplitAbove) {
    append_part(out, whole);
    return out;
  }
  Message record;
  record.signed_peer_record = message.signed_peer_record;
  Message rest = message;
  rest.signed_peer_record.reset();
  append_part(out, encode(rest));
  append_part(out, encode(record));
  return out;
}

Result<Message> decode_parts(ByteView stream) {
  Message out;
  std::size_t at = 0;
  for (std::size_t count = 0; at < stream.size(); ++count) {
    const auto length = multiformats::read_varint(stream.subspan(at));
    if (!length) return Error::at(at, length.error().code(), "length of an identify message: " + length.error().text());
    if (length->value > kMaxPart)
      return Error::at(at, Errc::too_large,
                       "identify message of " + std::to_string(length->value) + " bytes, at most " +
                           std::to_string(kMaxPart) + " are allowed");
    const auto rest = stream.subspan(at + length->size);
    // go-libp2p takes a length with nothing behind it for the end.
    if (rest.empty() && length->value > 0) return out;
    if (rest.size() < length->value) return Error::at(at, Errc::truncated, "identify stream ends inside a message");
    if (count == kMaxParts)
      return Error::at(at, Errc::too_large, "identify message in more than " + std::to_string(kMaxParts) + " parts");
    OPP2P_TRYV(merge(rest.first(static_cast<std::size_t>(length->value)), out));
    at += length->size + static_cast<std::size_t>(length->value);
  }
  return out;
}

}  // namespace libp2p::identify
