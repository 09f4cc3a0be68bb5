// The static peers of a node: those of the flags, and those that are stored, over the starts of a node.
#include "opp2p/node/static_peer_list.hpp"

#include <gtest/gtest.h>

#include "libp2p/storage/memory_datastore.hpp"
#include "libp2p/storage/records/peer_keys.hpp"
#include "opstack/testing/chain_builder.hpp"
#include "sim/sim_network.hpp"

namespace opp2p::sim {
namespace {

namespace storage = libp2p::storage;
using libp2p::Errc;
using libp2p::Multiaddr;
using libp2p::Seconds;

class StaticPeerListOfANode : public testing::Test {
 protected:
  static opstack::testing::ChainOptions options() {
    opstack::testing::ChainOptions out;
    out.genesis_time = 1'760'000'000;
    return out;
  }
  // 0 and 1 are dialled by nobody; 2 has 0 among its flags.
  void SetUp() override {
    ASSERT_TRUE(network_.add({}));
    ASSERT_TRUE(network_.add({}));
    SimMemberOptions member;
    member.dials = {0};
    ASSERT_TRUE(network_.add(member));
    run(3);
  }
  void run(int seconds) { network_.world().run_for(Seconds(seconds)); }
  Multiaddr address_of(std::size_t i) {
    auto& host = network_.node(i).host();
    return host.listen_addresses().front().with_peer_id(host.id());
  }
  const libp2p::PeerId& id_of(std::size_t i) { return network_.node(i).host().id(); }
  StaticPeerList& list() { return *network_.node(2).static_peers(); }
  bool connected(std::size_t i) { return network_.node(2).host().connected(id_of(i)); }
  Result<bool> add(const Multiaddr& address) {
    return answer_of([&](const StaticPeerList::Done& done) { list().add(address, done); });
  }
  Result<bool> remove(const libp2p::PeerId& peer) {
    return answer_of([&](const StaticPeerList::Done& done) { list().remove(peer, done); });
  }
  Result<bool> answer_of(const std::function<void(StaticPeerList::Done)>& ask) {
    std::optional<Result<bool>> out;
    ask([&out](const Result<bool>& answer) { out = answer; });
    run(3);
    if (!out) return libp2p::fail(Errc::timed_out, "no answer");
    return *out;
  }
  // "flag connected", "stored away": by peer id.
  std::map<libp2p::PeerId, std::string> listed() {
    std::map<libp2p::PeerId, std::string> out;
    for (const auto& entry : list().list())
      out[entry.status.peer] =
          std::string(entry.by_flag ? "flag" : "stored") + (entry.status.connected ? " connected" : " away");
    return out;
  }
  void restart() {
    network_.stop(2);
    ASSERT_TRUE(network_.start(2));
    run(3);
  }

  libp2p::SeededRng rng_{21};
  opstack::testing::ChainBuilder chain_{options(), rng_};
  SimNetwork network_{21, opstack::chain::RollupConfig::from_json(chain_.rollup_config()).value(),
                      libp2p::crypto::secp256k1::generate(rng_), libp2p::from_unix_seconds(1'760'000'010)};
};

TEST_F(StaticPeerListOfANode, a_peer_that_is_added_is_dialled_protected_listed_as_stored_and_there_after_a_restart) {
  EXPECT_EQ(listed(), (std::map<libp2p::PeerId, std::string>{{id_of(0), "flag connected"}}));
  EXPECT_EQ(add(address_of(1)).value(), true);
  EXPECT_TRUE(connected(1));
  EXPECT_TRUE(network_.node(2).view().is_static(id_of(1)));
  EXPECT_TRUE(network_.node(2).host().is_protected(id_of(1)));
  EXPECT_TRUE(network_.node(2).host().address_blocks(address_of(1)).is_exempt());
  const std::map<libp2p::PeerId, std::string> both = {{id_of(0), "flag connected"}, {id_of(1), "stored connected"}};
  EXPECT_EQ(listed(), both);
  EXPECT_EQ(add(address_of(1)).value(), false) << "it is there already";
  restart();
  EXPECT_EQ(listed(), both);
  EXPECT_TRUE(network_.node(2).view().is_static(id_of(1)));
}

TEST_F(StaticPeerListOfANode, a_stored_peer_survives_the_loss_of_power_right_after_the_answer) {
  ASSERT_EQ(add(address_of(1)).value(), true);
  network_.lose_power(2);
  ASSERT_TRUE(network_.start(2));
  run(3);
  EXPECT_EQ(listed().at(id_of(1)), "stored connected");
}

TEST_F(StaticPeerListOfANode, a_peer_that_is_removed_keeps_its_connection_without_protection_and_is_forgotten) {
  ASSERT_TRUE(add(address_of(1)));
  EXPECT_EQ(remove(id_of(1)).value(), true);
  EXPECT_TRUE(connected(1));
  EXPECT_FALSE(network_.node(2).view().is_static(id_of(1)));
  EXPECT_FALSE(network_.node(2).host().is_protected(id_of(1)));
  EXPECT_FALSE(network_.node(2).host().address_blocks(address_of(1)).is_exempt());
  EXPECT_FALSE(listed().contains(id_of(1)));
  EXPECT_EQ(remove(id_of(1)).error().code(), Errc::not_found);
  restart();
  EXPECT_FALSE(listed().contains(id_of(1)));
  EXPECT_FALSE(connected(1));
}

TEST_F(StaticPeerListOfANode, flags_win_over_what_is_stored_and_what_is_asked_for) {
  const auto other = Multiaddr::from_text("/ip4/10.9.9.9/tcp/9222").value().with_peer_id(id_of(0));
  const auto added = add(other);
  EXPECT_EQ(added.error().code(), Errc::denied);
  EXPECT_NE(added.error().text().find("--p2p.static"), std::string::npos);
  const auto removed = remove(id_of(0));
  EXPECT_EQ(removed.error().code(), Errc::denied);
  EXPECT_NE(removed.error().text().find("--p2p.static"), std::string::npos);
  // A record that was stored before the flag was given.
  const std::string text = other.text();
  network_.peerstore(2)
      .apply(std::vector<storage::Change>{
          {storage::peer_key(StaticPeerList::kBase, id_of(0)), libp2p::Bytes(text.begin(), text.end())}})
      .value();
  restart();
  const auto entries = list().list();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_TRUE(entries[0].by_flag);
  EXPECT_EQ(entries[0].status.addresses, std::vector<Multiaddr>{address_of(0)});
}

TEST_F(StaticPeerListOfANode, a_record_that_cannot_be_used_is_skipped_and_told_and_the_others_count) {
  ASSERT_TRUE(add(address_of(1)));
  const auto key = storage::peer_key(StaticPeerList::kBase, id_of(0));
  const auto put = [&](const std::string& at, const std::string& value) {
    ASSERT_TRUE(
        network_.peerstore(2).apply(std::vector<storage::Change>{{at, libp2p::Bytes(value.begin(), value.end())}}));
  };
  put(std::string(StaticPeerList::kBase) + "nobody", address_of(1).text());
  put(key, "");
  put(key + "/more", address_of(0).text());
  put(storage::peer_key(StaticPeerList::kBase, id_of(2)), address_of(1).text());
  restart();
  EXPECT_EQ(listed().size(), 2u);
  EXPECT_EQ(listed().at(id_of(1)), "stored connected");
}

TEST_F(StaticPeerListOfANode, what_cannot_be_a_static_peer_is_refused_with_its_reason) {
  EXPECT_EQ(add(Multiaddr::from_text("/ip4/10.0.0.9/tcp/1").value()).error().code(), Errc::invalid_argument);
  EXPECT_EQ(add(address_of(2)).error().code(), Errc::invalid_argument) << "its own";
  const auto udp = Multiaddr::from_text("/ip4/10.0.0.9/udp/1/quic-v1").value().with_peer_id(id_of(1));
  EXPECT_EQ(add(udp).error().code(), Errc::unsupported);
  for (std::size_t i = 0; i < StaticPeerList::kMostAddresses; ++i)
    EXPECT_TRUE(
        add(Multiaddr::from_text("/ip4/10.0.0.9/tcp/" + std::to_string(2000 + i)).value().with_peer_id(id_of(1))));
  EXPECT_EQ(add(address_of(1)).error().code(), Errc::exhausted);
}

// A ban and a blocked peer are in the same peerstore.
TEST_F(StaticPeerListOfANode, bans_and_blocks_of_a_node_hold_after_the_loss_of_power) {
  auto& node = network_.node(2);
  std::optional<Result<bool>> banned;
  node.reputation()->ban(id_of(1), std::chrono::hours(1), "the test", [&](const Result<bool>& done) { banned = done; });
  std::optional<Result<void>> blocked;
  ASSERT_TRUE(node.blocking()->block_ip("192.0.2.7", [&](const Result<void>& done) { blocked = done; }));
  run(1);
  ASSERT_TRUE(banned && *banned && blocked && *blocked);
  network_.lose_power(2);
  ASSERT_TRUE(network_.start(2));
  run(1);
  auto& again = network_.node(2);
  ASSERT_TRUE(again.reputation()->ban_of(id_of(1)));
  EXPECT_EQ(again.reputation()->ban_of(id_of(1))->text, "the test");
  EXPECT_EQ(again.blocking()->blocked_ips(), std::vector<std::string>{"192.0.2.7"});
  EXPECT_FALSE(again.host().gater().intercept_peer_dial(id_of(1)));
  run(3600);
  EXPECT_TRUE(again.host().gater().intercept_peer_dial(id_of(1))) << "the ban has ended";
}

}  // namespace
}  // namespace opp2p::sim
