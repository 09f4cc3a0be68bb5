#include "libp2p/protocols/gossipsub/outbox.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>

namespace libp2p::gossipsub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MessageId numbered_id(std::uint32_t n) {
  Bytes bytes(20);
  store_be32(bytes.data(), n);
  return *MessageId::from(bytes);
}

std::vector<MessageId> ids(std::uint32_t count) {
  std::vector<MessageId> out;
  for (std::uint32_t n = 0; n < count; ++n) out.push_back(numbered_id(n));
  return out;
}

constexpr std::size_t kMaxControl = 16 << 10;

std::string numbered_topic(std::uint32_t n) {
  const std::string digits = std::to_string(n);
  return "/optimism/" + std::string(5 - digits.size(), '0') + digits + "/blocks";
}

class GossipsubOutbox : public testing::Test {
 protected:
  bool push(std::uint32_t n, Outbox::Kind kind, std::size_t size = 10) {
    return outbox.push(numbered_id(n), share(Bytes(size, static_cast<std::uint8_t>(n))), kind, dropped);
  }
  Rpc next() {
    last = outbox.next();
    EXPECT_TRUE(last);
    return decode_frame(*last, RpcLimits{}).value();
  }
  std::uint8_t next_message() {
    const auto frame = outbox.next();
    return frame ? (*frame)->front() : std::uint8_t{0};
  }

  Outbox outbox{{.max_items = 4, .max_bytes = 1000, .max_iwant = 20'000, .max_idontwant = 5000}, 10, kMaxControl};
  std::vector<Outbox::Dropped> dropped;
  std::optional<SharedBytes> last;
};

TEST_F(GossipsubOutbox, is_empty_at_first) {
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.next());
}

TEST_F(GossipsubOutbox, merges_control_into_one_rpc_with_the_newest_word_per_topic) {
  outbox.announce("a", true);
  outbox.announce("b", true);
  outbox.announce("a", false);
  outbox.graft("b");
  outbox.prune("b", 60);
  outbox.graft("c");
  outbox.iwant(ids(2));
  outbox.idontwant(numbered_id(5));
  outbox.ihave("b", ids(9));
  outbox.ihave("b", ids(3));
  const Rpc rpc = next();
  ASSERT_EQ(rpc.subscriptions.size(), 2U);
  EXPECT_EQ(rpc.subscriptions[0].subscribe, false);
  ASSERT_EQ(rpc.control->prune.size(), 1U);
  EXPECT_EQ(rpc.control->prune[0].backoff, 60U);
  ASSERT_EQ(rpc.control->graft.size(), 1U);
  EXPECT_EQ(rpc.control->graft[0].topic, "c");
  EXPECT_EQ(rpc.control->iwant.at(0).ids.size(), 2U);
  EXPECT_EQ(rpc.control->idontwant.at(0).ids.size(), 1U);
  EXPECT_EQ(rpc.control->ihave.at(0).ids.size(), 3U);
  EXPECT_TRUE(outbox.empty());
  EXPECT_FALSE(outbox.next());
}

// What a peer reads from all control frames, in the order in which it comes.
struct AllControl {
  std::vector<std::pair<std::string, bool>> subscriptions;
  std::vector<std::string> grafts, prunes;
  std::vector<MessageId> iwant, idontwant;
  std::map<std::string, std::vector<MessageId>> ihave;
  std::size_t frames = 0;
  std::size_t largest = 0;
};

AllControl read_all(Outbox& outbox) {
  AllControl all;
  const auto add = [](std::vector<MessageId>& to, const std::vector<ByteView>& more) {
    for (const auto& id : more) to.push_back(*MessageId::from(id));
  };
  while (const auto frame = outbox.next()) {
    outbox.check();
    ++all.frames;
    all.largest = std::max(all.largest, (*frame)->size());
    const Rpc rpc = decode_frame(*frame, RpcLimits{}).value();
    EXPECT_EQ(rpc.ignored, 0U);
    for (const auto& s : rpc.subscriptions) all.subscriptions.emplace_back(*s.topic, *s.subscribe);
    if (!rpc.control) continue;
    for (const auto& graft : rpc.control->graft) all.grafts.emplace_back(*graft.topic);
    for (const auto& prune : rpc.control->prune) all.prunes.emplace_back(*prune.topic);
    for (const auto& entry : rpc.control->iwant) add(all.iwant, entry.ids);
    for (const auto& entry : rpc.control->idontwant) {
      EXPECT_LE(entry.ids.size(), 10U);
      add(all.idontwant, entry.ids);
    }
    for (const auto& entry : rpc.control->ihave) add(all.ihave[std::string(*entry.topic)], entry.ids);
  }
  EXPECT_TRUE(outbox.empty());
  return all;
}

TEST_F(GossipsubOutbox, splits_ids_into_frames_of_16_KiB_in_their_order_and_loses_none) {
  outbox.iwant(ids(12'000));
  outbox.ihave("a", ids(5000));
  outbox.ihave("b", ids(3000));
  for (const auto& id : ids(300)) outbox.idontwant(id);
  const AllControl all = read_all(outbox);
  EXPECT_LE(all.largest, kMaxControl);
  EXPECT_GT(all.largest, kMaxControl - 64) << "a frame is filled before the next begins";
  EXPECT_EQ(all.iwant, ids(12'000));
  EXPECT_EQ(all.ihave.at("a"), ids(5000));
  EXPECT_EQ(all.ihave.at("b"), ids(3000));
  EXPECT_EQ(all.idontwant, ids(300));
}

TEST_F(GossipsubOutbox, splits_subscriptions_grafts_and_prunes_in_the_order_of_their_topics) {
  std::vector<std::pair<std::string, bool>> subscriptions;
  std::vector<std::string> grafts, prunes;
  for (std::uint32_t n = 0; n < 3000; ++n) {
    const std::string topic = numbered_topic(n);
    subscriptions.emplace_back(topic, n % 3 != 0);
    outbox.announce(topic, n % 3 != 0);
    if (n % 2 == 0) {
      outbox.graft(topic);
      grafts.push_back(topic);
    } else {
      outbox.prune(topic, ~std::uint64_t{0});  // the longest number there is
      prunes.push_back(topic);
    }
  }
  const AllControl all = read_all(outbox);
  EXPECT_LE(all.largest, kMaxControl);
  EXPECT_EQ(all.subscriptions, subscriptions);
  EXPECT_EQ(all.grafts, grafts);
  EXPECT_EQ(all.prunes, prunes);
}

TEST_F(GossipsubOutbox, tells_of_a_topic_before_it_grafts_in_it) {
  for (std::size_t most = 0; most < 200; ++most) {  // also where a GRAFT would fit that the subscription does not
    Outbox small({}, 10, most);
    for (const char topic : {'a', 'b', 'c', 'd', 'e', 'f'}) small.announce(std::string(1, topic), true);
    for (const char topic : {'a', 'c', 'f'}) small.graft(std::string(1, topic));
    std::set<std::string> known;
    while (const auto frame = small.next()) {
      const Rpc rpc = decode_frame(*frame, RpcLimits{}).value();
      for (const auto& s : rpc.subscriptions) known.emplace(*s.topic);
      if (!rpc.control) continue;
      for (const auto& graft : rpc.control->graft) EXPECT_TRUE(known.contains(std::string(*graft.topic))) << most;
    }
    EXPECT_EQ(known.size(), 6U);
  }
}

// The smallest bound shows each size to be counted in full.
TEST_F(GossipsubOutbox, sends_an_entry_alone_that_is_larger_than_a_frame_and_loses_none) {
  for (const std::size_t most : {0U, 1U, 20U, 50U, 100U, 127U, 128U, 129U, 300U}) {
    Outbox small({}, 10, most);
    const std::string large(200, 'x');
    small.announce(large, true);
    small.announce("a", true);
    small.graft(large);
    small.prune("a", 60);
    small.iwant(ids(40));
    small.ihave(large, ids(7));
    small.ihave("a", ids(7));
    for (const auto& id : ids(25)) small.idontwant(id);
    const AllControl all = read_all(small);
    EXPECT_LE(all.largest, std::max<std::size_t>(most, 240)) << "one entry, or what fits";
    EXPECT_THAT(all.subscriptions, ElementsAre(std::pair(std::string("a"), true), std::pair(large, true)));
    EXPECT_THAT(all.grafts, ElementsAre(large));
    EXPECT_THAT(all.prunes, ElementsAre("a"));
    EXPECT_EQ(all.iwant, ids(40));
    EXPECT_EQ(all.ihave.at(large), ids(7));
    EXPECT_EQ(all.ihave.at("a"), ids(7));
    EXPECT_EQ(all.idontwant, ids(25));
  }
}

TEST_F(GossipsubOutbox, names_no_more_peers_in_a_prune_than_fit_into_a_frame) {
  std::vector<NamedPeer> named;
  for (std::uint8_t n = 0; n < 16; ++n) {
    named.push_back({PeerId::from_bytes(Bytes{0x00, 0x01, n}).value(), Bytes(1024, n)});
  }
  outbox.prune("a topic", 60, named);
  const Rpc rpc = next();
  EXPECT_LE((*last)->size(), kMaxControl);
  ASSERT_EQ(rpc.control->prune.size(), 1U);
  EXPECT_EQ(rpc.control->prune[0].peers.size(), 15U);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(GossipsubOutbox, counts_the_peers_that_prunes_name) {
  std::vector<NamedPeer> named;
  for (std::uint8_t n = 0; n < 16; ++n) {
    named.push_back({PeerId::from_bytes(Bytes{0x00, 0x01, n}).value(), Bytes(n % 2 == 0 ? 500 : 0, n)});
  }
  for (std::uint32_t n = 0; n < 20; ++n) outbox.prune(numbered_topic(n), 60, named);
  std::size_t prunes = 0;
  while (!outbox.empty()) {
    const Rpc rpc = next();
    EXPECT_LE((*last)->size(), kMaxControl);
    for (const Prune& prune : rpc.control->prune) {
      ++prunes;
      ASSERT_EQ(prune.peers.size(), 16U);
      for (std::size_t n = 0; n < 16; ++n) {
        EXPECT_TRUE(equal(*prune.peers[n].peer_id, named[n].peer.bytes()));
        EXPECT_EQ(prune.peers[n].signed_peer_record.has_value(), n % 2 == 0);
      }
    }
  }
  EXPECT_EQ(prunes, 20U);
}

TEST_F(GossipsubOutbox, replaces_the_rest_of_an_ihave_that_has_gone_out_in_part) {
  outbox.ihave("a", ids(5000));
  const std::size_t sent = next().control->ihave.at(0).ids.size();
  EXPECT_LT(sent, 1000U);
  outbox.ihave("a", ids(3));
  EXPECT_EQ(read_all(outbox).ihave.at("a"), ids(3));
}

TEST_F(GossipsubOutbox, sends_own_messages_before_forwarded_ones) {
  push(1, Outbox::Kind::forwarded);
  push(2, Outbox::Kind::own);
  push(3, Outbox::Kind::forwarded);
  EXPECT_EQ(next_message(), 2);
  EXPECT_EQ(next_message(), 1);
  EXPECT_EQ(next_message(), 3);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(GossipsubOutbox, lets_control_and_messages_take_turns) {
  push(1, Outbox::Kind::forwarded);
  push(2, Outbox::Kind::forwarded);
  outbox.graft("a");
  EXPECT_EQ(next().control->graft.size(), 1U) << "control goes first";
  outbox.graft("b");
  EXPECT_EQ(next_message(), 1) << "but not twice in a row";
  EXPECT_EQ(next().control->graft.size(), 1U);
  EXPECT_EQ(next_message(), 2);
}

TEST_F(GossipsubOutbox, tells_the_size_of_what_comes_next) {
  EXPECT_EQ(outbox.next_size(), std::nullopt);
  push(1, Outbox::Kind::forwarded, 100);
  push(2, Outbox::Kind::own, 200);
  outbox.graft("topic");
  outbox.partials().push({"topic", {}, share(Bytes(300)), true}, 10, 1000);
  for (const std::size_t size : {0, 300, 200, 100}) {
    EXPECT_EQ(outbox.next_size(), size);
    const auto frame = outbox.next();
    ASSERT_TRUE(frame);
    EXPECT_TRUE(size == 0 || (*frame)->size() == size);
  }
  EXPECT_EQ(outbox.next_size(), std::nullopt);
}

TEST_F(GossipsubOutbox, drops_the_oldest_forwarded_message_first_and_own_ones_last) {
  push(1, Outbox::Kind::own);
  push(2, Outbox::Kind::forwarded);
  push(3, Outbox::Kind::forwarded);
  push(4, Outbox::Kind::own);
  EXPECT_THAT(dropped, IsEmpty());
  push(5, Outbox::Kind::own);
  push(6, Outbox::Kind::own);
  push(7, Outbox::Kind::own);
  std::vector<MessageId> gone;
  for (const auto& item : dropped) gone.push_back(item.id);
  EXPECT_THAT(gone, ElementsAre(numbered_id(2), numbered_id(3), numbered_id(1)));
  EXPECT_EQ(dropped[2].kind, Outbox::Kind::own);
  EXPECT_EQ(outbox.items(), 4U);
}

TEST_F(GossipsubOutbox, is_bounded_in_bytes) {
  push(1, Outbox::Kind::forwarded, 600);
  push(2, Outbox::Kind::forwarded, 500);
  EXPECT_EQ(dropped.size(), 1U);
  EXPECT_EQ(outbox.bytes(), 500U);
  push(3, Outbox::Kind::forwarded, 2000);
  EXPECT_EQ(dropped.size(), 3U) << "it does not fit even alone";
  EXPECT_EQ(outbox.bytes(), 0U);
  EXPECT_TRUE(outbox.empty());
}

TEST_F(GossipsubOutbox, holds_a_message_once_and_gives_it_up_when_cancelled) {
  EXPECT_TRUE(push(1, Outbox::Kind::forwarded));
  EXPECT_FALSE(push(1, Outbox::Kind::forwarded));
  EXPECT_TRUE(push(2, Outbox::Kind::own));
  EXPECT_TRUE(outbox.waiting(numbered_id(1)));
  EXPECT_TRUE(outbox.cancel(numbered_id(1)));
  EXPECT_TRUE(outbox.cancel(numbered_id(2)));
  EXPECT_FALSE(outbox.cancel(numbered_id(2)));
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.bytes(), 0U);
}

TEST_F(GossipsubOutbox, forgets_the_oldest_unwanted_ids_and_counts_them) {
  for (std::uint32_t n = 0; n < 5005; ++n) outbox.idontwant(numbered_id(n));
  EXPECT_EQ(outbox.dropped_ids(), 5U);
  EXPECT_TRUE(equal(next().control->idontwant.at(0).ids.at(0), numbered_id(5).bytes()));
}

}  // namespace
}  // namespace libp2p::gossipsub
