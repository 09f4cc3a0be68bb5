// The records that op-node's peerstore folder and ours have in common: what kind each is, and whether it is sound. A
// record is sound when its value can be read and its key is the one under which that value is looked up; keys of peers
// match their ids, and signed peer records are verified. Pure functions over bytes of a disk that may be damaged; any
// thread. Source: op-node surface, sections 3 and 4.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "libp2p/base/bytes.hpp"
#include "libp2p/base/result.hpp"
#include "libp2p/base/time.hpp"
#include "libp2p/multiformats/peer_id.hpp"
#include "libp2p/storage/records/gater_records.hpp"

namespace opp2p {

enum class RecordKind : std::uint8_t {
  addresses,
  public_key,
  private_key,
  metadata,  // of go-libp2p: agent, protocol version, protocols
  scores,
  peer_ban,
  ip_ban,
  peer_metadata,  // of op-node: ENR and chain id
  blocked_peer,
  blocked_ip,
  blocked_subnet,
};
inline constexpr std::size_t kRecordKinds = 11;
// For people, in the plural: "peer bans".
std::string_view to_string(RecordKind kind);

struct CheckedRecord {
  RecordKind kind;
  std::optional<libp2p::PeerId> peer;           // that the record is about
  std::optional<libp2p::UnixTime> last_update;  // of the kinds that say it
  // The record in the form that both sides read, where it has another one: a subnet with bits of a host.
  std::optional<libp2p::storage::GaterRecord> changed;
};

// The bases of the keys, one of each kind at least. Every sound record is below one of them.
std::span<const std::string_view> record_bases();

// Errc::unsupported for a record of another kind; any other error says what is wrong with it.
libp2p::Result<CheckedRecord> check_record(std::string_view key, libp2p::ByteView value);

}  // namespace opp2p
