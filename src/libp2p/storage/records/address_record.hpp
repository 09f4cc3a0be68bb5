// What go-libp2p's datastore peerstore remembers of a peer's addresses, under "/peers/addrs/<base32>": a protobuf
// message with each address and its expiry, and the signed peer record that the peer has sent last. A value; pure
// functions; any thread. Bounds: kMaxStoredAddresses and kMaxAddressRecord, Errc::too_large beyond. Source: go-libp2p
// v0.47, AddrBookRecord; op-node surface, section 4.
#pragma once

#include <optional>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/multiaddr.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::storage {

inline constexpr std::size_t kMaxStoredAddresses = 4096;
inline constexpr std::size_t kMaxAddressRecord = 1 << 20;  // bytes

struct StoredAddress {
  Multiaddr address;
  UnixTime expiry;  // whole seconds; UnixTime::max() for all beyond the year 2262, which go-libp2p writes for "never"
  Nanos ttl{};      // with which it was last added; Nanos::max() for "never"
  friend bool operator==(const StoredAddress&, const StoredAddress&) = default;
};

struct StoredPeerRecord {
  std::uint64_t seq = 0;
  Bytes envelope;  // the message of a signed envelope, not opened (multiformats/peer_record.hpp)
  friend bool operator==(const StoredPeerRecord&, const StoredPeerRecord&) = default;
};

struct AddressRecord {
  PeerId peer;
  std::vector<StoredAddress> addresses;  // go-libp2p expects the one that expires first at the front: encode() sorts
  std::optional<StoredPeerRecord> signed_record;
  // Addresses that are not understood here; the others are good without them.
  std::size_t skipped_addresses = 0;
  friend bool operator==(const AddressRecord&, const AddressRecord&) = default;
};

Bytes encode_address_record(const AddressRecord& record);
Result<AddressRecord> decode_address_record(ByteView bytes);

}  // namespace libp2p::storage
