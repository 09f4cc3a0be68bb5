// The move between op-node's peerstore and ours: a checked copy of records between two datastores. Both directions take
// every sound record of the kinds that both sides know (peerstore_record.hpp), count what they leave out and say why.
// All records are written in one step, or none.
//
// The private keys of an op-node's peerstore are not copied: the key of a node is in its key file. What only we keep
// ("/opp2p/…") is not exported. Owner: none. Thread: any; a call takes as long as the disks do. Bounds: kMaxMoved
// bytes, Errc::too_large beyond.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/storage/datastore.hpp"
#include "opp2p/peerstore/peerstore_record.hpp"

namespace opp2p {

inline constexpr std::size_t kMaxMoved = 256 << 20;  // of keys and values
inline constexpr std::size_t kSkippedShown = 10;

struct SkippedRecord {
  std::string key;
  std::string reason;
};

struct MovedRecords {
  std::array<std::size_t, kRecordKinds> taken{};  // by RecordKind
  std::size_t kept = 0;                           // where ours is the later one
  std::size_t skipped = 0;                        // as unsound or unknown
  std::vector<SkippedRecord> first_skipped;       // at most kSkippedShown
  std::size_t changed = 0;                        // taken in another form
  std::vector<SkippedRecord> first_changed;       // at most kSkippedShown, with the key that it has now
  std::size_t total() const;
};

// The sound records of a store.
struct GatheredRecords {
  struct Record {
    libp2p::storage::Change change;
    CheckedRecord checked;
  };
  std::vector<Record> records;  // without private keys
  std::vector<libp2p::crypto::PrivateKey> private_keys;
  MovedRecords moved;
};
// Everything below `bases`; all of the store without them.
libp2p::Result<GatheredRecords> gather_records(const libp2p::storage::Datastore& from,
                                               std::span<const std::string_view> bases = {});

// What an import does with the node's key, given the keys in op-node's peerstore and the one in our key file.
struct KeyDecision {
  std::optional<libp2p::crypto::PrivateKey> to_write;  // there is no key file yet
  std::optional<libp2p::PeerId> peer;                  // whose peerstore it is, if it says so
};
// Errc::mismatch, with what to do, when the peerstore is of another node than the key file.
libp2p::Result<KeyDecision> decide_key(const std::vector<libp2p::crypto::PrivateKey>& found,
                                       const std::optional<libp2p::PeerId>& own);

// Of a record that both sides have, the one with the later time of change stays; where the records do not say, the
// imported one. A ban that is replaced loses the reason that was on record for it.
libp2p::Result<MovedRecords> import_records(GatheredRecords gathered, libp2p::storage::Datastore& to);

// Writes our records and the node's key into a fresh store.
libp2p::Result<MovedRecords> export_records(const libp2p::storage::Datastore& from, libp2p::storage::Datastore& to,
                                            const libp2p::crypto::PrivateKey& key);

}  // namespace opp2p
