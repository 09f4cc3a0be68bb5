// Peer records (libp2p RFC 0003): the addresses that a peer states for itself, in a signed envelope. `seq` orders the
// records of one peer; the newer one replaces the older. Values; at most kMaxRecordAddresses addresses.
#pragma once

#include <string_view>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/multiformats/signed_envelope.hpp"

namespace libp2p::multiformats {

inline constexpr std::string_view kPeerRecordDomain = "libp2p-peer-record";
inline constexpr std::uint8_t kPeerRecordType[] = {0x03, 0x01};
inline constexpr std::size_t kMaxRecordAddresses = 1024;

struct PeerRecord {
  PeerId peer_id;
  std::uint64_t seq = 0;
  std::vector<Multiaddr> addresses;
  // Addresses that are not understood here; the record is good without them.
  std::size_t skipped_addresses = 0;

  // The PeerRecord message and its deterministic encoding. decode() does not know who signed it.
  static Result<PeerRecord> decode(ByteView payload);
  Bytes encode() const;

  // The envelope's message with this record; Errc::mismatch when `key` is not that of peer_id.
  Result<Bytes> seal(const crypto::PrivateKey& key) const;
  // Opens an envelope's message. Errc::mismatch when it is not signed by the peer that the record is about.
  static Result<PeerRecord> open(ByteView wire);
  // The same without that last check: for tools that show what is wrong. `signer_matches` must be looked at.
  struct Unmatched;
  static Result<Unmatched> open_unmatched(ByteView wire);
};

struct PeerRecord::Unmatched {
  PeerRecord record;
  SignedEnvelope envelope;
  bool signer_matches;
};

}  // namespace libp2p::multiformats
