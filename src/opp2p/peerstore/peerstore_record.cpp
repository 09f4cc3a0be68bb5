#include "opp2p/peerstore/peerstore_record.hpp"

#include <array>

#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/storage/datastore.hpp"
#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opstack/reputation/records.hpp"

namespace opp2p {

using libp2p::ByteView;
using libp2p::Errc;
using libp2p::fail;
using libp2p::PeerId;
using libp2p::Result;
namespace reputation = opstack::reputation;
namespace storage = libp2p::storage;

namespace {

libp2p::Error no_record(std::string_view why) {
  return fail(Errc::unsupported, "not a record of op-node's peerstore: " + std::string(why));
}

Result<PeerId> read_nameless_key(std::string_view base, std::string_view key) {
  OPP2P_TRY(const auto read, storage::read_peer_key(base, key));
  if (!read.name.empty()) return no_record("its key goes on behind the peer id");
  return read.peer;
}

Result<CheckedRecord> check_addresses(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto peer, read_nameless_key(storage::kAddressBase, key));
  OPP2P_TRY(const auto record, storage::decode_address_record(value));
  if (record.peer != peer) return fail(Errc::mismatch, "address record is about another peer than its key");
  // go-libp2p verifies a signed record when it is received and passes it on as it is.
  if (record.signed_record && !record.signed_record->envelope.empty()) {
    auto opened = libp2p::multiformats::PeerRecord::open(record.signed_record->envelope);
    if (!opened) return opened.error().within("signed peer record");
    if (opened->peer_id != peer) return fail(Errc::mismatch, "signed peer record is of another peer");
  }
  return CheckedRecord{RecordKind::addresses, peer, {}, {}};
}

Result<CheckedRecord> check_key(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto read, storage::read_peer_key(storage::kKeyBase, key));
  const bool is_private = read.name == storage::kPrivateKeyName;
  if (!is_private && read.name != storage::kPublicKeyName) return no_record("neither a public nor a private key");
  const auto mismatch = [] { return fail(Errc::mismatch, "the key is of another peer"); };
  if (is_private) {
    OPP2P_TRY(const auto secret, libp2p::crypto::PrivateKey::from_protobuf(value));
    if (!read.peer.matches(secret.public_key())) return mismatch();
    return CheckedRecord{RecordKind::private_key, read.peer, {}, {}};
  }
  OPP2P_TRY(const auto open, libp2p::crypto::PublicKey::from_protobuf(value));
  if (!read.peer.matches(open)) return mismatch();
  return CheckedRecord{RecordKind::public_key, read.peer, {}, {}};
}

Result<CheckedRecord> check_metadata(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto read, storage::read_peer_key(storage::kMetadataBase, key));
  if (read.name.empty()) return no_record("metadata without a name");
  OPP2P_TRYV(storage::decode_metadata_value(value));
  return CheckedRecord{RecordKind::metadata, read.peer, {}, {}};
}

Result<CheckedRecord> check_scores(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto peer, read_nameless_key(reputation::kScoreBase, key));
  OPP2P_TRY(const auto entry, reputation::decode_scores(value));
  return CheckedRecord{RecordKind::scores, peer, entry.last_update, {}};
}

Result<CheckedRecord> check_peer_ban(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto peer, read_nameless_key(reputation::kPeerBanBase, key));
  OPP2P_TRY(const auto entry, reputation::decode_ban(value));
  return CheckedRecord{RecordKind::peer_ban, peer, entry.last_update, {}};
}

Result<CheckedRecord> check_ip_ban(std::string_view key, ByteView value) {
  OPP2P_TRYV(reputation::read_ip_ban_key(key));
  OPP2P_TRY(const auto entry, reputation::decode_ban(value));
  return CheckedRecord{RecordKind::ip_ban, {}, entry.last_update, {}};
}

Result<CheckedRecord> check_peer_metadata(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto peer, read_nameless_key(reputation::kPeerMetadataBase, key));
  OPP2P_TRY(const auto entry, reputation::decode_metadata(value));
  return CheckedRecord{RecordKind::peer_metadata, peer, entry.last_update, {}};
}

// go-libp2p takes the value for the rule, and removes the key that follows from it: they must agree.
libp2p::Error under_another_key() { return fail(Errc::mismatch, "the rule is under the key of another one"); }

Result<CheckedRecord> check_blocked_peer(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto peer, storage::decode_blocked_peer(value));
  if (storage::blocked_peer_record(peer).key != key) return under_another_key();
  return CheckedRecord{RecordKind::blocked_peer, peer, {}, {}};
}

Result<CheckedRecord> check_blocked_ip(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto ip, storage::decode_blocked_ip(value));
  OPP2P_TRY(const auto record, storage::blocked_ip_record(ip));
  if (record.key != key) return under_another_key();
  return CheckedRecord{RecordKind::blocked_ip, {}, {}, {}};
}

Result<CheckedRecord> check_blocked_subnet(std::string_view key, ByteView value) {
  OPP2P_TRY(const auto subnet, storage::decode_blocked_subnet(value));
  OPP2P_TRY(auto record, storage::blocked_subnet_record(subnet));
  if (record.key == key && libp2p::equal(record.value, value))
    return CheckedRecord{RecordKind::blocked_subnet, {}, {}, {}};
  // op-node stores a subnet as it was named: 10.1.2.3/8 for 10.0.0.0/8.
  const auto named = storage::decode_blocked_subnet(libp2p::as_bytes(key.substr(storage::kBlockedSubnetBase.size())));
  if (!named || *named != subnet) return under_another_key();
  return CheckedRecord{RecordKind::blocked_subnet, {}, {}, std::move(record)};
}

using Check = Result<CheckedRecord> (*)(std::string_view key, ByteView value);
constexpr std::array<std::string_view, 10> kBases = {
    storage::kAddressBase,    storage::kKeyBase,          storage::kMetadataBase,        reputation::kScoreBase,
    reputation::kPeerBanBase, reputation::kIpBanBase,     reputation::kPeerMetadataBase, storage::kBlockedPeerBase,
    storage::kBlockedIpBase,  storage::kBlockedSubnetBase};
constexpr std::array<Check, kBases.size()> kChecks = {
    check_addresses, check_key,           check_metadata,     check_scores,     check_peer_ban,
    check_ip_ban,    check_peer_metadata, check_blocked_peer, check_blocked_ip, check_blocked_subnet};

}  // namespace

std::string_view to_string(RecordKind kind) {
  switch (kind) {
    case RecordKind::addresses: return "address records";
    case RecordKind::public_key: return "public keys";
    case RecordKind::private_key: return "private keys";
    case RecordKind::metadata: return "metadata values";
    case RecordKind::scores: return "scores";
    case RecordKind::peer_ban: return "peer bans";
    case RecordKind::ip_ban: return "IP bans";
    case RecordKind::peer_metadata: return "ENR records";
    case RecordKind::blocked_peer: return "blocked peers";
    case RecordKind::blocked_ip: return "blocked addresses";
    case RecordKind::blocked_subnet: return "blocked subnets";
  }
  return "records";
}

std::span<const std::string_view> record_bases() { return kBases; }

Result<CheckedRecord> check_record(std::string_view key, ByteView value) {
  for (std::size_t i = 0; i < kBases.size(); ++i) {
    if (!key.starts_with(kBases[i])) continue;
    if (key.size() > storage::kMaxKey)
      return fail(Errc::too_large, "its key has more than " + std::to_string(storage::kMaxKey) + " bytes");
    if (value.size() > storage::kMaxValue)
      return fail(Errc::too_large, "it has more than " + std::to_string(storage::kMaxValue) + " bytes");
    return kChecks[i](key, value);
  }
  return no_record("unknown key");
}

}  // namespace opp2p
