// The first byte says what the rest is read as: a signed envelope, a bare record, a peer id, a key, a multibase text.
#include <cstdlib>

#include "libp2p/multiformats/multibase.hpp"
#include "libp2p/multiformats/peer_record.hpp"

using libp2p::ByteView;
using libp2p::PeerId;
using libp2p::multiformats::PeerRecord;

namespace {

void check(bool right) {
  if (!right) std::abort();
}

void read_record(ByteView in) {
  const auto record = PeerRecord::decode(in);
  if (!record) return;
  const auto again = PeerRecord::decode(record->encode());
  check(again && again->peer_id == record->peer_id && again->seq == record->seq &&
        again->addresses == record->addresses);
}

void read_text(ByteView in) {
  const auto decoded = libp2p::multiformats::decode_multibase(libp2p::as_text(in));
  if (!decoded) return;
  const auto again =
      libp2p::multiformats::decode_multibase(libp2p::multiformats::encode_multibase(decoded->base, decoded->bytes));
  check(again && again->bytes == decoded->bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest(data + 1, size - 1);
  switch (data[0] % 6) {
    case 0: (void)PeerRecord::open(rest); break;
    case 1: read_record(rest); break;
    case 2:
      if (const auto id = PeerId::from_text(libp2p::as_text(rest)))
        check(PeerId::from_text(id->to_cid()).value() == *id);
      break;
    case 3:
      if (const auto key = libp2p::crypto::PublicKey::from_protobuf(rest))
        check(libp2p::crypto::PublicKey::from_protobuf(key->to_protobuf()).value() == *key);
      break;
    case 4: (void)libp2p::crypto::PrivateKey::from_protobuf(rest); break;
    default: read_text(rest); break;
  }
  return 0;
}
