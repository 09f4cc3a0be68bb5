#include "protocols/noise/payload.hpp"

#include <protozero/pbf_message.hpp>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace libp2p::noise {
namespace {

using protozero::pbf_wire_type;

constexpr protozero::pbf_tag_type kIdentityKey = 1;
constexpr protozero::pbf_tag_type kIdentitySignature = 2;
constexpr protozero::pbf_tag_type kExtensions = 4;
constexpr protozero::pbf_tag_type kCerthashes = 1;
constexpr protozero::pbf_tag_type kStreamMuxers = 2;

protozero::data_view as_data(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Bytes take_bytes(protozero::pbf_reader& reader) {
  const auto view = reader.get_view();
  return to_bytes(std::string_view(view.data(), view.size()));
}

// A second extensions field is merged into the first, as protobuf demands.
bool read_extensions(protozero::pbf_reader reader, Extensions& out) {
  while (reader.next()) {
    const bool delimited = reader.wire_type() == pbf_wire_type::length_delimited;
    if (delimited && reader.tag() == kCerthashes) {
      if (out.webtransport_certhashes.size() == kMaxCerthashes) return false;
      out.webtransport_certhashes.push_back(take_bytes(reader));
    } else if (delimited && reader.tag() == kStreamMuxers) {
      if (out.stream_muxers.size() == kMaxMuxers) return false;
      out.stream_muxers.push_back(reader.get_string());
    } else {
      reader.skip();
    }
  }
  return true;
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
  try {
    protozero::pbf_reader reader(as_data(message));
    while (reader.next()) {
      const bool delimited = reader.wire_type() == pbf_wire_type::length_delimited;
      if (delimited && reader.tag() == kIdentityKey) {
        out.identity_key = take_bytes(reader);
      } else if (delimited && reader.tag() == kIdentitySignature) {
        out.identity_signature = take_bytes(reader);
      } else if (delimited && reader.tag() == kExtensions) {
        if (!read_extensions(reader.get_message(), out.extensions))
          return Error(Errc::exhausted, "Noise handshake payload with too many extension entries");
      } else {
        reader.skip();
      }
    }
  } catch (const protozero::exception& broken) {
    return Error(Errc::malformed, std::string("Noise handshake payload: ") + broken.what());
  }
  return out;
}

}  // namespace libp2p::noise
