#include "opstack/gossip/block_gossip.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "libp2p/testing/sim_hosts.hpp"
#include "opstack/rules/topics.hpp"
#include "testing/blocks.hpp"

namespace opstack::gossip {
namespace {

using libp2p::Errc;
using libp2p::GossipsubService;
using libp2p::Millis;
using libp2p::SimHosts;
using testing_blocks::block;
using testing_blocks::other_key;
using testing_blocks::sequencer_key;

constexpr std::uint64_t kChain = 901;

Address address_of(const Secret& key) { return libp2p::crypto::secp256k1::address_of(key); }

struct Seen {
  rules::Verdict verdict;
  rules::Reason reason;
  PeerId from;
  bool local;
  std::string topic;
  std::string detail;
};

// Of a host that also has a topic of somebody else.
libp2p::GossipsubConfig gossip_config() {
  auto out = block_gossip_config(kChain, {});
  out.router.topic_filter = [ours = out.router.topic_filter](std::string_view topic) {
    return topic == "another" || ours(topic);
  };
  return out;
}

struct Node final {
  Node(libp2p::Host& h, BlockGossipConfig config)
      : host(h),
        gossip(h, gossip_config(), scores),
        blocks(h.runtime(), gossip, std::move(config),
               [this](const AcceptedBlock& accepted) {
                 const auto& block = accepted.block;
                 payloads.emplace_back(accepted.from, block.number());
                 bodies.push_back(block.body);
                 EXPECT_TRUE(block.body == ByteView(payload::encode_envelope(block.version, *block.envelope)));
               }),
        events(blocks.subscribe(
            [this](const BlockGossipEvent& event) { std::visit([this](const auto& kind) { on(kind); }, event); })) {}

  void on(const BlockVerdict& v) {
    EXPECT_EQ(v.message_id.bytes().size(), 20U);
    seen.push_back({v.outcome.verdict, v.outcome.reason, v.from, v.local, v.topic, v.outcome.detail()});
    blocks.check();
  }
  void on(const PeerJoinedTopic& event) { present.emplace(event.peer, event.topic); }
  void on(const PeerLeftTopic& event) { present.erase({event.peer, event.topic}); }
  void on(const PeerGrafted& event) { mesh.emplace(event.peer, event.topic); }
  void on(const PeerPruned& event) { mesh.erase({event.peer, event.topic}); }
  void on(const CopyReceived& event) {
    EXPECT_EQ(event.id.bytes().size(), 20U);
    ++copies;
  }
  void on(const TopicJoined& event) { joined.insert(event.topic); }
  void on(const TopicLeft& event) { joined.erase(event.topic); }

  std::set<std::uint64_t> numbers() const {
    std::set<std::uint64_t> all;
    for (const auto& [from, number] : payloads) all.insert(number);
    return all;
  }

  libp2p::Host& host;
  libp2p::gossipsub::NeutralScores scores;
  GossipsubService gossip;
  BlockGossip blocks;
  std::vector<std::pair<PeerId, std::uint64_t>> payloads;
  std::vector<libp2p::SharedSlice> bodies;
  std::vector<Seen> seen;
  std::set<std::pair<PeerId, std::string>> present;
  std::set<std::pair<PeerId, std::string>> mesh;
  std::size_t copies = 0;
  std::set<std::string> joined;
  libp2p::Subscription events;
};

class BlockGossipTest : public testing::Test {
 protected:
  BlockGossipConfig config() {
    BlockGossipConfig c;
    c.chain_id = kChain;
    c.version_at = [this](std::uint64_t) { return version_; };
    return c;
  }
  Node& add(BlockGossipConfig c) {
    nodes_.push_back(std::make_unique<Node>(net_.add(), std::move(c)));
    Node& node = *nodes_.back();
    node.blocks.rotate_signer(address_of(sequencer_key()));
    node.blocks.join().value();
    return node;
  }
  Node& add() { return add(config()); }
  Node& at(std::size_t i) { return *nodes_.at(i); }
  std::uint64_t now() { return static_cast<std::uint64_t>(libp2p::unix_seconds(net_.node(0).runtime().now().wall)); }
  payload::SharedEnvelope make(std::uint64_t number, std::uint8_t variant = 0) {
    return std::make_shared<const payload::Envelope>(block(version_, number, now(), variant));
  }
  Result<PublishedBlock> publish(std::size_t i, payload::SharedEnvelope envelope) {
    auto result = net_.run(i, at(i).blocks.publisher().publish(std::move(envelope)));
    if (!result) return libp2p::fail(Errc::timed_out, "publish did not end");
    return std::move(*result);
  }
  // Puts a message on the topic past all checks of the sending node.
  void intrude(std::size_t i, ByteView message) {
    at(i)
        .gossip.publish(rules::blocks_topic(kChain, version_), message, libp2p::gossipsub::LocalCheck::already_valid)
        .value();
    net_.run_for(Seconds(1));
  }
  void intrude(std::size_t i, const payload::Envelope& envelope, const Secret& key = sequencer_key()) {
    intrude(i, testing_blocks::message(kChain, version_, envelope, key));
  }

  Version version_ = Version::v3;
  SimHosts net_{31};
  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(BlockGossipTest, tells_nothing_of_topics_that_are_not_its_own) {
  for (int i = 0; i < 2; ++i) add();
  ASSERT_TRUE(net_.connect(1, 0));
  for (int i = 0; i < 2; ++i) at(i).gossip.join("another", nullptr, nullptr).value();
  net_.run_for(Seconds(2));
  EXPECT_EQ(at(0).joined.size(), std::size(rules::kVersions));
  EXPECT_EQ(at(0).present.size(), std::size(rules::kVersions));
  EXPECT_FALSE(at(0).joined.contains("another"));
  EXPECT_FALSE(at(0).present.contains({at(1).host.id(), "another"}));
}

TEST_F(BlockGossipTest, brings_blocks_of_every_version_to_ten_nodes_and_not_back_to_their_publisher) {
  for (int i = 0; i < 10; ++i) add();
  for (std::size_t i = 1; i < 10; ++i) ASSERT_TRUE(net_.connect(i, i - 1));
  for (std::size_t i = 4; i < 10; ++i) ASSERT_TRUE(net_.connect(i, i - 4));
  net_.run_for(Seconds(3));
  at(0).blocks.publisher().set_key(sequencer_key());
  std::uint64_t number = 100;
  for (const Version version : rules::kVersions) {
    version_ = version;
    const auto published = publish(0, make(++number));
    ASSERT_TRUE(published.has_value()) << published.error().message();
    EXPECT_EQ(published->topic, rules::blocks_topic(kChain, version));
    EXPECT_EQ(published->version, version);
    EXPECT_EQ(published->block.number(), number);
    EXPECT_EQ(published->block.version, version);
    net_.run_for(Seconds(2));
    for (std::size_t i = 1; i < 10; ++i) {
      ASSERT_FALSE(at(i).bodies.empty()) << i;
      EXPECT_TRUE(at(i).bodies.back() == published->block.body) << "what was signed arrives as it was";
    }
  }
  EXPECT_TRUE(at(0).payloads.empty());
  for (std::size_t i = 1; i < 10; ++i) {
    EXPECT_EQ(at(i).numbers(), (std::set<std::uint64_t>{101, 102, 103, 104})) << i;
    EXPECT_EQ(at(i).payloads.size(), 4U) << i;
    for (const Seen& seen : at(i).seen) {
      EXPECT_EQ(seen.verdict, rules::Verdict::accept);
      EXPECT_TRUE(at(i).host.connected(seen.from));
    }
  }
  ASSERT_EQ(at(0).seen.size(), 4U);
  EXPECT_TRUE(at(0).seen.front().local);
}

TEST_F(BlockGossipTest, loses_none_of_a_burst_of_blocks) {
  add();
  add();
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  at(0).blocks.publisher().set_key(sequencer_key());
  std::size_t published = 0;
  for (std::uint64_t number = 0; number < 64; ++number) {
    auto envelope = block(version_, number, now());
    envelope.payload.transactions.push_back(libp2p::Bytes(400, static_cast<std::uint8_t>(number)));
    at(0).blocks.publisher().publish(
        std::make_shared<const payload::Envelope>(testing_blocks::sealed(std::move(envelope))),
        [&published](const Result<PublishedBlock>& result) { published += result ? 1 : 0; });
  }
  net_.run_for(Seconds(3));
  EXPECT_EQ(published, 64U);
  EXPECT_EQ(at(1).numbers().size(), 64U);
  EXPECT_EQ(at(1).payloads.size(), 64U);
}

TEST_F(BlockGossipTest, rejects_or_ignores_bad_blocks_with_their_reason_and_forwards_none) {
  for (int i = 0; i < 3; ++i) add();  // 0 is the intruder, 1 sees it, 2 sees only 1
  ASSERT_TRUE(net_.connect(0, 1));
  ASSERT_TRUE(net_.connect(1, 2));
  net_.run_for(Seconds(2));
  const auto expect_last = [this](rules::Verdict verdict, rules::Reason reason) {
    ASSERT_FALSE(at(1).seen.empty());
    const Seen& last = at(1).seen.back();
    EXPECT_EQ(last.verdict, verdict);
    EXPECT_EQ(last.reason, reason) << last.detail;
    EXPECT_EQ(last.from, at(0).host.id());
    EXPECT_EQ(last.topic, rules::blocks_topic(kChain, version_));
    EXPECT_FALSE(last.local);
  };
  intrude(0, block(version_, 1, now()), other_key());
  expect_last(rules::Verdict::reject, rules::Reason::invalid_signature);

  auto wrong_hash = block(version_, 2, now());
  wrong_hash.payload.block_hash[0] ^= 1;
  intrude(0, wrong_hash);
  expect_last(rules::Verdict::reject, rules::Reason::bad_block_hash);

  intrude(0, block(version_, 3, now() - 61));
  expect_last(rules::Verdict::reject, rules::Reason::too_old);
  intrude(0, block(version_, 3, now() + 30));
  expect_last(rules::Verdict::reject, rules::Reason::too_new);

  const libp2p::Bytes garbage(100, 0xff);
  intrude(0, garbage);
  expect_last(rules::Verdict::reject, rules::Reason::invalid_snappy_length);

  intrude(0, testing_blocks::message(kChain, Version::v1, block(Version::v1, 4, now())));
  expect_last(rules::Verdict::reject, rules::Reason::invalid_envelope);

  at(1).blocks.set_signers({});
  intrude(0, block(version_, 5, now()));
  expect_last(rules::Verdict::ignore, rules::Reason::no_signer_configured);

  EXPECT_EQ(at(1).seen.size(), 7U);
  EXPECT_TRUE(at(1).payloads.empty());
  EXPECT_TRUE(at(2).seen.empty());
}

TEST_F(BlockGossipTest, takes_an_exception_in_a_rule_for_a_reject) {
  auto throwing = config();
  throwing.extra_rule = [](const payload::Envelope& envelope) -> std::optional<std::string> {
    if (envelope.payload.block_number == 13) throw std::runtime_error("unlucky");
    return std::nullopt;
  };
  add();
  add(throwing);
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  intrude(0, block(version_, 13, now()));
  ASSERT_EQ(at(1).seen.size(), 1U);
  EXPECT_EQ(at(1).seen[0].verdict, rules::Verdict::reject);
  EXPECT_EQ(at(1).seen[0].reason, rules::Reason::internal_error);
  EXPECT_NE(at(1).seen[0].detail.find("unlucky"), std::string::npos);
  intrude(0, block(version_, 14, now()));
  EXPECT_EQ(at(1).numbers(), std::set<std::uint64_t>{14});
}

TEST_F(BlockGossipTest, says_that_a_node_without_a_key_cannot_publish) {
  add();
  const auto envelope = make(7);
  const auto published = publish(0, envelope);
  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error(), Errc::denied);
  EXPECT_EQ(published.error().text(), "node has no p2p signer, payload " +
                                          libp2p::to_hex0x(envelope->payload.block_hash) + ":7 cannot be published");
}

TEST_F(BlockGossipTest, refuses_to_publish_what_every_peer_would_refuse) {
  add();
  at(0).blocks.publisher().set_key(sequencer_key());
  auto wrong = block(version_, 8, now());
  wrong.payload.block_hash[3] ^= 1;
  const auto bad_hash = publish(0, std::make_shared<const payload::Envelope>(wrong));
  ASSERT_FALSE(bad_hash.has_value());
  EXPECT_EQ(bad_hash.error(), Errc::mismatch);
  EXPECT_NE(bad_hash.error().text().find("payload has bad block hash"), std::string::npos);

  const auto stale = publish(0, std::make_shared<const payload::Envelope>(block(version_, 8, now() - 100)));
  ASSERT_FALSE(stale.has_value());
  EXPECT_NE(stale.error().text().find("validation failed"), std::string::npos);

  at(0).blocks.publisher().set_key(other_key());
  const auto not_the_signer = publish(0, make(9));
  ASSERT_FALSE(not_the_signer.has_value());
  EXPECT_NE(not_the_signer.error().text().find("validation failed"), std::string::npos);

  version_ = Version::v4;
  at(0).blocks.publisher().set_key(sequencer_key());
  const auto wrong_fork = publish(0, std::make_shared<const payload::Envelope>(block(Version::v1, 10, now())));
  EXPECT_FALSE(wrong_fork.has_value());
}

TEST_F(BlockGossipTest, publishes_what_somebody_else_has_signed_and_takes_a_repetition_for_done) {
  add();
  add();
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  const auto envelope = make(21);
  const Signature signature = rules::sign_body(sequencer_key(), kChain, payload::encode_envelope(version_, *envelope));
  for (int round = 0; round < 2; ++round) {
    const auto published = net_.run(0, at(0).blocks.publisher().publish_signed(envelope, signature));
    ASSERT_TRUE(published && published->has_value()) << round;
    EXPECT_EQ((*published)->signature, signature);
    EXPECT_FALSE((*published)->message_id.empty());
  }
  net_.run_for(Seconds(1));
  EXPECT_EQ(at(1).payloads.size(), 1U);

  Signature nobodys{};
  nobodys[64] = 9;
  const auto refused = net_.run(0, at(0).blocks.publisher().publish_signed(make(22), nobodys));
  ASSERT_TRUE(refused.has_value());
  EXPECT_FALSE(refused->has_value());
}

TEST_F(BlockGossipTest, keeps_the_previous_signer_until_the_new_one_has_signed_a_block) {
  add();
  add();
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  at(1).blocks.rotate_signer(address_of(other_key()));
  intrude(0, block(version_, 1, now()), sequencer_key());
  EXPECT_EQ(at(1).seen.back().verdict, rules::Verdict::accept);
  intrude(0, block(version_, 2, now()), other_key());
  EXPECT_EQ(at(1).seen.back().verdict, rules::Verdict::accept);
  intrude(0, block(version_, 3, now()), sequencer_key());
  EXPECT_EQ(at(1).seen.back().reason, rules::Reason::invalid_signature);
  EXPECT_FALSE(at(1).blocks.signers().previous.has_value());
}

// Large blocks that come alone after one whose signature counted are examined in two parts, which must come to the same
// verdicts.
TEST_F(BlockGossipTest, judges_large_blocks_as_small_ones) {
  add();
  add();
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  const auto send = [this](const payload::Envelope& envelope, const libp2p::crypto::secp256k1::Secret& key) {
    const auto message = testing_blocks::message(kChain, version_, envelope, key);
    at(0)
        .gossip.publish(rules::blocks_topic(kChain, version_), message, libp2p::gossipsub::LocalCheck::already_valid)
        .value();
    net_.run_for(Millis(200));
    return at(1).seen.back();
  };
  const auto large = [this](std::uint64_t number, std::uint64_t time) {
    auto envelope = block(version_, number, time);
    for (int i = 0; i < 500; ++i)
      envelope.payload.transactions.push_back(libp2p::Bytes(200, static_cast<std::uint8_t>(i)));
    envelope.payload.block_hash = payload::compute_block_hash(envelope);
    return envelope;
  };
  for (std::uint64_t number = 4; number <= 5; ++number) {
    const auto good = send(large(number, now()), sequencer_key());
    EXPECT_EQ(good.verdict, rules::Verdict::accept) << good.detail;
  }
  EXPECT_EQ(send(large(7, now() - 1000), sequencer_key()).reason, rules::Reason::too_old);
  EXPECT_EQ(send(large(6, now()), other_key()).reason, rules::Reason::invalid_signature);
  EXPECT_EQ(send(large(6, now()), other_key()).reason, rules::Reason::invalid_signature) << "the signature first";
  auto wrong = large(8, now());
  wrong.payload.block_hash[3] ^= 1;
  EXPECT_EQ(send(wrong, sequencer_key()).reason, rules::Reason::bad_block_hash);
  EXPECT_EQ(at(1).numbers(), (std::set<std::uint64_t>{4, 5}));
  EXPECT_EQ(at(1).blocks.validating(), 0u);
}

TEST_F(BlockGossipTest, examines_a_block_again_when_the_signer_changed_meanwhile) {
  auto pooled = config();
  pooled.queue.small = 0;  // everything goes to the pool
  add();
  add(pooled);
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  const auto message = testing_blocks::message(kChain, version_, block(version_, 5, now()), other_key());
  at(0)
      .gossip.publish(rules::blocks_topic(kChain, version_), message, libp2p::gossipsub::LocalCheck::already_valid)
      .value();
  ASSERT_TRUE(net_.world().run_until([this] { return at(1).blocks.validating() == 1; }, Seconds(2)));
  at(1).blocks.rotate_signer(address_of(other_key()));
  net_.run_for(Seconds(1));
  ASSERT_EQ(at(1).seen.size(), 1U);
  EXPECT_EQ(at(1).seen[0].verdict, rules::Verdict::accept);
  EXPECT_EQ(at(1).numbers(), std::set<std::uint64_t>{5});
}

TEST_F(BlockGossipTest, ignores_what_its_validation_queue_has_no_room_for) {
  auto narrow = config();
  narrow.queue.parallel = 1;
  narrow.queue.max_items = 2;
  narrow.queue.small = 0;  // everything goes to the pool
  add();
  add(narrow);
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  for (std::uint64_t number = 0; number < 10; ++number) {
    const auto message = testing_blocks::message(kChain, version_, block(version_, number, now()));
    at(0)
        .gossip.publish(rules::blocks_topic(kChain, version_), message, libp2p::gossipsub::LocalCheck::already_valid)
        .value();
  }
  net_.run_for(Seconds(2));
  ASSERT_EQ(at(1).seen.size(), 10U);
  const auto full = std::count_if(at(1).seen.begin(), at(1).seen.end(), [](const Seen& seen) {
    return seen.verdict == rules::Verdict::ignore && seen.reason == rules::Reason::validation_queue_full;
  });
  EXPECT_GT(full, 0);
  EXPECT_EQ(at(1).payloads.size(), 10U - static_cast<std::size_t>(full));
  EXPECT_EQ(at(1).blocks.validating(), 0U);
}

TEST_F(BlockGossipTest, tells_who_is_in_which_topic) {
  add();
  add();
  const auto topics = rules::blocks_topics(kChain);
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(2));
  EXPECT_EQ(at(0).joined, (std::set<std::string>(topics.begin(), topics.end())));
  EXPECT_EQ(at(0).present.size(), 4U);
  for (const auto& topic : topics) EXPECT_TRUE(at(0).present.contains({at(1).host.id(), topic}));
  at(1).blocks.leave();
  net_.run_for(Seconds(1));
  EXPECT_TRUE(at(0).present.empty());
  EXPECT_TRUE(at(1).joined.empty());
  at(1).blocks.join().value();
  net_.run_for(Seconds(1));
  EXPECT_EQ(at(0).present.size(), 4U);
  net_.disconnect(0, 1);
  net_.run_for(Seconds(1));
  EXPECT_TRUE(at(0).present.empty());
}

TEST_F(BlockGossipTest, fails_to_publish_when_nobody_says_which_version_a_block_has) {
  BlockGossipConfig listens = config();
  listens.version_at = nullptr;
  add(listens);
  at(0).blocks.publisher().publish(make(1), nullptr);  // without a key, and without anybody who wants to know
  at(0).blocks.publisher().set_key(sequencer_key());
  const auto published = publish(0, make(2));
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code(), Errc::invalid_argument);
  EXPECT_NE(published.error().text().find("BlockGossipConfig::version_at is empty"), std::string::npos);
}

TEST(BlockGossip, refuses_topics_that_are_not_its_chains) {
  SimHosts net(32);
  net.add();
  BlockGossipConfig config;
  config.chain_id = kChain;
  config.version_at = [](std::uint64_t) { return Version::v1; };
  Node node(net.host(0), config);
  EXPECT_EQ(node.gossip.join("/optimism/902/0/blocks", nullptr, nullptr).error(), Errc::denied);
  EXPECT_EQ(node.gossip.join("/optimism/901/4/blocks", nullptr, nullptr).error(), Errc::denied);
  EXPECT_TRUE(node.blocks.join().has_value());
  EXPECT_EQ(node.blocks.join().error(), Errc::invalid_argument);
}

TEST(BlockGossip, leaves_nothing_behind_even_with_blocks_on_the_pool) {
  {
    SimHosts net(33);
    BlockGossipConfig config;
    config.chain_id = kChain;
    config.version_at = [](std::uint64_t) { return Version::v3; };
    config.queue.small = 0;  // everything goes to the pool
    net.add();
    net.add();
    auto a = std::make_unique<Node>(net.host(0), config);
    auto b = std::make_unique<Node>(net.host(1), config);
    for (auto* node : {a.get(), b.get()}) {
      node->blocks.rotate_signer(address_of(sequencer_key()));
      node->blocks.join().value();
    }
    ASSERT_TRUE(net.connect(0, 1));
    net.run_for(Seconds(2));
    const auto wall = net.node(0).runtime().now().wall;
    const auto envelope = block(Version::v3, 1, static_cast<std::uint64_t>(libp2p::unix_seconds(wall)));
    const auto message = testing_blocks::message(kChain, Version::v3, envelope);
    a->gossip.publish(rules::blocks_topic(kChain, Version::v3), message, libp2p::gossipsub::LocalCheck::already_valid)
        .value();
    ASSERT_TRUE(net.world().run_until([&b] { return b->blocks.validating() == 1; }, Seconds(2)));
    b.reset();
    a.reset();
    net.run_for(Seconds(1));
    net.close();
  }
  EXPECT_EQ(libp2p::live<BlockGossip>(), 0);
  EXPECT_EQ(libp2p::live<Subscriber>(), 0);
  EXPECT_EQ(libp2p::live<Publisher>(), 0);
  EXPECT_EQ(libp2p::live<ValidationQueue>(), 0);
  EXPECT_EQ(libp2p::live<GossipsubService>(), 0);
  EXPECT_EQ(libp2p::live<libp2p::runtime::detail::Root>(), 0);
}

}  // namespace
}  // namespace opstack::gossip
