#include "libp2p/protocols/plaintext/exchange.hpp"

#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::plaintext {
namespace {

constexpr std::string_view kContext = "plaintext Exchange message";

constexpr protozero::pbf_tag_type kId = 1;
constexpr protozero::pbf_tag_type kPublicKey = 2;

protozero::data_view as_data(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace

Bytes encode_exchange(const Exchange& exchange) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_bytes(kId, as_data(exchange.id));
  writer.add_bytes(kPublicKey, as_data(exchange.public_key));
  return to_bytes(out);
}

Result<Exchange> decode_exchange(ByteView message) {
  Exchange out;
  ProtobufReader reader(message, kContext);
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return out;
    if (!field.is_bytes()) continue;
    if (field.number == kId) out.id = to_bytes(field.bytes);
    if (field.number != kPublicKey) continue;
    // The key is a message, and protobuf merges a second one into the first: the same as reading both as one.
    OPP2P_TRYV(check_protobuf(field.bytes, kContext, message.data()));
    append(out.public_key, field.bytes);
  }
}

Bytes framed_exchange(const crypto::PublicKey& key) {
  const Bytes message = encode_exchange({to_bytes(PeerId::from_public_key(key).bytes()), key.to_protobuf()});
  Bytes out;
  multiformats::append_varint(out, message.size());
  append(out, message);
  return out;
}

}  // namespace libp2p::plaintext
