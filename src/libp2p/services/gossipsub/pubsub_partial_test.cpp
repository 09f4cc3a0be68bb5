// Partial messages through the façade, between hosts on a virtual clock.
#include <gmock/gmock.h>

#include <map>

#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"
#include "libp2p/services/gossipsub/pubsub.hpp"
#include "libp2p/testing/sim_hosts.hpp"

namespace libp2p {
namespace {

using gossipsub::PartialParts;
using gossipsub::PartialPeer;
using gossipsub::PartialUse;
using Verdict = gossipsub::Router::PartialVerdict;

const std::string kPartsTopic = "parts";

PubSubConfig config_with_partials() {
  PubSubConfig config;
  config.gossipsub.router.params.partial.enabled = true;
  return config;
}

// A message of eight parts; what a node has is a bitmap, which is its metadata and, for this test, the message too.
struct PartsHolder {
  PartsHolder(Host& host, const PubSubConfig& config, PartialUse use, std::uint8_t parts)
      : pubsub(host, config), topic(pubsub.join(kPartsTopic).value()), have(parts) {
    GossipsubPartialHandler handler;
    handler.use = use;
    handler.on_received = [this](const gossipsub::PartialReceived& in) {
      if (!in.message.empty()) {
        have = static_cast<std::uint8_t>(have | in.message.view()[0]);
        topic.judge_partial(in.peer, Verdict::useful);
      }
      publish();
    };
    handler.on_gossip = [this](const gossipsub::PartialGossip&) { publish(); };
    enabled = topic.enable_partial(std::move(handler));
    subscription = topic.subscribe([this](const PubSubMessage&) { ++whole; }).value();
  }
  void publish() {
    const auto parts = [this](const PartialPeer& peer) {
      PartialParts made{{}, Bytes{have}};
      if (peer.metadata.empty()) return made;
      const auto lacks = static_cast<std::uint8_t>(have & ~peer.metadata[0]);
      if (lacks == 0) return made;
      made.message = {lacks};
      made.peer_metadata = Bytes{static_cast<std::uint8_t>(peer.metadata[0] | lacks)};
      return made;
    };
    published = topic.publish_partial(as_bytes("group"), parts);
  }
  const gossipsub::Counters& counters() { return pubsub.service().router().counters(); }

  PubSub pubsub;
  PubSubTopic topic;
  std::uint8_t have;
  Result<void> enabled = Result<void>();
  Result<std::size_t> published = std::size_t{0};
  Subscription subscription;
  int whole = 0;
};

class PubSubPartial : public testing::Test {
 protected:
  PartsHolder& add(PartialUse use, std::uint8_t parts, const PubSubConfig& config = config_with_partials()) {
    nodes.push_back(std::make_unique<PartsHolder>(net.add(), config, use, parts));
    if (nodes.size() > 1) {
      EXPECT_TRUE(net.connect(nodes.size() - 2, nodes.size() - 1));
    }
    net.run_for(Seconds(2));
    return *nodes.back();
  }
  SimHosts net{17};
  std::vector<std::unique_ptr<PartsHolder>> nodes;
};

TEST_F(PubSubPartial, three_hosts_in_a_row_complete_a_message_of_which_each_has_a_part) {
  for (const auto parts : std::vector<std::uint8_t>{0x07, 0x38, 0xc0})
    ASSERT_TRUE(add(PartialUse::requests, parts).enabled);
  for (const auto& node : nodes) node->publish();
  net.run_for(Seconds(3));
  for (const auto& node : nodes) {
    EXPECT_EQ(node->have, 0xff);
    EXPECT_EQ(node->counters().dropped_partial_not_enabled, 0U);
  }
}

TEST_F(PubSubPartial, who_takes_parts_gets_no_whole_message_until_its_topic_is_left_and_joined_without_them) {
  PartsHolder& sends = add(PartialUse::supports, 0xff);
  PartsHolder& takes = add(PartialUse::requests, 0x01);
  ASSERT_TRUE(sends.topic.publish("whole"));
  ASSERT_TRUE(takes.topic.publish("whole of the other"));
  net.run_for(Seconds(2));
  EXPECT_EQ(sends.whole, 2);  // its own too
  EXPECT_EQ(takes.whole, 1);
  takes.topic.leave();
  takes.topic = takes.pubsub.join(kPartsTopic).value();
  takes.subscription = takes.topic.subscribe([&takes](const PubSubMessage&) { ++takes.whole; }).value();
  net.run_for(Seconds(80));  // the backoff of the leave
  ASSERT_TRUE(sends.topic.publish("another"));
  net.run_for(Seconds(2));
  EXPECT_EQ(takes.whole, 2);
}

Bytes partial_hello() {
  gossipsub::Rpc rpc;
  gossipsub::SubOpts& said = rpc.subscriptions.emplace_back();
  said.subscribe = true;
  said.topic = kTopic;
  said.requests_partial = true;
  rpc.control.emplace().extensions.emplace().partial_messages = true;
  return *gossipsub::encode_frame(rpc);
}

TEST(GossipsubPartialStreams, one_of_ours_that_is_lost_changes_nothing_of_what_the_peer_has_agreed_to) {
  SimHosts net(29);
  net.add();
  net.add();
  GossipsubConfig config = gossip_config();
  config.router.params.partial.enabled = true;
  Gossiper gossiper(net.host(0), config);
  RawGossiper raw(net.host(1));
  ASSERT_TRUE(net.connect(1, 0));
  net.run_for(Millis(50));
  auto opened = net.run(1, RawGossiper::open(net.host(1), net.host(0).id()));
  Stream mine = std::move(opened.value().value());
  ASSERT_TRUE(net.run(1, RawGossiper::write(mine, partial_hello())));
  net.run_for(Millis(100));
  const PeerId peer = net.host(1).id();
  EXPECT_EQ(gossiper.service->router().partial_use(peer, kTopic), PartialUse::requests);
  raw.accepted.back().reset();
  net.run_for(Seconds(2));
  ASSERT_EQ(raw.streams_accepted, 2U);
  EXPECT_EQ(gossiper.service->router().partial_use(peer, kTopic), PartialUse::requests);
  // The new stream begins with what we speak.
  Bytes hello(256);
  const auto got = net.run(1, raw.accepted.back().read_some(hello));
  ASSERT_TRUE(got && got->has_value());
  hello.resize(got->value());
  const auto rpc = gossipsub::decode_frame(share(std::move(hello)), gossipsub::RpcLimits());
  ASSERT_TRUE(rpc) << rpc.error().message();
  EXPECT_TRUE(rpc->control && rpc->control->extensions);
}

TEST_F(PubSubPartial, misuse_is_an_error_that_says_what_is_wrong) {
  PartsHolder& off = add(PartialUse::requests, 1, PubSubConfig());
  EXPECT_EQ(off.enabled.error(), Errc::unsupported);
  off.publish();
  EXPECT_EQ(off.published.error(), Errc::unsupported);
  PartsHolder& on = add(PartialUse::requests, 1);
  EXPECT_EQ(on.topic.enable_partial(GossipsubPartialHandler{}).error(), Errc::invalid_argument);
  on.topic.leave();
  on.publish();
  EXPECT_EQ(on.published.error(), Errc::closed);
}

}  // namespace
}  // namespace libp2p
