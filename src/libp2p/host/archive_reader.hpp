// Reads the peers of an archive from a datastore: those with the latest expiry of an address first, as many as a
// peerstore takes. It also names records that nobody needs any more. Called at the start of a host, and by a worker
// now and then.
//
// Function; thread: any. Bounds: PeerstoreLimits for what it answers, kMostDead keys; while it runs, eight bytes for
// each peer of the datastore that has an address.
#pragma once

#include "libp2p/host/archived_peer.hpp"
#include "libp2p/storage/datastore.hpp"

namespace libp2p {

inline constexpr std::size_t kMostDead = 8192;

// What the values of a peer's records are known by, to see whether one has changed; 0: there is no such record. That
// two values have one mark, which hides a change, is as likely as 1 in 2^63.
using ArchiveMarks = std::array<std::uint64_t, kPeerParts>;
ArchiveMarks marks_of(const PeerParts& parts);

struct ArchivedPeer {
  PeerId peer;
  PeerFacts facts;
  ArchiveMarks marks;
};

struct ArchiveReading {
  std::vector<ArchivedPeer> peers;  // the newest first
  std::size_t addresses = 0;        // of these
  std::size_t left_out = 0;         // peers with good addresses that are beyond the limits
  std::size_t skipped = 0;          // records that do not parse; they are left as they are
  std::optional<std::string> first_skipped;
  // Keys of peers without an address that is good, those of `self` never. In groups of one peer.
  std::vector<std::pair<PeerId, std::string>> dead;
};

Result<ArchiveReading> read_archive(const storage::Datastore& store, const PeerstoreLimits& limits, const PeerId& self,
                                    Now now);

}  // namespace libp2p
