#include "libp2p/multiformats/peer_record.hpp"

#include <optional>
#include <protozero/pbf_writer.hpp>

#include "libp2p/base/protobuf.hpp"

namespace libp2p::multiformats {
namespace {

constexpr std::string_view kContext = "peer record";
enum RecordField : protozero::pbf_tag_type { kPeerId = 1, kSeq = 2, kAddresses = 3 };
constexpr protozero::pbf_tag_type kMultiaddr = 1;  // of an AddressInfo

void add_bytes(protozero::pbf_writer& writer, protozero::pbf_tag_type tag, ByteView value) {
  writer.add_bytes(tag, reinterpret_cast<const char*>(value.data()), value.size());
}

Error too_many_addresses() {
  return fail(Errc::too_large, "peer record has more than " + std::to_string(kMaxRecordAddresses) + " addresses");
}

Result<ByteView> read_address(ByteView message, ByteView payload) {
  ByteView out;
  ProtobufReader reader(message, kContext, payload.data());
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return out;
    if (field.number == kMultiaddr && field.is_bytes()) out = field.bytes;
  }
}

struct RawRecord {
  std::optional<ByteView> peer_id;
  std::uint64_t seq = 0;
  std::vector<ByteView> addresses;
};

Result<RawRecord> read_record(ByteView payload) {
  RawRecord out;
  ProtobufReader reader(payload, kContext);
  for (ProtobufField field;;) {
    OPP2P_TRY(const bool more, reader.next(field));
    if (!more) return out;
    if (field.number == kPeerId && field.is_bytes()) out.peer_id = field.bytes;
    if (field.number == kSeq && field.is_varint()) out.seq = field.value;
    if (field.number == kAddresses && field.is_bytes()) {
      if (out.addresses.size() == kMaxRecordAddresses) return too_many_addresses();
      OPP2P_TRY(const auto address, read_address(field.bytes, payload));
      out.addresses.push_back(address);
    }
  }
}

}  // namespace

Result<PeerRecord> PeerRecord::decode(ByteView payload) {
  OPP2P_TRY(const auto raw, read_record(payload));
  if (!raw.peer_id) return fail(Errc::malformed, "peer record has no peer id");
  auto id = PeerId::from_bytes(*raw.peer_id);
  if (!id) return id.error().within("peer record's peer id");
  PeerRecord out;
  out.peer_id = std::move(*id);
  out.seq = raw.seq;
  for (const auto bytes : raw.addresses) {
    if (auto address = Multiaddr::from_bytes(bytes)) {
      out.addresses.push_back(std::move(*address));
    } else {
      ++out.skipped_addresses;
    }
  }
  return out;
}

Bytes PeerRecord::encode() const {
  std::string out;
  protozero::pbf_writer writer(out);
  add_bytes(writer, kPeerId, peer_id.bytes());
  if (seq != 0) writer.add_uint64(kSeq, seq);
  for (const auto& address : addresses) {
    protozero::pbf_writer info(writer, kAddresses);
    add_bytes(info, kMultiaddr, address.bytes());
  }
  return to_bytes(out);
}

Result<Bytes> PeerRecord::seal(const crypto::PrivateKey& key) const {
  if (!peer_id.matches(key.public_key()))
    return fail(Errc::mismatch, "a peer record is sealed with the key of the peer that it is about");
  if (addresses.size() > kMaxRecordAddresses) return too_many_addresses();
  OPP2P_TRY(const auto envelope, SignedEnvelope::seal(key, kPeerRecordDomain, kPeerRecordType, encode()));
  return envelope.encode();
}

Result<PeerRecord::Unmatched> PeerRecord::open_unmatched(ByteView wire) {
  OPP2P_TRY(auto envelope, SignedEnvelope::open(wire, kPeerRecordDomain));
  if (!equal(envelope.payload_type(), kPeerRecordType))
    return fail(Errc::unsupported,
                "signed envelope holds the type 0x" + to_hex(envelope.payload_type()) + ", a peer record has 0x0301");
  OPP2P_TRY(auto record, decode(envelope.payload()));
  const bool matches = record.peer_id.matches(envelope.signer());
  return Unmatched{std::move(record), std::move(envelope), matches};
}

Result<PeerRecord> PeerRecord::open(ByteView wire) {
  OPP2P_TRY(auto opened, open_unmatched(wire));
  if (!opened.signer_matches)
    return fail(Errc::mismatch, "peer record is about " + opened.record.peer_id.to_base58() + " but signed by " +
                                    PeerId::from_public_key(opened.envelope.signer()).to_base58());
  return std::move(opened.record);
}

}  // namespace libp2p::multiformats
