#include "libp2p/multiformats/signed_envelope.hpp"

#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"
#include "libp2p/multiformats/varint.hpp"

namespace libp2p::multiformats {
namespace {

enum EnvelopeField : protozero::pbf_tag_type { kPublicKey = 1, kPayloadType = 2, kPayload = 3, kSignature = 5 };

Bytes signing_input(std::string_view domain, ByteView payload_type, ByteView payload) {
  Bytes out;
  out.reserve(domain.size() + payload_type.size() + payload.size() + 3 * kMaxVarintSize);
  for (const auto part : {as_bytes(domain), payload_type, payload}) {
    append_varint(out, part.size());
    append(out, part);
  }
  return out;
}

Error too_large(std::size_t size) {
  return fail(Errc::too_large, "signed envelope has " + std::to_string(size) + " bytes, at most " +
                                   std::to_string(kMaxEnvelopeSize) + " are allowed");
}

struct Fields {
  Bytes public_key;  // a message: parts of it that come apart, each a message, are one put together
  ByteView payload_type;
  ByteView payload;
  ByteView signature;
};

Result<Fields> read_fields(ByteView wire) {
  Fields fields;
  ProtobufReader reader(wire, "signed envelope");
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return fields;
    if (!field.is_bytes()) continue;
    switch (field.number) {
      case kPublicKey:
        OPP2P_TRYV(check_protobuf(field.bytes, "signed envelope's public key", wire.data()));
        append(fields.public_key, field.bytes);
        break;
      case kPayloadType: fields.payload_type = field.bytes; break;
      case kPayload: fields.payload = field.bytes; break;
      case kSignature: fields.signature = field.bytes; break;
      default: break;
    }
  }
}

}  // namespace

Result<SignedEnvelope> SignedEnvelope::seal(const crypto::PrivateKey& key, std::string_view domain,
                                            ByteView payload_type, ByteView payload) {
  if (domain.empty() || payload_type.empty())
    return fail(Errc::invalid_argument, "a signed envelope needs a domain and a payload type");
  if (payload.size() > kMaxEnvelopeSize) return too_large(payload.size());
  OPP2P_TRY(auto signature, key.sign(signing_input(domain, payload_type, payload)));
  SignedEnvelope made(key.public_key(), to_bytes(payload_type), to_bytes(payload), std::move(signature));
  if (const auto size = made.encode().size(); size > kMaxEnvelopeSize) return too_large(size);
  return made;
}

Result<SignedEnvelope> SignedEnvelope::open(ByteView wire, std::string_view domain) {
  if (domain.empty()) return fail(Errc::invalid_argument, "a signed envelope needs a domain");
  if (wire.size() > kMaxEnvelopeSize) return too_large(wire.size());
  OPP2P_TRY(const auto fields, read_fields(wire));
  auto signer = crypto::PublicKey::from_protobuf(fields.public_key);
  if (!signer) return signer.error().within("signed envelope's public key");
  if (!signer->verify(signing_input(domain, fields.payload_type, fields.payload), fields.signature))
    return fail(Errc::mismatch, "signed envelope's signature does not belong to its key, domain and contents");
  return SignedEnvelope(std::move(*signer), to_bytes(fields.payload_type), to_bytes(fields.payload),
                        to_bytes(fields.signature));
}

Bytes SignedEnvelope::encode() const {
  std::string out;
  protozero::pbf_writer writer(out);
  const auto add = [&writer](EnvelopeField field, ByteView value) {
    if (!value.empty()) writer.add_bytes(field, reinterpret_cast<const char*>(value.data()), value.size());
  };
  add(kPublicKey, signer_.to_protobuf());
  add(kPayloadType, payload_type_);
  add(kPayload, payload_);
  add(kSignature, signature_);
  return to_bytes(out);
}

}  // namespace libp2p::multiformats
