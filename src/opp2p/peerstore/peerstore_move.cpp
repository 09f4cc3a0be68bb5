#include "opp2p/peerstore/peerstore_move.hpp"

#include <algorithm>
#include <numeric>

#include "libp2p/base/peer_text.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opstack/reputation/records.hpp"

namespace opp2p {

using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::PeerId;
using libp2p::Result;
using libp2p::crypto::PrivateKey;
using libp2p::storage::Change;
using libp2p::storage::Datastore;
namespace reputation = opstack::reputation;
namespace storage = libp2p::storage;

namespace {

constexpr std::size_t kMaxKeyShown = 160;  // bytes

void count(MovedRecords& moved, RecordKind kind) { ++moved.taken[static_cast<std::size_t>(kind)]; }

class Gatherer {
 public:
  bool visit(std::string_view key, ByteView value) {
    bytes_ += key.size() + value.size();
    if (bytes_ > kMaxMoved) return false;
    auto checked = check_record(key, value);
    if (!checked) return skip(key, checked.error().text());
    if (checked->changed) return change(key, *std::move(checked));
    if (checked->kind == RecordKind::private_key) {
      if (auto secret = PrivateKey::from_protobuf(value)) out.private_keys.push_back(std::move(*secret));
      return true;
    }
    out.records.push_back({{std::string(key), libp2p::to_bytes(value)}, *checked});
    return true;
  }
  Result<void> check_size() const {
    if (bytes_ <= kMaxMoved) return {};
    return fail(Errc::too_large, "the peerstore has more than " + std::to_string(kMaxMoved >> 20) +
                                     " MiB of records; at most that much is moved");
  }

  bool skip(std::string_view key, const std::string& reason) {
    ++out.moved.skipped;
    if (out.moved.first_skipped.size() < kSkippedShown)
      out.moved.first_skipped.push_back({libp2p::peer_text(key, kMaxKeyShown), reason});
    return true;
  }

  GatheredRecords out;

 private:
  // A record that is taken in another form than it has.
  bool change(std::string_view key, CheckedRecord checked) {
    ++out.moved.changed;
    if (out.moved.first_changed.size() < kSkippedShown)
      out.moved.first_changed.push_back({libp2p::peer_text(key, kMaxKeyShown), checked.changed->key});
    auto record = *std::exchange(checked.changed, std::nullopt);
    out.records.push_back({{std::move(record.key), std::move(record.value)}, std::move(checked)});
    return true;
  }
  std::size_t bytes_ = 0;
};

// The time of change of what the store has under the key of this record.
Result<std::optional<libp2p::UnixTime>> stored_update(const Datastore& store, const std::string& key) {
  const auto value = store.get(key);
  if (!value && value.error() != Errc::malformed) return value.error();
  if (!value || !*value) return std::optional<libp2p::UnixTime>();  // a damaged one is replaced
  const auto checked = check_record(key, **value);
  return checked ? checked->last_update : std::nullopt;  // an unsound one is replaced
}

std::vector<PeerId> peers_of(const std::vector<PrivateKey>& keys) {
  std::vector<PeerId> out;
  for (const auto& key : keys) out.push_back(PeerId::from_public_key(key.public_key()));
  return out;
}

Change key_change(const PeerId& peer, std::string_view name, libp2p::Bytes value) {
  return {storage::peer_key(storage::kKeyBase, peer, name), std::move(value)};
}

}  // namespace

std::size_t MovedRecords::total() const { return std::accumulate(taken.begin(), taken.end(), std::size_t{0}); }

Result<GatheredRecords> gather_records(const Datastore& from, std::span<const std::string_view> bases) {
  Gatherer gatherer;
  const auto visit = [&](std::string_view key, ByteView value) { return gatherer.visit(key, value); };
  const auto on_damaged = [&](std::string_view key, const libp2p::Error& why) { gatherer.skip(key, why.text()); };
  constexpr std::string_view kEverything[] = {""};
  for (const auto base : bases.empty() ? std::span<const std::string_view>(kEverything) : bases) {
    OPP2P_TRYV(from.scan(base, visit, on_damaged));
    OPP2P_TRYV(gatherer.check_size());
  }
  return std::move(gatherer.out);
}

Result<KeyDecision> decide_key(const std::vector<PrivateKey>& found, const std::optional<PeerId>& own) {
  const auto peers = peers_of(found);
  if (own) {
    if (peers.empty()) return KeyDecision{};
    if (std::find(peers.begin(), peers.end(), *own) != peers.end()) return KeyDecision{{}, *own};
    return fail(Errc::mismatch, "this is the peerstore of " + peers.front().to_base58() +
                                    ", and the node's key file is of " + own->to_base58() +
                                    "; move the key file away to take over the peerstore's key, or give --keep-key to "
                                    "import the records without the key");
  }
  if (found.empty()) return KeyDecision{};
  if (found.size() > 1)
    return fail(Errc::mismatch, "this peerstore has the keys of " + std::to_string(found.size()) +
                                    " nodes; copy the key file of the op-node (--p2p.priv.path), or give --keep-key to "
                                    "import the records without a key");
  if (found.front().type() != libp2p::crypto::KeyType::secp256k1)
    return fail(Errc::unsupported,
                "the node's key in this peerstore is not of secp256k1, as op-node's are; give "
                "--keep-key to import the records without the key");
  return KeyDecision{found.front(), peers.front()};
}

Result<MovedRecords> import_records(GatheredRecords gathered, Datastore& to) {
  auto& moved = gathered.moved;
  std::vector<Change> changes;
  for (auto& [change, checked] : gathered.records) {
    OPP2P_TRY(const auto ours, stored_update(to, change.key));
    if (ours && checked.last_update && *ours > *checked.last_update) {
      ++moved.kept;
      continue;
    }
    count(moved, checked.kind);
    if (checked.kind == RecordKind::peer_ban && ours)
      changes.push_back({storage::peer_key(reputation::kBanReasonBase, *checked.peer), std::nullopt});
    changes.push_back(std::move(change));
  }
  OPP2P_TRYV(to.apply(changes));
  return std::move(moved);
}

Result<MovedRecords> export_records(const Datastore& from, Datastore& to, const PrivateKey& key) {
  OPP2P_TRY(auto gathered, gather_records(from, record_bases()));
  std::vector<Change> changes;
  for (auto& [change, checked] : gathered.records) {
    count(gathered.moved, checked.kind);
    changes.push_back(std::move(change));
  }
  const auto own = PeerId::from_public_key(key.public_key());
  changes.push_back(key_change(own, storage::kPublicKeyName, key.public_key().to_protobuf()));
  changes.push_back(key_change(own, storage::kPrivateKeyName, key.to_protobuf()));
  OPP2P_TRYV(to.apply(changes));
  return std::move(gathered.moved);
}

}  // namespace opp2p
