// What go-libp2p's datastore peerstore remembers of a peer beside its addresses and keys, under
// "/peers/metadata/<base32>/<name>": a Go value in the gob encoding, as an interface. Identify stores two texts (agent,
// protocol version) and the set of the peer's protocols. Values of other types are named and not read. Pure functions;
// any thread. Bounds: kMaxMetadataValue, kMaxStoredProtocols. Source: Go's encoding/gob; go-libp2p v0.47, pstoreds.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"

namespace libp2p::storage {

inline constexpr std::size_t kMaxMetadataValue = 1 << 20;  // bytes of the encoding
inline constexpr std::size_t kMaxStoredProtocols = 1024;   // op-node's bound

struct StoredProtocols {
  std::vector<std::string> ids;  // sorted, without repeats
  friend bool operator==(const StoredProtocols&, const StoredProtocols&) = default;
};
using MetadataValue = std::variant<std::string, StoredProtocols>;

Bytes encode_metadata_value(const MetadataValue& value);
// Errc::unsupported, with Go's name of the type, for a value of another type. Protocols are read in the type of
// go-libp2p from v0.25 on and in the one before it.
Result<MetadataValue> decode_metadata_value(ByteView bytes);

}  // namespace libp2p::storage
