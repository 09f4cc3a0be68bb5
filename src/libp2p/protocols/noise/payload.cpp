#include "libp2p/protocols/noise/payload.hpp"

#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"

namespace libp2p::noise {
namespace {

constexpr std::string_view kContext = "Noise handshake payload";

constexpr protozero::pbf_tag_type kIdentityKey = 1;
constexpr protozero::pbf_tag_type kIdentitySignature = 2;
constexpr protozero::pbf_tag_type kExtensions = 4;
constexpr protozero::pbf_tag_type kCerthashes = 1;
constexpr protozero::pbf_tag_type kStreamMuxers = 2;

protozero::data_view as_data(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// A second extensions field is merged into the first, as protobuf demands.
Result<void> read_extensions(ByteView message, Extensions& out) {
  ProtobufReader reader(message, kContext);
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return {};
    if (!field.is_bytes()) continue;
    const bool full = (field.number == kCerthashes && out.webtransport_certhashes.size() == kMaxCerthashes) ||
                      (field.number == kStreamMuxers && out.stream_muxers.size() == kMaxMuxers);
    if (full) return Error(Errc::exhausted, "Noise handshake payload with too many extension entries");
    if (field.number == kCerthashes) out.webtransport_certhashes.push_back(to_bytes(field.bytes));
    if (field.number == kStreamMuxers) out.stream_muxers.emplace_back(as_text(field.bytes));
  }
}

}  // namespace

Bytes encode_payload(const HandshakePayload& payload) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_bytes(kIdentityKey, as_data(payload.identity_key));
  writer.add_bytes(kIdentitySignature, as_data(payload.identity_signature));
  if (!payload.extensions.empty()) {
    protozero::pbf_writer extensions(writer, kExtensions);
    for (const auto& hash : payload.extensions.webtransport_certhashes)
      extensions.add_bytes(kCerthashes, as_data(hash));
    for (const auto& muxer : payload.extensions.stream_muxers) extensions.add_string(kStreamMuxers, muxer);
  }
  return to_bytes(out);
}

Result<HandshakePayload> decode_payload(ByteView message) {
  HandshakePayload out;
  ProtobufReader reader(message, kContext);
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return out;
    if (!field.is_bytes()) continue;
    switch (field.number) {
      case kIdentityKey: out.identity_key = to_bytes(field.bytes); break;
      case kIdentitySignature: out.identity_signature = to_bytes(field.bytes); break;
      case kExtensions: OPP2P_TRYV(read_extensions(field.bytes, out.extensions)); break;
      default: break;
    }
  }
}

}  // namespace libp2p::noise
