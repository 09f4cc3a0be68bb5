#include "libp2p/services/peer_records.hpp"

#include <string>

namespace libp2p {

namespace {

constexpr const char* kNumber = "peer-record-seq";
constexpr const char* kEnvelope = "peer-record";

}  // namespace

bool keep_peer_record(Peerstore& store, const multiformats::PeerRecord& record, ByteView envelope) {
  const auto last = store.value(record.peer_id, kNumber);
  if (last && last->size() == 8 && record.seq < load_be64(as_bytes(*last).data())) return false;
  std::uint8_t number[8];
  store_be64(number, record.seq);
  store.set_value(record.peer_id, kNumber, std::string(as_text(number)));
  // First none: what does not fit must not leave an older one behind.
  store.set_value(record.peer_id, kEnvelope, std::string());
  store.set_value(record.peer_id, kEnvelope, std::string(as_text(envelope)));
  return true;
}

Bytes newest_peer_record(const Peerstore& store, const PeerId& peer) {
  const auto envelope = store.value(peer, kEnvelope);
  return envelope ? to_bytes(*envelope) : Bytes();
}

}  // namespace libp2p
