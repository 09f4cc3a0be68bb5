// The lists of a BlockingGater in a datastore: go-libp2p's own keys and bytes, changes that are durable when it is
// said, and records that are damaged.
#include <gmock/gmock.h>
#include <malloc.h>

#include "libp2p/host/blocking_gater.hpp"
#include "libp2p/multiformats/ip_text.hpp"
#include "libp2p/storage/batch_writer.hpp"
#include "libp2p/storage/faulty_datastore_test.hpp"
#include "testing/host_fixture.hpp"

namespace libp2p {
namespace {

using storage::BatchWriter;
using storage::Change;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class StoredGater : public HostTest {
 protected:
  StoredGater() { open(); }
  ~StoredGater() override {
    gater.reset();
    writer.reset();
    world.run_for(Seconds(1));
  }
  // As a new process does.
  GaterLoad open(std::size_t max_rules = BlockingGater::kMaxRules) {
    gater.reset();
    writer = std::make_unique<BatchWriter>(node.runtime(), store);
    gater = std::make_shared<BlockingGater>(max_rules);
    return gater->keep_in(*writer).value();
  }
  void put(std::string key, ByteView value) {
    const Change change{std::move(key), to_bytes(value)};
    ASSERT_TRUE(store->store.apply(std::span(&change, 1)));
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    EXPECT_TRUE(store->store.scan("/", [&out](std::string_view key, ByteView) {
      out.emplace_back(key);
      return true;
    }));
    return out;
  }
  BlockingGater::Durable answer(std::string name) {
    return [this, name = std::move(name)](const Result<void>& outcome) {
      answers.push_back(name + (outcome ? " ok" : " " + std::string(to_string(outcome.error().code()))));
    };
  }

  const PeerId peer = PeerId::from_public_key(test_key(1).public_key());
  runtime::SimNode node = world.add_node();
  const std::shared_ptr<storage::FaultyDatastore> store = std::make_shared<storage::FaultyDatastore>();
  std::unique_ptr<BatchWriter> writer;
  std::shared_ptr<BlockingGater> gater;
  std::vector<std::string> answers;
};

// Section 3, "Persistence of static blocks".
TEST_F(StoredGater, writes_go_libp2ps_records) {
  ASSERT_TRUE(gater->block_peer(peer));
  ASSERT_TRUE(gater->block_ip("::ffff:1.2.3.4"));
  ASSERT_TRUE(gater->block_ip("2001:DB8::1"));
  ASSERT_TRUE(gater->block_subnet("10.1.2.3/8"));
  ASSERT_TRUE(gater->block_subnet("FD00::/8"));
  world.run_for(Seconds(1));
  const std::string base = "/libp2p/net/conngater/";
  EXPECT_THAT(keys(), ElementsAre(base + "addr/1.2.3.4", base + "addr/2001:db8::1", base + "peer/" + peer.to_base58(),
                                  base + "subnet/10.0.0.0/8", base + "subnet/fd00::/8"));
  EXPECT_EQ(store->text(base + "peer/" + peer.to_base58()), as_text(peer.bytes()));
  EXPECT_EQ(store->text(base + "addr/1.2.3.4"), as_text(multiformats::map_ip4({1, 2, 3, 4})));
  EXPECT_EQ(store->text(base + "addr/2001:db8::1").size(), 16u);
  EXPECT_EQ(store->text(base + "subnet/10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(store->text(base + "subnet/fd00::/8"), "fd00::/8");
  gater->unblock_peer(peer);
  ASSERT_TRUE(gater->unblock_ip("1.2.3.4"));
  ASSERT_TRUE(gater->unblock_ip("2001:db8:0::1"));
  ASSERT_TRUE(gater->unblock_subnet("10.0.0.0/8"));
  ASSERT_TRUE(gater->unblock_subnet("fd00::/8"));
  world.run_for(Seconds(1));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(StoredGater, has_its_rules_again_after_a_restart) {
  ASSERT_TRUE(gater->block_peer(peer));
  ASSERT_TRUE(gater->block_ip("1.2.3.4"));
  ASSERT_TRUE(gater->block_subnet("10.0.0.0/8"));
  ASSERT_TRUE(gater->block_subnet("fd00::/8"));
  world.run_for(Seconds(1));
  const GaterLoad load = open();
  EXPECT_EQ(load.peers, 1u);
  EXPECT_EQ(load.ips, 1u);
  EXPECT_EQ(load.subnets, 2u);
  EXPECT_EQ(load.skipped, 0u);
  EXPECT_TRUE(gater->is_blocked(peer));
  EXPECT_THAT(gater->blocked_ips(), ElementsAre("1.2.3.4"));
  EXPECT_THAT(gater->blocked_subnets(), ElementsAre("10.0.0.0/8", "fd00::/8"));
  EXPECT_FALSE(gater->intercept_accept(Multiaddr::from_text("/ip6/::ffff:10.9.9.9/tcp/1").value()));
}

TEST_F(StoredGater, says_that_a_rule_is_kept_only_when_it_survives_the_end_of_the_process) {
  ASSERT_TRUE(gater->block_peer(peer, answer("peer")));
  ASSERT_TRUE(gater->block_ip("1.2.3.4", answer("ip")));
  ASSERT_TRUE(gater->block_subnet("10.0.0.0/8", answer("subnet")));
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_TRUE(gater->is_blocked(peer)) << "the rule counts before it is written";
  ASSERT_TRUE(world.run_until([this] { return answers.size() == 3; }, Seconds(1)));
  EXPECT_THAT(answers, ElementsAre("peer ok", "ip ok", "subnet ok"));
  EXPECT_EQ(keys().size(), 3u);
  open();  // at once: as after kill -9
  EXPECT_TRUE(gater->is_blocked(peer));
  answers.clear();
  gater->unblock_peer(peer, answer("undo"));
  ASSERT_TRUE(world.run_until([this] { return answers.size() == 1; }, Seconds(1)));
  open();
  EXPECT_FALSE(gater->is_blocked(peer));
}

TEST_F(StoredGater, a_rule_that_was_there_before_is_said_to_be_kept_when_it_is) {
  ASSERT_TRUE(gater->block_peer(peer, answer("first")));
  EXPECT_FALSE(gater->block_peer(peer, answer("second")).value());
  EXPECT_THAT(answers, IsEmpty());
  world.run_for(Seconds(1));
  EXPECT_THAT(answers, ElementsAre("first ok", "second ok"));
}

TEST_F(StoredGater, a_rule_that_cannot_be_written_counts_and_is_written_later) {
  store->failures = 1;
  ASSERT_TRUE(gater->block_peer(peer, answer("block")));
  world.run_for(Millis(100));
  EXPECT_THAT(answers, ElementsAre("block input/output"));
  EXPECT_FALSE(gater->intercept_peer_dial(peer));
  EXPECT_THAT(keys(), IsEmpty());
  world.run_for(Seconds(5));
  EXPECT_EQ(keys().size(), 1u) << "the writer tries again";
}

TEST_F(StoredGater, a_text_that_is_no_rule_writes_nothing) {
  EXPECT_FALSE(gater->block_ip("1.2.3", answer("ip")));
  EXPECT_FALSE(gater->block_subnet("1.2.3.4", answer("subnet")));
  EXPECT_FALSE(gater->block_peer(PeerId(), answer("peer")));
  world.run_for(Seconds(1));
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_TRUE(store->batches.empty());
}

TEST_F(StoredGater, skips_records_that_are_no_rule_counts_them_and_says_which) {
  const std::string base = "/libp2p/net/conngater/";
  put(base + "peer/" + peer.to_base58(), peer.bytes());
  put(base + "peer/broken", as_bytes("no multihash"));
  put(base + "peer/empty", {});
  put(base + "addr/1.2.3.4", Bytes{1, 2, 3, 4});  // go-libp2p reads four bytes too
  put(base + "addr/short", Bytes{1, 2, 3});
  put(base + "subnet/10.0.0.0/8", as_bytes("10.0.0.0/8"));
  put(base + "subnet/odd", as_bytes("10.0.0.0/ff00ff00"));
  put(base + "subnet/\n", as_bytes("\x1b[31m/8"));
  const GaterLoad load = open();
  EXPECT_EQ(load.peers, 1u);
  EXPECT_EQ(load.ips, 1u);
  EXPECT_EQ(load.subnets, 1u);
  EXPECT_EQ(load.skipped, 5u);
  ASSERT_EQ(load.problems.size(), 5u);
  EXPECT_THAT(load.problems[0], HasSubstr(base + "peer/broken: "));
  for (const auto& problem : load.problems) {
    EXPECT_EQ(problem.find('\x1b'), std::string::npos) << "what a disk holds is no terminal's command";
    EXPECT_EQ(problem.find('\n'), std::string::npos);
  }
  EXPECT_EQ(keys().size(), 8u) << "nothing of another's is erased";
}

TEST_F(StoredGater, a_rule_whose_value_is_damaged_is_the_one_that_its_key_names) {
  const std::string base = "/libp2p/net/conngater/";
  put(base + "peer/" + peer.to_base58(), as_bytes("not its id"));
  put(base + "addr/192.0.2.7", Bytes{1, 2, 3});
  put(base + "subnet/10.0.0.0/8", as_bytes("10.0.0.0/8"));
  store->damaged = {base + "subnet/10.0.0.0/8"};
  const GaterLoad load = open();
  EXPECT_EQ(load.skipped, 3u) << "it is told";
  EXPECT_THAT(gater->blocked_peers(), ElementsAre(peer));
  EXPECT_THAT(gater->blocked_ips(), ElementsAre("192.0.2.7"));
  EXPECT_THAT(gater->blocked_subnets(), ElementsAre("10.0.0.0/8"));
  world.run_for(Seconds(5));
  EXPECT_EQ(open().skipped, 0u) << "the records are written anew";
  EXPECT_EQ(gater->blocked_peers().size() + gater->blocked_ips().size() + gater->blocked_subnets().size(), 3u);
}

TEST_F(StoredGater, moves_a_rule_under_another_key_so_that_it_can_be_unblocked) {
  const std::string base = "/libp2p/net/conngater/";
  put(base + "addr/::ffff:1.2.3.4", multiformats::map_ip4({1, 2, 3, 4}));
  put(base + "subnet/10.1.2.3/8", as_bytes("10.1.2.3/8"));
  EXPECT_EQ(open().skipped, 0u);
  EXPECT_THAT(gater->blocked_ips(), ElementsAre("1.2.3.4"));
  world.run_for(Seconds(5));
  EXPECT_THAT(keys(), ElementsAre(base + "addr/1.2.3.4", base + "subnet/10.0.0.0/8"));
  ASSERT_TRUE(gater->unblock_ip("1.2.3.4"));
  ASSERT_TRUE(gater->unblock_subnet("10.0.0.0/8"));
  world.run_for(Seconds(5));
  open();
  EXPECT_THAT(gater->blocked_ips(), IsEmpty());
  EXPECT_THAT(gater->blocked_subnets(), IsEmpty());
}

TEST_F(StoredGater, loads_as_many_rules_as_a_list_may_have) {
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(gater->block_ip("10.0.0." + std::to_string(i)));
  world.run_for(Seconds(1));
  const GaterLoad load = open(16);
  EXPECT_EQ(load.ips, 16u);
  EXPECT_EQ(load.skipped, 24u);
  EXPECT_EQ(load.problems.size(), GaterLoad::kMaxProblems) << "the texts are bounded";
  EXPECT_THAT(load.problems[0], HasSubstr("its list is full: it has 16 rules"));
  EXPECT_EQ(gater->block_ip("10.0.1.1").error(), Errc::exhausted);
}

TEST_F(StoredGater, a_store_that_cannot_be_read_is_an_error_and_adds_no_rule) {
  ASSERT_TRUE(gater->block_peer(peer));
  world.run_for(Seconds(1));
  store->reads_fail = true;
  BlockingGater other;
  const auto load = other.keep_in(*writer);
  ASSERT_FALSE(load);
  EXPECT_EQ(load.error(), Errc::io);
  EXPECT_FALSE(other.is_blocked(peer));
}

// The rule counts from the call on, however long its writing takes: who connects meanwhile is refused.
TEST_F(StoredGater, refuses_who_connects_while_the_rule_is_being_written) {
  HostConfig config(test_key(5));
  config.gater = gater;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  const auto c = make_host();
  ASSERT_TRUE(dial(*b, address_of(*a)));
  store->failures = 3;
  ASSERT_TRUE(gater->block_peer(b->id(), answer("block")));
  ASSERT_TRUE(gater->block_ip(nodes[2].ip4(), answer("block")));
  EXPECT_FALSE(dial(*c, address_of(*a)));
  world.run_for(Millis(900));
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_TRUE(a->connections().empty());
  (void)dial(*b, address_of(*a));
  world.run_for(Millis(100));
  EXPECT_TRUE(a->connections().empty());
  world.run_for(Seconds(20));
  EXPECT_EQ(keys().size(), 2u);
}

TEST_F(StoredGater, ten_thousand_blocks_and_unblocks_leave_no_memory_behind) {
  HostConfig config(test_key(5));
  config.gater = gater;
  const auto a = make_host(std::move(config));
  const auto b = make_host();
  ASSERT_TRUE(dial(*b, address_of(*a)));
  const auto cycle = [this](int i) {
    const std::string ip = "10.9." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256);
    ASSERT_TRUE(gater->block_ip(ip));
    ASSERT_TRUE(gater->block_subnet(ip + "/24"));
    ASSERT_TRUE(gater->block_peer(peer));
    world.run_for(Millis(20));
    ASSERT_TRUE(gater->unblock_ip(ip));
    ASSERT_TRUE(gater->unblock_subnet(ip + "/24"));
    gater->unblock_peer(peer);
    world.run_for(Millis(20));
  };
  for (int i = 0; i < 1000; ++i) cycle(i);
  store->batches.clear();
  const std::size_t before = ::mallinfo2().uordblks;
  for (int i = 1000; i < 11'000; ++i) {
    cycle(i);
    store->batches.clear();
  }
  const std::size_t after = ::mallinfo2().uordblks;
  EXPECT_LT(after, before + 64 * 1024) << "bytes in use";
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_EQ(writer->changes(), 0u);
  EXPECT_TRUE(a->connected(b->id()));
  a->check();
}

}  // namespace
}  // namespace libp2p
