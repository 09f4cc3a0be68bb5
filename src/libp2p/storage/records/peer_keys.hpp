// The keys of records about a peer, as go-libp2p's datastore peerstore and op-node have them: a base, the peer's id in
// base32 (RFC 4648, upper case, no padding), and for some a name behind it: "/peers/metadata/<base32>/AgentVersion".
// Pure functions over texts from a disk that may be damaged; any thread. Source: op-node surface, section 4.
#pragma once

#include <string>
#include <string_view>

#include "libp2p/base/result.hpp"
#include "libp2p/multiformats/peer_id.hpp"

namespace libp2p::storage {

inline constexpr std::string_view kAddressBase = "/peers/addrs/";      // address_record.hpp
inline constexpr std::string_view kKeyBase = "/peers/keys/";           // the protobuf messages of crypto/keys.hpp
inline constexpr std::string_view kMetadataBase = "/peers/metadata/";  // metadata_value.hpp
// Below kKeyBase.
inline constexpr std::string_view kPublicKeyName = "pub";
inline constexpr std::string_view kPrivateKeyName = "priv";
// Below kMetadataBase: what identify of go-libp2p stores.
inline constexpr std::string_view kAgentName = "AgentVersion";
inline constexpr std::string_view kProtocolVersionName = "ProtocolVersion";
inline constexpr std::string_view kProtocolsName = "protocols";

std::string peer_key(std::string_view base, const PeerId& peer, std::string_view name = {});

struct PeerKey {
  PeerId peer;
  std::string_view name;  // a part of the key; empty when nothing follows the id
};
// Errc::malformed when `key` does not begin with `base`, or no peer id in its only base32 form follows.
Result<PeerKey> read_peer_key(std::string_view base, std::string_view key);

}  // namespace libp2p::storage
