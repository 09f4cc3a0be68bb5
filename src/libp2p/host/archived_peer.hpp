// What is known of a peer as the records of an archive: those of go-libp2p's datastore peerstore
// (libp2p/storage/records), and one of ours below "/opp2p/peers/" for what that has no place for (latency, which
// addresses were dialled with success, whether the peer is proven). Times on the disk are wall time.
//
// Records come from a disk and may be anything: one that does not parse is passed over and named, and what breaks the
// bounds of the peerstore is cut. An address lives no longer than its TTL from the moment it is read, and kLongestLife
// at most, whatever the clock says. Pure functions; any thread. Specification: op-node surface, sections 4 and 14.
#pragma once

#include <array>

#include "libp2p/host/peerstore.hpp"

namespace libp2p {

inline constexpr std::string_view kOwnPeerBase = "/opp2p/peers/";
inline constexpr Nanos kLongestLife = std::chrono::hours(24 * 7);  // of an address that is read; op-node's static peers

enum class PeerPart : std::uint8_t { addresses, key, agent, protocol_version, protocols, own };
inline constexpr std::size_t kPeerParts = 6;
// The values of a peer's records, by PeerPart; nothing: there is no such record.
using PeerParts = std::array<std::optional<Bytes>, kPeerParts>;

std::string part_key(const PeerId& peer, PeerPart part);

// Values of the peerstore other than the signed record are not archived.
PeerParts encode_parts(const PeerId& peer, const PeerFacts& facts, Now now);

struct DecodedPeer {
  PeerFacts facts;
  std::optional<UnixTime> latest;  // expiry of its addresses, within the bounds above; none: no address is left
  std::size_t expired = 0;         // addresses
  std::size_t skipped = 0;         // records, and signed records within one
  std::optional<std::string> first_skipped;  // the key of the first, and what is wrong with it
};
DecodedPeer decode_parts(const PeerId& peer, const PeerParts& parts, const PeerstoreLimits& limits, Now now);

// Until when the addresses of an address record are good; nothing when none is. Errc::malformed for a record that is
// not one of `peer`.
Result<std::optional<UnixTime>> latest_expiry(const PeerId& peer, ByteView address_record, UnixTime now);

}  // namespace libp2p
