#include "libp2p/host/peerstore_archive.hpp"

#include <gmock/gmock.h>

#include "libp2p/base/rng.hpp"
#include "libp2p/multiformats/peer_record.hpp"
#include "libp2p/runtime/sim/sim_world.hpp"
#include "libp2p/storage/faulty_datastore_test.hpp"
#include "libp2p/storage/memory_datastore.hpp"
#include "libp2p/storage/records/address_record.hpp"
#include "libp2p/storage/records/metadata_value.hpp"
#include "libp2p/storage/records/peer_keys.hpp"

namespace libp2p {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using storage::Change;
using storage::FaultyDatastore;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

crypto::PrivateKey archive_key(std::uint64_t seed) {
  SeededRng rng(seed + 1000);
  return crypto::PrivateKey::generate(crypto::KeyType::secp256k1, rng).value();
}
PeerId archive_peer(std::uint64_t seed) { return PeerId::from_public_key(archive_key(seed).public_key()); }
Multiaddr archive_address(int port) {
  return Multiaddr::from_text("/ip4/10.1.0.1/tcp/" + std::to_string(port)).value();
}

// A process: a peerstore with its archive over a datastore that outlives it.
class Process {
 public:
  Process(runtime::Runtime& runtime, std::shared_ptr<storage::Datastore> store, PeerstoreLimits limits = {})
      : runtime_(runtime),
        peers(limits),
        writer(runtime, std::move(store), {.delay = Seconds(2)}),
        archive(runtime, peers, archive_peer(0), writer) {}

  MonoTime now() const { return runtime_.now().mono; }

 private:
  runtime::Runtime& runtime_;

 public:
  Peerstore peers;
  storage::BatchWriter writer;
  PeerstoreArchive archive;
};

class PeerstoreArchiveTest : public ::testing::Test {
 protected:
  ~PeerstoreArchiveTest() override {
    process_.reset();
    world_.run_for(Seconds(1));
  }
  LoadedPeers start(PeerstoreLimits limits = {}) {
    process_ = std::make_unique<Process>(node_.runtime(), store_, limits);
    const auto loaded = process_->archive.load();
    EXPECT_TRUE(loaded) << loaded.error().message();
    process_->peers.check();
    return loaded.value();
  }
  void end_in_order() {
    process_->archive.close();
    process_->writer.flush(nullptr);
    run_for(Seconds(1));
    process_.reset();
  }
  void kill() { process_.reset(); }
  void run_for(Nanos time) {
    world_.run_for(time);
    if (!process_) return;
    process_->peers.check();
    process_->writer.check();
  }
  Peerstore& peers() { return process_->peers; }
  MonoTime now() { return node_.runtime().now().mono; }
  std::vector<std::string> keys() {
    std::vector<std::string> out;
    EXPECT_TRUE(store_->store.scan("", [&](std::string_view key, ByteView) {
      out.emplace_back(key);
      return true;
    }));
    return out;
  }
  void put(std::string key, Bytes value) {
    const std::vector<Change> changes = {{std::move(key), std::move(value)}};
    ASSERT_TRUE(store_->store.apply(changes));
  }
  // An address record as another run, or op-node, would have left it.
  void put_addresses(const PeerId& peer, std::vector<std::pair<int, Nanos>> ports, Nanos ttl = hours(24)) {
    storage::AddressRecord record;
    record.peer = peer;
    for (const auto& [port, left] : ports)
      record.addresses.push_back({archive_address(port), node_.runtime().now().wall + left, ttl});
    put(storage::peer_key(storage::kAddressBase, peer), storage::encode_address_record(record));
  }

  runtime::SimWorld world_{1};
  runtime::SimNode node_ = world_.add_node();
  std::shared_ptr<FaultyDatastore> store_ = std::make_shared<FaultyDatastore>();
  std::unique_ptr<Process> process_;
  const PeerId one_ = archive_peer(1);
  const PeerId two_ = archive_peer(2);
};

TEST_F(PeerstoreArchiveTest, a_restart_finds_everything_that_was_known_of_a_peer) {
  start();
  peers().add_address(one_, archive_address(1), hours(1), now());
  peers().add_dialled(one_, archive_address(2), now());
  peers().set_protocols(one_, {"/b", "/a"});
  peers().set_agent(one_, "agent/1", "version/2");
  peers().set_key(one_, archive_key(1).public_key());
  peers().record_latency(one_, Millis(40));
  peers().mark_proven(one_);
  multiformats::PeerRecord record;
  record.peer_id = one_;
  record.seq = 77;
  record.addresses = {archive_address(2)};
  const Bytes envelope = record.seal(archive_key(1)).value();
  std::uint8_t number[8];
  store_be64(number, 77);
  peers().set_value(one_, std::string(kPeerRecordSeqValue), std::string(as_text(number)));
  peers().set_value(one_, std::string(kPeerRecordValue), std::string(as_text(envelope)));
  end_in_order();

  const auto loaded = start();
  EXPECT_EQ(loaded.peers, 1u);
  EXPECT_EQ(loaded.addresses, 2u);
  EXPECT_EQ(loaded.skipped, 0u) << loaded.first_skipped.value_or("");
  EXPECT_EQ(peers().addresses(one_, now()), (std::vector<Multiaddr>{archive_address(2), archive_address(1)}));
  EXPECT_EQ(peers().protocols(one_), (std::vector<std::string>{"/a", "/b"}));
  EXPECT_EQ(peers().agent(one_), "agent/1");
  EXPECT_EQ(peers().protocol_version(one_), "version/2");
  EXPECT_EQ(peers().key(one_), archive_key(1).public_key());
  EXPECT_EQ(peers().latency(one_), Millis(40));
  EXPECT_TRUE(peers().is_proven(one_));
  EXPECT_EQ(peers().value(one_, std::string(kPeerRecordValue)), std::string(as_text(envelope)));
  EXPECT_EQ(peers().value(one_, std::string(kPeerRecordSeqValue)), std::string(as_text(number)));
}

TEST_F(PeerstoreArchiveTest, the_records_are_those_of_go_libp2p) {
  start();
  peers().add_address(one_, archive_address(1), hours(1), now());
  peers().set_agent(one_, "agent/1", "");
  peers().set_protocols(one_, {"/a"});
  peers().set_key(one_, archive_key(1).public_key());
  const auto wall = node_.runtime().now().wall;
  end_in_order();
  EXPECT_THAT(keys(), UnorderedElementsAre(storage::peer_key("/peers/addrs/", one_),
                                           storage::peer_key("/peers/keys/", one_, "pub"),
                                           storage::peer_key("/peers/metadata/", one_, "AgentVersion"),
                                           storage::peer_key("/peers/metadata/", one_, "protocols")));
  const Bytes raw = store_->get(storage::peer_key("/peers/addrs/", one_)).value().value();
  const auto record = storage::decode_address_record(raw).value();
  ASSERT_EQ(record.addresses.size(), 1u);
  EXPECT_EQ(record.peer, one_);
  EXPECT_EQ(record.addresses[0].ttl, Nanos(hours(1)));
  EXPECT_EQ(unix_seconds(record.addresses[0].expiry), unix_seconds(wall + hours(1)));
}

TEST_F(PeerstoreArchiveTest, a_kill_loses_only_the_last_seconds) {
  start();
  peers().add_address(one_, archive_address(1), hours(1), now());
  run_for(Seconds(9));
  peers().add_address(two_, archive_address(2), hours(1), now());
  kill();
  EXPECT_EQ(start().peers, 1u);
  EXPECT_TRUE(peers().contains(one_));
  EXPECT_FALSE(peers().contains(two_));
}

TEST_F(PeerstoreArchiveTest, writes_in_batches_and_only_what_has_changed) {
  start();
  for (std::uint64_t i = 1; i <= 50; ++i) peers().add_address(archive_peer(i), archive_address(1), hours(1), now());
  run_for(Seconds(10));
  EXPECT_EQ(store_->batches.size(), 1u);
  EXPECT_EQ(process_->archive.counters().written, 50u);
  peers().set_agent(one_, "agent", "");
  peers().set_agent(one_, "agent", "");
  peers().mark_changed(two_);
  run_for(Seconds(10));
  EXPECT_EQ(process_->archive.counters().written, 51u) << "the agent of one peer";
  run_for(minutes(4));
  EXPECT_EQ(store_->batches.size(), 2u) << "nothing is written when nothing changes";
  end_in_order();
  start();
  run_for(Seconds(30));
  EXPECT_EQ(process_->archive.counters().written, 0u) << "what was read is there";
}

TEST_F(PeerstoreArchiveTest, erases_what_the_peerstore_forgets) {
  start();
  peers().add_address(one_, archive_address(1), hours(1), now());
  peers().set_agent(one_, "agent", "");
  peers().add_address(two_, archive_address(2), hours(1), now());
  run_for(Seconds(10));
  EXPECT_EQ(keys().size(), 3u);
  peers().erase(one_);
  run_for(Seconds(10));
  EXPECT_EQ(keys(), std::vector<std::string>{storage::peer_key("/peers/addrs/", two_)});
  peers().collect(now() + hours(2));
  run_for(Seconds(10));
  EXPECT_TRUE(keys().empty()) << "its address has expired";
}

TEST_F(PeerstoreArchiveTest, expired_addresses_are_not_loaded_and_their_records_go_with_the_first_collection) {
  put_addresses(one_, {{1, hours(1)}, {2, -hours(1)}});
  put_addresses(two_, {{3, -Seconds(1)}});
  put(storage::peer_key("/peers/metadata/", two_, "AgentVersion"), storage::encode_metadata_value(std::string("x")));
  put(storage::peer_key("/peers/keys/", archive_peer(3), "pub"), archive_key(3).public_key().to_protobuf());
  put(storage::peer_key("/peers/keys/", archive_peer(0), "priv"), archive_key(0).to_protobuf());
  put("/peers/scores/X", Bytes{1});
  const auto loaded = start();
  EXPECT_EQ(loaded.peers, 1u);
  EXPECT_EQ(peers().addresses(one_, now()), std::vector<Multiaddr>{archive_address(1)});
  run_for(Seconds(50));
  EXPECT_EQ(keys().size(), 6u);
  run_for(Seconds(20));
  EXPECT_THAT(keys(),
              UnorderedElementsAre(storage::peer_key("/peers/addrs/", one_),
                                   storage::peer_key("/peers/keys/", archive_peer(0), "priv"), "/peers/scores/X"));
  EXPECT_EQ(process_->archive.counters().collected, 3u);
}

TEST_F(PeerstoreArchiveTest, an_address_lives_no_longer_than_its_ttl_whatever_the_clock_says) {
  put_addresses(one_, {{1, hours(1)}}, hours(1));
  put_addresses(two_, {{2, hours(24 * 400)}}, Nanos::max());  // a permanent one
  node_.set_wall_offset(-hours(24 * 365));
  start();
  EXPECT_EQ(peers().addresses(one_, now() + hours(1) - Seconds(1)).size(), 1u);
  EXPECT_EQ(peers().addresses(one_, now() + hours(1)).size(), 0u);
  EXPECT_EQ(peers().addresses(two_, now() + kLongestLife - Seconds(1)).size(), 1u);
  EXPECT_EQ(peers().addresses(two_, now() + kLongestLife).size(), 0u);
}

TEST_F(PeerstoreArchiveTest, a_clock_that_is_mended_within_a_minute_kills_nothing) {
  put_addresses(one_, {{1, hours(1)}});
  node_.set_wall_offset(hours(24 * 365 * 10));
  EXPECT_EQ(start().peers, 0u);
  run_for(Seconds(30));
  node_.set_wall_offset(Nanos(0));
  run_for(Seconds(40));
  EXPECT_EQ(peers().addresses(one_, now()).size(), 1u);
  EXPECT_EQ(keys().size(), 1u);
}

TEST_F(PeerstoreArchiveTest, a_collection_brings_back_nothing_that_was_forgotten) {
  for (std::uint64_t i = 1; i <= 9; ++i) put_addresses(archive_peer(i), {{1, hours(1)}});
  start();
  run_for(Seconds(54));
  for (std::uint64_t i = 1; i <= 8; ++i) {
    peers().erase(archive_peer(i));
    run_for(Seconds(1));
  }
  run_for(Seconds(20));
  EXPECT_EQ(process_->archive.counters().collections, 1u);
  EXPECT_EQ(peers().peers(), std::vector<PeerId>{archive_peer(9)});
  EXPECT_EQ(keys().size(), 1u);
}

TEST_F(PeerstoreArchiveTest, a_jump_of_the_clock_while_it_runs_kills_nothing) {
  start();
  peers().add_address(one_, archive_address(1), hours(10), now());
  run_for(Seconds(10));
  node_.set_wall_offset(hours(24 * 365));
  run_for(minutes(5));
  EXPECT_EQ(peers().addresses(one_, now()).size(), 1u);
  kill();
  EXPECT_EQ(start().peers, 1u) << "written anew in the time of the new clock";
  const auto left = process_->peers.facts(one_)->addresses[0].expires - now();
  EXPECT_GT(left, hours(9));
  EXPECT_LE(left, hours(10));
}

TEST_F(PeerstoreArchiveTest, the_address_of_a_connected_peer_outlives_a_kill) {
  start();
  peers().pin(one_);
  peers().add_dialled(one_, archive_address(1), now());
  for (int i = 0; i < 60; ++i) {  // five hours, as the host's job does it
    run_for(minutes(5));
    peers().keep_addresses(one_, now());
    peers().collect(now());
  }
  run_for(Seconds(10));
  EXPECT_LT(store_->batches.size(), 30u) << "not each time";
  kill();
  start();
  EXPECT_EQ(peers().addresses(one_, now()), std::vector<Multiaddr>{archive_address(1)});
}

TEST_F(PeerstoreArchiveTest, loads_no_more_than_the_limits_and_the_newest_first) {
  for (std::uint64_t i = 1; i <= 20; ++i)
    put_addresses(archive_peer(i), {{static_cast<int>(i), minutes(static_cast<std::int64_t>(i))}});
  PeerstoreLimits limits;
  limits.peers = 8;
  const auto loaded = start(limits);
  EXPECT_EQ(loaded.peers, 8u);
  EXPECT_EQ(loaded.left_out, 12u);
  for (std::uint64_t i = 13; i <= 20; ++i) EXPECT_TRUE(peers().contains(archive_peer(i))) << i;
  // The newest stays longest.
  peers().add_address(archive_peer(30), archive_address(1), hours(1), now());
  EXPECT_FALSE(peers().contains(archive_peer(13)));
  EXPECT_TRUE(peers().contains(archive_peer(20)));
  kill();

  limits = {};
  limits.bytes = 3000;
  start(limits);
  EXPECT_GE(peers().size(), 3u);
  EXPECT_TRUE(peers().contains(archive_peer(20)));
  EXPECT_EQ(peers().counters().evicted, 0u);
}

TEST_F(PeerstoreArchiveTest, a_record_that_does_not_parse_is_passed_over_counted_and_named) {
  put_addresses(one_, {{1, hours(1)}});
  put(storage::peer_key("/peers/metadata/", one_, "AgentVersion"), Bytes{0xff, 0xff});
  put(storage::peer_key("/peers/keys/", one_, "pub"), archive_key(2).public_key().to_protobuf());
  put(storage::peer_key("/peers/metadata/", one_, "protocols"), storage::encode_metadata_value(std::string("text")));
  put(storage::peer_key("/peers/addrs/", two_), Bytes{1, 2, 3});
  put("/peers/addrs/not-a-peer", Bytes{});
  const auto loaded = start();
  EXPECT_EQ(loaded.peers, 1u);
  EXPECT_EQ(loaded.skipped, 5u);
  EXPECT_THAT(loaded.first_skipped.value(), HasSubstr("/peers/addrs/"));
  EXPECT_EQ(peers().agent(one_), "");
  run_for(minutes(2));
  EXPECT_EQ(keys().size(), 3u) << "what is damaged is left, unless it is known better";
}

TEST_F(PeerstoreArchiveTest, a_record_that_the_disk_has_changed_is_passed_over_counted_and_named) {
  put_addresses(one_, {{1, hours(1)}});
  put_addresses(two_, {{2, hours(1)}});
  put(storage::peer_key("/peers/metadata/", one_, "AgentVersion"),
      storage::encode_metadata_value(std::string("agent")));
  store_->damaged = {storage::peer_key("/peers/addrs/", two_),
                     storage::peer_key("/peers/metadata/", one_, "AgentVersion")};
  const auto loaded = start();
  EXPECT_EQ(loaded.peers, 1u);
  EXPECT_EQ(loaded.skipped, 2u);
  EXPECT_THAT(loaded.first_skipped.value(), HasSubstr("/peers/addrs/"));
  EXPECT_EQ(peers().agent(one_), "");
}

TEST_F(PeerstoreArchiveTest, a_record_of_another_peer_under_a_key_is_not_believed) {
  put_addresses(two_, {{1, hours(1)}});
  const auto value = store_->get(storage::peer_key("/peers/addrs/", two_)).value().value();
  put(storage::peer_key("/peers/addrs/", one_), value);
  const auto loaded = start();
  EXPECT_EQ(loaded.peers, 1u);
  EXPECT_EQ(loaded.skipped, 1u);
  EXPECT_FALSE(peers().contains(one_));
}

TEST_F(PeerstoreArchiveTest, a_signed_record_that_nobody_signed_is_not_believed) {
  storage::AddressRecord record;
  record.peer = one_;
  record.addresses = {{archive_address(1), node_.runtime().now().wall + hours(1), hours(1)}};
  record.signed_record = {5, Bytes(40, 7)};
  put(storage::peer_key("/peers/addrs/", one_), storage::encode_address_record(record));
  const auto loaded = start();
  EXPECT_EQ(loaded.peers, 1u);
  EXPECT_EQ(loaded.skipped, 1u);
  EXPECT_FALSE(peers().value(one_, std::string(kPeerRecordValue)));
}

TEST_F(PeerstoreArchiveTest, a_datastore_that_does_not_read_is_an_error_and_nothing_is_written) {
  store_->reads_fail = true;
  process_ = std::make_unique<Process>(node_.runtime(), store_);
  const auto loaded = process_->archive.load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code(), Errc::io);
  peers().add_address(one_, archive_address(1), hours(1), now());
  process_->archive.save();
  run_for(minutes(1));
  EXPECT_TRUE(store_->batches.empty());
}

TEST_F(PeerstoreArchiveTest, a_disk_that_fails_for_a_while_loses_nothing) {
  start();
  store_->failures = 6;
  peers().add_address(one_, archive_address(1), hours(24), now());
  run_for(Seconds(10));
  peers().add_address(two_, archive_address(2), hours(24), now());
  run_for(minutes(3));
  kill();
  EXPECT_EQ(start().peers, 2u);
}

// Any changes, ends and kills: a restart after a save knows what the run before knew.
TEST_F(PeerstoreArchiveTest, a_restart_after_a_save_knows_what_was_known) {
  SeededRng rng(5);
  std::vector<PeerId> ids;
  for (std::uint64_t i = 1; i <= 12; ++i) ids.push_back(archive_peer(i));
  for (int round = 0; round < 25; ++round) {
    PeerstoreLimits limits;
    limits.peers = 10;
    start(limits);
    for (int step = 0; step < 30; ++step) {
      const PeerId& peer = ids[rng.below(ids.size())];
      const auto port = static_cast<int>(1 + rng.below(5));
      switch (rng.below(7)) {
        case 0: peers().add_address(peer, archive_address(port), hours(2 + port), now()); break;
        case 1: peers().mark_proven(peer); break;
        case 2: peers().set_agent(peer, "agent " + std::to_string(port), ""); break;
        case 3: peers().set_protocols(peer, {"/p/" + std::to_string(port)}); break;
        case 4: peers().remove_address(peer, archive_address(port)); break;
        case 5: peers().erase(peer); break;
        default: run_for(Seconds(static_cast<std::int64_t>(rng.below(20)))); break;
      }
    }
    std::map<PeerId, std::vector<Multiaddr>> addresses;
    std::map<PeerId, std::string> agents;
    for (const PeerId& peer : peers().peers()) {
      if (peers().addresses(peer, now()).empty()) continue;
      addresses[peer] = peers().addresses(peer, now());
      agents[peer] = peers().agent(peer);
    }
    end_in_order();
    start(limits);
    std::map<PeerId, std::vector<Multiaddr>> found;
    for (const PeerId& peer : peers().peers()) {
      found[peer] = peers().addresses(peer, now());
      ASSERT_EQ(peers().agent(peer), agents[peer]);
    }
    for (auto* side : {&addresses, &found})
      for (auto& [peer, list] : *side) std::sort(list.begin(), list.end());
    ASSERT_EQ(found, addresses) << "round " << round;
  }
}

}  // namespace
}  // namespace libp2p
