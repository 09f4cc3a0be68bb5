// Records of an op-node's peerstore, and a folder for tests.
#pragma once

#include <filesystem>
#include <string>

#include "libp2p/base/rng.hpp"
#include "libp2p/crypto/keys.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/storage/datastore.hpp"
#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/gater_records.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opp2p/peerstore/peerstore_record.hpp"
#include "opstack/reputation/records.hpp"

namespace opp2p::testing_peerstore {

using libp2p::storage::Change;

inline libp2p::crypto::PrivateKey make_key(std::uint64_t seed,
                                           libp2p::crypto::KeyType type = libp2p::crypto::KeyType::secp256k1) {
  libp2p::SeededRng rng(seed);
  return libp2p::crypto::PrivateKey::generate(type, rng).value();
}
inline libp2p::PeerId peer_of_key(const libp2p::crypto::PrivateKey& key) {
  return libp2p::PeerId::from_public_key(key.public_key());
}

inline Change ban_of(const libp2p::PeerId& peer, std::int64_t until, std::int64_t updated) {
  return {libp2p::storage::peer_key(opstack::reputation::kPeerBanBase, peer),
          opstack::reputation::encode_ban({libp2p::from_unix_seconds(until), libp2p::from_unix_seconds(updated)})};
}
inline Change scores_of(const libp2p::PeerId& peer, double total, std::int64_t updated) {
  opstack::reputation::ScoreEntry entry;
  entry.last_update = libp2p::from_unix_seconds(updated);
  entry.scores.gossip.total = total;
  return {libp2p::storage::peer_key(opstack::reputation::kScoreBase, peer), opstack::reputation::encode_scores(entry)};
}
inline Change private_key_of(const libp2p::crypto::PrivateKey& key) {
  return {libp2p::storage::peer_key(libp2p::storage::kKeyBase, peer_of_key(key), libp2p::storage::kPrivateKeyName),
          key.to_protobuf()};
}
inline Change addresses_of(const libp2p::crypto::PrivateKey& key) {
  libp2p::storage::AddressRecord record;
  record.peer = peer_of_key(key);
  const auto address = libp2p::Multiaddr::from_text("/ip4/10.0.0.1/tcp/9222").value();
  record.addresses = {{address, libp2p::from_unix_seconds(1'796'106'541), std::chrono::hours(1)}};
  libp2p::multiformats::PeerRecord stated;
  stated.peer_id = record.peer;
  stated.seq = 5;
  stated.addresses = {address};
  record.signed_record = libp2p::storage::StoredPeerRecord{5, stated.seal(key).value()};
  return {libp2p::storage::peer_key(libp2p::storage::kAddressBase, record.peer),
          libp2p::storage::encode_address_record(record)};
}

// One record of each kind but the private key.
inline std::vector<Change> one_of_each(std::uint64_t seed) {
  namespace storage = libp2p::storage;
  namespace reputation = opstack::reputation;
  const auto key = make_key(seed);
  const auto peer = peer_of_key(key);
  const auto of_gater = [](storage::GaterRecord record) { return Change{record.key, record.value}; };
  return {addresses_of(key),
          {storage::peer_key(storage::kKeyBase, peer, storage::kPublicKeyName), key.public_key().to_protobuf()},
          {storage::peer_key(storage::kMetadataBase, peer, storage::kAgentName),
           storage::encode_metadata_value("optimism")},
          {storage::peer_key(storage::kMetadataBase, peer, storage::kProtocolsName),
           storage::encode_metadata_value(storage::StoredProtocols{{"/meshsub/1.3.0"}})},
          scores_of(peer, -5, 100),
          ban_of(peer, 2'000'000'000, 100),
          {reputation::ip_ban_key("192.0.2.7").value(), ban_of(peer, 2'000'000'000, 100).value},
          {storage::peer_key(reputation::kPeerMetadataBase, peer), reputation::encode_metadata({{}, {"enr:-x", 10}})},
          of_gater(storage::blocked_peer_record(peer)),
          of_gater(storage::blocked_ip_record("192.0.2.8").value()),
          of_gater(storage::blocked_subnet_record("10.0.0.0/8").value())};
}

// Removed with its contents.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "opp2p-peerstore-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

}  // namespace opp2p::testing_peerstore
