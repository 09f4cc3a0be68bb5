// What op-node's extended peerstore remembers, as records: scores, bans and metadata of a peer and bans of an IP
// address, each a JSON object of Go with the time of its last change. What is written has op-node's bytes. Pure
// functions over bytes of a disk that may be damaged; any thread. Bounds: kMaxRecord, Errc::too_large beyond. Source:
// op-node surface, section 4.
#pragma once

#include <string>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "opstack/reputation/peer_score_record.hpp"

namespace opstack::reputation {

class JsonLeaves;

inline constexpr std::size_t kMaxRecord = 64 << 10;  // bytes

// Each is followed by a peer id in base32 (libp2p/storage/records/peer_keys.hpp), or by an IP address as text.
inline constexpr std::string_view kScoreBase = "/peers/scores/";
inline constexpr std::string_view kPeerBanBase = "/peers/ban_expiration/";
inline constexpr std::string_view kPeerMetadataBase = "/peers/md/";
inline constexpr std::string_view kIpBanBase = "/ips/ban_expiration/";
// Only ours, in nobody else's peerstore: why a peer is banned, and the static peers that were added while running.
inline constexpr std::string_view kOwnBase = "/opp2p/";
inline constexpr std::string_view kBanReasonBase = "/opp2p/bans/";
inline constexpr std::string_view kStaticPeerBase = "/opp2p/static/";

// A time as records hold it.
inline libp2p::UnixTime in_whole_seconds(libp2p::UnixTime time) {
  return libp2p::from_unix_seconds(libp2p::unix_seconds(time));
}

// Times are whole seconds; beyond what UnixTime holds they are its first or last moment.
struct ScoreEntry {
  libp2p::UnixTime last_update{};
  PeerScoreRecord scores;
  friend bool operator==(const ScoreEntry&, const ScoreEntry&) = default;
};

struct BanEntry {
  libp2p::UnixTime expiry{};
  libp2p::UnixTime last_update{};
  friend bool operator==(const BanEntry&, const BanEntry&) = default;
};

struct PeerMetadata {
  std::string enr;  // "enr:…", as the peer was found
  std::uint64_t op_stack_id = 0;
  friend bool operator==(const PeerMetadata&, const PeerMetadata&) = default;
};
struct MetadataEntry {
  libp2p::UnixTime last_update{};
  PeerMetadata metadata;
  friend bool operator==(const MetadataEntry&, const MetadataEntry&) = default;
};

// A score that is no number has no JSON: it is written as 0.
libp2p::Bytes encode_scores(const ScoreEntry& entry);
libp2p::Bytes encode_ban(const BanEntry& entry);
libp2p::Bytes encode_metadata(const MetadataEntry& entry);

// Members that are missing are zero, and unknown ones are passed over, as in op-node.
libp2p::Result<ScoreEntry> decode_scores(libp2p::ByteView bytes);
// The same of an object inside another one. `parent` is its path with a dot at the end.
libp2p::Result<ScoreEntry> read_scores(const JsonLeaves& leaves, std::string_view parent);
libp2p::Result<BanEntry> decode_ban(libp2p::ByteView bytes);
libp2p::Result<MetadataEntry> decode_metadata(libp2p::ByteView bytes);

// The key of an IP address' ban: its text as Go writes it, an IPv4 address mapped into IPv6 as IPv4. Errc::malformed
// for what is no IP address.
libp2p::Result<std::string> ip_ban_key(std::string_view ip);
// The address in such a key. Errc::malformed when it is not in that form.
libp2p::Result<std::string> read_ip_ban_key(std::string_view key);

}  // namespace opstack::reputation
