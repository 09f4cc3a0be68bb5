#include "libp2p/services/gossipsub/gossipsub_service.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "libp2p/multiformats/varint.hpp"
#include "libp2p/services/gossipsub/gossip_inbound.hpp"
#include "libp2p/services/gossipsub/gossip_outbound.hpp"
#include "libp2p/services/gossipsub/gossipsub_peers_test.hpp"

namespace libp2p {
namespace {

class GossipsubServiceTest : public testing::Test {
 protected:
  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      net_.add();
      gossipers_.push_back(std::make_unique<Gossiper>(net_.host(net_.size() - 1)));
    }
  }
  void mesh_of_two() {
    add(2);
    at(0).join();
    at(1).join();
    ASSERT_TRUE(net_.connect(0, 1));
    net_.run_for(Seconds(2));
  }
  Gossiper& at(std::size_t i) { return *gossipers_.at(i); }
  PeerId peer(std::size_t i) { return net_.host(i).id(); }

  SimHosts net_{21};
  std::vector<std::unique_ptr<Gossiper>> gossipers_;
};

TEST_F(GossipsubServiceTest, brings_a_message_to_ten_hosts_and_not_back_to_its_publisher) {
  add(10);
  for (std::size_t i = 0; i < 10; ++i) at(i).join();
  for (std::size_t i = 1; i < 10; ++i) ASSERT_TRUE(net_.connect(i, i - 1));
  for (std::size_t i = 3; i < 10; ++i) ASSERT_TRUE(net_.connect(i, i - 3));
  net_.run_for(Seconds(3));
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(at(0).publish("message " + std::to_string(round)).has_value());
    net_.run_for(Millis(700));
  }
  EXPECT_TRUE(at(0).heard.empty());
  for (std::size_t i = 1; i < 10; ++i) {
    EXPECT_EQ(at(i).heard.size(), 5U) << i;
    for (int round = 0; round < 5; ++round) EXPECT_EQ(at(i).count("message " + std::to_string(round)), 1U) << i;
  }
}

TEST_F(GossipsubServiceTest, opens_one_stream_each_way_to_every_connected_peer) {
  add(3);
  ASSERT_TRUE(net_.connect(0, 1));
  ASSERT_TRUE(net_.connect(2, 0));
  net_.run_for(Seconds(1));
  auto both = std::vector<PeerId>{peer(1), peer(2)};
  std::sort(both.begin(), both.end());
  EXPECT_EQ(at(0).service->peers(), both);
  EXPECT_EQ(at(1).service->peers(), std::vector<PeerId>{peer(0)});
  EXPECT_EQ(live<GossipInbound>(), 4);
  EXPECT_EQ(live<GossipOutbound>(), 4);
}

TEST_F(GossipsubServiceTest, keeps_nothing_of_a_peer_that_went) {
  mesh_of_two();
  EXPECT_EQ(at(0).service->router().mesh(kTopic).size(), 1U);
  net_.disconnect(0, 1);
  net_.run_for(Seconds(1));
  EXPECT_TRUE(at(0).service->peers().empty());
  const auto sizes = at(0).service->router().sizes();
  EXPECT_EQ(sizes.peers, 0U);
  EXPECT_EQ(sizes.subscriptions, 0U);
  EXPECT_EQ(sizes.mesh_links, 0U);
  EXPECT_FALSE(net_.host(0).is_spared(peer(1)));
  EXPECT_EQ(live<GossipInbound>(), 0);
  EXPECT_EQ(live<GossipOutbound>(), 0);
}

TEST_F(GossipsubServiceTest, protects_the_peers_of_its_meshes_from_being_trimmed) {
  mesh_of_two();
  EXPECT_TRUE(net_.host(0).is_spared(peer(1)));
  at(0).service->leave(std::string(kTopic));
  net_.run_for(Seconds(1));
  EXPECT_FALSE(net_.host(0).is_spared(peer(1)));
  EXPECT_FALSE(net_.host(1).is_spared(peer(0))) << "it was told to prune";
}

TEST_F(GossipsubServiceTest, gossips_again_after_a_connection_was_lost_and_made_anew) {
  add(2);
  at(0).join();
  at(1).join();
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(net_.connect(round % 2 == 0 ? 0 : 1, round % 2 == 0 ? 1 : 0));
    net_.run_for(Seconds(1));
    const std::string text = "round " + std::to_string(round);
    ASSERT_TRUE(at(0).publish(text).has_value());
    net_.run_for(Seconds(1));
    EXPECT_EQ(at(1).count(text), 1U) << round;
    net_.disconnect(0, 1);
    net_.run_for(Seconds(1));
  }
}

TEST_F(GossipsubServiceTest, asks_validators_and_takes_their_answers_in_any_order) {
  add(2);
  std::vector<std::pair<std::string, GossipsubService::Done>> asked;
  at(0).join();
  at(1).join([&asked](const gossipsub::Validate& message, GossipsubService::Done done) {
    asked.emplace_back(std::string(as_text(message.data.view())), std::move(done));
  });
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  for (const std::string_view text : {"a", "b", "c", "d"}) ASSERT_TRUE(at(0).publish(text).has_value());
  net_.run_for(Seconds(1));
  ASSERT_EQ(asked.size(), 4U);
  EXPECT_TRUE(at(1).heard.empty());
  asked[3].second(ValidationResult::accept);
  asked[1].second(ValidationResult::reject);
  asked[0].second(ValidationResult::accept);
  asked[2].second(ValidationResult::ignore);
  asked[2].second(ValidationResult::accept);  // too late
  net_.run_for(Seconds(1));
  EXPECT_EQ(at(1).heard, (std::vector<std::string>{asked[3].first, asked[0].first}));
  EXPECT_EQ(at(1).service->router().counters().rejected, 1U);
  EXPECT_EQ(at(1).service->router().counters().ignored, 1U);
}

TEST_F(GossipsubServiceTest, forwards_what_is_accepted_and_nothing_else) {
  add(3);
  at(0).join();
  at(2).join();
  at(1).join([](const gossipsub::Validate& message, const GossipsubService::Done& done) {
    const auto text = as_text(message.data.view());
    done(text.starts_with("good")  ? ValidationResult::accept
         : text.starts_with("bad") ? ValidationResult::reject
                                   : ValidationResult::ignore);
  });
  ASSERT_TRUE(net_.connect(0, 1));
  ASSERT_TRUE(net_.connect(1, 2));
  net_.run_for(Seconds(1));
  for (const std::string_view text : {"good 1", "bad 1", "neither", "good 2", "bad 2"}) {
    ASSERT_TRUE(at(0).publish(text).has_value());
    net_.run_for(Millis(200));
  }
  net_.run_for(Seconds(2));
  EXPECT_EQ(at(2).heard, (std::vector<std::string>{"good 1", "good 2"}));
}

TEST_F(GossipsubServiceTest, ignores_what_no_validator_answers_in_time) {
  add(2);
  std::vector<GossipsubService::Done> asked;
  at(0).join();
  at(1).join([&asked](const gossipsub::Validate&, GossipsubService::Done done) { asked.push_back(std::move(done)); });
  ASSERT_TRUE(net_.connect(0, 1));
  net_.run_for(Seconds(1));
  ASSERT_TRUE(at(0).publish("forgotten").has_value());
  net_.run_for(Seconds(29));
  EXPECT_EQ(at(1).service->router().sizes().validating, 1U);
  net_.run_for(Seconds(3));
  EXPECT_EQ(at(1).service->router().sizes().validating, 0U);
  asked.front()(ValidationResult::accept);
  net_.run_for(Seconds(1));
  EXPECT_TRUE(at(1).heard.empty());
}

TEST_F(GossipsubServiceTest, tells_the_publisher_what_became_of_a_message_that_it_asked_to_judge) {
  add(1);
  at(0).join([](const gossipsub::Validate& message, const GossipsubService::Done& done) {
    EXPECT_TRUE(message.local);
    done(as_text(message.data.view()) == "good" ? ValidationResult::accept : ValidationResult::reject);
  });
  std::vector<ValidationResult> ends;
  for (const std::string_view text : {"good", "bad"}) {
    const auto published =
        at(0).service->publish(kTopic, as_bytes(text), LocalCheck::validate,
                               [&ends](const gossipsub::Published& end) { ends.push_back(end.verdict); });
    ASSERT_TRUE(published.has_value());
  }
  net_.run_for(Seconds(1));
  EXPECT_EQ(ends, (std::vector<ValidationResult>{ValidationResult::accept, ValidationResult::reject}));
  EXPECT_TRUE(at(0).heard.empty());
}

TEST_F(GossipsubServiceTest, a_publisher_that_wants_to_hear_nothing_hears_nothing) {
  add(1);
  at(0).join([](const gossipsub::Validate&, const GossipsubService::Done& done) { done(ValidationResult::accept); });
  ASSERT_TRUE(at(0).service->publish(kTopic, as_bytes("judged"), LocalCheck::validate, nullptr));
  ASSERT_TRUE(at(0).service->publish(kTopic, as_bytes("trusted"), LocalCheck::already_valid, nullptr));
  EXPECT_FALSE(at(0).service->publish(kTopic, Bytes(gossipsub::RpcLimits().max_rpc + 1), LocalCheck::validate,
                                      [](const gossipsub::Published&) { ADD_FAILURE(); }));
  net_.run_for(Seconds(1));
}

// All links are fast but those from one node to another, which is as good as stuck.
class OneSlowLink final : public runtime::LinkModel {
 public:
  OneSlowLink(runtime::NodeIndex from, runtime::NodeIndex to) : from_(from), to_(to) {}
  runtime::LinkQuality quality(runtime::NodeIndex from, runtime::NodeIndex to, Rng&) override {
    runtime::LinkQuality quality;
    if (from == from_ && to == to_) {
      quality.bytes_per_second = 1000;
      quality.buffer_bytes = 32 * 1024;
    }
    return quality;
  }

 private:
  runtime::NodeIndex from_;
  runtime::NodeIndex to_;
};

TEST(GossipsubService, lets_a_peer_that_reads_slowly_hold_back_nobody_else) {
  SimHosts net(22, std::make_unique<OneSlowLink>(0, 1));
  std::vector<std::unique_ptr<Gossiper>> gossipers;
  for (std::size_t i = 0; i < 5; ++i) {
    net.add();
    gossipers.push_back(std::make_unique<Gossiper>(net.host(i)));
    gossipers.back()->join();
  }
  for (std::size_t i = 1; i < 5; ++i) ASSERT_TRUE(net.connect(0, i));
  net.run_for(Seconds(5));
  constexpr std::size_t kMessages = 40;
  for (std::size_t n = 0; n < kMessages; ++n) {
    std::string text(200'000, 'x');
    text += std::to_string(n);
    ASSERT_TRUE(gossipers[0]->publish(text).has_value());
    net.run_for(Millis(500));
  }
  net.run_for(Seconds(2));
  for (std::size_t i = 2; i < 5; ++i) EXPECT_EQ(gossipers[i]->heard.size(), kMessages) << i;
  EXPECT_LT(gossipers[1]->heard.size(), kMessages);
  EXPECT_GT(gossipers[0]->service->queued_bytes(), 0u) << "on the way to the slow one";
  EXPECT_EQ(gossipers[2]->service->queued_bytes(), 0u);
  // What waits for the slow one is bounded, and its stream is given up after the write timeout.
  EXPECT_LE(gossipers[0]->service->router().sizes().outbox_bytes, gossip_config().router.params.outbox.max_bytes);
  net.run_for(Seconds(30));
  const auto& troubles = gossipers[0]->troubles;
  EXPECT_TRUE(std::any_of(troubles.begin(), troubles.end(),
                          [](const std::string& text) { return text.starts_with("the peer does not read"); }));
}

class WithRawPeer : public testing::Test {
 protected:
  WithRawPeer() {
    net_.add();
    net_.add();
    gossiper_ = std::make_unique<Gossiper>(net_.host(0));
    raw_ = std::make_unique<RawGossiper>(net_.host(1));
    EXPECT_TRUE(net_.connect(1, 0));
    net_.run_for(Millis(50));
  }
  Stream open() {
    auto stream = net_.run(1, RawGossiper::open(net_.host(1), net_.host(0).id()));
    return std::move(stream.value().value());
  }
  bool write(Stream& stream, Bytes bytes) {
    const auto wrote = net_.run(1, RawGossiper::write(stream, std::move(bytes)));
    net_.run_for(Millis(100));
    return wrote && wrote->has_value();
  }
  std::size_t subscribers() { return gossiper_->service->router().subscribers(kTopic).size(); }

  SimHosts net_{23};
  std::unique_ptr<RawGossiper> raw_;
  std::unique_ptr<Gossiper> gossiper_;
};

TEST_F(WithRawPeer, resets_the_stream_of_a_peer_that_sends_garbage_and_keeps_the_connection) {
  Stream stream = open();
  write(stream, Bytes{0x03, 0xff, 0xff, 0xff});
  net_.run_for(Seconds(1));
  EXPECT_FALSE(stream.alive());
  EXPECT_TRUE(net_.host(0).connected(net_.host(1).id()));
}

TEST_F(WithRawPeer, resets_the_stream_of_a_peer_that_announces_too_long_a_frame) {
  Stream stream = open();
  Bytes prefix;
  multiformats::append_varint(prefix, (10U << 20) + 1);
  write(stream, prefix);
  net_.run_for(Seconds(1));
  EXPECT_FALSE(stream.alive());
}

TEST_F(WithRawPeer, reads_the_newest_stream_of_a_peer_and_resets_the_one_before) {
  gossiper_->join();
  Stream first = open();
  ASSERT_TRUE(write(first, RawGossiper::subscription(kTopic)));
  EXPECT_EQ(subscribers(), 1U);
  Stream second = open();
  ASSERT_TRUE(write(second, RawGossiper::subscription("other")));
  net_.run_for(Seconds(1));
  EXPECT_FALSE(first.alive());
  EXPECT_TRUE(second.alive());
  EXPECT_EQ(subscribers(), 1U);
  second.reset();
  net_.run_for(Seconds(1));
  EXPECT_EQ(subscribers(), 0U);
}

TEST_F(WithRawPeer, opens_a_lost_stream_again_later_each_time_and_says_its_subscriptions_anew) {
  gossiper_->join();
  Stream mine = open();
  ASSERT_TRUE(write(mine, RawGossiper::subscription(kTopic)));
  ASSERT_EQ(raw_->streams_accepted, 1U);
  for (int i = 0; i < 4; ++i) {
    raw_->accepted.back().reset();
    net_.run_for(Seconds(2));
  }
  EXPECT_EQ(raw_->streams_accepted, 5U);
  // The peer's own subscription is not forgotten with the stream that we write to.
  EXPECT_EQ(subscribers(), 1U);
  EXPECT_EQ(gossiper_->troubles.size(), 4U);
  raw_->accepted.back().reset();
  net_.run_for(Millis(1500));
  EXPECT_EQ(raw_->streams_accepted, 5U);
  net_.run_for(Millis(500));
  EXPECT_EQ(raw_->streams_accepted, 6U);
  Bytes hello(256);
  const auto got = net_.run(1, raw_->accepted.back().read_some(hello));
  ASSERT_TRUE(got && got->has_value());
  EXPECT_NE(as_text(hello).find(kTopic), std::string_view::npos);
}

TEST_F(WithRawPeer, opens_a_stream_again_that_is_reset_as_soon_as_it_is_open) {
  gossiper_->join();
  ASSERT_EQ(raw_->streams_accepted, 1U);
  raw_->resets_at_once = true;
  raw_->accepted.back().reset();
  net_.run_for(Seconds(2));
  EXPECT_GT(raw_->streams_accepted, 2U);
  raw_->resets_at_once = false;
  net_.run_for(Seconds(10));
  EXPECT_TRUE(raw_->accepted.back().alive());
}

TEST_F(WithRawPeer, tells_of_all_streams_that_break_at_once) {
  Stream mine = open();
  ASSERT_TRUE(write(mine, RawGossiper::subscription(kTopic)));
  mine.reset();
  raw_->accepted.back().reset();
  net_.run_for(Millis(100));
  ASSERT_EQ(gossiper_->troubles.size(), 2U);
  EXPECT_TRUE(gossiper_->troubles[0].starts_with("reading the peer's gossip stream")) << gossiper_->troubles[0];
  EXPECT_TRUE(gossiper_->troubles[1].starts_with("the gossip stream to the peer")) << gossiper_->troubles[1];
}

// Has frames of these sizes, of which 0 is one of control.
struct Frames final : GossipOutbound::Owner {
  explicit Frames(std::deque<std::size_t> waiting) : sizes(std::move(waiting)) {}
  std::optional<SharedBytes> next_frame(const PeerId&) override {
    if (sizes.empty()) return std::nullopt;
    const std::size_t size = sizes.front();
    sizes.pop_front();
    return share(Bytes(std::max<std::size_t>(size, 60)));
  }
  std::optional<std::size_t> next_frame_size(const PeerId&) const override {
    return sizes.empty() ? std::nullopt : std::optional<std::size_t>(sizes.front());
  }
  void on_portion_sent(GossipOutbound&) override { ++portions; }
  void on_outbound_lost(GossipOutbound&, const Error&) override {}
  std::deque<std::size_t> sizes;
  int portions = 0;
};

TEST_F(WithRawPeer, is_sent_a_large_message_alone_and_small_ones_together) {
  auto stream = net_.run(0, RawGossiper::open(net_.host(0), net_.host(1).id()));
  Frames frames({0, 1000, 50'000, 1000, 1000, 30'000, 0});
  GossipOutbound outbound(net_.host(0).runtime(), std::move(stream.value().value()), frames);
  outbound.pump();
  EXPECT_EQ(frames.sizes.size(), 5U) << "control and a small message leave, and the large one can still be taken back";
  outbound.pump();
  EXPECT_EQ(frames.sizes.size(), 2U) << "a large message, and small ones while the portion lasts";
  EXPECT_EQ(frames.portions, 2);
  outbound.pump();
  EXPECT_TRUE(frames.sizes.empty());
  EXPECT_EQ(frames.portions, 2) << "nothing is left";
}

TEST_F(WithRawPeer, is_known_not_to_read_as_soon_as_the_write_timeout_is_over) {
  auto stream = net_.run(0, RawGossiper::open(net_.host(0), net_.host(1).id()));
  Frames frames({1 << 20});  // larger than what a peer that does not read takes
  GossipOutbound outbound(net_.host(0).runtime(), std::move(stream.value().value()), frames);
  outbound.pump();
  net_.run_for(Seconds(30) - Nanos(1));
  EXPECT_FALSE(outbound.is_stalled(Seconds(30)));
  net_.run_for(Nanos(1));
  EXPECT_TRUE(outbound.is_stalled(Seconds(30)));
}

TEST_F(WithRawPeer, holds_no_more_unfinished_frames_than_its_bound) {
  GossipsubConfig config = gossip_config();
  config.unfinished_bytes = 100'000;
  gossiper_.reset();
  gossiper_ = std::make_unique<Gossiper>(net_.host(0), config);
  Stream stream = open();
  Bytes begun;
  multiformats::append_varint(begun, 1'000'000);
  begun.resize(60'000);
  EXPECT_TRUE(write(stream, begun));
  net_.run_for(Seconds(1));
  EXPECT_TRUE(stream.alive());
  write(stream, Bytes(60'000));
  net_.run_for(Seconds(1));
  EXPECT_FALSE(stream.alive());
  EXPECT_FALSE(gossiper_->troubles.empty());
}

TEST(GossipsubService, waits_for_identify_with_a_peer_that_does_not_speak_gossip_yet) {
  SimHosts net(24);
  net.add();
  net.add();
  Gossiper first(net.host(0));
  ASSERT_TRUE(net.connect(0, 1));
  net.run_for(Seconds(30));
  EXPECT_TRUE(first.service->peers().empty());
  EXPECT_EQ(first.troubles.size(), 1U);
  Gossiper second(net.host(1));
  net.host(0).report_identified(net.host(1).id(), {"/meshsub/1.2.0"});
  net.run_for(Seconds(1));
  EXPECT_EQ(first.service->peers().size(), 1U);
}

TEST(GossipsubService, leaves_nothing_behind) {
  {
    SimHosts net(25);
    std::vector<std::unique_ptr<Gossiper>> gossipers;
    for (std::size_t i = 0; i < 4; ++i) {
      net.add();
      gossipers.push_back(std::make_unique<Gossiper>(net.host(i)));
      gossipers.back()->join();
    }
    for (std::size_t i = 1; i < 4; ++i) ASSERT_TRUE(net.connect(0, i));
    net.run_for(Seconds(2));
    ASSERT_TRUE(gossipers[1]->publish("last words").has_value());
    net.run_for(Millis(30));
    EXPECT_TRUE(net.run(0, gossipers[0]->service->close()));
    EXPECT_EQ(gossipers[0]->publish("too late").error(), Errc::closed);
    for (auto& gossiper : gossipers) gossiper.reset();
    net.close();
  }
  EXPECT_EQ(live<GossipsubService>(), 0);
  EXPECT_EQ(live<GossipInbound>(), 0);
  EXPECT_EQ(live<GossipOutbound>(), 0);
  EXPECT_EQ(live<gossipsub::Peer>(), 0);
  EXPECT_EQ(live<runtime::detail::Root>(), 0);
}

}  // namespace
}  // namespace libp2p
