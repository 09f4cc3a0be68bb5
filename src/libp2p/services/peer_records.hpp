// The newest signed record (RFC 0003) that is known of a peer, as one of the peerstore's small values: identify and
// peer exchange bring records, peer exchange passes them on. Thread: the network thread. Bounds: the peerstore's; a
// record longer than PeerstoreLimits::value_bytes is not kept, its number is.
#pragma once

#include "libp2p/base/bytes.hpp"
#include "libp2p/host/peerstore.hpp"
#include "libp2p/multiformats/peer_record.hpp"

namespace libp2p {

// `envelope` is the message that `record` was opened from. False when a newer one is known, and nothing is changed
// then; the same one may come again.
bool keep_peer_record(Peerstore& store, const multiformats::PeerRecord& record, ByteView envelope);
// Empty when none is known.
Bytes newest_peer_record(const Peerstore& store, const PeerId& peer);

}  // namespace libp2p
