#include "libp2p/services/peer_records.hpp"

#include <string>

namespace libp2p {

bool keep_peer_record(Peerstore& store, const multiformats::PeerRecord& record, ByteView envelope) {
  const std::string number_name(kPeerRecordSeqValue);
  const std::string envelope_name(kPeerRecordValue);
  const auto last = store.value(record.peer_id, number_name);
  if (last && last->size() == 8 && record.seq < load_be64(as_bytes(*last).data())) return false;
  std::uint8_t number[8];
  store_be64(number, record.seq);
  store.set_value(record.peer_id, number_name, std::string(as_text(number)));
  // First none: what does not fit must not leave an older one behind.
  store.set_value(record.peer_id, envelope_name, std::string());
  store.set_value(record.peer_id, envelope_name, std::string(as_text(envelope)));
  return true;
}

Bytes newest_peer_record(const Peerstore& store, const PeerId& peer) {
  const auto envelope = store.value(peer, std::string(kPeerRecordValue));
  return envelope ? to_bytes(*envelope) : Bytes();
}

}  // namespace libp2p
